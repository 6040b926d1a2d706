/**
 * The rank test of two small samples of runs, and the shift between them that fits it. Pure.
 * Sources: Mann & Whitney 1947 (the test); Hodges & Lehmann 1963 (the shift and its interval); exact with ties by the permutation
 * distribution of midranks (Streitberg & Röhmel 1986).
 */
import { normalCdf } from '../base/normal.js';

/** Up to so many values together the distribution is counted, beyond it the normal approximation with the tie correction is used. */
const EXACT_LIMIT = 60;

/** Two-sided p of "both come from the same distribution", 0..1. Infinity is the longest time there is. Either side empty: 1. */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || b.length === 0) return 1;
  const ranks = doubledMidranks([...a, ...b]);
  const observed = ranks.slice(0, a.length).reduce((sum, rank) => sum + rank, 0);
  return a.length + b.length <= EXACT_LIMIT ? exactP(ranks, a.length, observed) : normalP(ranks, a.length, observed);
}

/** The smallest two-sided p that samples of these sizes can reach: 2 / (n+m choose n). */
export function smallestP(n: number, m: number): number {
  let arrangements = 1;
  for (let i = 1; i <= n; i++) arrangements = (arrangements * (m + i)) / i;
  return n === 0 || m === 0 ? 1 : Math.min(1, 2 / arrangements);
}

export interface Shift {
  estimate: number;
  /** Null: samples of these sizes have no interval of that confidence. */
  interval: { low: number; high: number } | null;
}

/**
 * How much larger b's values are: the median of all differences, with the exact interval that contains 0 where the test does not reject.
 * @param confidence e.g. 0.95
 */
export function hodgesLehmann(a: readonly number[], b: readonly number[], confidence: number): Shift {
  const differences = a.flatMap((x) => b.map((y) => (x === y ? 0 : y - x))).sort((x, y) => x - y);
  const cut = criticalU(a.length, b.length, 1 - confidence);
  const low = cut === null ? undefined : differences[cut - 1];
  const high = cut === null ? undefined : differences[differences.length - cut];
  return { estimate: median(differences), interval: low === undefined || high === undefined ? null : { low, high } };
}

/** Of sorted values; NaN of none. */
export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const above = sorted[middle];
  if (above === undefined) return Number.NaN;
  if (sorted.length % 2 === 1) return above;
  const below = sorted[middle - 1] as number;
  return below === above ? above : (below + above) / 2;
}

/** How many values of U (0, 1, …) the two-sided test rejects; null: none. */
function criticalU(n: number, m: number, alpha: number): number | null {
  if (n === 0 || m === 0) return null;
  if (n + m > EXACT_LIMIT) {
    const mean = (n * m) / 2;
    const deviation = Math.sqrt((n * m * (n + m + 1)) / 12);
    let u = Math.floor(mean);
    while (u >= 0 && 2 * normalCdf((u + 0.5 - mean) / deviation) > alpha) u--;
    return u < 0 ? null : u + 1;
  }
  const ranks = Array.from({ length: n + m }, (_, i) => 2 * (i + 1));
  const counts = rankSumCounts(ranks, n);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const smallest = n * (n + 1);
  let below = 0;
  let cut = 0;
  for (let sum = smallest; sum < counts.length; sum += 2) {
    below += counts[sum] as number;
    if ((2 * below) / total > alpha) break;
    cut++;
  }
  return cut === 0 ? null : cut;
}

/** Ranks from 1, ties share the middle; doubled, so that they are whole. */
function doubledMidranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => compareNumbers(values[i] as number, values[j] as number));
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let i = start; i < end; i++) ranks[order[i] as number] = start + 1 + end;
    start = end;
  }
  return ranks;
}

/** Also of two infinities, whose difference is no number. */
function compareNumbers(x: number, y: number): number {
  return x === y ? 0 : x < y ? -1 : 1;
}

/** By sum: how many ways to choose n of the ranks have it. */
function rankSumCounts(ranks: readonly number[], n: number): Float64Array {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const chosen = Array.from({ length: n + 1 }, () => new Float64Array(total + 1));
  (chosen[0] as Float64Array)[0] = 1;
  for (const rank of ranks) {
    for (let k = n; k >= 1; k--) {
      const from = chosen[k - 1] as Float64Array;
      const to = chosen[k] as Float64Array;
      for (let sum = total; sum >= rank; sum--) to[sum] = (to[sum] as number) + (from[sum - rank] as number);
    }
  }
  return chosen[n] as Float64Array;
}

function exactP(ranks: readonly number[], n: number, observed: number): number {
  const counts = rankSumCounts(ranks, n);
  let total = 0;
  let below = 0;
  let above = 0;
  counts.forEach((count, sum) => {
    total += count;
    if (sum <= observed) below += count;
    if (sum >= observed) above += count;
  });
  return Math.min(1, (2 * Math.min(below, above)) / total);
}

function normalP(ranks: readonly number[], n: number, observed: number): number {
  const size = ranks.length;
  const m = size - n;
  const mean = n * (size + 1);
  const ties = new Map<number, number>();
  for (const rank of ranks) ties.set(rank, (ties.get(rank) ?? 0) + 1);
  let tied = 0;
  for (const count of ties.values()) tied += count ** 3 - count;
  const variance = ((n * m) / 12) * (size + 1 - tied / (size * (size - 1)));
  if (variance === 0) return 1;
  // Ranks are doubled, so is the step of the continuity correction.
  const distance = Math.max(0, Math.abs(observed - mean) - 1) / 2;
  return Math.min(1, 2 * normalCdf(-distance / Math.sqrt(variance)));
}
