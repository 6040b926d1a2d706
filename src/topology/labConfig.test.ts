/** From a profile's directives to a server's command line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabPlan } from '../plan/plan.js';
import {
  CONFIG_FILE,
  configComplaint,
  fixedBusPortDistance,
  type NodePlace,
  sentinelConfig,
  serverArguments,
  splitDirectiveValue,
} from './labConfig.js';

const plan: LabPlan = { kind: 'lab', topology: 'cluster', masters: 3, replicasPerMaster: 1, server: 'auto', config: {} };

const place: NodePlace = { host: '127.0.0.1', port: 7000, busPort: 17_000, sourceHost: null, announce: null };
const announcing: NodePlace = { ...place, host: '127.9.0.2', sourceHost: '127.9.0.2', announce: { host: '127.9.0.2', port: 8000, busPort: 18_000 } };

/** The words after `--directive`. */
function valuesOf(args: string[], directive: string): string[][] {
  const found: string[][] = [];
  args.forEach((word, i) => {
    if (word !== `--${directive}`) return;
    const rest = args.slice(i + 1);
    const end = rest.findIndex((next) => next.startsWith('--'));
    found.push(end < 0 ? rest : rest.slice(0, end));
  });
  return found;
}

test("the profile's directives win over the lab's defaults, but not over what the lab stands on", () => {
  const args = serverArguments({ ...plan, config: { Appendonly: 'yes', save: '900 1 300 10', port: '1', bind: '0.0.0.0' } }, place);
  assert.deepEqual(valuesOf(args, 'appendonly'), [['yes']]);
  assert.deepEqual(valuesOf(args, 'save'), [['900', '1', '300', '10']]);
  assert.deepEqual(valuesOf(args, 'port'), [['7000']]);
  assert.deepEqual(valuesOf(args, 'bind'), [['127.0.0.1']]);
  assert.deepEqual(valuesOf(args, 'cluster-port'), [['17000']]);
  assert.deepEqual(valuesOf(args, 'repl-diskless-sync-delay'), [['0']]);
});

test('a server before Redis 7.0 is not told its bus port: it has one of its own', () => {
  assert.equal(fixedBusPortDistance({ product: 'redis', version: '6.0.16' }), 10_000);
  assert.equal(fixedBusPortDistance({ product: 'redis', version: '7.0.15' }), null);
  assert.equal(fixedBusPortDistance({ product: 'valkey', version: '8.1.0' }), null);
  assert.deepEqual(valuesOf(serverArguments(plan, place, true), 'cluster-port'), []);
});

test('a standalone server is no cluster node', () => {
  assert.deepEqual(valuesOf(serverArguments({ ...plan, topology: 'standalone' }, place), 'cluster-enabled'), []);
});

const values = [
  { value: '', words: [''] },
  { value: '""', words: [''] },
  { value: 'normal 0 0 0', words: ['normal', '0', '0', '0'] },
  { value: '"a b" c', words: ['a b', 'c'] },
  { value: '\'a "b\' "say \\"x\\""', words: ['a "b', 'say "x"'] },
];
for (const { value, words } of values) {
  test(`value ${JSON.stringify(value)}`, () => assert.deepEqual(splitDirectiveValue(value), words));
}

test("the server's own complaint is found in its output", () => {
  const output =
    '\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 4\n>>> \'maxmemory "abc"\'\nargument must be a memory value\n';
  assert.equal(configComplaint(output), 'maxmemory "abc": argument must be a memory value');
  assert.equal(configComplaint('Ready to accept connections'), null);
});

test('a node of a mesh binds its source and announces the addresses of the mesh', () => {
  const cluster = serverArguments(plan, announcing);
  assert.deepEqual(valuesOf(cluster, 'bind-source-addr'), [['127.9.0.2']]);
  assert.deepEqual(valuesOf(cluster, 'cluster-announce-port'), [['8000']]);
  assert.deepEqual(valuesOf(cluster, 'cluster-announce-bus-port'), [['18000']]);
  const replica = serverArguments({ ...plan, topology: 'sentinel', masters: 1 }, announcing);
  assert.equal(replica[0], CONFIG_FILE);
  assert.deepEqual(valuesOf(replica, 'replica-announce-ip'), [['127.9.0.2']]);
  assert.deepEqual(valuesOf(replica, 'replica-announce-port'), [['8000']]);
  assert.deepEqual(valuesOf(replica, 'cluster-enabled'), []);
});

test('a sentinel is told the master, how to judge it, and what to announce', () => {
  const text = sentinelConfig({ count: 3, quorum: 2, downAfterMs: 1500, failoverTimeoutMs: 9000 }, announcing, { host: '127.9.0.1', port: 8000 });
  for (const line of [
    'bind 127.9.0.2',
    'bind-source-addr 127.9.0.2',
    'sentinel announce-ip 127.9.0.2',
    'sentinel announce-port 8000',
    'sentinel monitor kvbench 127.9.0.1 8000 2',
    'sentinel down-after-milliseconds kvbench 1500',
    'sentinel failover-timeout kvbench 9000',
  ]) {
    assert.ok(text.split('\n').includes(line), line);
  }
});
