import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { packageRoot } from '../base/packageRoot.js';
import type { EventRecord } from '../result/records.js';
import { TerminalStats } from './liveView.js';
import { summarize } from './summarize.js';
import { threshold } from './syntheticPlan.test.support.js';
import { failoverEvents, syntheticRun } from './syntheticRun.test.support.js';

const goldenFile = join(packageRoot, 'src', 'stats', 'golden', 'failover.summary.golden');
const outage = { shard: 0, startUs: 8_000_500, endUs: 11_460_000, mode: 'refuse' as const, reason: 'closed' as const };
const clusterDown = [1, 2].map((shard) => ({
  shard,
  startUs: 10_600_000,
  endUs: 11_360_000,
  mode: 'refuse' as const,
  reason: 'CLUSTERDOWN' as const,
}));
const events = failoverEvents({
  injectedUs: 8_000_000,
  detectedUs: 10_610_000,
  promotedUs: 11_370_000,
  healedUs: 15_000_000,
  restoredUs: 16_200_000,
});
const failover = {
  chaos: [{}],
  outages: [outage, ...clusterDown],
  events,
  thresholds: [threshold('latency{op:get,during:before}', 99, '<', 50_000), threshold('gap{shard:any}', 'max', '<', 3_000_000)],
};

test('the summary of a failover is the golden one (UPDATE_GOLDEN=1 writes it)', () => {
  const text = `${JSON.stringify(summarize(syntheticRun(failover)), null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(goldenFile), { recursive: true });
    writeFileSync(goldenFile, text);
  }
  assert.equal(text, readFileSync(goldenFile, 'utf8'));
});

test('whatever happens, planned = total = ok + fail + info + dropped, in the whole, the phases and the windows', () => {
  const outages = fc.array(
    fc.record({
      shard: fc.integer({ min: 0, max: 1 }),
      startUs: fc.integer({ min: 0, max: 4_000_000 }),
      endUs: fc.integer({ min: 4_000_001, max: 5_000_000 }),
      mode: fc.constantFrom('refuse' as const, 'hang' as const),
    }),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(outages, fc.integer({ min: 1, max: 150 }), (made, ratePerShard) => {
      const phases = [
        { name: 'warm-up', durationUs: 1_000_000, record: false },
        { name: 'a', durationUs: 2_000_000 },
        { name: 'b', durationUs: 2_000_000 },
      ];
      const summary = summarize(syntheticRun({ shards: 2, ratePerShard, phases, outages: made }));
      const { ops } = summary;
      assert.equal(ops.planned, ops.total);
      for (const counts of [ops, summary.warmUp, ...summary.phases.map((phase) => phase.ops)]) {
        assert.equal(counts.total, counts.ok + counts.fail + counts.info + counts.dropped);
        assert.equal(
          Object.values(counts.byReason).reduce((a, b) => a + b, 0),
          counts.total - counts.ok,
        );
      }
      const recorded = summary.phases.filter((phase) => phase.record).reduce((sum, phase) => sum + phase.ops.total, 0);
      assert.equal(recorded, ops.total);
    }),
    { numRuns: 25 },
  );
});

test('records that lose an operation are a bug that is told, unless the run was cut off', () => {
  const data = syntheticRun({ phases: [{ name: 'steady', durationUs: 2_000_000 }] });
  const lossy = [...data.intervals()].slice(1);
  assert.throws(() => summarize({ ...data, intervals: () => lossy }), /bug in kvbench: phase steady: 2400 operations were planned, but/);
  assert.doesNotThrow(() => summarize({ ...data, intervals: () => lossy, truncated: true }));
});

test('a killed run is summed up as far as it went', () => {
  const summary = summarize(syntheticRun({ ...failover, killedAtUs: 10_000_000 }));
  assert.deepEqual([summary.verdict, summary.exitCode, summary.durationMs], ['interrupted', 105, 10_000]);
  const gap = summary.availability.gaps.find(({ shard, kind }) => shard === 0 && kind === 'write');
  assert.deepEqual([gap?.endMs, gap?.faultId], [10_000, 1], 'the workers could not report it: the intervals show it');
  assert.equal(summary.faults[0]?.clientRecoveredMs, null);
  assert.equal(summary.faults[0]?.status, 'injected');
  assert.deepEqual(
    summary.phases.map(({ name, endMs }) => [name, endMs]),
    [
      ['warm-up', 3000],
      ['steady', 10_000],
    ],
  );
});

test('how a run ended decides before its thresholds do', () => {
  const passing = [threshold('latency', 99, '<', 1e9)];
  const verdict = (more: EventRecord[], thresholds = passing): unknown => {
    const { verdict: v, exitCode } = summarize(syntheticRun({ thresholds, events: more, phases: [{ name: 'steady', durationUs: 1_000_000 }] }));
    return [v, exitCode];
  };
  assert.deepEqual(verdict([]), ['passed', 0]);
  assert.deepEqual(verdict([], [threshold('latency', 99, '<', 1)]), ['failed', 99]);
  assert.deepEqual(verdict([{ type: 'run', state: 'interrupted', tUs: 500_000 }], [threshold('latency', 99, '<', 1)]), ['interrupted', 105]);
  assert.deepEqual(verdict([{ type: 'run', state: 'aborted', detail: 'x', tUs: 500_000 }]), ['aborted', 99]);
  const failedEarly: EventRecord[] = [
    { type: 'message', level: 'error', text: 'worker 1 ended', tUs: 400_000 },
    { type: 'run', state: 'loadEnd', tUs: 400_100 },
  ];
  assert.deepEqual(verdict(failedEarly), ['interrupted', 107]);
  const data = syntheticRun({ phases: [{ name: 'steady', durationUs: 1_000_000 }] });
  const without = (...states: string[]) => data.events.filter((event) => event.type !== 'run' || !states.includes(event.state));
  assert.equal(summarize({ ...data, events: without('drained') }).exitCode, 107, 'operations nobody waited for');
  assert.equal(summarize({ ...data, events: without('drained', 'end') }).exitCode, 105, 'killed while it waited for the last operations');
});

test('closed loop has no planned operations, is judged by what it did, and is held against Little’s law', () => {
  const phases = [
    { name: 'warm-up', durationUs: 1_000_000, record: false },
    { name: 'closed', durationUs: 2_000_000, clients: 2 },
  ];
  const summary = summarize(syntheticRun({ shards: 2, phases, ratePerShard: 1000 }));
  assert.equal(summary.ops.planned, null);
  assert.equal(summary.warmUp.planned, 2000);
  assert.equal(summary.availability.rate, 1);
  assert.equal(summary.phases[0]?.littlesLaw, null);
  // 2000/s × about 1 ms.
  const law = summary.phases[1]?.littlesLaw;
  assert.equal(law?.inFlightExpected, 2);
  assert.ok(Math.abs((law?.inFlightMeasured ?? 0) - 2) < 0.1, String(law?.inFlightMeasured));
});

test('degraded time is where answers are missing, or beyond the objective', () => {
  const slow = [{ startUs: 15_000_000, endUs: 16_000_000, addUs: 60_000 }];
  const degraded = (options: Parameters<typeof syntheticRun>[0]): number => summarize(syntheticRun(options)).availability.degradedMs;
  assert.equal(degraded({}), 0);
  assert.equal(degraded({ slow }), 0);
  assert.ok(Math.abs(degraded({ slow, objective: [threshold('latency{op:get}', 99, '<', 20_000)] }) - 1000) <= 100);
  assert.ok(Math.abs(degraded({ slow, objective: [threshold('queue', 99, '<', 20_000)] }) - 1000) <= 100, 'the queue is known by the second');
  assert.ok(Math.abs(degraded({ outages: [outage] }) - 3500) <= 100);
  assert.ok(Math.abs(degraded({ outages: [{ ...outage, mode: 'hang' }] }) - 3400) <= 100, 'nobody answered, so nobody failed yet');
  assert.ok(degraded({ objective: [threshold('throughput', 'rate', '>', 5000)] }) >= 16_900);
  assert.ok(Math.abs(degraded({ outages: [{ ...outage, endUs: 8_600_000 }], objective: [threshold('gap', 'max', '<', 1)] }) - 600) <= 100);
  assert.equal(degraded({ outages: [{ ...outage, startUs: 1_000_000, endUs: 2_000_000 }] }), 0, 'warm-up is nobody’s');
});

test('the target after the run is as it was asked, or by the roles last seen', () => {
  const roles = (options: Parameters<typeof syntheticRun>[0]): unknown =>
    summarize(syntheticRun(options))
      .target?.nodesAfter.filter(({ id }) => id === 'n1' || id === 'n4')
      .map(({ id, role, slots }) => [id, role, slots]);
  assert.deepEqual(roles({ events }), [
    ['n1', 'replica', []],
    ['n4', 'master', ['0-5460']],
  ]);
  const node = { id: 'n4', role: 'master' as const, address: '127.0.0.1:7003', shard: 0, slots: ['0-16383'], masterId: null };
  const final: EventRecord = { type: 'target', nodes: [node], keysPerNode: { n4: 7 }, tUs: 20_001_500 };
  assert.deepEqual(roles({ events: [final] }), [['n4', 'master', ['0-16383']]]);
  assert.deepEqual(summarize(syntheticRun({ events: [final] })).target?.keysPerNode, { n4: 7 });
});

test('intervals are read three times and never kept as a whole', () => {
  const data = syntheticRun({ phases: [{ name: 'steady', durationUs: 3_000_000 }] });
  let reads = 0;
  const intervals = function* () {
    reads++;
    yield* data.intervals();
  };
  summarize({ ...data, intervals });
  assert.equal(reads, 3);
});

test('the progress line has the last second: throughput, p99, errors and who is silent', () => {
  const stats = new TerminalStats();
  assert.equal(stats.snapshot(), null);
  for (const interval of syntheticRun({ outages: [outage] }).intervals()) {
    if (interval.endUs > 9_500_000) break;
    stats.interval(interval);
  }
  const snapshot = stats.snapshot();
  assert.ok(snapshot);
  assert.equal(snapshot.atUs, 9_500_000);
  assert.ok(Math.abs(snapshot.throughputOpsPerSec - 800) < 5, String(snapshot.throughputOpsPerSec));
  assert.ok(Math.abs(snapshot.errorsPerSec - 400) < 5, String(snapshot.errorsPerSec));
  assert.ok((snapshot.p99Us ?? 0) < 1300);
  assert.deepEqual([snapshot.mainReason, snapshot.silentShards], ['closed', [0]]);
});
