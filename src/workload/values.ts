/**
 * Values: how many bytes the i-th value has, and where its bytes come from. Sizes are pure functions of (seed, i); bytes are
 * slices of one pseudo-random pool, so that no value is made per operation. Called per operation.
 */
import { unreachable } from '../base/assert.js';
import { mix32, RandomStream, Stream } from '../base/random.js';
import type { ValueSizes } from '../plan/plan.js';
import { firstRecordOf, MAX_FIRST_RECORD, RECORD_BYTES, writeRecords } from './checkedValues.js';

/** HOT: sizes of values in bytes. */
export class ValueSizer {
  readonly #stream: RandomStream;

  /** @param checksum whether values are whole records */
  constructor(
    seed: number,
    readonly sizes: ValueSizes,
    readonly checksum = false,
  ) {
    this.#stream = new RandomStream(seed, Stream.value);
  }

  /** Size of the value of index i (0..2^52), in bytes. */
  valueBytesOf(i: number): number {
    const bytes = this.#drawnBytes(i);
    return this.checksum ? wholeRecords(bytes) : bytes;
  }

  #drawnBytes(i: number): number {
    const sizes = this.sizes;
    switch (sizes.kind) {
      case 'fixed':
        return sizes.bytes;
      case 'uniform':
        return sizes.minBytes + this.#stream.below(i, sizes.maxBytes - sizes.minBytes + 1);
      case 'lognormal': {
        // Box–Muller: 1 - unit is in (0, 1], so that its logarithm is finite.
        const radius = Math.sqrt(-2 * Math.log(1 - this.#stream.unit(2 * i)));
        const normal = radius * Math.cos(2 * Math.PI * this.#stream.unit(2 * i + 1));
        const bytes = Math.round(sizes.medianBytes * Math.exp(sizes.sigma * normal));
        return Math.min(sizes.maxBytes, Math.max(1, bytes));
      }
      default:
        return unreachable(sizes);
    }
  }

  /** No value is larger. */
  get maxBytes(): number {
    const bytes = this.sizes.kind === 'fixed' ? this.sizes.bytes : this.sizes.maxBytes;
    return this.checksum ? wholeRecords(bytes) : bytes;
  }
}

function wholeRecords(bytes: number): number {
  return Math.ceil(bytes / RECORD_BYTES) * RECORD_BYTES;
}

/** How far apart two values can start in the pool. */
const POOL_OFFSETS = 65_536;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** HOT: 6 random bits per byte, as ASCII (one byte per character in every encoding). */
export class ValuePool {
  /** The pool as bytes, for clients that write buffers. */
  readonly bytes: Buffer;
  readonly #text: string;

  /**
   * @param maxBytes the longest slice that will be asked for
   * @param checksum whether it is made of records
   */
  constructor(
    seed: number,
    readonly maxBytes: number,
    readonly checksum = false,
  ) {
    const stream = new RandomStream(seed, Stream.value);
    this.bytes = Buffer.allocUnsafe(maxBytes + (checksum ? MAX_FIRST_RECORD * RECORD_BYTES : POOL_OFFSETS));
    for (let i = 0; i < this.bytes.length; i++) this.bytes[i] = ALPHABET.charCodeAt(stream.u32(i) & 63);
    if (checksum) writeRecords(this.bytes);
    this.#text = this.bytes.toString('latin1');
  }

  /** Where the value of this key with this size begins: the same operation always writes the same bytes. */
  offsetOf(keyIndex: number, valueBytes: number): number {
    if (this.checksum) return firstRecordOf(keyIndex, valueBytes) * RECORD_BYTES;
    return mix32(keyIndex ^ Math.imul(valueBytes, 0x9e3779b1)) & (POOL_OFFSETS - 1);
  }

  /** The value as text of exactly `valueBytes` ASCII characters. */
  textOf(keyIndex: number, valueBytes: number): string {
    const offset = this.offsetOf(keyIndex, valueBytes);
    return this.#text.slice(offset, offset + valueBytes);
  }
}
