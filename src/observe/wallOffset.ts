/**
 * Turns a server's wall-clock stamp into time on the run's one clock. Used by `observer.ts` for log lines. The offset between the two
 * clocks is measured again and again, because the wall clock steps; it never decides what a line means.
 */
import { wallToMonotonicOffsetUs } from '../base/clock.js';

/** Odd: the median is one of the samples. A step of the wall clock counts after half of them. */
const SAMPLE_COUNT = 5;
/** A server can be suspended between taking a stamp and writing the line; a stamp older than that is a clock that was set. */
const STAMP_SLACK_US = 100_000;

export class WallOffset {
  readonly #measure: () => number;
  readonly #samplesUs: number[] = [];

  /** @param measure µs to add to wall-clock µs to get machine monotonic µs */
  constructor(measure: () => number = wallToMonotonicOffsetUs) {
    this.#measure = measure;
    for (let i = 0; i < SAMPLE_COUNT; i++) this.sample();
  }

  /** Takes one more measurement; call it a few times a second. */
  sample(): void {
    this.#samplesUs.push(this.#measure());
    if (this.#samplesUs.length > SAMPLE_COUNT) this.#samplesUs.shift();
  }

  /** The median: one measurement that was interrupted half-way (a suspended thread) does not count. */
  get offsetUs(): number {
    const sorted = [...this.#samplesUs].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }

  /**
   * The moment a line was stamped, as machine monotonic µs (1 ms resolution). Never after the line was read, and not before the log was
   * last seen without it.
   *
   * @param wallMs the line's stamp, ms since the epoch
   * @param readAtUs when it was read @param unseenAtUs when the log was last read to its end without it
   */
  placeUs(wallMs: number, readAtUs: number, unseenAtUs: number): number {
    const stampedUs = wallMs * 1000 + this.offsetUs;
    if (stampedUs > readAtUs) return readAtUs;
    return stampedUs < unseenAtUs - STAMP_SLACK_US ? unseenAtUs : stampedUs;
  }
}
