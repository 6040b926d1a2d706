/**
 * Which key comes i-th: every distribution is a pure function of (seed, i), so any worker can compute any operation's key.
 * Called per operation by the load engine; never keeps state between calls.
 */
import { assert, unreachable } from '../base/assert.js';
import { RandomStream, Stream } from '../base/random.js';
import type { KeyDistribution } from '../plan/plan.js';
import { fnv64Below } from './fnv.js';
import { zeta } from './zeta.js';

export interface KeyChooser {
  /** HOT: the key of index i (0..2^52), in 0..keyCount-1. */
  keyIndexOf(i: number): number;
}

/**
 * @param keyCount 1..2^31
 * @param stream `Stream.key`, or `Stream.owner` for the redraws of closed-loop writers
 */
export function makeKeyChooser(seed: number, distribution: KeyDistribution, keyCount: number, stream: number = Stream.key): KeyChooser {
  assert(Number.isInteger(keyCount) && keyCount >= 1 && keyCount <= 2 ** 31, `key count ${keyCount}`);
  const draws = new RandomStream(seed, stream);
  switch (distribution.kind) {
    case 'uniform':
      return new UniformKeys(draws, keyCount);
    case 'sequential':
      return new SequentialKeys(keyCount);
    case 'zipfian':
      return new ZipfianKeys(draws, keyCount, distribution.theta);
    case 'hotspot':
      return new HotspotKeys(draws, keyCount, distribution.hotFraction, distribution.hotShare);
    default:
      return unreachable(distribution);
  }
}

class UniformKeys implements KeyChooser {
  constructor(
    readonly draws: RandomStream,
    readonly keyCount: number,
  ) {}

  keyIndexOf(i: number): number {
    return this.draws.below(i, this.keyCount);
  }
}

class SequentialKeys implements KeyChooser {
  constructor(readonly keyCount: number) {}

  keyIndexOf(i: number): number {
    return i % this.keyCount;
  }
}

/**
 * YCSB's scrambled zipfian over the real number of keys: a rank by Gray et al., "Quickly Generating Billion-Record
 * Synthetic Databases" (SIGMOD 1994), spread over the keys by the FNV-1 hash of the rank (so that hot keys are not neighbours;
 * as in YCSB, two ranks may share a key).
 */
export class ZipfianKeys implements KeyChooser {
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

/** A share of the accesses goes to the first fraction of the keys, uniformly; the rest to the others, uniformly. */
class HotspotKeys implements KeyChooser {
  readonly #hotCount: number;

  constructor(
    readonly draws: RandomStream,
    readonly keyCount: number,
    hotFraction: number,
    readonly hotShare: number,
  ) {
    this.#hotCount = Math.min(keyCount, Math.max(1, Math.round(keyCount * hotFraction)));
  }

  keyIndexOf(i: number): number {
    const isHot = this.draws.unit(2 * i) < this.hotShare;
    const coldCount = this.keyCount - this.#hotCount;
    if (isHot || coldCount === 0) return this.draws.below(2 * i + 1, this.#hotCount);
    return this.#hotCount + this.draws.below(2 * i + 1, coldCount);
  }
}
