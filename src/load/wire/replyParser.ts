/**
 * Reads RESP2 and RESP3 replies from a byte stream without allocating per reply. Called by WireConnection with whatever a read brought;
 * a reply may be cut anywhere. Must never throw and never trust a length: what is not the protocol is reported once, and then it is silent.
 */

/** What one top-level reply was. */
export const ReplyKind = {
  /** A simple string, a true or false, a double, a map, an array: the operation went well. */
  ok: 0,
  /** A bulk string (a value). */
  bulk: 1,
  /** No such key. */
  nil: 2,
  integer: 3,
  /** `-ERR …`; its text is in `errorText`. */
  error: 4,
} as const;
export type ReplyKind = (typeof ReplyKind)[keyof typeof ReplyKind];

export interface ReplySink {
  /** HOT: one whole reply; `integer` is its value for integers and the length for bulk strings, else 0. */
  reply(kind: ReplyKind, integer: number): void;
  /** The bytes are not the protocol; the connection is to be closed. Called at most once. */
  malformed(what: string): void;
}

/** A line (type, length, number, error text) longer than this is not the protocol's. */
export const LINE_LIMIT_BYTES = 65_536;
/** proto-max-bulk-len of a stock server. */
export const BULK_LIMIT_BYTES = 536_870_912;
/** Elements of all aggregates of one reply. */
export const ELEMENT_LIMIT = 1_000_000;
const DEPTH_LIMIT = 16;

const CR = 13;
const LF = 10;

export class ReplyParser {
  readonly #sink: ReplySink;
  /** Bytes of a bulk string (with its CR LF) that are still to come. */
  #bulkLeft = 0;
  #bulkLength = 0;
  /** A line that was cut; only its first `#carried` bytes count. */
  #carry = new Uint8Array(256);
  #carried = 0;
  /** Elements still to come at each depth of the aggregate being read; depth 0 is none. */
  readonly #elementsLeft = new Int32Array(DEPTH_LIMIT + 1);
  #depth = 0;
  #elementsRead = 0;
  /** The aggregate being read is a push or an attribute: it answers nothing. */
  #outOfBand = false;
  #dead = false;
  #headFilled = 0;

  /** Text of the last error reply, without its `-`. */
  errorText = '';
  /** The first two integers of the last reply that was an array, 0 where there were fewer. */
  readonly integers = new Float64Array(2);
  #integerCount = 0;

  /** @param head filled with the first bytes of every bulk string before its reply is told; null: nobody wants them */
  constructor(
    sink: ReplySink,
    readonly head: Uint8Array | null = null,
  ) {
    this.#sink = sink;
  }

  /** Whether a reply has begun that is not whole yet. */
  get midReply(): boolean {
    return this.#carried > 0 || this.#bulkLeft > 0 || this.#depth > 0;
  }

  /** HOT: takes `length` bytes of `bytes`; the array may be reused afterwards. */
  feed(bytes: Uint8Array, length: number): void {
    let at = 0;
    if (this.#carried > 0) at = this.#finishLine(bytes, length);
    while (at < length && !this.#dead) {
      if (this.#bulkLeft > 0) {
        at = this.#skipBulk(bytes, at, length);
        continue;
      }
      const next = this.#depth === 0 ? this.#commonReply(bytes, at, length) : at;
      if (next !== at) {
        at = next;
        continue;
      }
      const end = lineEnd(bytes, at, length);
      if (end === -1) return this.#keep(bytes, at, length);
      this.#line(bytes, at, end);
      at = end + 1;
    }
  }

  /**
   * HOT: the two replies that nearly all are, when they are whole: `+OK` and a bulk string. Returns where it ends; `at`: it is something
   * else, or cut, or wrong, and is read line by line.
   */
  #commonReply(bytes: Uint8Array, at: number, length: number): number {
    const type = bytes[at];
    if (type === 36) {
      let end = at + 1;
      let bulkLength = 0;
      // Seven digits are below the limit; more go the long way.
      for (const last = Math.min(length, at + 8); end < last; end++) {
        const digit = (bytes[end] as number) - 48;
        if (digit < 0 || digit > 9) break;
        bulkLength = bulkLength * 10 + digit;
      }
      const bulkEnd = end + 2 + bulkLength;
      if (end === at + 1 || bulkEnd + 2 > length || bytes[end] !== CR || bytes[end + 1] !== LF) return at;
      if (bytes[bulkEnd] !== CR || bytes[bulkEnd + 1] !== LF) return at;
      if (this.head !== null) {
        const count = Math.min(this.head.length, bulkLength);
        for (let i = 0; i < count; i++) this.head[i] = bytes[end + 2 + i] as number;
      }
      this.#sink.reply(ReplyKind.bulk, bulkLength);
      return bulkEnd + 2;
    }
    if (type !== 43 || at + 5 > length) return at;
    if (bytes[at + 1] !== 79 || bytes[at + 2] !== 75 || bytes[at + 3] !== CR || bytes[at + 4] !== LF) return at;
    this.#sink.reply(ReplyKind.ok, 0);
    return at + 5;
  }

  #skipBulk(bytes: Uint8Array, at: number, length: number): number {
    const available = length - at;
    if (this.head !== null && this.#headFilled < this.head.length) this.#keepHead(this.head, bytes, at, available);
    if (available < this.#bulkLeft) {
      // The CR of the end may be the last byte here: both ends are checked when the LF comes, the CR wherever it is.
      if (this.#bulkLeft - available === 1 && bytes[length - 1] !== CR) this.#fail('a bulk string does not end where its length says');
      this.#bulkLeft -= available;
      return length;
    }
    const end = at + this.#bulkLeft;
    if (bytes[end - 1] !== LF || (this.#bulkLeft >= 2 && bytes[end - 2] !== CR)) {
      this.#fail('a bulk string does not end where its length says');
      return length;
    }
    this.#bulkLeft = 0;
    this.#complete(ReplyKind.bulk, this.#bulkLength);
    return end;
  }

  /** HOT */
  #keepHead(head: Uint8Array, bytes: Uint8Array, at: number, available: number): void {
    const count = Math.min(head.length - this.#headFilled, available, this.#bulkLeft - 2);
    for (let i = 0; i < count; i++) head[this.#headFilled + i] = bytes[at + i] as number;
    if (count > 0) this.#headFilled += count;
  }

  /** Takes what is missing of a cut line from the front of `bytes`; returns where the rest starts. */
  #finishLine(bytes: Uint8Array, length: number): number {
    const end = lineEnd(bytes, 0, length);
    const taken = end === -1 ? length : end + 1;
    this.#keep(bytes, 0, taken);
    if (this.#dead || taken === 0 || bytes[taken - 1] !== LF) return length;
    const carried = this.#carried;
    this.#carried = 0;
    this.#line(this.#carry, 0, carried - 1);
    return taken;
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.#carried + to - from;
    if (needed > LINE_LIMIT_BYTES) return this.#fail('a line is longer than 64 KiB');
    if (needed > this.#carry.length) {
      const larger = new Uint8Array(Math.min(LINE_LIMIT_BYTES, Math.max(needed, this.#carry.length * 2)));
      larger.set(this.#carry.subarray(0, this.#carried));
      this.#carry = larger;
    }
    this.#carry.set(bytes.subarray(from, to), this.#carried);
    this.#carried = needed;
  }

  /** HOT: one line from its type byte at `at` to its LF at `end`. */
  #line(bytes: Uint8Array, at: number, end: number): void {
    if (end - at < 2 || bytes[end - 1] !== CR) return this.#fail('a line does not end in CR LF');
    switch (bytes[at]) {
      case 43: // +
      case 35: // # boolean
      case 44: // , double
      case 40: // ( big number
        return this.#complete(ReplyKind.ok, 0);
      case 36: // $
      case 61: // = verbatim string
        return this.#bulkHeader(bytes, at + 1, end - 1);
      case 58: // :
        return this.#integer(bytes, at + 1, end - 1);
      case 45: // -
        return this.#error(bytes, at + 1, end - 1);
      case 95: // _
        return this.#complete(ReplyKind.nil, 0);
      case 33: // ! bulk error: its text follows as a bulk string
        return this.#fail('a bulk error, which no command of ours is answered with');
      default:
        return this.#aggregate(bytes, at, end - 1);
    }
  }

  #bulkHeader(bytes: Uint8Array, from: number, to: number): void {
    const length = decimal(bytes, from, to);
    if (length === -1) return this.#complete(ReplyKind.nil, 0);
    if (!(length >= 0 && length <= BULK_LIMIT_BYTES)) return this.#fail('a bulk length is no number or beyond 512 MiB');
    this.#bulkLength = length;
    this.#bulkLeft = length + 2;
    this.#headFilled = 0;
  }

  #integer(bytes: Uint8Array, from: number, to: number): void {
    const value = decimal(bytes, from, to);
    if (Number.isNaN(value)) return this.#fail('an integer reply is no integer');
    this.#complete(ReplyKind.integer, value);
  }

  #error(bytes: Uint8Array, from: number, to: number): void {
    let text = '';
    for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i] ?? 63);
    this.errorText = text;
    this.#complete(ReplyKind.error, 0);
  }

  #aggregate(bytes: Uint8Array, at: number, to: number): void {
    const type = bytes[at];
    const isMap = type === 37 || type === 124; // % and |
    const outOfBand = type === 62 || type === 124; // > and |
    if (!isMap && type !== 42 && type !== 126 && type !== 62) return this.#fail('a reply of an unknown type');
    const count = decimal(bytes, at + 1, to);
    if (count === -1 && type === 42) return this.#complete(ReplyKind.nil, 0);
    if (!(count >= 0 && count <= ELEMENT_LIMIT)) return this.#fail('an aggregate has a wrong or too large count');
    if (outOfBand && this.#depth === 0) this.#outOfBand = true;
    else if (outOfBand) return this.#fail('a push inside a reply');
    const elements = isMap ? count * 2 : count;
    this.#elementsRead += elements;
    if (this.#elementsRead > ELEMENT_LIMIT) return this.#fail('a reply has too many elements');
    if (elements === 0) return this.#complete(ReplyKind.ok, 0);
    if (this.#depth === DEPTH_LIMIT) return this.#fail('a reply is nested too deeply');
    if (this.#depth === 0) {
      this.integers.fill(0);
      this.#integerCount = 0;
    }
    this.#depth += 1;
    this.#elementsLeft[this.#depth] = elements;
  }

  /** HOT: a value is whole; so may be the aggregates it closes. */
  #complete(kind: ReplyKind, integer: number): void {
    if (this.#depth === 0 && !this.#outOfBand) return this.#sink.reply(kind, integer);
    if (kind === ReplyKind.integer && this.#depth > 0 && this.#integerCount < 2) this.integers[this.#integerCount++] = integer;
    while (this.#depth > 0) {
      const left = (this.#elementsLeft[this.#depth] ?? 1) - 1;
      this.#elementsLeft[this.#depth] = left;
      if (left > 0) return;
      this.#depth -= 1;
    }
    this.#elementsRead = 0;
    if (this.#outOfBand) this.#outOfBand = false;
    else this.#sink.reply(ReplyKind.ok, 0);
  }

  #fail(what: string): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#sink.malformed(what);
  }
}

/** HOT: where the next LF is in bytes[at..length), or -1. Lines are short: a loop beats a call into the runtime. */
function lineEnd(bytes: Uint8Array, at: number, length: number): number {
  for (let end = at; end < length; end++) if (bytes[end] === LF) return end;
  return -1;
}

/** HOT: the decimal integer in bytes[from..to); NaN when it is none or has more than 19 digits. */
function decimal(bytes: Uint8Array, from: number, to: number): number {
  const negative = bytes[from] === 45;
  let at = negative ? from + 1 : from;
  if (at >= to || to - at > 19) return Number.NaN;
  let value = 0;
  for (; at < to; at++) {
    const digit = (bytes[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
