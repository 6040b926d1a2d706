/**
 * The response times of the last seconds by interval of completion, warm-up left out: to hold a second against the seconds before a
 * fault. Its length is fixed, whatever the run. Used by the milestones, live and offline.
 */
import type { Plan } from '../plan/plan.js';
import type { IntervalRecord, SparseHistogram } from '../result/records.js';
import { Counts } from './hdr.js';

/** Eight seconds: five before a fault, one to compare, and slack for milestones that become known late. */
const HISTORY_INTERVALS = 80;
/** A second. */
const WINDOW_INTERVALS = 10;

interface Entry {
  index: number;
  startUs: number;
  endUs: number;
  responses: SparseHistogram[];
}

export class LatencyHistory {
  readonly #recorded: readonly boolean[];
  readonly #entries: Entry[] = [];
  readonly #scratch = new Counts();

  constructor(plan: Plan) {
    this.#recorded = plan.load.phases.map((phase) => phase.record);
  }

  interval(record: IntervalRecord): void {
    const responses: SparseHistogram[] = [];
    for (const cell of record.cells) {
      if (this.#recorded[cell.phase] === false) continue;
      for (const operation of Object.values(cell.ops)) if (operation.response.length > 0) responses.push(operation.response);
    }
    this.#entries.push({ index: record.index, startUs: record.startUs, endUs: record.endUs, responses });
    if (this.#entries.length > HISTORY_INTERVALS) this.#entries.shift();
  }

  /** p99 of what completed in [fromUs, toUs], by whole intervals; null when nothing did. */
  p99Us(fromUs: number, toUs: number): number | null {
    return this.#merge(this.#entries.filter((entry) => entry.startUs >= fromUs && entry.endUs <= toUs)).percentileUs(99);
  }

  /**
   * The first second (ten intervals in a row) that starts at or after `fromUs`, has at least `countMin` operations and a p99 of at
   * most `limitUs`: when it starts. `triedUpTo` is the index of the first interval not yet tried as a start; the next one is returned.
   */
  firstGoodSecond(fromUs: number, triedUpTo: number, countMin: number, limitUs: number): { startUs: number | null; triedUpTo: number } {
    let next = triedUpTo;
    for (let i = 0; i + WINDOW_INTERVALS <= this.#entries.length; i++) {
      const first = this.#entries[i] as Entry;
      if (first.index < triedUpTo || first.startUs < fromUs) continue;
      next = first.index + 1;
      const window = this.#entries.slice(i, i + WINDOW_INTERVALS);
      if ((window.at(-1) as Entry).index !== first.index + WINDOW_INTERVALS - 1) continue;
      const counts = this.#merge(window);
      const p99Us = counts.percentileUs(99);
      if (counts.total >= countMin && p99Us !== null && p99Us <= limitUs) return { startUs: first.startUs, triedUpTo: next };
    }
    return { startUs: null, triedUpTo: next };
  }

  #merge(entries: readonly Entry[]): Counts {
    this.#scratch.clear();
    for (const entry of entries) for (const response of entry.responses) this.#scratch.add(response);
    return this.#scratch;
  }
}
