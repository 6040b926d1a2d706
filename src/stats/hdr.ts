/**
 * Counts of response times, merged and asked for percentiles as HdrHistogram defines them. Everything of stats that looks at
 * latency goes through here: histograms are merged, percentiles are never averaged.
 */
import { HDR_INDEX_COUNT, hdrHighestValueUs, hdrLowestValueUs } from '../base/hdrIndex.js';
import { inOrder } from '../plan/operations.js';
import type { OperationName } from '../plan/plan.js';
import type { SparseHistogram } from '../result/records.js';
import { addSparse, sparseFromCounts } from '../result/sparseHistogram.js';
import type { LatencyByOperation, LatencyStats } from '../result/summary.js';

/** A dense histogram: 85 kB, made when the first value arrives. */
export class Counts {
  #counts: Uint32Array | null = null;
  #total = 0;

  /** How many values. */
  get total(): number {
    return this.#total;
  }

  add(sparse: Readonly<ArrayLike<number>>): void {
    if (sparse.length > 0) this.#total += addSparse(this.#dense(), sparse);
  }

  merge(other: Counts): void {
    if (other.#counts === null) return;
    const counts = this.#dense();
    for (let i = 0; i < counts.length; i++) counts[i] = (counts[i] as number) + (other.#counts[i] as number);
    this.#total += other.#total;
  }

  clear(): void {
    if (this.#total > 0) this.#counts?.fill(0);
    this.#total = 0;
  }

  /**
   * The value that `percentile` (0..100) of all values are at or below, as HdrHistogram's getValueAtPercentile: the highest value that
   * counts in the same bucket. Null when empty.
   */
  percentileUs(percentile: number): number | null {
    if (this.#counts === null || this.#total === 0) return null;
    const exact = (Math.min(percentile, 100) / 100) * this.#total;
    // One unit in the last place less, so that 0.95 × 20 is the 19th value whatever floating point makes of it.
    const wanted = Math.max(Math.ceil(exact - 2 ** (Math.floor(Math.log2(exact)) - 52)), 1);
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index] as number;
      if (seen >= wanted) return percentile === 0 ? hdrLowestValueUs(index) : hdrHighestValueUs(index);
    }
    return null;
  }

  /** By the middle of each bucket, as HdrHistogram's getMean. Null when empty. */
  meanUs(): number | null {
    if (this.#counts === null || this.#total === 0) return null;
    let sum = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      const count = this.#counts[index] as number;
      if (count > 0) sum += count * (hdrLowestValueUs(index) + Math.floor((hdrHighestValueUs(index) - hdrLowestValueUs(index) + 1) / 2));
    }
    return sum / this.#total;
  }

  /** Null when empty. */
  stats(): LatencyStats | null {
    const at = (percentile: number): number => this.percentileUs(percentile) ?? 0;
    const mean = this.meanUs();
    if (mean === null) return null;
    return {
      min: at(0),
      mean: Math.round(mean * 1000) / 1000,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      max: at(100),
      count: this.#total,
    };
  }

  toSparse(): SparseHistogram {
    return this.#counts === null ? [] : sparseFromCounts(this.#counts);
  }

  #dense(): Uint32Array {
    this.#counts ??= new Uint32Array(HDR_INDEX_COUNT);
    return this.#counts;
  }
}

/** Counts per operation. */
export class OperationLatency {
  readonly #byOperation = new Map<OperationName, Counts>();

  add(op: OperationName, sparse: SparseHistogram): void {
    if (sparse.length === 0) return;
    let counts = this.#byOperation.get(op);
    if (!counts) {
      counts = new Counts();
      this.#byOperation.set(op, counts);
    }
    counts.add(sparse);
  }

  /** All operations together. */
  all(): Counts {
    const all = new Counts();
    for (const counts of this.#byOperation.values()) all.merge(counts);
    return all;
  }

  /** Operations without a value are absent; `all` too when there is none. */
  stats(): LatencyByOperation {
    const result: LatencyByOperation = {};
    for (const op of inOrder([...this.#byOperation.keys()])) {
      const stats = this.#byOperation.get(op)?.stats();
      if (stats) result[op] = stats;
    }
    const all = this.all().stats();
    if (all) result.all = all;
    return result;
  }
}
