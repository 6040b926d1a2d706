import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AccessKind } from '../plan/plan.js';
import { type EventOf, INTERVAL_US } from '../result/records.js';
import type { FaultTimes } from './faultTimes.js';
import { findGaps, type GapInput, type GapUs } from './gaps.js';
import { ShardActivity } from './shardActivity.js';

type Span = EventOf<'span'>;
const span = (worker: number, startMs: number, endMs: number, more: Partial<Span> = {}): Span => ({
  type: 'span',
  tUs: endMs * 1000,
  worker,
  shard: 0,
  kind: 'write',
  startUs: startMs * 1000,
  endUs: endMs * 1000,
  asked: 100,
  notOk: 1,
  overdue: false,
  ...more,
});

/** 20 s in which each shard answers `okPerInterval` writes but for its silences. */
function activityOf(
  silences: Record<number, [number, number][]>,
  { shards = 1, okPerInterval = 50, kind = 'write' as AccessKind } = {},
): ShardActivity {
  const activity = new ShardActivity();
  for (let index = 0; index < 200; index++) {
    const startUs = index * INTERVAL_US;
    const records = Array.from({ length: shards }, (_, shard) => {
      const silent = (silences[shard] ?? []).some(([fromMs, toMs]) => startUs >= fromMs * 1000 && startUs + INTERVAL_US <= toMs * 1000);
      return { shard, kind, ok: silent ? 0 : okPerInterval, notOk: silent ? 5 : 0, firstNotOkUs: silent ? startUs : null, overdueSinceUs: null };
    });
    activity.interval({ index, startUs, endUs: startUs + INTERVAL_US, cells: [], shards: records, inFlight: 0, queued: 0 });
  }
  return activity;
}

const find = (input: Partial<GapInput> & Pick<GapInput, 'spans' | 'activity'>): GapUs[] =>
  findGaps({ faults: [], unexpectedExits: [], ignore: [], workers: 2, cutOff: false, ...input });
const inMs = (gaps: GapUs[], shard: GapUs['shard'] = 0): [number, number][] =>
  gaps.filter((gap) => gap.shard === shard).map((gap) => [gap.startUs / 1000, gap.endUs / 1000]);
const fault = (faultId: number, shards: number[], beganMs: number, healedMs: number | null = null): FaultTimes => ({
  faultId,
  kind: 'kill',
  beganUs: beganMs * 1000,
  injectedAtUs: beganMs * 1000,
  healedAtUs: healedMs === null ? null : healedMs * 1000,
  targets: [],
  shards: new Set(shards),
});

test('a gap is where no worker had a success', () => {
  const activity = activityOf({ 0: [[5000, 8000]] });
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000), span(1, 5020, 8100)], activity })), [[5020, 8000]]);
});

test('touching spans stay apart: where they touch was a success', () => {
  const activity = activityOf({ 0: [[5000, 8000]] });
  const gaps = find({ spans: [span(0, 5000, 6500), span(0, 6500, 8000), span(1, 5000, 8000)], activity });
  assert.deepEqual(inMs(gaps), [
    [5000, 6500],
    [6500, 8000],
  ]);
});

test('one worker that goes on prevents a gap, whether it reports spans elsewhere or none at all', () => {
  const activity = activityOf({});
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000), span(1, 12_000, 12_200)], activity })), []);
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000)], activity })), []);
  assert.deepEqual(
    inMs(find({ spans: [span(0, 5050, 5190, { overdue: true })], activity })),
    [],
    'a stall of one worker, too short to show in a whole interval',
  );
});

test('a worker without a share of the shard neither creates nor prevents a gap', () => {
  const activity = activityOf({ 0: [[5000, 8000]] });
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000)], activity })), [[5000, 8000]]);
  const asksNothing = span(1, 0, 20_000, { asked: 0, notOk: 0 });
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000), asksNothing], activity })), [[5000, 8000]]);
  assert.deepEqual(inMs(find({ spans: [asksNothing], activity: activityOf({}) })), []);
});

test('silence without a failed, unknown or overdue operation is no gap', () => {
  const activity = activityOf({ 0: [[5000, 8000]] });
  const quiet = { notOk: 0, asked: 0 };
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000, quiet), span(1, 5000, 8000, quiet)], activity })), []);
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000, { notOk: 0, overdue: true }), span(1, 5000, 8000, quiet)], activity })), [[5000, 8000]]);
});

const lengths: [string, number, number, boolean][] = [
  ['100 ms at 500/s', 100, 50, false],
  ['101 ms at 500/s', 101, 50, true],
  ['450 ms at 10/s', 450, 1, false],
  ['550 ms at 10/s', 550, 1, true],
];
for (const [name, durationMs, okPerInterval, isGap] of lengths) {
  test(`${name} is ${isGap ? 'a' : 'no'} gap: more than 100 ms and 5 expected times between operations`, () => {
    const spans = [0, 1].map((worker) => span(worker, 5000, 5000 + durationMs, { asked: 1 }));
    assert.equal(inMs(find({ spans, activity: activityOf({ 0: [[5000, 5000 + durationMs]] }, { okPerInterval }) })).length, isGap ? 1 : 0);
  });
}

test('in closed loop, where an outage keeps clients from asking, the rate before it counts', () => {
  const activity = activityOf({ 0: [[5000, 8000]] });
  assert.deepEqual(inMs(find({ spans: [span(0, 5000, 8000, { asked: 1 }), span(1, 5000, 8000, { asked: 1 })], activity })), [[5000, 8000]]);
});

test('any is the union over shards and all the intersection', () => {
  const activity = activityOf({ 0: [[5000, 8000]], 1: [[7000, 9000]] }, { shards: 2 });
  const spans = [0, 1].flatMap((worker) => [
    span(worker, 5000, 8000),
    span(worker, 7000, 9000, { shard: 1 }),
    span(worker, 15_000, 15_500, { shard: 1 }),
  ]);
  const gaps = find({ spans, activity });
  assert.deepEqual(inMs(gaps, 'any'), [
    [5000, 9000],
    [15_000, 15_500],
  ]);
  assert.deepEqual(inMs(gaps, 'all'), [[7000, 8000]]);
});

test('a gap is that of the latest fault in force on its shard, and collateral where the fault hit another', () => {
  const activity = activityOf({ 0: [[5000, 8000]], 1: [[6000, 7000]] }, { shards: 2 });
  const spans = [0, 1].flatMap((worker) => [span(worker, 4990, 8000), span(worker, 6000, 7000, { shard: 1 })]);
  const cause = (faults: FaultTimes[], shard: number, more: Partial<GapInput> = {}): unknown => {
    const gap = find({ spans, activity, faults, ...more }).find((one) => one.shard === shard);
    return gap && [gap.faultId, gap.collateral];
  };
  assert.deepEqual(cause([fault(1, [0], 5000)], 0), [1, false]);
  assert.deepEqual(cause([fault(1, [0], 5000)], 1), [1, true]);
  assert.deepEqual(cause([fault(1, [0], 1000, 1500), fault(2, [0], 5000)], 0), [2, false]);
  assert.deepEqual(cause([fault(1, [0], 5000), fault(2, [1], 5900)], 1), [2, false]);
  assert.deepEqual(cause([fault(1, [0], 5000), fault(2, [0], 7900)], 0), [1, false], 'a later fault did not start it');
  assert.deepEqual(cause([fault(1, [0], 100, 200)], 0), [1, false], 'within the time to settle');
  assert.deepEqual(cause([fault(1, [0], 100, 110)], 1), [null, false]);
  assert.deepEqual(cause([], 0), [null, false]);
  assert.deepEqual(
    cause([fault(1, [0], 5000)], 1, { unexpectedExits: [{ shard: 1, atUs: 5_990_000 }] }),
    [null, false],
    'an exit of its own explains it better',
  );
  const shared = find({ spans, activity, faults: [fault(1, [0], 5000)] }).find((gap) => gap.shard === 'any');
  assert.deepEqual([shared?.faultId, shared?.collateral], [1, false]);
});

test('gaps of warm-up do not count, one that reaches beyond it does', () => {
  const ignore = [{ startUs: 0, endUs: 7_000_000 }];
  const activity = activityOf({ 0: [[5000, 8000]] });
  const spans = [0, 1].flatMap((worker) => [span(worker, 3000, 4000), span(worker, 5000, 8000)]);
  assert.deepEqual(inMs(find({ spans, activity, ignore })), [[5000, 8000]]);
});

test('a gap that is open at the end was not ended by a success; a killed run has it by intervals', () => {
  const activity = activityOf({ 0: [[15_000, 20_000]] });
  const spans = [0, 1].map((worker) => span(worker, 14_980, 20_000));
  assert.deepEqual(
    find({ spans, activity }).map((gap) => [gap.shard, gap.startUs, gap.endUs, gap.endedBySuccess]),
    [0, 'any', 'all'].map((shard) => [shard, 14_980_000, 20_000_000, false]),
  );
  assert.deepEqual(find({ spans: [], activity }), []);
  assert.deepEqual(inMs(find({ spans: [], activity, cutOff: true })), [[15_000, 20_000]]);
  assert.ok(find({ spans: [0, 1].map((w) => span(w, 5000, 8000)), activity: activityOf({ 0: [[5000, 8000]] }) }).every((gap) => gap.endedBySuccess));
});

test('for any spans: gaps do not overlap, all lies within each shard, each shard within any', () => {
  const spans = fc.array(
    fc.record({
      worker: fc.integer({ min: 0, max: 1 }),
      shard: fc.integer({ min: 0, max: 1 }),
      startMs: fc.integer({ min: 0, max: 18_000 }),
      lengthMs: fc.integer({ min: 100, max: 2000 }),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(spans, (wanted) => {
      const perWorker = new Map<string, number>();
      const valid = wanted
        .sort((a, b) => a.startMs - b.startMs)
        .flatMap(({ worker, shard, startMs, lengthMs }) => {
          const key = `${worker} ${shard}`;
          if (startMs < (perWorker.get(key) ?? 0)) return [];
          perWorker.set(key, startMs + lengthMs);
          return [span(worker, startMs, startMs + lengthMs, { shard })];
        });
      const gaps = find({ spans: valid, activity: activityOf({}, { shards: 2 }), workers: 1 });
      const covers = (outer: GapUs, inner: GapUs): boolean => outer.startUs <= inner.startUs && outer.endUs >= inner.endUs;
      for (const shard of [0, 1, 'any', 'all'] as const) {
        const own = gaps.filter((gap) => gap.shard === shard);
        own.forEach((gap, i) => {
          assert.ok(gap.endUs - gap.startUs > 100_000);
          const next = own[i + 1];
          if (next) assert.ok(gap.endUs <= next.startUs, 'they overlap');
          if (typeof shard === 'number') assert.ok(gaps.some((any) => any.shard === 'any' && covers(any, gap)));
          if (shard === 'all') for (const of of [0, 1]) assert.ok(gaps.some((one) => one.shard === of && covers(one, gap)));
        });
      }
    }),
    { numRuns: 60 },
  );
});

test('what neither the usual time between operations nor a standstill of the workers explains', () => {
  const activity = activityOf({ 0: [[5000, 5300]] });
  const unexplained = (...standstillsMs: (number | undefined)[]): number[] => {
    const spans = standstillsMs.map((ms, worker) =>
      span(worker, 5000, 5300, { notOk: 0, overdue: true, ...(ms === undefined ? {} : { standstillUs: ms * 1000 }) }),
    );
    return find({ spans, activity }).flatMap((gap) => (gap.shard === 0 ? [gap.unexplainedUs / 1000] : []));
  };
  assert.deepEqual(unexplained(120, 140), [80], 'what the worker that stood still for less leaves, less the 100 ms that no gap is shorter than');
  assert.deepEqual(unexplained(250, 210), [0]);
  assert.deepEqual(unexplained(250, 0), [200], 'one worker was awake');
  assert.deepEqual(unexplained(undefined, undefined), [200], 'a folder that does not say');
});
