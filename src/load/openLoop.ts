/** The open loop of one phase: walks the plan's sequence and admits this worker's operations when they are due. Driven by the engine. */
import type { OpenPhasePlan } from '../plan/plan.js';
import { NONE } from './openOperations.js';
import { Pacer } from './pacer.js';
import { firstOpOf, type Share } from './share.js';

/**
 * HOT: takes an operation that is due. `valueBytes` of a GET above 0: a SET of so many bytes to the same key follows when it is
 * answered. `lane`: the closed-loop lane it belongs to, or NONE.
 */
export interface Admission {
  admit(phase: number, op: number, keyIndex: number, valueBytes: number, intendedUs: number, lane: number): void;
}

/** How many operations of other workers it looks past for the next one of its own; then it looks again when those are due. */
const MAX_LOOK_AHEAD = 256;

/** HOT: never skips an operation, however late it is called. */
export class OpenLoop {
  readonly #pacer: Pacer;
  /** Within the phase: the next operation to look at. */
  #next = 0;
  /** This worker's next operation was found, and is not due yet. */
  #isHeld = false;
  #heldOp = 0;
  #heldKeyIndex = 0;
  #heldUs = 0;

  constructor(
    readonly phase: OpenPhasePlan,
    readonly share: Share,
    readonly admission: Admission,
  ) {
    this.#pacer = new Pacer(phase, share.seed);
  }

  /** Admits everything of this worker's with an intended time ≤ `nowUs` (since t0) that was not admitted yet. */
  admitDue(nowUs: number): void {
    for (;;) {
      if (!this.#isHeld && !this.#hold(nowUs)) return;
      if (this.#heldUs > nowUs) return;
      this.#isHeld = false;
      const i = this.phase.firstOperation + this.#next - 1;
      const valueBytes = this.share.valueBytesOf(i, this.#heldOp);
      this.admission.admit(this.phase.index, firstOpOf(this.#heldOp), this.#heldKeyIndex, valueBytes, this.#heldUs, NONE);
    }
  }

  /** When this worker has to look again, µs since t0: its next operation is due, or at least none is before; Infinity at the end. */
  nextDueUs(): number {
    if (this.#isHeld) return this.#heldUs;
    return this.#next < this.phase.operationCount ? this.#pacer.intendedUs(this.#next) : Number.POSITIVE_INFINITY;
  }

  /** Looks for this worker's next operation, from the one after the last. */
  #hold(nowUs: number): boolean {
    let ahead = 0;
    while (this.#next < this.phase.operationCount) {
      const intendedUs = this.#pacer.intendedUs(this.#next);
      if (intendedUs > nowUs && ++ahead > MAX_LOOK_AHEAD) return false;
      const i = this.phase.firstOperation + this.#next++;
      const op = this.share.opOf(i);
      const keyIndex = this.share.openKeyOf(i, op);
      if (keyIndex < 0) continue;
      this.#isHeld = true;
      this.#heldOp = op;
      this.#heldKeyIndex = keyIndex;
      this.#heldUs = intendedUs;
      return true;
    }
    return false;
  }
}
