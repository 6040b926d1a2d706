/**
 * One write in flight per key: which row of `OpenOperations` is the write in flight on a key of this worker's. Used by the engine only.
 */
import { NONE } from './openOperations.js';

/** HOT: a worker owns the keys with keyIndex mod writers = its number, ordinary keys and counters apart. */
export class WriteLocks {
  readonly #ordinary: Int32Array;
  readonly #counters: Int32Array;

  /** @param writers how many workers the keys are divided over */
  constructor(
    keyCount: number,
    readonly writers: number,
    uses: { ordinary: boolean; counters: boolean },
  ) {
    const ownCount = Math.ceil(keyCount / writers);
    this.#ordinary = new Int32Array(uses.ordinary ? ownCount : 0).fill(NONE);
    this.#counters = new Int32Array(uses.counters ? ownCount : 0).fill(NONE);
  }

  /** The write in flight on the key, or NONE. */
  holder(isCounter: boolean, keyIndex: number): number {
    return (isCounter ? this.#counters : this.#ordinary)[Math.floor(keyIndex / this.writers)] as number;
  }

  /** `row` is the write in flight from now on; NONE: nobody is. */
  setHolder(isCounter: boolean, keyIndex: number, row: number): void {
    (isCounter ? this.#counters : this.#ordinary)[Math.floor(keyIndex / this.writers)] = row;
  }
}
