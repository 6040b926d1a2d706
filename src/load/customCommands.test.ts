import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import type { AccessKind, ArgumentPlan, CommandPlan } from '../plan/plan.js';
import type { IntervalRecord } from '../result/records.js';
import { OperationMix } from '../workload/operations.js';
import { closedPhase, EngineHarness, openPhase, planOf } from './engine.test.support.js';
import { LoadRunner } from './loadRunner.js';
import { endpointsOf, RedisServer } from './redisServer.test.support.js';

const key: ArgumentPlan = { kind: 'key' };
const value: ArgumentPlan = { kind: 'value', before: '', after: '' };
const none = { get: 0, set: 0, incr: 0, del: 0 };

function command(name: string, kind: AccessKind, weight: number, ...args: (string | ArgumentPlan)[]): CommandPlan {
  const parsed = args.map((arg): ArgumentPlan => (typeof arg === 'string' ? { kind: 'literal', bytes: arg } : arg));
  return { name, text: args.map((arg) => (typeof arg === 'string' ? arg : '…')).join(' '), kind, weight, args: parsed };
}

const servers: RedisServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.end();
});

test('custom commands are drawn by their weights, and only those of kind read leave a key as it is', () => {
  const commands = [command('a', 'read', 30, 'TTL', key), command('b', 'write', 0, 'DEL', key), command('c', 'write', 20, 'DEL', key)];
  const mix = new OperationMix(42, { operations: { ...none, get: 40, set: 10 }, readModifyWrite: 0, commands });
  const counts = new Map<number, number>();
  let writes = 0;
  for (let i = 0; i < 100_000; i++) {
    counts.set(mix.opOf(i), (counts.get(mix.opOf(i)) ?? 0) + 1);
    if (mix.isWrite(i)) writes++;
  }
  assert.deepEqual([...counts.keys()].sort(), [0, 1, 4, 6]);
  for (const [op, share] of [
    [0, 0.4],
    [1, 0.1],
    [4, 0.3],
    [6, 0.2],
  ] as const) {
    assert.ok(Math.abs((counts.get(op) ?? 0) - 100_000 * share) < 4 * Math.sqrt(100_000 * share), `${op}: ${counts.get(op)}`);
  }
  assert.equal(writes, (counts.get(1) ?? 0) + (counts.get(6) ?? 0));
});

test('writes of a key wait for each other; reads and commands without a key do not', () => {
  const inFlightOf = (custom: CommandPlan): number => {
    const plan = planOf({ phases: [openPhase(1000, 100_000)], operations: none, keys: { count: 1 }, timeoutUs: 10_000_000 });
    plan.load.workload.commands = [custom];
    const harness = new EngineHarness(plan, () => null);
    harness.run(90_000);
    return harness.sent.filter((operation) => operation.op === 4).length;
  };
  assert.equal(inFlightOf(command('w', 'write', 1, 'DEL', key)), 1);
  assert.ok(inFlightOf(command('r', 'read', 1, 'TTL', key)) > 80);
  assert.ok(inFlightOf(command('n', 'write', 1, 'PING')) > 80);
});

for (const client of ['ioredis', 'wire'] as const)
  test(`${client}: the server counts what kvbench counts, by operation, with wrong types as failures`, async () => {
    const server = await RedisServer.start();
    servers.push(server);
    const plan = planOf({
      phases: [openPhase(1000, 500_000), { ...closedPhase(4, 2, 300_000), index: 1, startUs: 500_000 }],
      operations: { ...none, get: 40 },
      keys: { count: 200 },
      timeoutUs: 5_000_000,
    });
    plan.load.client = client;
    plan.load.threads = 2;
    plan.load.workload.preload = true;
    plan.load.workload.commands = [
      command('touch', 'write', 20, 'EXPIRE', key, '60'),
      command('store', 'write', 20, 'SETEX', key, '60', value),
      command('age', 'read', 10, 'TTL', key),
      command('list', 'write', 10, 'LPUSH', key, value),
    ];
    const intervals: IntervalRecord[] = [];
    const runner = new LoadRunner(plan, endpointsOf('standalone', server.port), { interval: (record) => intervals.push(record), event: () => {} });
    await runner.connect();
    await runner.preload(() => {});
    runner.start(monotonicUs() + 50_000);
    await runner.finished;
    const total = (op: string, what: 'planned' | 'ok' | 'fail'): number =>
      intervals.flatMap((interval) => interval.cells).reduce((sum, cell) => sum + (cell.ops[op]?.[what] ?? 0), 0);
    const stats = await server.ask('INFO commandstats');
    for (const [op, name] of Object.entries({ get: 'get', touch: 'expire', store: 'setex', age: 'ttl', list: 'lpush' })) {
      const [, calls, failed] = new RegExp(`cmdstat_${name}:calls=(\\d+),.*failed_calls=(\\d+)`).exec(stats) ?? [];
      assert.ok(total(op, 'planned') > 40, op);
      assert.deepEqual([total(op, 'ok') + total(op, 'fail'), total(op, 'fail')], [Number(calls), Number(failed)], op);
    }
    assert.equal(total('list', 'fail'), total('list', 'planned'), 'a list where strings are');
    const reasons = intervals.flatMap((interval) => interval.cells.flatMap((cell) => Object.keys(cell.ops.list?.reasons ?? {})));
    assert.deepEqual([...new Set(reasons)], ['WRONGTYPE']);
    const service = intervals.flatMap((interval) => interval.rest ?? []).flatMap((rest) => Object.keys(rest.service));
    assert.ok(
      ['touch', 'store', 'age'].every((op) => service.includes(op)),
      `${service}`,
    );
  });

test('on a cluster that nobody expected, a command without a key is refused before the load', async () => {
  const plan = planOf({ phases: [openPhase(10, 100_000)], operations: none });
  plan.load.workload.commands = [command('alone', 'read', 1, 'PING')];
  const runner = new LoadRunner(plan, endpointsOf('cluster', 1), { interval: () => {}, event: () => {} });
  await assert.rejects(() => runner.connect(), /alone \(PING\) has no __key__, but the target is a cluster/);
});
