/**
 * Many HDR histograms that live for an interval: counts in blocks of one HDR bucket each, taken from a pool when a value first
 * falls into them. Counting costs a few ns and memory follows what is used. Used by recording.ts only.
 */
import { HDR_INDEX_COUNT, hdrHighestValueUs, hdrIndexOf } from '../base/hdrIndex.js';
import type { WorkerHistogram } from './messages.js';

const BLOCK_BITS = 10;
const BLOCK_LENGTH = 1 << BLOCK_BITS;
const BLOCKS_PER_HISTOGRAM = Math.ceil(HDR_INDEX_COUNT / BLOCK_LENGTH);
const NO_BLOCK = -1;

/** HOT: histograms by id; ids and blocks are reused after `release`. */
export class HistogramPool {
  /** For histogram h and bucket b: the block at h × BLOCKS_PER_HISTOGRAM + b. */
  #blockOf = new Int32Array(16 * BLOCKS_PER_HISTOGRAM).fill(NO_BLOCK);
  #counts = new Uint32Array(64 * BLOCK_LENGTH);
  #histogramCount = 0;
  #blockCount = 0;
  readonly #freeHistograms: number[] = [];
  readonly #freeBlocks: number[] = [];

  /** A new, empty histogram's id. */
  acquire(): number {
    const reused = this.#freeHistograms.pop();
    if (reused !== undefined) return reused;
    const id = this.#histogramCount++;
    if (this.#blockOf.length < (id + 1) * BLOCKS_PER_HISTOGRAM) {
      const grown = new Int32Array(this.#blockOf.length * 2).fill(NO_BLOCK);
      grown.set(this.#blockOf);
      this.#blockOf = grown;
    }
    return id;
  }

  /** Counts one value (clamped to 0..10 min). */
  record(id: number, valueUs: number): void {
    const index = hdrIndexOf(valueUs);
    const at = id * BLOCKS_PER_HISTOGRAM + (index >>> BLOCK_BITS);
    let block = this.#blockOf[at] as number;
    if (block === NO_BLOCK) block = this.#takeBlock(at);
    const cell = (block << BLOCK_BITS) + (index & (BLOCK_LENGTH - 1));
    this.#counts[cell] = (this.#counts[cell] as number) + 1;
  }

  /** The counts that are not 0, by ascending index. */
  toSparse(id: number): WorkerHistogram {
    const length = this.#countOfUsed(id);
    const indices = new Uint32Array(length);
    const counts = new Uint32Array(length);
    let at = 0;
    for (let bucket = 0; at < length; bucket++) {
      const block = this.#blockOf[id * BLOCKS_PER_HISTOGRAM + bucket] as number;
      if (block === NO_BLOCK) continue;
      const start = block << BLOCK_BITS;
      for (let i = 0; i < BLOCK_LENGTH; i++) {
        const count = this.#counts[start + i] as number;
        if (count === 0) continue;
        indices[at] = (bucket << BLOCK_BITS) + i;
        counts[at++] = count;
      }
    }
    return { indices, counts };
  }

  /** The highest value that counts like the value at this percentile (HDR's rule) of these histograms together, in µs; 0 when they are empty. */
  percentileUs(ids: readonly number[], percentile: number): number {
    const total = ids.reduce((sum, id) => sum + this.#totalOf(id), 0);
    let left = Math.max(1, Math.ceil((percentile / 100) * total));
    for (let bucket = 0; bucket < BLOCKS_PER_HISTOGRAM; bucket++) {
      const blocks = ids.map((id) => this.#blockOf[id * BLOCKS_PER_HISTOGRAM + bucket] as number).filter((block) => block !== NO_BLOCK);
      if (blocks.length === 0) continue;
      for (let i = 0; i < BLOCK_LENGTH; i++) {
        for (const block of blocks) left -= this.#counts[(block << BLOCK_BITS) + i] as number;
        if (left <= 0) return hdrHighestValueUs((bucket << BLOCK_BITS) + i);
      }
    }
    return 0;
  }

  /** Empties the histogram and gives its id back. */
  release(id: number): void {
    const start = id * BLOCKS_PER_HISTOGRAM;
    for (let at = start; at < start + BLOCKS_PER_HISTOGRAM; at++) {
      const block = this.#blockOf[at] as number;
      if (block === NO_BLOCK) continue;
      this.#counts.fill(0, block << BLOCK_BITS, (block + 1) << BLOCK_BITS);
      this.#freeBlocks.push(block);
      this.#blockOf[at] = NO_BLOCK;
    }
    this.#freeHistograms.push(id);
  }

  #takeBlock(at: number): number {
    let block = this.#freeBlocks.pop();
    if (block === undefined) {
      block = this.#blockCount++;
      if (this.#counts.length < (block + 1) << BLOCK_BITS) {
        const grown = new Uint32Array(this.#counts.length * 2);
        grown.set(this.#counts);
        this.#counts = grown;
      }
    }
    this.#blockOf[at] = block;
    return block;
  }

  /** How many indices have a count. */
  #countOfUsed(id: number): number {
    let used = 0;
    for (let bucket = 0; bucket < BLOCKS_PER_HISTOGRAM; bucket++) {
      const block = this.#blockOf[id * BLOCKS_PER_HISTOGRAM + bucket] as number;
      if (block === NO_BLOCK) continue;
      const end = (block + 1) << BLOCK_BITS;
      for (let at = block << BLOCK_BITS; at < end; at++) if (this.#counts[at] !== 0) used++;
    }
    return used;
  }

  #totalOf(id: number): number {
    let total = 0;
    for (let bucket = 0; bucket < BLOCKS_PER_HISTOGRAM; bucket++) {
      const block = this.#blockOf[id * BLOCKS_PER_HISTOGRAM + bucket] as number;
      if (block === NO_BLOCK) continue;
      const end = (block + 1) << BLOCK_BITS;
      for (let at = block << BLOCK_BITS; at < end; at++) total += this.#counts[at] as number;
    }
    return total;
  }
}
