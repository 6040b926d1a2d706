import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ThresholdPlan } from '../plan/plan.js';
import type { RunData } from '../result/readRun.js';
import { summarize } from './summarize.js';
import { type SyntheticOptions, threshold } from './syntheticPlan.test.support.js';
import { failoverEvents, syntheticRun } from './syntheticRun.test.support.js';
import { LiveThresholds } from './thresholds.js';

const events = failoverEvents({
  injectedUs: 8_000_000,
  detectedUs: 10_610_000,
  promotedUs: 11_370_000,
  healedUs: 15_000_000,
  restoredUs: 16_200_000,
});
const failover = (more: SyntheticOptions = {}): RunData =>
  syntheticRun({
    chaos: [{}],
    outages: [{ shard: 0, startUs: 8_000_500, endUs: 11_460_000, mode: 'refuse' }],
    slow: [{ startUs: 12_000_000, endUs: 12_500_000, addUs: 60_000 }],
    events,
    ...more,
  });

const cases: [ThresholdPlan, boolean, (observed: number | null) => boolean][] = [
  [threshold('latency', 99, '<', 50_000), false, (us) => us !== null && us > 60_000],
  [threshold('latency{op:get,during:before}', 99, '<', 50_000), true, (us) => us !== null && us < 1300],
  [threshold('latency{during:recovery}', 'max', '<', 50_000), false, (us) => us !== null && us > 60_000],
  [threshold('latency{during:recovery,fault:1}', 'max', '>', 50_000), true, (us) => us !== null && us > 60_000],
  [threshold('latency{fault:1}', 'max', '<', 50_000), true, (us) => us !== null && us < 1300],
  [threshold('latency{phase:steady,op:set}', 'med', '<', 2000), true, (us) => us !== null && us >= 800],
  [threshold('latency', 'min', '>=', 800), true, (us) => us === 800],
  [threshold('latency', 'avg', '>', 3000), false, (us) => us !== null && us > 1000],
  [threshold('latency', 'count', '==', 19_017), true, (count) => count === 19_017],
  [threshold('latency{op:incr}', 99, '<', 1e9), false, (us) => us === null],
  [threshold('latency{phase:warm-up}', 99, '<', 1e9), false, (us) => us === null],
  [threshold('service{op:get}', 99, '<=', 800), true, (us) => us === 800],
  [threshold('queue{during:before}', 'max', '<', 400), true, (us) => us !== null && us > 390],
  [threshold('queue{during:recovery}', 'max', '<', 400), false, (us) => us !== null && us > 60_000],
  [threshold('dispatch_lag', 99, '<', 1000), true, (us) => us !== null && us > 800],
  [threshold('throughput{during:before}', 'rate', '>=', 1200), true, (rate) => rate === 1200],
  [threshold('throughput{op:get}', 'rate', '>', 590), false, (rate) => rate !== null && rate > 500],
  [threshold('availability', 'rate', '>', 0.9), true, (rate) => rate !== null && rate < 0.95],
  [threshold('availability{during:fault}', 'rate', '>', 0.9), false, (rate) => rate !== null && rate > 0.6 && rate < 0.7],
  [threshold('availability{during:after}', 'value', '==', 1), true, (rate) => rate === 1],
  [threshold('errors', 'count', '<', 10), false, (count) => count !== null && count > 1300],
  [threshold('errors{during:before}', 'rate', '==', 0), true, (rate) => rate === 0],
  [threshold('gap', 'max', '<', 3_600_000), true, (us) => us !== null && us > 3_450_000],
  [threshold('gap{shard:0,op:get}', 'count', '==', 1), true, (count) => count === 1],
  [threshold('gap{shard:0,fault:1}', 'count', '!=', 2), false, (count) => count === 2],
  [threshold('gap{shard:1}', 'max', '==', 0), true, (us) => us === 0],
  [threshold('gap{shard:all}', 'value', '<', 1), true, (us) => us === 0],
  [threshold('gap{shard:7}', 'max', '<', 1e9), false, (us) => us === null],
  [threshold('gap{shard:0,op:set}', 'avg', '>', 3_000_000), true, (us) => us !== null],
  [threshold('gap{fault:9}', 'max', '<', 1e9), false, (us) => us === null],
  [threshold('rto', 'max', '<', 3_500_000), true, (us) => us !== null && us > 3_450_000],
  [threshold('rto{fault:1,shard:0}', 'count', '==', 1), true, (count) => count === 1],
  [threshold('rto{shard:2}', 'max', '<', 1e9), false, (us) => us === null],
  [threshold('lost_writes', 'count', '==', 0), false, (count) => count === null],
];

test('a threshold is judged on its metric, tags ANDed; without a sample it fails and says why', () => {
  const { thresholds, verdict, exitCode } = summarize(failover({ thresholds: cases.map(([plan]) => plan) }));
  assert.deepEqual([verdict, exitCode], ['failed', 99]);
  cases.forEach(([plan, ok, observedIs], i) => {
    const result = thresholds[i];
    const name = `${plan.metric} ${plan.expression}: ${JSON.stringify(result)}`;
    assert.equal(result?.ok, ok, name);
    assert.ok(observedIs(result?.observed ?? null), name);
    if (result?.observed === null) assert.ok(result.note, name);
  });
});

test('an outage that never ended fails every limit of rto', () => {
  const thresholds = [threshold('rto', 'max', '<', 1e12), threshold('gap', 'max', '<', 1e12)];
  const data = failover({ thresholds, outages: [{ shard: 0, startUs: 8_000_500, endUs: 99_000_000, mode: 'refuse' }], events: events.slice(0, 6) });
  const [rto, gap] = summarize(data).thresholds;
  assert.deepEqual([rto?.ok, rto?.observed, rto?.note], [false, null, 'clients never recovered from fault 1']);
  assert.equal(gap?.note, 'a gap was still open at the end');
});

test('a fault without a gap has an rto of 0', () => {
  assert.deepEqual(summarize(failover({ thresholds: [threshold('rto', 'max', '<', 1)], outages: [] })).thresholds[0]?.observed, 0);
});

/** Feeds a run live and returns when `breached` first said something. */
function breachedAtUs(data: RunData): { atUs: number; expression: string } | null {
  const live = new LiveThresholds(data.run.plan);
  const queue = [...data.events];
  for (const interval of data.intervals()) {
    while (queue[0] && queue[0].tUs <= interval.endUs) live.event(queue.shift() as (typeof queue)[number]);
    live.interval(interval);
    const broken = live.breached(interval.endUs);
    if (broken) return { atUs: interval.endUs, expression: broken.expression };
  }
  return null;
}

const abort = { abortOnFail: true };
const liveCases: [string, ThresholdPlan, number | null][] = [
  ['a gap ends the run while it is still open', threshold('gap{shard:any}', 'max', '<', 2_000_000, abort), 10.1],
  ['so does a gap of one shard', threshold('gap{shard:0,op:set}', 'max', '<', 1_000_000, abort), 9.1],
  ['a gap of a shard that goes on does not', threshold('gap{shard:1}', 'max', '<', 1_000_000, abort), null],
  ['availability', threshold('availability', 'rate', '>', 0.95, abort), 9],
  ['a window that came', threshold('errors{during:fault}', 'count', '<', 1, abort), 8.1],
  ['latency of a window', threshold('latency{during:recovery}', 'max', '<', 50_000, abort), 12.1],
  ['a threshold without samples waits', threshold('latency{op:incr}', 99, '<', 1, abort), null],
  ['one without abortOnFail ends nothing', threshold('gap', 'max', '<', 1), null],
  ['delayAbortEval gives time', threshold('errors', 'count', '<', 1, { ...abort, delayAbortEvalUs: 15_000_000 }), 15],
];
for (const [name, plan, expectedSec] of liveCases) {
  test(`abortOnFail: ${name}`, () => {
    const broken = breachedAtUs(failover({ thresholds: [plan] }));
    if (expectedSec === null) assert.equal(broken, null);
    else assert.ok(broken && Math.abs(broken.atUs / 1e6 - expectedSec) <= 0.2, `${JSON.stringify(broken)}, expected at ${expectedSec} s`);
  });
}
