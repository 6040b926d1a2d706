/** CLUSTER NODES as redis 7.0.15 answered it, and the variants of other versions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseClusterNodes } from './clusterNodesReply.js';

const id = (digit: string): string => digit.repeat(40);

const sample = `0bd4b2e98f869a22975105441ca63160d9a7a3ee 127.0.0.1:17486@32385 master - 0 1795271546000 2 connected 5461-10921
a4bfd80fe7cc77e1406c9a948246c248940d9b33 127.0.0.1:10774@27321 slave 39c666983d23a7aca5755c267b5f0fe8be902c4c 0 1795271546424 1 connected
fff3c1c63d48ded8846fdd676ec1ceae59a7293e 127.0.0.1:13369@15761 master,fail? - 1795271546424 1795271545424 3 disconnected 10922-16383
39c666983d23a7aca5755c267b5f0fe8be902c4c 127.0.0.1:19401@28443 myself,master - 0 1795271545000 1 connected 0-5460
`;

test('nodes, roles, masters, epochs, failures and slots of a real reply', () => {
  const lines = parseClusterNodes(sample);
  assert.equal(lines.length, 4);
  const [second, replica, third, myself] = lines;
  assert.deepEqual(second?.slots, [[5461, 10921]]);
  assert.deepEqual([second?.host, second?.port, second?.busPort, second?.configEpoch], ['127.0.0.1', 17486, 32385, 2]);
  assert.deepEqual([replica?.role, replica?.masterClusterId, replica?.slots], ['replica', '39c666983d23a7aca5755c267b5f0fe8be902c4c', []]);
  assert.deepEqual([third?.failure, third?.linkConnected], ['pfail', false]);
  assert.deepEqual([myself?.myself, myself?.role, myself?.failure], [true, 'master', 'ok']);
});

const variants = [
  { what: 'hostname (7.0)', endpoint: '10.0.0.1:6379@16379,redis-1.example.com', host: '10.0.0.1', port: 6379, hostname: 'redis-1.example.com' },
  {
    what: 'empty hostname and more fields (7.2, Valkey)',
    endpoint: '10.0.0.1:6379@16379,,tls-port=0,shard-id=ab',
    host: '10.0.0.1',
    port: 6379,
    hostname: null,
  },
  { what: 'own address not known yet', endpoint: ':6379@16379', host: '', port: 6379, hostname: null },
  { what: 'IPv6', endpoint: 'fd00::1:6379@16379', host: 'fd00::1', port: 6379, hostname: null },
  { what: 'no bus port (Redis 3)', endpoint: '10.0.0.1:6379', host: '10.0.0.1', port: 6379, hostname: null },
];
for (const { what, endpoint, host, port, hostname } of variants) {
  test(`endpoint with ${what}`, () => {
    const [line] = parseClusterNodes(`${id('a')} ${endpoint} master - 0 0 1 connected`);
    assert.deepEqual([line?.host, line?.port, line?.hostname], [host, port, hostname]);
  });
}

test('single slots, several ranges, and slots on their way', () => {
  const [line] = parseClusterNodes(`${id('a')} :1@2 myself,master,nofailover - 0 0 7 connected 5 10-20 100-200 [93-<-${id('b')}] [77->-${id('c')}]`);
  assert.deepEqual(line?.slots, [
    [5, 5],
    [10, 20],
    [100, 200],
  ]);
  assert.deepEqual(line?.importing, [{ slot: 93, fromClusterId: id('b') }]);
  assert.deepEqual(line?.migrating, [{ slot: 77, toClusterId: id('c') }]);
  assert.deepEqual(line?.flags, ['myself', 'master', 'nofailover']);
});

test('a failed node without address, and lines that are none', () => {
  const lines = parseClusterNodes(`${id('a')} :0@0 master,fail,noaddr - 0 0 1 disconnected\n\nnonsense\n`);
  assert.equal(lines.length, 1);
  assert.deepEqual([lines[0]?.failure, lines[0]?.port], ['fail', 0]);
});
