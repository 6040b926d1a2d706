import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import hdr from 'hdr-histogram-js';
import { HIGHEST_TRACKABLE_US, hdrHighestValueUs, hdrLowestValueUs, SIGNIFICANT_DIGITS } from '../base/hdrIndex.js';
import { operationNames } from '../plan/plan.js';
import { OutcomeIndex } from './client.js';
import { mergeHistograms, mergeIntervals } from './mergeIntervals.js';
import type { WorkerHistogram, WorkerInterval } from './messages.js';
import { reasonIndex } from './reasonIndex.js';
import { Recorder } from './recording.js';

function valuesOf(histogram: WorkerHistogram): { lowestUs: number; count: number }[] {
  return [...histogram.indices].map((index, at) => ({ lowestUs: hdrLowestValueUs(index), count: histogram.counts[at] ?? 0 }));
}

test('response = dispatch lag + queue + service, each in its own histogram', () => {
  const recorder = new Recorder(4);
  recorder.planned(0, 1, 150_000, 40);
  recorder.completed(0, 1, 150_000, 150_040, OutcomeIndex.ok, -1, 150_140, 150_640);
  const [cell] = recorder.takeCells();
  assert.deepEqual(cell && { ...cell, response: valuesOf(cell.response) }, {
    phase: 0,
    slot: 1,
    op: 1,
    planned: 1,
    byOutcome: [1, 0, 0, 0],
    byReason: [],
    response: [{ lowestUs: 640, count: 1 }],
  });
  const rest = recorder.takeRest().map(({ what, op, second, histogram }) => ({ what, op, second, values: valuesOf(histogram) }));
  assert.deepEqual(rest, [
    { what: 'service', op: 1, second: 0, values: [{ lowestUs: 500, count: 1 }] },
    { what: 'queue', op: 1, second: 0, values: [{ lowestUs: 100, count: 1 }] },
    { what: 'dispatchLag', op: -1, second: 0, values: [{ lowestUs: 40, count: 1 }] },
  ]);
});

test('latency is of ok and info; every outcome and reason is counted in the cell of its intended start; a take empties', () => {
  const recorder = new Recorder(4);
  recorder.completed(0, 0, 10, 10, OutcomeIndex.fail, reasonIndex.refused, -1, 30);
  recorder.completed(0, 0, 20, 20, OutcomeIndex.info, reasonIndex.timeout, 25, 5_000_020);
  recorder.completed(0, 0, 30, 30, OutcomeIndex.dropped, reasonIndex['queue-full'], 0, 30);
  recorder.completed(1, 0, 200_030, 200_030, OutcomeIndex.ok, -1, 200_030, 200_040);
  const cells = recorder.takeCells();
  assert.deepEqual(
    cells.map(({ phase, slot, byOutcome }) => [phase, slot, byOutcome]),
    [
      [0, 0, [0, 1, 1, 1]],
      [1, 2, [1, 0, 0, 0]],
    ],
  );
  assert.deepEqual(
    new Map(cells[0]?.byReason),
    new Map([
      [reasonIndex.refused, 1],
      [reasonIndex.timeout, 1],
      [reasonIndex['queue-full'], 1],
    ]),
  );
  assert.deepEqual(cells[0] && valuesOf(cells[0].response).map(({ count }) => count), [1]);
  assert.deepEqual(recorder.takeCells(), []);
});

test('a histogram equals that of hdr-histogram-js for the same values, also when many slots and rounds share the pool', () => {
  const valueUs = fc.oneof(fc.nat(3000), fc.nat(2_000_000), fc.nat(HIGHEST_TRACKABLE_US * 2));
  const recorder = new Recorder(4);
  fc.assert(
    fc.property(fc.array(fc.tuple(valueUs, fc.nat(5)), { minLength: 1, maxLength: 300 }), (values) => {
      const expected = new Map<number, ReturnType<typeof hdr.build>>();
      for (const [us, slot] of values) {
        recorder.completed(0, 0, slot * 100_000, slot * 100_000, OutcomeIndex.ok, -1, slot * 100_000, slot * 100_000 + us);
        const histogram =
          expected.get(slot) ?? hdr.build({ highestTrackableValue: HIGHEST_TRACKABLE_US, numberOfSignificantValueDigits: SIGNIFICANT_DIGITS });
        histogram.recordValue(Math.min(us, HIGHEST_TRACKABLE_US));
        expected.set(slot, histogram);
      }
      const cells = recorder.takeCells();
      recorder.takeRest();
      assert.equal(cells.length, expected.size);
      for (const cell of cells) {
        const histogram = expected.get(cell.slot);
        const counts = [...cell.response.counts];
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          histogram?.totalCount,
        );
        for (const percentile of [50, 90, 99, 100]) {
          let left = Math.max(1, Math.ceil((percentile / 100) * (histogram?.totalCount ?? 0)));
          const at = counts.findIndex((count) => {
            left -= count;
            return left <= 0;
          });
          assert.equal(hdrHighestValueUs(cell.response.indices[at] ?? 0), histogram?.getValueAtPercentile(percentile));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('merging workers adds counts and keeps every index', () => {
  const histograms = fc.array(
    fc.uniqueArray(fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 9 })), { selector: ([index]) => index }).map((pairs): WorkerHistogram => {
      pairs.sort((a, b) => a[0] - b[0]);
      return { indices: Uint32Array.from(pairs, (pair) => pair[0]), counts: Uint32Array.from(pairs, (pair) => pair[1]) };
    }),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(histograms, (parts) => {
      const expected = new Map<number, number>();
      for (const part of parts)
        for (const [at, index] of part.indices.entries()) expected.set(index, (expected.get(index) ?? 0) + (part.counts[at] ?? 0));
      const merged = mergeHistograms(parts);
      const found = new Map<number, number>();
      let index = 0;
      for (let at = 0; at < merged.length; at += 2) {
        index += merged[at] ?? 0;
        found.set(index, merged[at + 1] ?? 0);
      }
      assert.deepEqual(
        [...found],
        [...expected].sort((a, b) => a[0] - b[0]),
      );
    }),
  );
});

test('an interval of two workers: cells and shards are added, the earliest failure is kept', () => {
  const response = { indices: Uint32Array.of(5), counts: Uint32Array.of(2) };
  const part = (worker: number, firstNotOkUs: number | null): WorkerInterval => ({
    worker,
    index: 3,
    cells: [{ phase: 1, slot: 3, op: 1, planned: 4, byOutcome: [2, 1, 0, 1], byReason: [[reasonIndex.refused, 1]], response }],
    shards: [{ shard: 0, kind: 'write', ok: 2, notOk: 2, firstNotOkUs, overdueSinceUs: null }],
    inFlight: 1,
    queued: 2,
    rest: [{ phase: 1, second: 0, op: -1, what: 'dispatchLag', histogram: response }],
    generator: null,
  });
  assert.deepEqual(mergeIntervals(3, [part(0, 350_000), part(1, 340_000)], operationNames), {
    index: 3,
    startUs: 300_000,
    endUs: 400_000,
    cells: [{ phase: 1, slot: 3, ops: { set: { planned: 8, ok: 4, fail: 2, info: 0, dropped: 2, reasons: { refused: 2 }, response: [5, 4] } } }],
    shards: [{ shard: 0, kind: 'write', ok: 4, notOk: 4, firstNotOkUs: 340_000, overdueSinceUs: null }],
    inFlight: 2,
    queued: 4,
    rest: [{ phase: 1, second: 0, service: {}, queue: {}, dispatchLag: [5, 4] }],
  });
});

test('p99 of the dispatch lag is that of an HDR histogram of all of it, over phases and seconds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 5_000_000 })), { minLength: 1, maxLength: 300 }),
      (lags) => {
        const recorder = new Recorder(4);
        const reference = hdr.build({
          bitBucketSize: 32,
          lowestDiscernibleValue: 1,
          highestTrackableValue: HIGHEST_TRACKABLE_US,
          numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
        });
        for (const [phase, lagUs] of lags) {
          recorder.planned(phase, 0, phase * 1_500_000, lagUs);
          reference.recordValue(lagUs);
        }
        recorder.takeRest();
        assert.equal(recorder.dispatchLagP99Us, reference.getValueAtPercentile(99));
      },
    ),
  );
  assert.equal(new Recorder(4).dispatchLagP99Us, 0);
});
