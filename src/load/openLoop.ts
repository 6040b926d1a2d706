/** The open loop of one phase: walks the plan's sequence and admits this worker's operations when they are due. Driven by the engine. */
import type { OpenPhasePlan } from '../plan/plan.js';
import { NONE } from './openOperations.js';
import { Pacer } from './pacer.js';
import type { Share } from './share.js';

/** HOT: takes an operation that is due. `lane`: the closed-loop lane it belongs to, or NONE. */
export interface Admission {
  admit(phase: number, op: number, keyIndex: number, valueBytes: number, intendedUs: number, lane: number): void;
}

/** HOT: never skips an operation, however late it is called. */
export class OpenLoop {
  readonly #pacer: Pacer;
  #next = 0;

  constructor(
    readonly phase: OpenPhasePlan,
    readonly share: Share,
    readonly admission: Admission,
  ) {
    this.#pacer = new Pacer(phase);
  }

  /** Admits everything of this worker's with an intended time ≤ `nowUs` (since t0) that was not admitted yet. */
  admitDue(nowUs: number): void {
    const due = this.#pacer.dueCount(nowUs);
    while (this.#next < due) {
      const next = this.#next++;
      const i = this.phase.firstOperation + next;
      const op = this.share.opOf(i);
      const keyIndex = this.share.openKeyOf(i, op);
      if (keyIndex < 0) continue;
      this.admission.admit(this.phase.index, op, keyIndex, this.share.valueBytesOf(i, op), this.#pacer.intendedUs(next), NONE);
    }
  }
}
