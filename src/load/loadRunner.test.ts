import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { hdrHighestValueUs } from '../base/hdrIndex.js';
import type { PhasePlan, Plan } from '../plan/plan.js';
import type { EventRecord, IntervalRecord, OperationCell, SparseHistogram } from '../result/records.js';
import type { LoadEndpoints } from './client.js';
import { closedPhase, openPhase, planOf } from './engine.test.support.js';
import { LoadRunner } from './loadRunner.js';
import { endpointsOf, RedisServer, until } from './redisServer.test.support.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startRedis(...settings: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...settings);
  cleanUps.push(() => server.end());
  return server;
}

/** A runner with everything it told. */
class Run {
  readonly intervals: IntervalRecord[] = [];
  readonly events: EventRecord[] = [];
  readonly runner: LoadRunner;
  t0Us = 0;

  constructor(plan: Plan, endpoints: LoadEndpoints) {
    this.runner = new LoadRunner(plan, endpoints, {
      interval: (record) => this.intervals.push(record),
      event: (record) => this.events.push(record),
    });
    cleanUps.push(() => this.runner.terminate());
  }

  start(): void {
    this.t0Us = monotonicUs() + 50_000;
    this.runner.start(this.t0Us);
  }

  passed(us: number): Promise<void> {
    return until(`${us} µs of the run`, () => monotonicUs() - this.t0Us >= us);
  }

  cells(): OperationCell[] {
    return this.intervals.flatMap((interval) => interval.cells.flatMap((cell) => Object.values(cell.ops)));
  }

  total(what: 'planned' | 'ok' | 'fail' | 'info' | 'dropped'): number {
    return this.cells().reduce((sum, cell) => sum + cell[what], 0);
  }

  reasons(): Record<string, number> {
    const all: Record<string, number> = {};
    for (const cell of this.cells()) for (const [reason, count] of Object.entries(cell.reasons ?? {})) all[reason] = (all[reason] ?? 0) + count;
    return all;
  }
}

function percentileUs(histograms: readonly SparseHistogram[], percentile: number): number {
  const counts = new Map<number, number>();
  let total = 0;
  for (const histogram of histograms) {
    let index = 0;
    for (let at = 0; at < histogram.length; at += 2) {
      index += histogram[at] ?? 0;
      counts.set(index, (counts.get(index) ?? 0) + (histogram[at + 1] ?? 0));
      total += histogram[at + 1] ?? 0;
    }
  }
  let left = Math.ceil((percentile / 100) * total);
  for (const [index, count] of [...counts].sort((a, b) => a[0] - b[0])) {
    left -= count;
    if (left <= 0) return hdrHighestValueUs(index);
  }
  return 0;
}

test('two workers: every key is preloaded, every planned operation is run and reported, every interval exactly once', async () => {
  const server = await startRedis();
  const first = openPhase(2000, 400_000);
  const plan = planOf({
    phases: [first, { ...closedPhase(5, 2, 300_000), index: 1, startUs: 400_000 }],
    keys: { count: 5000 },
    timeoutUs: 2_000_000,
  });
  plan.load.threads = 2;
  plan.load.connections = 3;
  plan.load.workload.preload = true;
  const run = new Run(plan, endpointsOf('standalone', server.port));
  await run.runner.connect();
  let progress: [number, number] = [0, 0];
  await run.runner.preload((done, total) => {
    progress = [done, total];
  });
  assert.deepEqual(progress, [5000, 5000]);
  assert.match(await server.ask('DBSIZE'), /:5000/);
  run.start();
  await run.runner.finished;
  assert.equal(run.total('planned'), run.total('ok'), `${JSON.stringify(run.reasons())}`);
  const openPlanned = run.intervals
    .flatMap((interval) => interval.cells.filter((cell) => cell.phase === 0))
    .flatMap((cell) => Object.values(cell.ops));
  assert.equal(
    openPlanned.reduce((sum, cell) => sum + cell.planned, 0),
    800,
  );
  assert.ok(run.total('ok') > 1000);
  assert.deepEqual(
    run.intervals.map((interval) => interval.index),
    run.intervals.map((_, index) => index),
  );
  assert.ok(run.intervals.length >= 7);
  const told = run.events
    .filter((event) => event.type === 'phase' || event.type === 'run')
    .map((event) => ('name' in event ? `${event.name} ${event.state}` : event.state));
  assert.deepEqual(told, ['open start', 'open end', 'closed start', 'closed end', 'loadEnd', 'drained']);
  const clients = run.events.filter((event) => event.type === 'client');
  assert.equal(
    clients.reduce((sum, event) => sum + event.attempts, 0),
    run.total('ok'),
    'the preload is not counted',
  );
  assert.ok(run.intervals.some((interval) => (interval.generator?.length ?? 0) > 0));
});

test('paced by the thread: everything planned is run, and the thread ends with the run', async () => {
  const server = await startRedis();
  const plan = planOf({ phases: [openPhase(3000, 500_000)], keys: { count: 5000 }, timeoutUs: 2_000_000 });
  plan.load.threads = 2;
  plan.load.pacing = 'thread';
  const run = new Run(plan, endpointsOf('standalone', server.port));
  await run.runner.connect();
  run.start();
  await run.runner.finished;
  assert.deepEqual([run.total('planned'), run.total('ok')], [1500, 1500], JSON.stringify(run.reasons()));
  await run.runner.terminate();
});

test('a limit of operations ends a closed loop with exactly so many, before its time', async () => {
  const server = await startRedis();
  const plan = planOf({
    phases: [{ ...closedPhase(5, 2, 60_000_000), operationLimit: 2001 } as PhasePlan],
    keys: { count: 5000 },
    timeoutUs: 2_000_000,
  });
  plan.load.threads = 2;
  const run = new Run(plan, endpointsOf('standalone', server.port));
  await run.runner.connect();
  run.start();
  await run.runner.finished;
  assert.deepEqual([run.total('planned'), run.total('ok')], [2001, 2001], JSON.stringify(run.reasons()));
  const ends = run.events.filter((event) => (event.type === 'phase' && event.state === 'end') || (event.type === 'run' && event.state === 'loadEnd'));
  assert.deepEqual(
    ends.map((event) => ('detail' in event ? event.detail : event.type)),
    ['phase', 'operations'],
  );
  assert.ok(ends.every((event) => event.tUs > 0 && event.tUs < 30_000_000));
});

test('a pause of the server is all in the queue when few operations are in flight', async () => {
  const server = await startRedis();
  const plan = planOf({ phases: [openPhase(1000, 3_000_000)], maxInFlight: 10, maxQueued: 10_000, timeoutUs: 5_000_000, keys: { count: 10_000 } });
  plan.load.connections = 10;
  const run = new Run(plan, endpointsOf('standalone', server.port));
  await run.runner.connect();
  run.start();
  await run.passed(1_000_000);
  server.process?.kill('SIGSTOP');
  await run.passed(1_600_000);
  server.process?.kill('SIGCONT');
  await run.runner.finished;
  assert.deepEqual([run.total('planned'), run.total('ok')], [3000, 3000]);
  const responses = run.cells().map((cell) => cell.response);
  // A fifth of the operations came due in the pause, so p90 is the wait of its middle.
  const p90Us = percentileUs(responses, 90);
  assert.ok(p90Us > 200_000 && p90Us < 1_000_000, `response p90 ${p90Us}`);
  const services = run.intervals.flatMap((interval) => interval.rest ?? []).flatMap((rest) => Object.values(rest.service));
  assert.ok(percentileUs(services, 99) < 200_000, `service p99 ${percentileUs(services, 99)}`);
  const spans = run.events.filter((event) => event.type === 'span' && event.kind === 'write' && event.endUs - event.startUs > 400_000);
  assert.equal(spans.length, 1);
});

test('a server that dies and returns: the outage is counted, the load goes on', async () => {
  const server = await startRedis();
  const plan = planOf({ phases: [openPhase(1000, 2_500_000)], timeoutUs: 1_000_000, keys: { count: 10_000 } });
  plan.load.connections = 4;
  const run = new Run(plan, endpointsOf('standalone', server.port));
  await run.runner.connect();
  run.start();
  await run.passed(700_000);
  await server.kill();
  await run.passed(1_400_000);
  await server.run();
  await run.runner.finished;
  assert.equal(run.total('planned'), 2500);
  assert.equal(run.total('ok') + run.total('fail') + run.total('info') + run.total('dropped'), 2500);
  assert.ok((run.reasons().refused ?? 0) > 400, JSON.stringify(run.reasons()));
  const lastOk = run.intervals
    .slice(-5)
    .flatMap((interval) => interval.shards)
    .reduce((sum, shard) => sum + shard.ok, 0);
  assert.ok(lastOk > 300, `${lastOk} ok at the end`);
  assert.ok(run.events.some((event) => event.type === 'connection' && event.state === 'closed' && event.node === 'n1' && event.shard === 0));
});

test('stop now ends everything at once and still accounts for it', async () => {
  const server = await startRedis();
  const plan = planOf({ phases: [openPhase(1000, 60_000_000)], maxInFlight: 5, timeoutUs: 30_000_000, keys: { count: 10_000 } });
  const run = new Run(plan, endpointsOf('standalone', server.port));
  await run.runner.connect();
  run.start();
  await run.passed(300_000);
  server.process?.kill('SIGSTOP');
  await run.passed(600_000);
  run.runner.stop('now');
  await run.runner.finished;
  assert.equal(run.total('planned'), run.total('ok') + run.total('info') + run.total('dropped'));
  assert.equal(run.reasons().closed, 5);
  assert.ok((run.reasons().unsent ?? 0) > 200);
});

test('keys that cannot be preloaded are an error that says why', async () => {
  const server = await startRedis('--maxmemory', '1mb', '--maxmemory-policy', 'noeviction');
  const plan = planOf({ phases: [openPhase(1, 1_000_000)], keys: { count: 2000 } });
  plan.load.workload.preload = true;
  plan.load.workload.values = { kind: 'fixed', bytes: 1000 };
  const full = new Run(plan, endpointsOf('standalone', server.port));
  await full.runner.connect();
  await assert.rejects(
    () => full.runner.preload(() => {}),
    (error) => error instanceof KvbenchError && error.code === 'TARGET_REFUSED' && /OOM/.test(error.message),
  );
});
