/** Throughput, p99 and errors of the last second, for the progress line of the terminal. A sink among others; cheap, never throws. */
import type { EventRecord, IntervalRecord, RunSink } from '../result/records.js';
import { Counts } from './hdr.js';

const INTERVALS = 10;

export interface LiveStats {
  /** End of the last interval, µs since t0. */
  atUs: number;
  throughputOpsPerSec: number;
  /** Response time of ok and info; null when nothing was answered. */
  p99Us: number | null;
  /** Failed, unknown and dropped. */
  errorsPerSec: number;
  /** The most frequent reason of those. */
  mainReason: string | null;
  inFlight: number;
  queued: number;
  /** Shards that answered nothing in the last interval although they were asked. */
  silentShards: number[];
}

export class TerminalStats implements RunSink {
  readonly #last: IntervalRecord[] = [];
  readonly #counts = new Counts();

  interval(record: IntervalRecord): void {
    this.#last.push(record);
    if (this.#last.length > INTERVALS) this.#last.shift();
  }

  event(_event: EventRecord): void {
    // The progress line tells numbers; events have lines of their own.
  }

  /** Null before the first interval. */
  snapshot(): LiveStats | null {
    const latest = this.#last.at(-1);
    const first = this.#last[0];
    if (!latest || !first) return null;
    const seconds = Math.max(0.1, (latest.endUs - first.startUs) / 1_000_000);
    const reasons = new Map<string, number>();
    let ok = 0;
    let notOk = 0;
    this.#counts.clear();
    for (const { cells } of this.#last) {
      for (const operation of cells.flatMap((cell) => Object.values(cell.ops))) {
        ok += operation.ok;
        notOk += operation.fail + operation.info + operation.dropped;
        this.#counts.add(operation.response);
        for (const [reason, count] of Object.entries(operation.reasons ?? {})) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
      }
    }
    const main = [...reasons].reduce<[string, number] | null>((most, one) => (most === null || one[1] > most[1] ? one : most), null);
    const silent = latest.shards.filter((shard) => shard.ok === 0 && (shard.notOk > 0 || shard.overdueSinceUs !== null));
    return {
      atUs: latest.endUs,
      throughputOpsPerSec: ok / seconds,
      p99Us: this.#counts.percentileUs(99),
      errorsPerSec: notOk / seconds,
      mainReason: main?.[0] ?? null,
      inFlight: latest.inFlight,
      queued: latest.queued,
      silentShards: [...new Set(silent.map(({ shard }) => shard))].sort((a, b) => a - b),
    };
  }
}
