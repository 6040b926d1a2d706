/**
 * HOT: writes commands in RESP straight into a byte array, from parts that were encoded once: GET, SET, INCR and DEL here, custom ones by
 * CustomEncoder. Used by WireConnection.
 * Never allocates per command; the caller sees to it that there is room (`maxCommandBytes`).
 */
import type { CommandPlan, OperationIndex } from '../../plan/plan.js';
import type { ValueStamper } from '../../workload/valueStamp.js';
import type { ValuePool } from '../../workload/values.js';
import { CustomEncoder } from './customEncoder.js';

/** Of a key index below 2^32. */
const DIGITS_LIMIT = 10;
/** What is copied word by word may run over its end by this much less one; what comes next overwrites it. */
const WORD_BYTES = 8;
/** Of a tag: two braces and a colon. */
const TAG_MARKS = 3;

export interface EncoderOptions {
  /** Names of ordinary keys are prefix + index, of counters counterPrefix + index. */
  prefix: string;
  counterPrefix: string;
  /** So many neighbouring keys share a hash tag, `{t}:` between prefix and index; 0 or absent: no tags. */
  perTag?: number;
  /** 0: none. */
  ttlMs: number;
  values: ValuePool;
  /** Null or absent: no value has a stamp. */
  stamper?: ValueStamper | null;
  commands?: readonly CommandPlan[] | undefined;
}

/** Operations from here on are custom commands. */
const FIRST_CUSTOM = 4;

export class CommandEncoder {
  readonly #prefix: Uint8Array;
  readonly #counterPrefix: Uint8Array;
  readonly #heads: Uint8Array[];
  /** Without tags: all that comes before the index, by operation × (DIGITS_LIMIT + 1) + digits of the index. */
  readonly #starts: TextWords[];
  readonly #setTail: TextWords;
  readonly #values: ValuePool;
  readonly #pool: DataView;
  readonly #stamper: ValueStamper | null;
  readonly #perTag: number;
  readonly #custom: CustomEncoder;
  /** What stands between key and value for values of `#lengthOf` bytes. */
  #length: TextWords = wordsOf('');
  #lengthOf = -1;

  constructor(options: EncoderOptions) {
    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
    this.#prefix = bytes(options.prefix);
    this.#counterPrefix = bytes(options.counterPrefix);
    const expires = options.ttlMs > 0;
    const heads = ['*2\r\n$3\r\nGET\r\n$', `*${expires ? 5 : 3}\r\n$3\r\nSET\r\n$`, '*2\r\n$4\r\nINCR\r\n$', '*2\r\n$3\r\nDEL\r\n$'];
    this.#heads = heads.map(bytes);
    this.#starts = heads.flatMap((head, op) => {
      const prefix = op === 2 ? options.counterPrefix : options.prefix;
      const prefixBytes = Buffer.byteLength(prefix);
      return Array.from({ length: DIGITS_LIMIT + 1 }, (_, digits) => wordsOf(`${head}${prefixBytes + digits}\r\n${prefix}`));
    });
    const ttl = String(options.ttlMs);
    this.#setTail = wordsOf(expires ? `\r\n$2\r\nPX\r\n$${ttl.length}\r\n${ttl}\r\n` : '\r\n');
    this.#values = options.values;
    const pool = options.values.bytes;
    this.#pool = new DataView(pool.buffer, pool.byteOffset, pool.length);
    this.#stamper = options.stamper ?? null;
    this.#perTag = options.perTag ?? 0;
    this.#custom = new CustomEncoder(options.commands ?? [], this.#prefix, this.#perTag, options.values);
  }

  /** An upper bound for the room that one command needs; `valueBytes` counts where it carries a value. */
  maxCommandBytes(op: OperationIndex, valueBytes: number): number {
    if (op >= FIRST_CUSTOM) return this.#custom.maxCommandBytes(op - FIRST_CUSTOM, valueBytes);
    return 96 + WORD_BYTES + Math.max(this.#prefix.length, this.#counterPrefix.length) + this.#setTail.byteCount + (op === 1 ? valueBytes : 0);
  }

  /**
   * Writes the command at `at` of `out`; returns where it ends.
   * @param view of the same bytes as `out`
   * @param keyIndex 0..2^32-1
   * @param version ≥ 0: the value is stamped with it
   */
  encode(out: Uint8Array, view: DataView, at: number, op: OperationIndex, keyIndex: number, valueBytes: number, version: number): number {
    if (op >= FIRST_CUSTOM) return this.#custom.encode(out, at, op - FIRST_CUSTOM, keyIndex, valueBytes);
    const digitCount = digitCountOf(keyIndex);
    let end = at;
    if (this.#perTag === 0) {
      end = copyWords(this.#starts[op * (DIGITS_LIMIT + 1) + digitCount] as TextWords, view, end);
      end = writeDigits(out, end, keyIndex, digitCount);
    } else {
      end = this.#taggedKey(out, end, op, keyIndex, digitCount);
    }
    if (op !== 1) {
      out[end] = 13;
      out[end + 1] = 10;
      return end + 2;
    }
    if (valueBytes !== this.#lengthOf) this.#setLength(valueBytes);
    end = copyWords(this.#length, view, end);
    const valueAt = end;
    end = this.#value(out, view, end, keyIndex, valueBytes);
    if (version >= 0 && this.#stamper !== null) this.#stamper.write(out, valueAt, keyIndex, version, valueBytes);
    return copyWords(this.#setTail, view, end);
  }

  #taggedKey(out: Uint8Array, at: number, op: OperationIndex, keyIndex: number, digitCount: number): number {
    const prefix = op === 2 ? this.#counterPrefix : this.#prefix;
    const tag = Math.floor(keyIndex / this.#perTag);
    const tagDigitCount = digitCountOf(tag);
    let end = copy(this.#heads[op] as Uint8Array, out, at);
    const keyBytes = prefix.length + digitCount + tagDigitCount + TAG_MARKS;
    end = writeDigits(out, end, keyBytes, digitCountOf(keyBytes));
    out[end++] = 13;
    out[end++] = 10;
    end = copy(prefix, out, end);
    out[end++] = 123;
    end = writeDigits(out, end, tag, tagDigitCount);
    out[end++] = 125;
    out[end++] = 58;
    return writeDigits(out, end, keyIndex, digitCount);
  }

  /** Sizes that are drawn change it often, and so does it in place. */
  #setLength(valueBytes: number): void {
    const { text } = this.#length;
    const digitCount = digitCountOf(valueBytes);
    text[0] = 13;
    text[1] = 10;
    text[2] = 36;
    const end = writeDigits(text, 3, valueBytes, digitCount);
    text[end] = 13;
    text[end + 1] = 10;
    this.#length.byteCount = end + 2;
    this.#lengthOf = valueBytes;
  }

  #value(out: Uint8Array, view: DataView, at: number, keyIndex: number, valueBytes: number): number {
    const from = this.#values.offsetOf(keyIndex, valueBytes);
    if (valueBytes > 512) {
      out.set(this.#values.bytes.subarray(from, from + valueBytes), at);
      return at + valueBytes;
    }
    let i = 0;
    for (const words = valueBytes - WORD_BYTES; i <= words; i += WORD_BYTES) view.setFloat64(at + i, this.#pool.getFloat64(from + i, true), true);
    for (; i < valueBytes; i++) out[at + i] = this.#pool.getUint8(from + i);
    return at + valueBytes;
  }
}

/**
 * Text that is copied eight bytes at a time, as doubles: the widest copy that is compiled into a plain load and store. No eight bytes of
 * UTF-8 make a NaN, whose bits alone might not survive: its last two bytes would be F0..FF and 7F or FF.
 */
interface TextWords {
  byteCount: number;
  /** Its bytes, and zeros up to whole words. */
  text: Uint8Array;
  view: DataView;
}

/** The longest text between a key and its value, in whole words. */
const LENGTH_ROOM_BYTES = 24;

function wordsOf(text: string): TextWords {
  const byteCount = Buffer.byteLength(text);
  const bytes = new Uint8Array(Math.max(LENGTH_ROOM_BYTES, Math.ceil(byteCount / WORD_BYTES) * WORD_BYTES));
  bytes.set(Buffer.from(text));
  return { byteCount, text: bytes, view: new DataView(bytes.buffer) };
}

/** HOT: returns where the text ends; up to seven bytes behind it are overwritten. */
function copyWords(words: TextWords, view: DataView, at: number): number {
  const { byteCount, view: from } = words;
  for (let i = 0; i < byteCount; i += WORD_BYTES) view.setFloat64(at + i, from.getFloat64(i, true), true);
  return at + byteCount;
}

/** HOT: how many digits a whole number of 0..2^32-1 has. */
function digitCountOf(value: number): number {
  let count = 1;
  for (let bound = 10; value >= bound; bound *= 10) count++;
  return count;
}

/** HOT: the digits of a whole number of 0..2^32-1; returns where they end. */
function writeDigits(out: Uint8Array, at: number, value: number, digitCount: number): number {
  let rest = value >>> 0;
  for (let digitAt = at + digitCount - 1; digitAt >= at; digitAt--) {
    const next = (rest / 10) >>> 0;
    out[digitAt] = 48 + rest - next * 10;
    rest = next;
  }
  return at + digitCount;
}

/** HOT: for short parts a loop beats a call into the runtime. */
function copy(part: Uint8Array, out: Uint8Array, at: number): number {
  for (let i = 0; i < part.length; i++) out[at + i] = part[i] as number;
  return at + part.length;
}
