/**
 * The accuracy suite in short: both clients through the real workers against the known server. Checks that nothing is unaccounted for and
 * that percentiles are roughly right, with room for a busy machine; the strict limits are the bench's (`npm run bench -- accuracy`).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { LoadRunner } from '../load/loadRunner.js';
import { makePlan } from '../plan/makePlan.js';
import { operationNames, type Plan } from '../plan/plan.js';
import { profileFromObject } from '../profile/loadProfile.js';
import type { IntervalRecord } from '../result/records.js';
import { Counts } from '../stats/hdr.js';
import { type Behaviour, quantileUs } from './knownAnswer.js';
import { KnownServer } from './knownServer.js';
import { benchProfile, type KvbenchLoad } from './kvbenchRun.js';

interface Outcome {
  plan: Plan;
  planned: number;
  ok: number;
  /** Every operation in any outcome. */
  total: number;
  response: Counts;
  /** How many operations the server has answered. */
  served: number;
}

async function play(behaviour: Behaviour, load: Pick<KvbenchLoad, 'client' | 'connections' | 'steadySec' | 'intensity' | 'more'>): Promise<Outcome> {
  const server = await KnownServer.start(behaviour);
  const full = { ...load, port: server.port, mode: 'standalone', threads: 1, warmUpSec: 0.3, keyCount: 1000, preload: false } as const;
  const plan = makePlan(profileFromObject(benchProfile(full), 'test', '.', { faults: [], sets: [], env: {} }));
  const intervals: IntervalRecord[] = [];
  const runner = new LoadRunner(plan, endpointsOf(server.port), { interval: (record) => intervals.push(record), event: () => {} });
  try {
    await runner.connect();
    runner.start(monotonicUs() + 50_000);
    await runner.finished;
    const { operations } = await server.stats();
    return { plan, ...sumOf(intervals), served: operations };
  } finally {
    await runner.terminate();
    await server.close();
  }
}

function endpointsOf(port: number): ConstructorParameters<typeof LoadRunner>[1] {
  const nodeIds = { [`127.0.0.1:${port}`]: 'n1' };
  const shards = { shardOfSlot: new Uint16Array(16_384), shardCount: 1 };
  return { mode: 'standalone', seeds: [{ host: '127.0.0.1', port }], natMap: null, nodeIds, username: null, password: null, tls: null, ...shards };
}

/** Counts over both phases; response times of the recorded one. */
function sumOf(intervals: readonly IntervalRecord[]): Pick<Outcome, 'planned' | 'ok' | 'total' | 'response'> {
  const sums = { planned: 0, ok: 0, total: 0, response: new Counts() };
  for (const { phase, ops } of intervals.flatMap(({ cells }) => cells)) {
    for (const op of operationNames) {
      const cell = ops[op];
      if (cell === undefined) continue;
      sums.planned += cell.planned;
      sums.ok += cell.ok;
      sums.total += cell.ok + cell.fail + cell.info + cell.dropped;
      if (phase === 1) sums.response.add(cell.response);
    }
  }
  return sums;
}

function assertAccounted({ planned, ok, total, served }: Outcome): void {
  assert.equal(total, planned, 'every planned operation has an outcome');
  assert.equal(ok, total, 'the server fails nothing');
  assert.equal(served, total, 'each was sent exactly once');
}

for (const client of ['wire', 'ioredis'] as const) {
  test(`client: ${client} measures a known delay, and accounts for every operation`, async () => {
    const outcome = await play({ kind: 'delay', delayUs: 20_000 }, { client, connections: 50, steadySec: 1, intensity: { rate: '500/s' } });
    assertAccounted(outcome);
    assert.equal(outcome.response.total, 500);
    assert.ok((outcome.response.percentileUs(0) ?? 0) >= 19_900, 'nothing is faster than the server');
    const p50 = outcome.response.percentileUs(50) ?? 0;
    assert.ok(p50 < 30_000, `p50 ${p50} µs of a delay of 20 ms`);
  });
}

test('a stall shows in full, although only few operations were in flight', async () => {
  const stall: Behaviour = { kind: 'stall', everyUs: 1_000_000, stallUs: 400_000 };
  const load = { client: 'wire', connections: 5, steadySec: 2, intensity: { rate: '500/s' }, more: { maxInFlight: 10 } } as const;
  const outcome = await play(stall, load);
  assertAccounted(outcome);
  for (const percentile of [75, 90]) {
    const expected = quantileUs(stall, percentile / 100);
    const observed = outcome.response.percentileUs(percentile) ?? 0;
    assert.ok(Math.abs(observed - expected) < 80_000, `p${percentile} ${observed} µs, expected ${expected} µs`);
  }
});

test('a closed loop is as fast as a server of known capacity, and no faster', async () => {
  const load = { client: 'wire', connections: 10, steadySec: 1, intensity: { clients: 10, pipeline: 1 } } as const;
  const outcome = await play({ kind: 'capacity', opsPerSec: 1000 }, load);
  assert.equal(outcome.ok, outcome.total);
  assert.equal(outcome.served, outcome.total);
  assert.ok(outcome.response.total <= 1015, `${outcome.response.total} operations in 1 s from a server that does 1,000/s`);
  assert.ok(outcome.response.total >= 800, `only ${outcome.response.total} of about 1,000 operations`);
  // Ten clients share 1,000/s: each waits for ten turns of 1 ms.
  const p50 = outcome.response.percentileUs(50) ?? 0;
  assert.ok(Math.abs(p50 - 10_000) < 2_500, `p50 ${p50} µs, expected 10 ms`);
});
