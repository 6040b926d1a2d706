import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { HIGHEST_TRACKABLE_US } from '../base/hdrIndex.js';
import { addSparse, sparseCount, sparseFromCounts, sparseFromValues } from '../result/sparseHistogram.js';
import { Counts, OperationLatency } from './hdr.js';

const valueUs = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: HIGHEST_TRACKABLE_US }));

test('percentiles and mean are those of hdr-histogram-js', () => {
  fc.assert(
    fc.property(
      fc.array(valueUs, { minLength: 1, maxLength: 300 }),
      fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 5 }),
      (values, more) => {
        const theirs = build({ highestTrackableValue: HIGHEST_TRACKABLE_US, numberOfSignificantValueDigits: 3, autoResize: false });
        for (const value of values) theirs.recordValue(value);
        const ours = new Counts();
        ours.add(sparseFromValues(values));
        assert.equal(ours.total, theirs.totalCount);
        for (const percentile of [0, 50, 90, 95, 99, 99.9, 100, ...more]) {
          assert.equal(ours.percentileUs(percentile), theirs.getValueAtPercentile(percentile), `p${percentile}`);
        }
        const mean = ours.meanUs() ?? Number.NaN;
        assert.ok(Math.abs(mean - theirs.mean) <= 1e-9 * theirs.mean, `${mean} against ${theirs.mean}`);
      },
    ),
    { numRuns: 60 },
  );
});

test('sparse and dense hold the same, and adding two is adding their values', () => {
  fc.assert(
    fc.property(fc.array(valueUs, { maxLength: 60 }), fc.array(valueUs, { maxLength: 60 }), (a, b) => {
      const merged = new Counts();
      merged.add(sparseFromValues(a));
      merged.add(sparseFromValues(b));
      assert.deepEqual(merged.toSparse(), sparseFromValues([...a, ...b]));
      assert.equal(sparseCount(merged.toSparse()), a.length + b.length);
      const other = new Counts();
      other.add(sparseFromValues(b));
      const sum = new Counts();
      sum.add(sparseFromValues(a));
      sum.merge(other);
      assert.deepEqual(sum.stats(), merged.stats());
    }),
    { numRuns: 50 },
  );
});

test('an index outside of the histogram is refused, not dropped', () => {
  assert.throws(() => addSparse(new Uint32Array(10), [3, 1, 8, 1]), /index 11 is outside/);
  assert.deepEqual(sparseFromCounts(new Uint32Array(4)), []);
});

test('nothing recorded has no statistics, and clearing forgets everything', () => {
  const counts = new Counts();
  assert.equal(counts.stats(), null);
  assert.equal(counts.percentileUs(99), null);
  counts.add(sparseFromValues([5, 6]));
  counts.clear();
  assert.equal(counts.stats(), null);
  counts.add(sparseFromValues([7]));
  assert.deepEqual(counts.stats(), { min: 7, mean: 7, p50: 7, p90: 7, p95: 7, p99: 7, p999: 7, max: 7, count: 1 });
});

test('operations are apart and together', () => {
  const latency = new OperationLatency();
  latency.add('get', sparseFromValues([100, 100]));
  latency.add('set', sparseFromValues([300]));
  latency.add('del', []);
  const stats = latency.stats();
  assert.deepEqual(Object.keys(stats), ['get', 'set', 'all']);
  assert.equal(stats.all?.count, 3);
  assert.equal(stats.all?.max, 300);
  assert.equal(stats.get?.max, 100);
});
