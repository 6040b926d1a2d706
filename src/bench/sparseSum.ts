/** Sparse histograms added up and stretched. Pure; used by recordedRuns.ts and madeUpRuns.ts. */
import { hdrIndexOf, hdrLowestValueUs } from '../base/hdrIndex.js';
import type { SparseHistogram } from '../result/records.js';

/** How many values. */
export function totalOf(sparse: SparseHistogram): number {
  let total = 0;
  for (let i = 1; i < sparse.length; i += 2) total += sparse[i] as number;
  return total;
}

/** All of them together, every value times a factor. */
export function scaledSum(histograms: readonly SparseHistogram[], factor: number): SparseHistogram {
  const counts = new Map<number, number>();
  for (const sparse of histograms) {
    let index = 0;
    for (let i = 0; i + 1 < sparse.length; i += 2) {
      index += sparse[i] as number;
      const to = factor === 1 ? index : hdrIndexOf(Math.round(hdrLowestValueUs(index) * factor));
      counts.set(to, (counts.get(to) ?? 0) + (sparse[i + 1] as number));
    }
  }
  const result: number[] = [];
  let previous = 0;
  for (const [index, count] of [...counts].sort(([a], [b]) => a - b)) {
    result.push(index - previous, count);
    previous = index;
  }
  return result;
}
