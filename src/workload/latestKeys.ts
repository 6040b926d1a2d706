/** Keys that follow the writes, as YCSB's `latest` (workload D). Made by keys.ts. */
import type { RandomStream } from '../base/random.js';
import { OPERATIONS_PER_PHASE, type OperationMix } from './operations.js';
import { ZipfianKeys } from './zipfianKeys.js';

/**
 * HOT: writes go through the keys one after the other; a read takes a key by how long ago it was written, zipfian: most often the one
 * written last. Where YCSB inserts new keys for ever, the key count is fixed here, so the writes go round: with n keys, the w-th write
 * goes to key w mod n and a read of rank r after w writes to (w − 1 − r) mod n. What nobody has written yet counts as written before.
 */
export class LatestKeys {
  readonly #ranks: ZipfianKeys;
  readonly #writes: WriteCounter;

  constructor(
    draws: RandomStream,
    readonly keyCount: number,
    theta: number,
    readonly mix: OperationMix,
  ) {
    this.#ranks = new ZipfianKeys(draws, keyCount, theta);
    this.#writes = new WriteCounter(mix);
  }

  keyIndexOf(i: number): number {
    const writes = this.#writes.before(i) % this.keyCount;
    if (this.mix.isWrite(i)) return writes;
    const at = writes - 1 - this.#ranks.rankOf(i);
    return at < 0 ? at + this.keyCount : at;
  }
}

/** HOT: how many operations before i write. In order it costs one look at each operation; a jump back counts again from the start of the phase. */
class WriteCounter {
  #at = 0;
  #count = 0;

  constructor(readonly mix: OperationMix) {}

  before(i: number): number {
    const start = Math.floor(i / OPERATIONS_PER_PHASE) * OPERATIONS_PER_PHASE;
    if (i < this.#at || start > this.#at) {
      this.#at = start;
      this.#count = 0;
    }
    for (; this.#at < i; this.#at++) if (this.mix.isWrite(this.#at)) this.#count++;
    return this.#count;
  }
}
