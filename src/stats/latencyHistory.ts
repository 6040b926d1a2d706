/**
 * The response times of the last seconds by interval of completion, warm-up left out: to hold a second against the seconds before a
 * fault. Its length is fixed, whatever the run. Used by the milestones, live and offline.
 */
import type { Plan } from '../plan/plan.js';
import type { IntervalRecord } from '../result/records.js';
import { Counts } from './hdr.js';

/** Eight seconds: five before a fault, one to compare, and slack for milestones that become known late. */
const HISTORY_INTERVALS = 80;
/** A second. */
const WINDOW_INTERVALS = 10;

/** A copy in memory that is used again: records that are kept for eight seconds would outlive the young generation, all of them. */
interface Entry {
  index: number;
  startUs: number;
  endUs: number;
  /** All histograms of the interval, one after the other as one sparse histogram: where the next begins, the step goes back. */
  steps: Int32Array;
  stepCount: number;
}

export class LatencyHistory {
  readonly #recorded: readonly boolean[];
  readonly #entries: Entry[] = [];
  readonly #scratch = new Counts();

  constructor(plan: Plan) {
    this.#recorded = plan.load.phases.map((phase) => phase.record);
  }

  interval(record: IntervalRecord): void {
    const oldest = this.#entries.length < HISTORY_INTERVALS ? undefined : this.#entries.shift();
    const entry = oldest ?? { index: 0, startUs: 0, endUs: 0, steps: new Int32Array(0), stepCount: 0 };
    entry.index = record.index;
    entry.startUs = record.startUs;
    entry.endUs = record.endUs;
    this.#copy(record, entry);
    this.#entries.push(entry);
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
    for (const { steps, stepCount } of entries) this.#scratch.add(steps.subarray(0, stepCount));
    return this.#scratch;
  }

  #copy(record: IntervalRecord, entry: Entry): void {
    let stepCount = 0;
    let lastIndex = 0;
    for (const cell of record.cells) {
      if (this.#recorded[cell.phase] === false) continue;
      for (const { response } of Object.values(cell.ops)) {
        if (entry.steps.length < stepCount + response.length) entry.steps = longer(entry.steps, stepCount + response.length);
        entry.steps.set(response, stepCount);
        let index = 0;
        for (let i = 0; i + 1 < response.length; i += 2) index += response[i] as number;
        if (response.length > 0) entry.steps[stepCount] = (response[0] as number) - lastIndex;
        lastIndex = response.length > 0 ? index : lastIndex;
        stepCount += response.length;
      }
    }
    entry.stepCount = stepCount;
  }
}

function longer(steps: Int32Array, lengthMin: number): Int32Array {
  const result = new Int32Array(Math.max(lengthMin, steps.length * 2));
  result.set(steps);
  return result;
}
