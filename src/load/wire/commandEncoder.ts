/**
 * HOT: writes GET, SET, INCR and DEL in RESP straight into a byte array, from parts that were encoded once. Used by WireConnection.
 * Never allocates per command; the caller sees to it that there is room (`maxCommandBytes`).
 */
import type { OperationIndex } from '../../plan/plan.js';
import type { ValuePool } from '../../workload/values.js';

const DIGITS_LIMIT = 16;
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
}

export class CommandEncoder {
  readonly #prefix: Uint8Array;
  readonly #counterPrefix: Uint8Array;
  readonly #heads: Uint8Array[];
  readonly #setTail: Uint8Array;
  readonly #values: ValuePool;
  readonly #perTag: number;
  readonly #digits = new Uint8Array(DIGITS_LIMIT);
  readonly #tagDigits = new Uint8Array(DIGITS_LIMIT);

  constructor(options: EncoderOptions) {
    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
    this.#prefix = bytes(options.prefix);
    this.#counterPrefix = bytes(options.counterPrefix);
    const expires = options.ttlMs > 0;
    this.#heads = [
      bytes('*2\r\n$3\r\nGET\r\n$'),
      bytes(`*${expires ? 5 : 3}\r\n$3\r\nSET\r\n$`),
      bytes('*2\r\n$4\r\nINCR\r\n$'),
      bytes('*2\r\n$3\r\nDEL\r\n$'),
    ];
    const ttl = String(options.ttlMs);
    this.#setTail = bytes(expires ? `\r\n$2\r\nPX\r\n$${ttl.length}\r\n${ttl}\r\n` : '\r\n');
    this.#values = options.values;
    this.#perTag = options.perTag ?? 0;
  }

  /** An upper bound for the length of one command with a value of that size. */
  maxCommandBytes(valueBytes: number): number {
    return 96 + Math.max(this.#prefix.length, this.#counterPrefix.length) + this.#setTail.length + valueBytes;
  }

  /** Writes the command at `at` of `out`; returns where it ends. */
  encode(out: Uint8Array, at: number, op: OperationIndex, keyIndex: number, valueBytes: number): number {
    const head = this.#heads[op] as Uint8Array;
    const prefix = op === 2 ? this.#counterPrefix : this.#prefix;
    const digitCount = reversedDigits(keyIndex, this.#digits);
    const tagDigitCount = this.#perTag === 0 ? 0 : reversedDigits(Math.floor(keyIndex / this.#perTag), this.#tagDigits);
    let end = copy(head, out, at);
    end = writeNumber(out, end, prefix.length + digitCount + (tagDigitCount === 0 ? 0 : tagDigitCount + TAG_MARKS));
    end = copy(prefix, out, end);
    if (tagDigitCount > 0) {
      out[end++] = 123;
      for (let i = tagDigitCount - 1; i >= 0; i--) out[end++] = this.#tagDigits[i] as number;
      out[end++] = 125;
      out[end++] = 58;
    }
    for (let i = digitCount - 1; i >= 0; i--) out[end++] = this.#digits[i] as number;
    if (op !== 1) {
      out[end++] = 13;
      out[end++] = 10;
      return end;
    }
    out[end++] = 13;
    out[end++] = 10;
    out[end++] = 36;
    end = writeNumber(out, end, valueBytes);
    end = this.#value(out, end, keyIndex, valueBytes);
    return copy(this.#setTail, out, end);
  }

  #value(out: Uint8Array, at: number, keyIndex: number, valueBytes: number): number {
    const pool = this.#values.bytes;
    const from = this.#values.offsetOf(keyIndex, valueBytes);
    if (valueBytes > 128) {
      out.set(pool.subarray(from, from + valueBytes), at);
      return at + valueBytes;
    }
    for (let i = 0; i < valueBytes; i++) out[at + i] = pool[from + i] as number;
    return at + valueBytes;
  }
}

/** HOT: the digits of a whole number in reverse order; returns how many. */
function reversedDigits(value: number, digits: Uint8Array): number {
  let rest = value;
  let count = 0;
  do {
    const next = Math.floor(rest / 10);
    digits[count++] = 48 + rest - next * 10;
    rest = next;
  } while (rest > 0);
  return count;
}

/** HOT: for short parts a loop beats a call into the runtime. */
function copy(part: Uint8Array, out: Uint8Array, at: number): number {
  for (let i = 0; i < part.length; i++) out[at + i] = part[i] as number;
  return at + part.length;
}

/** HOT: a length and its CR LF. */
function writeNumber(out: Uint8Array, at: number, value: number): number {
  let end = at;
  if (value >= 10) {
    let scale = 10;
    while (scale * 10 <= value) scale *= 10;
    let rest = value;
    for (; scale >= 1; scale /= 10) {
      const digit = Math.floor(rest / scale);
      out[end++] = 48 + digit;
      rest -= digit * scale;
    }
  } else {
    out[end++] = 48 + value;
  }
  out[end++] = 13;
  out[end++] = 10;
  return end;
}
