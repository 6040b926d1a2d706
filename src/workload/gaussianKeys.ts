/** Keys around a middle, as memtier_benchmark's --key-pattern=G. Made by keys.ts; pure. */
import { assert } from '../base/assert.js';
import { normalCdf, normalQuantile } from '../base/normal.js';
import type { RandomStream } from '../base/random.js';

/**
 * A normal distribution over the key space, cut at its ends: what lies outside is spread over the rest in proportion, so that the
 * first and the last key are no more popular than their neighbours. One draw per key, by the inverse of the distribution.
 */
export class GaussianKeys {
  readonly #firstShare: number;
  readonly #shareRange: number;

  /** @param mean 0..1 and deviation > 0, both in fractions of the key count */
  constructor(
    readonly draws: RandomStream,
    readonly keyCount: number,
    readonly mean: number,
    readonly deviation: number,
  ) {
    assert(mean >= 0 && mean <= 1 && deviation > 0, `gaussian keys with mean ${mean} and deviation ${deviation}`);
    this.#firstShare = normalCdf(-mean / deviation);
    this.#shareRange = normalCdf((1 - mean) / deviation) - this.#firstShare;
  }

  /** HOT */
  keyIndexOf(i: number): number {
    const share = this.#firstShare + this.#shareRange * this.draws.unit(i);
    const at = Math.floor(this.keyCount * (this.mean + this.deviation * normalQuantile(share)));
    return at < 0 ? 0 : at < this.keyCount ? at : this.keyCount - 1;
  }
}
