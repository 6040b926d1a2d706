/**
 * Sparse histograms of the records (flat pairs of index step and count) to dense counts and back. Used by stats and the
 * HdrHistogram log. Lossless both ways; never rounds a value again.
 */
import { hdrIndexOf } from '../base/hdrIndex.js';
import type { SparseHistogram } from './records.js';

/** Adds a sparse histogram to dense counts of `HDR_INDEX_COUNT` entries; returns how many values it held. Indices out of range throw. */
export function addSparse(counts: Uint32Array, sparse: Readonly<ArrayLike<number>>): number {
  let index = 0;
  let added = 0;
  for (let i = 0; i + 1 < sparse.length; i += 2) {
    index += sparse[i] as number;
    const count = sparse[i + 1] as number;
    if (!(index >= 0 && index < counts.length)) throw new RangeError(`histogram index ${index} is outside 0..${counts.length - 1}`);
    counts[index] = (counts[index] as number) + count;
    added += count;
  }
  return added;
}

/** How many values a sparse histogram holds. */
export function sparseCount(sparse: SparseHistogram): number {
  let total = 0;
  for (let i = 1; i < sparse.length; i += 2) total += sparse[i] as number;
  return total;
}

/** Dense counts as a sparse histogram. */
export function sparseFromCounts(counts: Uint32Array): SparseHistogram {
  const sparse: number[] = [];
  let previous = 0;
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index] as number;
    if (count === 0) continue;
    sparse.push(index - previous, count);
    previous = index;
  }
  return sparse;
}

/** Values in µs as a sparse histogram; clamped to 0..10 min like everything recorded. */
export function sparseFromValues(valuesUs: Iterable<number>): SparseHistogram {
  const indices = Uint32Array.from(valuesUs, hdrIndexOf).sort();
  const sparse: number[] = [];
  let previous = 0;
  for (let i = 0; i < indices.length; ) {
    const index = indices[i] as number;
    let end = i + 1;
    while (end < indices.length && indices[end] === index) end++;
    sparse.push(index - previous, end - i);
    previous = index;
    i = end;
  }
  return sparse;
}
