/** What `--only` chooses, what the tools are started with, and what is counted of a server's answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvbenchError } from '../base/errors.js';
import { operationsIn } from './benchServers.js';
import { benchCases, contenderIds, Selection } from './cases.js';
import { redisBenchmarkArguments } from './contenders.js';

test('--only takes cases, contenders and both, and everything when it is absent', () => {
  const chosen = (...only: string[]): string[] => {
    const selection = new Selection(only);
    return benchCases.flatMap(({ id }) => contenderIds.filter((contender) => selection.has(id, contender)).map((contender) => `${id}/${contender}`));
  };
  assert.equal(chosen().length, benchCases.length * contenderIds.length);
  assert.deepEqual(chosen('cluster/wire'), ['cluster/wire']);
  assert.equal(chosen('cluster').length, contenderIds.length);
  assert.deepEqual(
    chosen('wire'),
    benchCases.map(({ id }) => `${id}/wire`),
  );
  assert.deepEqual(chosen('standalone/wire,standalone-16/memtier', 'cluster/ioredis'), [
    'standalone/wire',
    'standalone-16/memtier',
    'cluster/ioredis',
  ]);
});

test('--only takes the cases of the accuracy suite too, and then none of throughput', () => {
  const selection = new Selection(['delay-1ms/wire', 'stall']);
  assert.deepEqual(
    [
      selection.has('delay-1ms', 'wire'),
      selection.has('delay-1ms', 'ioredis'),
      selection.has('stall', 'ioredis'),
      selection.has('standalone', 'wire'),
    ],
    [true, false, true, false],
  );
});

test('--only with a name that is none of ours says which there are', () => {
  for (const wrong of ['wires', 'wire/cluster', 'cluster/', 'cluster/wire/1', '']) {
    assert.throws(
      () => new Selection([wrong]),
      (error) => error instanceof KvbenchError && error.code === 'INVALID_ARGUMENT' && /redis-benchmark/.test(error.hint ?? ''),
      wrong,
    );
  }
});

test('redis-benchmark gets the same values, keys and connections as the others', () => {
  const load = { host: '127.0.0.1', port: 7000, part: 'get', clients: 50, pipeline: 16, mode: 'standalone' } as const;
  const args = redisBenchmarkArguments(load).join(' ');
  assert.match(args, /-c 50 -P 16 -n 2000000000 -d 64 -r 100000/);
  assert.doesNotMatch(args, /--cluster/);
  assert.match(redisBenchmarkArguments({ ...load, mode: 'cluster' }, 5000).join(' '), /-n 5000 .*--cluster/);
});

test('of a server’s commands only GET and SET count', () => {
  const text =
    '# Commandstats\r\ncmdstat_get:calls=120,usec=5,usec_per_call=1.00,rejected_calls=0,failed_calls=0\r\n' +
    'cmdstat_set:calls=30,usec=5\r\ncmdstat_getex:calls=7,usec=1\r\ncmdstat_info:calls=99,usec=9\r\n';
  assert.equal(operationsIn(text), 150);
  assert.equal(operationsIn('# Commandstats\r\n'), 0);
});
