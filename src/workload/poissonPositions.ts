/**
 * Arrivals of a Poisson process, given how many there are: then they are that many uniform points in order. Chosen over a process of
 * free length because the number of operations belongs to the plan: dry run, accounting and every worker know it, and two seeds
 * load a server equally much. Used by the pacer, once per operation.
 */
import { RandomStream, Stream } from '../base/random.js';

/** Points per block. A block is made at once; where it begins and ends is found by halving. */
const BLOCK = 256;
/** Draws that one halving may take: two gamma draws of at most this many attempts with three draws each. */
const MAX_ATTEMPTS = 10;
const DRAWS_PER_GAMMA = 3 * MAX_ATTEMPTS;
const DRAWS_PER_SPLIT = 64;

/**
 * HOT: the i-th smallest of `count` uniform points in [0, 1), for any i: a pure function of (seed, first, i). In order it costs one
 * draw per point; a jump costs a block.
 */
export class PoissonPositions {
  readonly #gaps: RandomStream;
  readonly #splits: RandomStream;
  readonly #blockCount: number;
  /** The points of one block, and where they begin. */
  readonly #points = new Float64Array(BLOCK + 1);
  #block = -1;

  /** @param first distinguishes sequences of one seed: no two of them may overlap in first..first + count */
  constructor(
    seed: number,
    readonly first: number,
    readonly count: number,
  ) {
    this.#gaps = new RandomStream(seed, Stream.arrival);
    this.#splits = new RandomStream(seed, Stream.arrivalSplit);
    this.#blockCount = Math.ceil((count + 1) / BLOCK);
  }

  /** @param i 0..count-1 */
  positionOf(i: number): number {
    // Rank 0 is the 0 at the beginning and rank count + 1 the 1 at the end.
    const rank = i + 1;
    const block = Math.floor(rank / BLOCK);
    if (block !== this.#block) this.#make(block);
    return this.#points[rank - block * BLOCK] as number;
  }

  /** The points between two known ones are sums of exponential gaps, scaled to fit. */
  #make(block: number): void {
    let low = 0;
    let lowAt = 0;
    let high = this.#blockCount;
    let highAt = 1;
    while (high - low > 1) {
      const middle = low + ((high - low) >> 1);
      const middleAt = lowAt + (highAt - lowAt) * this.#beta(middle * BLOCK, (middle - low) * BLOCK, this.#rankOf(high) - middle * BLOCK);
      if (block < middle) {
        high = middle;
        highAt = middleAt;
      } else {
        low = middle;
        lowAt = middleAt;
      }
    }
    const firstRank = block * BLOCK;
    const size = this.#rankOf(block + 1) - firstRank;
    let sum = 0;
    this.#points[0] = 0;
    for (let gap = 1; gap <= size; gap++) {
      sum -= Math.log(1 - this.#gaps.unit(this.first + firstRank + gap - 1));
      this.#points[gap] = sum;
    }
    const scale = sum > 0 ? (highAt - lowAt) / sum : 0;
    for (let gap = 0; gap <= size; gap++) this.#points[gap] = Math.min(lowAt + (this.#points[gap] as number) * scale, 1 - Number.EPSILON);
    this.#block = block;
  }

  #rankOf(block: number): number {
    return Math.min(block * BLOCK, this.count + 1);
  }

  /** Where the point of rank `rank` divides the way between its neighbours `before` ranks below and `after` above: Beta(before, after). */
  #beta(rank: number, before: number, after: number): number {
    const draw = (this.first + rank) * DRAWS_PER_SPLIT;
    const below = this.#gamma(draw, before);
    return below / (below + this.#gamma(draw + DRAWS_PER_GAMMA, after));
  }

  /** Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables" (ACM TOMS 26, 2000); for shapes ≥ 1. */
  #gamma(firstDraw: number, shape: number): number {
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const draw = firstDraw + 3 * attempt;
      const radius = Math.sqrt(-2 * Math.log(1 - this.#splits.unit(draw)));
      const normal = radius * Math.cos(2 * Math.PI * this.#splits.unit(draw + 1));
      const v = (1 + c * normal) ** 3;
      if (v <= 0) continue;
      if (Math.log(1 - this.#splits.unit(draw + 2)) < (normal * normal) / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
    // One in 10^13 comes here.
    return shape;
  }
}
