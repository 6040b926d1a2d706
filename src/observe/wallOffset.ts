/**
 * Turns a server's wall-clock stamp into time on the run's one clock. Used by `observer.ts` for log lines. The offset between the two
 * clocks is measured again and again, because the wall clock steps; it never decides what a line means.
 */
import { wallToMonotonicOffsetUs } from '../base/clock.js';

/** About 5 s at ten a second: a measurement is up to 1 ms too high (the wall clock counts whole ms), their median is steady. */
const SAMPLE_COUNT = 51;
/** So many measurements in a row beyond `STEP_US` on the same side are a wall clock that was set; fewer are a suspended thread. */
const STEP_SAMPLES = 3;
const STEP_US = 2000;
/** A server can be suspended between taking a stamp and writing the line; a stamp older than that is a clock that was set. */
const STAMP_SLACK_US = 100_000;

export class WallOffset {
  readonly #measure: () => number;
  #samplesUs: number[];
  #medianUs: number;

  /** @param measure µs to add to wall-clock µs to get machine monotonic µs */
  constructor(measure: () => number = wallToMonotonicOffsetUs) {
    this.#measure = measure;
    this.#samplesUs = Array.from({ length: STEP_SAMPLES }, () => measure());
    this.#medianUs = medianOf(this.#samplesUs);
  }

  /** Takes one more measurement; call it about ten times a second. */
  sample(): void {
    this.#samplesUs.push(this.#measure());
    if (this.#samplesUs.length > SAMPLE_COUNT) this.#samplesUs.shift();
    const newest = this.#samplesUs.slice(-STEP_SAMPLES);
    const stepped = newest.every((us) => us > this.#medianUs + STEP_US) || newest.every((us) => us < this.#medianUs - STEP_US);
    if (stepped) this.#samplesUs = newest;
    this.#medianUs = medianOf(this.#samplesUs);
  }

  /** µs to add to wall-clock µs, within about 1 ms. */
  get offsetUs(): number {
    return this.#medianUs;
  }

  /**
   * The moment a line was stamped, as machine monotonic µs (1 ms resolution). Never after the line was read, and not before the log was
   * last seen without it.
   *
   * @param wallMs the line's stamp, ms since the epoch
   * @param readAtUs when it was read @param unseenAtUs when the log was last read to its end without it
   */
  placeUs(wallMs: number, readAtUs: number, unseenAtUs: number): number {
    const stampedUs = wallMs * 1000 + this.#medianUs;
    if (stampedUs > readAtUs) return readAtUs;
    return stampedUs < unseenAtUs - STAMP_SLACK_US ? unseenAtUs : stampedUs;
  }
}

function medianOf(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
