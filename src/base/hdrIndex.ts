/**
 * HdrHistogram's own bucket arithmetic for values of 1 µs to 10 min with 3 significant digits, so that the hot path can
 * count into a plain typed array (2–3 ns) and hand the counts to a real HDR histogram later without any loss.
 * Source: HdrHistogram, AbstractHistogram.countsArrayIndex, with unitMagnitude 0 and subBucketCount 2048.
 */
export const HIGHEST_TRACKABLE_US = 600_000_000;
export const SIGNIFICANT_DIGITS = 3;
const SUB_BUCKET_HALF_COUNT_MAGNITUDE = 10;
const SUB_BUCKET_HALF_COUNT = 1024;
const SUB_BUCKET_MASK = 2047;

/** HOT: the index a value counts under; values are clamped to 0..10 min. */
export function hdrIndexOf(valueUs: number): number {
  const v = valueUs >= HIGHEST_TRACKABLE_US ? HIGHEST_TRACKABLE_US : valueUs <= 0 ? 0 : valueUs | 0;
  const bucket = 21 - Math.clz32(v | SUB_BUCKET_MASK);
  return (bucket << SUB_BUCKET_HALF_COUNT_MAGNITUDE) + (v >>> bucket);
}

/** Length of a counts array: one more than the highest index. */
export const HDR_INDEX_COUNT = hdrIndexOf(HIGHEST_TRACKABLE_US) + 1;

/** The lowest value that counts under `index`, in µs. */
export function hdrLowestValueUs(index: number): number {
  let bucket = (index >> SUB_BUCKET_HALF_COUNT_MAGNITUDE) - 1;
  let sub = (index & (SUB_BUCKET_HALF_COUNT - 1)) + SUB_BUCKET_HALF_COUNT;
  if (bucket < 0) {
    sub -= SUB_BUCKET_HALF_COUNT;
    bucket = 0;
  }
  return sub * 2 ** bucket;
}

/** The highest value that counts under `index`, in µs: what HDR reports for a percentile that falls there. */
export function hdrHighestValueUs(index: number): number {
  const bucket = Math.max(0, (index >> SUB_BUCKET_HALF_COUNT_MAGNITUDE) - 1);
  return hdrLowestValueUs(index) + 2 ** bucket - 1;
}
