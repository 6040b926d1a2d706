/**
 * Completions per shard, kind and interval of a whole run, for attributing and bounding gaps: a few bytes per interval and shard, the
 * only thing of the records that is kept for all of it.
 */
import type { AccessKind } from '../plan/plan.js';
import { INTERVAL_US, type IntervalRecord } from '../result/records.js';

export const accessKinds = ['read', 'write'] as const satisfies readonly AccessKind[];

interface Series {
  ok: number[];
  /** Failed, unknown or overdue. */
  bad: boolean[];
  total: number[];
}

export class ShardActivity {
  readonly #series = new Map<string, Series>();
  readonly #shards = new Set<number>();
  #firstIndex: number | null = null;
  #lastIndex = Number.NEGATIVE_INFINITY;
  #endUs = Number.NEGATIVE_INFINITY;

  interval(record: IntervalRecord): void {
    this.#firstIndex ??= record.index;
    this.#lastIndex = Math.max(this.#lastIndex, record.index);
    this.#endUs = Math.max(this.#endUs, record.endUs);
    const at = record.index - this.#firstIndex;
    if (at < 0) return;
    for (const { shard, kind, ok, notOk, overdueSinceUs } of record.shards) {
      if (ok === 0 && notOk === 0 && overdueSinceUs === null) continue;
      this.#shards.add(shard);
      const series = this.#seriesOf(shard, kind);
      series.ok[at] = ok;
      series.total[at] = ok + notOk;
      series.bad[at] = notOk > 0 || overdueSinceUs !== null;
    }
  }

  /** End of the last interval; −∞ when there was none. */
  get endUs(): number {
    return this.#endUs;
  }

  /** Shards on which this kind was ever asked, ascending. */
  shardsAsked(kind: AccessKind): number[] {
    return [...this.#shards].filter((shard) => this.#series.has(keyOf(shard, kind))).sort((a, b) => a - b);
  }

  /** Completions per second in [fromUs, toUs), by whole intervals; 0 when nothing was recorded then. */
  ratePerSec(shard: number, kind: AccessKind, fromUs: number, toUs: number): number {
    const series = this.#series.get(keyOf(shard, kind));
    const from = Math.max(Math.ceil(fromUs / INTERVAL_US), this.#firstIndex ?? 0);
    const to = Math.min(Math.floor(toUs / INTERVAL_US), this.#lastIndex + 1);
    if (!series || to <= from) return 0;
    let completions = 0;
    for (let index = from; index < to; index++) completions += series.total[index - (this.#firstIndex ?? 0)] ?? 0;
    return (completions * 1_000_000) / ((to - from) * INTERVAL_US);
  }

  /** Successes in the interval that holds `atUs`. */
  okAt(shard: number, kind: AccessKind, atUs: number): number {
    return this.#series.get(keyOf(shard, kind))?.ok[Math.floor(atUs / INTERVAL_US) - (this.#firstIndex ?? 0)] ?? 0;
  }

  /** Whether the silence that ends at `atUs` was ended by a success (which counts in that interval, or in the next by a hair). */
  successEnds(shard: number, kind: AccessKind, atUs: number): boolean {
    return this.okAt(shard, kind, atUs) > 0 || this.okAt(shard, kind, atUs + INTERVAL_US) > 0;
  }

  /** Start of the run of intervals without success that reaches the end of the records, if something was not ok in it; else null. */
  trailingSilenceUs(shard: number, kind: AccessKind): number | null {
    const series = this.#series.get(keyOf(shard, kind));
    if (!series || this.#firstIndex === null) return null;
    let bad = false;
    let index = this.#lastIndex;
    while (index >= this.#firstIndex && (series.ok[index - this.#firstIndex] ?? 0) === 0) {
      bad ||= series.bad[index - this.#firstIndex] ?? false;
      index--;
    }
    return bad ? (index + 1) * INTERVAL_US : null;
  }

  #seriesOf(shard: number, kind: AccessKind): Series {
    const key = keyOf(shard, kind);
    let series = this.#series.get(key);
    if (!series) {
      series = { ok: [], bad: [], total: [] };
      this.#series.set(key, series);
    }
    return series;
  }
}

function keyOf(shard: number, kind: AccessKind): string {
  return `${shard} ${kind}`;
}
