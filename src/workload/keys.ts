/**
 * Which key comes i-th: every distribution is a pure function of (seed, i), so any worker can compute any operation's key.
 * Called per operation by the load engine; what is remembered between calls only saves time.
 */
import { assert, unreachable } from '../base/assert.js';
import { RandomStream, Stream } from '../base/random.js';
import type { KeyDistribution } from '../plan/plan.js';
import { GaussianKeys } from './gaussianKeys.js';
import { LatestKeys } from './latestKeys.js';
import type { OperationMix } from './operations.js';
import { ZipfianKeys } from './zipfianKeys.js';

export interface KeyChooser {
  /** HOT: the key of index i (0..2^52), in 0..keyCount-1. */
  keyIndexOf(i: number): number;
}

/**
 * @param keyCount 1..2^31
 * @param mix which operations the keys are for; `latest` follows their writes
 * @param stream `Stream.key`, or `Stream.owner` for the redraws of closed-loop writers
 */
export function makeKeyChooser(
  seed: number,
  distribution: KeyDistribution,
  keyCount: number,
  mix: OperationMix,
  stream: number = Stream.key,
): KeyChooser {
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
    case 'gaussian':
      return new GaussianKeys(draws, keyCount, distribution.mean, distribution.deviation);
    case 'latest':
      return new LatestKeys(draws, keyCount, distribution.theta, mix);
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
