/**
 * The one place that draws random numbers. Counter-based and seekable: draw i of a stream is a pure function of
 * (seed, stream, i), so whichever worker or machine runs operation i draws the same. Never `Math.random`.
 */

/** Names of the streams; each is independent of the others. A new use gets a new number, none is ever reused. */
export const Stream = {
  operation: 1,
  key: 2,
  value: 3,
  arrival: 4,
  selector: 5,
  jitter: 6,
  owner: 7,
  arrivalSplit: 8,
  groupOrder: 9,
  resample: 20,
  chaos: 21,
  resampleBlocks: 22,
} as const;
export type Stream = (typeof Stream)[keyof typeof Stream];

/** The finalizer of MurmurHash3 (Appleby, public domain): every input bit changes every output bit with p ≈ 1/2. */
export function mix32(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** One stream of draws. HOT: no method allocates. */
export class RandomStream {
  readonly #keyA: number;
  readonly #keyB: number;

  /** @param seed any safe integer ≥ 0 @param stream one of `Stream`, or a sub-stream number of your own ≥ 1000 */
  constructor(seed: number, stream: number) {
    const lo = seed >>> 0;
    const hi = Math.floor(seed / 0x1_0000_0000) >>> 0;
    this.#keyA = mix32(mix32(lo ^ 0x9e3779b9) ^ Math.imul(stream, 0x7feb352d) ^ hi);
    this.#keyB = mix32(this.#keyA ^ mix32(hi + 0x6a09e667) ^ Math.imul(stream + 1, 0x846ca68b));
  }

  /** Draw `index` (an integer in 0..2^53) as 32 uniform bits. */
  u32(index: number): number {
    const lo = index >>> 0;
    const hi = Math.floor(index / 0x1_0000_0000) >>> 0;
    let h = mix32(lo + this.#keyA);
    h = mix32(h ^ hi ^ this.#keyB);
    return mix32(h + Math.imul(lo, 0x9e3779b1) + this.#keyA);
  }

  /** Draw `index` as a double, uniform in [0, 1), with 53 random bits. */
  unit(index: number): number {
    const h = this.u32(index);
    const a = h >>> 5;
    const b = mix32(h ^ this.#keyB ^ 0x5851f42d) >>> 6;
    return (a * 67108864 + b) / 9007199254740992;
  }

  /** Draw `index` as an integer, uniform in 0..bound-1 (bias below 2^-20 for bounds up to 2^33). */
  below(index: number, bound: number): number {
    return Math.floor(this.unit(index) * bound);
  }
}
