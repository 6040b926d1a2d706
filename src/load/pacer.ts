/**
 * When the operations of an open phase are due: pure arithmetic on the phase's plan. Used by the open loop of every worker;
 * it never looks at a clock.
 */
import type { OpenPhasePlan } from '../plan/plan.js';

/** HOT: intended times of one open phase. The rate goes linearly from start to end; N(t) = r0·t + (r1 − r0)·t²/(2·D) operations are due by t. */
export class Pacer {
  /** How many operations the phase has, over all workers. */
  readonly operationCount: number;
  readonly #startUs: number;
  readonly #durationUs: number;
  readonly #ratePerUs: number;
  /** Change of the rate per µs. */
  readonly #slope: number;

  constructor(phase: OpenPhasePlan) {
    this.operationCount = phase.operationCount;
    this.#startUs = phase.startUs;
    this.#durationUs = phase.durationUs;
    this.#ratePerUs = phase.rateStartPerSec / 1_000_000;
    this.#slope = (phase.rateEndPerSec - phase.rateStartPerSec) / 1_000_000 / phase.durationUs;
  }

  /** When operation i (0..operationCount-1, of the phase) is due: whole µs since t0, within the phase. */
  intendedUs(i: number): number {
    // The root of N(t) = i in the form that loses no digits when the slope is near 0.
    const root = Math.sqrt(Math.max(0, this.#ratePerUs * this.#ratePerUs + 2 * this.#slope * i));
    const offsetUs = i === 0 ? 0 : (2 * i) / (this.#ratePerUs + root);
    return this.#startUs + Math.min(Math.floor(offsetUs), this.#durationUs - 1);
  }

  /** How many operations have an intended time ≤ `nowUs` (µs since t0): 0..operationCount. */
  dueCount(nowUs: number): number {
    const elapsedUs = nowUs - this.#startUs;
    if (elapsedUs < 0) return 0;
    if (elapsedUs >= this.#durationUs - 1) return this.operationCount;
    const expected = this.#ratePerUs * elapsedUs + (this.#slope * elapsedUs * elapsedUs) / 2;
    let count = Math.min(this.operationCount, Math.floor(expected) + 1);
    // The arithmetic above may be one off; intendedUs alone decides.
    while (count < this.operationCount && this.intendedUs(count) <= nowUs) count++;
    while (count > 0 && this.intendedUs(count - 1) > nowUs) count--;
    return count;
  }
}
