/**
 * When the operations of an open phase are due: pure arithmetic on the phase's plan. Used by the open loop of every worker;
 * it never looks at a clock.
 */
import type { OpenPhasePlan } from '../plan/plan.js';
import { PoissonPositions } from '../workload/poissonPositions.js';

/**
 * HOT: intended times of one open phase. The rate goes linearly from start to end; N(t) = r0·t + (r1 − r0)·t²/(2·D) operations are
 * expected by t. Constant arrivals: operation i is due when N(t) = i; Poisson: when N(t) is the i-th smallest of as many uniform points.
 */
export class Pacer {
  /** How many operations the phase has, over all workers. */
  readonly operationCount: number;
  readonly #startUs: number;
  readonly #durationUs: number;
  readonly #ratePerUs: number;
  /** Change of the rate per µs. */
  readonly #slope: number;
  readonly #positions: PoissonPositions | null;
  /** N at the end of the phase. */
  readonly #expected: number;

  constructor(phase: OpenPhasePlan, seed: number) {
    this.operationCount = phase.operationCount;
    this.#startUs = phase.startUs;
    this.#durationUs = phase.durationUs;
    this.#ratePerUs = phase.rateStartPerSec / 1_000_000;
    this.#slope = (phase.rateEndPerSec - phase.rateStartPerSec) / 1_000_000 / phase.durationUs;
    this.#expected = ((phase.rateStartPerSec + phase.rateEndPerSec) / 2_000_000) * phase.durationUs;
    // A phase has one gap more than operations: with its index added, no two phases share a draw.
    this.#positions = phase.arrivals === 'poisson' ? new PoissonPositions(seed, phase.firstOperation + phase.index, phase.operationCount) : null;
  }

  /** When operation i (0..operationCount-1, of the phase) is due: whole µs since t0, within the phase, never before operation i − 1. */
  intendedUs(i: number): number {
    const n = this.#positions === null ? i : this.#positions.positionOf(i) * this.#expected;
    if (n <= 0) return this.#startUs;
    // The root of N(t) = n in the form that loses no digits when the slope is near 0.
    const root = Math.sqrt(Math.max(0, this.#ratePerUs * this.#ratePerUs + 2 * this.#slope * n));
    return this.#startUs + Math.min(Math.floor((2 * n) / (this.#ratePerUs + root)), this.#durationUs - 1);
  }
}
