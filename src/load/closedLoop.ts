/**
 * The closed loop of one phase: this worker's virtual clients, each with `pipeline` lanes; a lane issues its next operation when
 * its last one ended. Driven by the engine, which calls `issue` outside of completions, so that nothing recurses.
 */
import type { ClosedPhasePlan } from '../plan/plan.js';
import { OPERATIONS_PER_PHASE } from '../workload/operations.js';
import type { Admission } from './openLoop.js';
import { firstOpOf, type Share } from './share.js';

/** A lane whose operation did not end ok waits before the next, doubling, so that refused connections are not hammered. It is nobody's latency. */
const BACK_OFF_FIRST_US = 1_000;
const BACK_OFF_MAX_US = 50_000;

/** HOT: a ring of lanes that are free, and a list of those that wait out a back-off. */
export class ClosedLoop {
  readonly #laneCount: number;
  readonly #endUs: number;
  readonly #ring: Uint32Array;
  #ringStart = 0;
  #ringSize = 0;
  /** When a lane became free: the intended start of its next operation. */
  readonly #freeUs: Float64Array;
  readonly #backOffUs: Float64Array;
  readonly #waiting: number[] = [];
  #nextWakeUs = Number.POSITIVE_INFINITY;
  #issued = 0;
  /** This worker's part of the phase's limit. */
  readonly #limit: number;

  constructor(
    readonly phase: ClosedPhasePlan,
    readonly share: Share,
    readonly admission: Admission,
  ) {
    this.#laneCount = share.clientsOf(phase.clients) * phase.pipeline;
    this.#limit = phase.operationLimit === null ? Number.POSITIVE_INFINITY : share.operationsOf(phase.clients, phase.operationLimit);
    this.#endUs = phase.startUs + phase.durationUs;
    this.#ring = Uint32Array.from({ length: this.#laneCount }, (_, lane) => lane);
    this.#ringSize = this.#laneCount;
    this.#freeUs = new Float64Array(this.#laneCount).fill(phase.startUs);
    this.#backOffUs = new Float64Array(this.#laneCount);
  }

  /** Issues the next operation of every free lane; nothing after the phase's end. `nowUs` since t0. */
  issue(nowUs: number): void {
    if (nowUs >= this.#endUs) return;
    if (nowUs >= this.#nextWakeUs) this.#wake(nowUs);
    // What ends while it is issued (dropped at once) backs off, so this is bounded by the lanes free now.
    for (let left = this.#ringSize; left > 0 && this.#issued < this.#limit; left--) {
      const lane = this.#ring[this.#ringStart] as number;
      this.#ringStart = this.#ringStart + 1 === this.#laneCount ? 0 : this.#ringStart + 1;
      this.#ringSize--;
      const i = (this.phase.index + 1) * OPERATIONS_PER_PHASE + this.#issued++ * this.share.workers + this.share.worker;
      const op = this.share.opOf(i);
      const keyIndex = this.share.closedKeyOf(i, op);
      this.admission.admit(this.phase.index, firstOpOf(op), keyIndex, this.share.valueBytesOf(i, op), this.#freeUs[lane] as number, lane);
    }
  }

  /** All that the phase's limit allows has begun. */
  get isExhausted(): boolean {
    return this.#issued >= this.#limit;
  }

  /** When a lane that waits out a back-off goes on, µs since t0; Infinity: none waits. */
  nextDueUs(): number {
    return this.#nextWakeUs;
  }

  /** The operation of this lane ended. */
  ended(lane: number, isOk: boolean, doneUs: number): void {
    if (isOk) {
      this.#backOffUs[lane] = 0;
      this.#free(lane, doneUs);
      return;
    }
    const backOffUs = Math.min(BACK_OFF_MAX_US, Math.max(BACK_OFF_FIRST_US, (this.#backOffUs[lane] as number) * 2));
    this.#backOffUs[lane] = backOffUs;
    this.#freeUs[lane] = doneUs + backOffUs;
    this.#nextWakeUs = Math.min(this.#nextWakeUs, doneUs + backOffUs);
    this.#waiting.push(lane);
  }

  #wake(nowUs: number): void {
    let kept = 0;
    this.#nextWakeUs = Number.POSITIVE_INFINITY;
    for (const lane of this.#waiting) {
      const freeUs = this.#freeUs[lane] as number;
      if (freeUs <= nowUs) {
        this.#free(lane, freeUs);
        continue;
      }
      this.#nextWakeUs = Math.min(this.#nextWakeUs, freeUs);
      this.#waiting[kept++] = lane;
    }
    this.#waiting.length = kept;
  }

  #free(lane: number, freeUs: number): void {
    this.#freeUs[lane] = freeUs;
    const end = this.#ringStart + this.#ringSize++;
    this.#ring[end >= this.#laneCount ? end - this.#laneCount : end] = lane;
  }
}
