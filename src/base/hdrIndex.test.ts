import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import { HDR_INDEX_COUNT, HIGHEST_TRACKABLE_US, hdrHighestValueUs, hdrIndexOf, hdrLowestValueUs } from './hdrIndex.js';

test('a value lies between the lowest and highest value of its index', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: HIGHEST_TRACKABLE_US }), (valueUs) => {
      const index = hdrIndexOf(valueUs);
      return index >= 0 && index < HDR_INDEX_COUNT && hdrLowestValueUs(index) <= valueUs && valueUs <= hdrHighestValueUs(index);
    }),
  );
});

test('the highest value of an index is what the HDR library calls equivalent', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: HIGHEST_TRACKABLE_US }), (valueUs) => {
      const histogram = build({
        bitBucketSize: 32,
        highestTrackableValue: HIGHEST_TRACKABLE_US,
        numberOfSignificantValueDigits: 3,
        autoResize: false,
      });
      histogram.recordValue(valueUs);
      return histogram.getValueAtPercentile(100) === hdrHighestValueUs(hdrIndexOf(valueUs));
    }),
    { numRuns: 200 },
  );
});

test('values beyond the range are clamped to it', () => {
  assert.equal(hdrIndexOf(-5), 0);
  assert.equal(hdrIndexOf(HIGHEST_TRACKABLE_US * 3), HDR_INDEX_COUNT - 1);
});
