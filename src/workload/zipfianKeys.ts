/** Zipfian keys as YCSB draws them: few are popular. Made by keys.ts and latestKeys.ts; pure. */
import { assert } from '../base/assert.js';
import type { RandomStream } from '../base/random.js';
import { fnv64Below } from './fnv.js';
import { zeta } from './zeta.js';

/**
 * YCSB's scrambled zipfian over the real number of keys: a rank by Gray et al., "Quickly Generating Billion-Record
 * Synthetic Databases" (SIGMOD 1994), spread over the keys by the FNV-1 hash of the rank (so that hot keys are not neighbours;
 * as in YCSB, two ranks may share a key).
 */
export class ZipfianKeys {
  readonly #zetaN: number;
  readonly #alpha: number;
  readonly #eta: number;
  readonly #secondBound: number;

  /** @param theta in (0, 1); YCSB's default is 0.99 */
  constructor(
    readonly draws: RandomStream,
    readonly keyCount: number,
    theta: number,
  ) {
    assert(theta > 0 && theta < 1, `zipfian theta ${theta}`);
    this.#zetaN = zeta(keyCount, theta);
    this.#alpha = 1 / (1 - theta);
    this.#eta = (1 - (2 / keyCount) ** (1 - theta)) / (1 - zeta(2, theta) / this.#zetaN);
    this.#secondBound = 1 + 0.5 ** theta;
  }

  /** The rank of draw i before scrambling: 0 is the most frequent. */
  rankOf(i: number): number {
    const u = this.draws.unit(i);
    const uz = u * this.#zetaN;
    if (uz < 1 || this.keyCount === 1) return 0;
    if (uz < this.#secondBound || this.keyCount === 2) return 1;
    const rank = Math.floor(this.keyCount * (this.#eta * u - this.#eta + 1) ** this.#alpha);
    return rank < this.keyCount ? rank : this.keyCount - 1;
  }

  keyIndexOf(i: number): number {
    return fnv64Below(this.rankOf(i), this.keyCount);
  }
}
