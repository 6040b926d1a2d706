/**
 * The stamp at the front of a value that the ledger tracks: which run and worker wrote it, to which key, as which version, and a check
 * sum over all of that and the value's length. Clients write it over the value's first bytes; the ledger and the verification read it.
 * Pure; printable characters, so that it is one byte each in every encoding. It must stay apart from src/verify/checker.ts, which reads
 * stamps by code of its own.
 */
import { mix32 } from '../base/random.js';

/** A shorter value carries no stamp. */
export const STAMP_BYTES = 24;
/** In place of a version: no stamp is to be written. */
export const NO_VERSION = -1;
/** Runs are told apart by so many tags; a tag is 0..RUN_TAGS - 1. */
export const RUN_TAGS = 0x1000000;

const MAGIC = '!~';
/** Where the fields begin; six bits per character, most significant first. */
const RUN_AT = 2;
const WRITER_AT = 6;
const KEY_AT = 8;
const VERSION_AT = 14;
const SUM_AT = 20;
const SUM_MASK = 0xffffff;
const UINT32_MAX = 0xffffffff;

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const NO_DIGIT = 255;
const codeOf = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0));
const digitOf = new Uint8Array(256).fill(NO_DIGIT);
for (const [digit, code] of codeOf.entries()) digitOf[code] = digit;

/** HOT: writes the stamps of one run and worker. */
export class ValueStamper {
  readonly #head: Uint8Array;
  readonly #scratch = Buffer.allocUnsafe(STAMP_BYTES);

  /** @param run 0..RUN_TAGS - 1 @param writer the worker's number, 0..4095 */
  constructor(
    readonly run: number,
    readonly writer: number,
  ) {
    this.#head = new Uint8Array(KEY_AT);
    for (let i = 0; i < MAGIC.length; i++) this.#head[i] = MAGIC.charCodeAt(i);
    writeDigits(this.#head, RUN_AT, WRITER_AT, run);
    writeDigits(this.#head, WRITER_AT, KEY_AT, writer);
  }

  /** Writes STAMP_BYTES bytes at `at`. `keyIndex` and `version` are integers in 0..2^32-1. */
  write(out: Uint8Array, at: number, keyIndex: number, version: number, valueBytes: number): void {
    const head = this.#head;
    for (let i = 0; i < KEY_AT; i++) out[at + i] = head[i] as number;
    writeDigits(out, at + KEY_AT, at + VERSION_AT, keyIndex);
    writeDigits(out, at + VERSION_AT, at + SUM_AT, version);
    writeDigits(out, at + SUM_AT, at + STAMP_BYTES, checkSum(this.run, this.writer, keyIndex, version, valueBytes));
  }

  /** The same as text. */
  textOf(keyIndex: number, version: number, valueBytes: number): string {
    this.write(this.#scratch, 0, keyIndex, version, valueBytes);
    return this.#scratch.toString('latin1');
  }
}

/** HOT: takes a stamp apart; its fields hold the last one that was intact. */
export class StampReader {
  run = 0;
  writer = 0;
  keyIndex = 0;
  version = 0;
  readonly #scratch = Buffer.allocUnsafe(STAMP_BYTES);

  /** False: these are not the first bytes of a value that was stamped, or they were changed. @param valueBytes of the whole value, ≥ STAMP_BYTES */
  read(bytes: Uint8Array, valueBytes: number): boolean {
    if (bytes[0] !== MAGIC.charCodeAt(0) || bytes[1] !== MAGIC.charCodeAt(1)) return false;
    let all = 0;
    for (let i = RUN_AT; i < STAMP_BYTES; i++) all |= digitOf[bytes[i] as number] as number;
    if (all > 63) return false;
    this.run = readDigits(bytes, RUN_AT, WRITER_AT);
    this.writer = readDigits(bytes, WRITER_AT, KEY_AT);
    this.keyIndex = readDigits(bytes, KEY_AT, VERSION_AT);
    this.version = readDigits(bytes, VERSION_AT, SUM_AT);
    // Six digits hold more than is ever written, and the check sum takes 32 bits of each.
    if (this.keyIndex > UINT32_MAX || this.version > UINT32_MAX) return false;
    return readDigits(bytes, SUM_AT, STAMP_BYTES) === checkSum(this.run, this.writer, this.keyIndex, this.version, valueBytes);
  }

  /** The same of a whole value as text. */
  readText(value: string): boolean {
    for (let i = 0; i < STAMP_BYTES; i++) {
      const code = value.charCodeAt(i);
      this.#scratch[i] = code < 256 ? code : 0;
    }
    return this.read(this.#scratch, value.length);
  }
}

/** HOT: 24 bits over the fields and the length of the value. */
function checkSum(run: number, writer: number, keyIndex: number, version: number, valueBytes: number): number {
  const who = mix32(run ^ Math.imul(writer, 0x27d4eb2f) ^ Math.imul(keyIndex, 0x9e3779b1));
  return mix32(mix32(who ^ Math.imul(version + 1, 0x85ebca6b)) ^ valueBytes) & SUM_MASK;
}

/** HOT: the lowest bits of a whole number below 2^32. */
function writeDigits(out: Uint8Array, from: number, to: number, value: number): void {
  let rest = value;
  for (let at = to - 1; at >= from; at--) {
    out[at] = codeOf[rest & 63] as number;
    rest >>>= 6;
  }
}

/** HOT */
function readDigits(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 64 + (digitOf[bytes[at] as number] as number);
  return value;
}
