/**
 * HOT: writes a workload's custom commands in RESP straight into a byte array: pieces that were encoded once, and between two of them a key or
 * a value. Used by CommandEncoder. Never allocates per command; the caller sees to it that there is room (`maxCommandBytes`).
 */
import type { CommandPlan } from '../../plan/plan.js';
import type { ValuePool } from '../../workload/values.js';

/** What a key needs beside its prefix: length, tag, digits and their marks; and what a value needs beside itself. */
const MARGIN_BYTES = 64;

export class CustomEncoder {
  readonly #templates: Template[];
  readonly #prefix: Uint8Array;
  readonly #perTag: number;
  readonly #values: ValuePool;

  /** @param perTag so many neighbouring keys share a hash tag; 0: no tags */
  constructor(commands: readonly CommandPlan[], prefix: Uint8Array, perTag: number, values: ValuePool) {
    this.#templates = commands.map(templateOf);
    this.#prefix = prefix;
    this.#perTag = perTag;
    this.#values = values;
  }

  /** An upper bound for the room that command `index` needs with a value of that size. */
  maxCommandBytes(index: number, valueBytes: number): number {
    const { fixedBytes, keyCount, valueCount } = this.#templates[index] as Template;
    return fixedBytes + keyCount * (this.#prefix.length + MARGIN_BYTES) + valueCount * (valueBytes + MARGIN_BYTES);
  }

  /** Writes command `index` of the workload at `at` of `out`; returns where it ends. */
  encode(out: Uint8Array, at: number, index: number, keyIndex: number, valueBytes: number): number {
    const { pieces, gaps, before } = this.#templates[index] as Template;
    let end = copy(pieces[0] as Uint8Array, out, at);
    for (let i = 0; i < gaps.length; i++) {
      const extraBytes = gaps[i] as number;
      if (extraBytes === KEY) {
        end = this.#key(out, end, keyIndex);
      } else {
        end = writeLength(out, end, valueBytes + extraBytes);
        end = copy(before[i] as Uint8Array, out, end);
        end = this.#value(out, end, keyIndex, valueBytes);
      }
      end = copy(pieces[i + 1] as Uint8Array, out, end);
    }
    return end;
  }

  #key(out: Uint8Array, at: number, keyIndex: number): number {
    const tag = this.#perTag === 0 ? 0 : Math.floor(keyIndex / this.#perTag);
    // Braces and a colon are the marks of a tag.
    const tagBytes = this.#perTag === 0 ? 0 : digitCountOf(tag) + 3;
    let end = writeLength(out, at, this.#prefix.length + tagBytes + digitCountOf(keyIndex));
    end = copy(this.#prefix, out, end);
    if (tagBytes > 0) {
      out[end] = 123;
      end = writeDigits(out, end + 1, tag);
      out[end] = 125;
      out[end + 1] = 58;
      end += 2;
    }
    return writeDigits(out, end, keyIndex);
  }

  #value(out: Uint8Array, at: number, keyIndex: number, valueBytes: number): number {
    const pool = this.#values.bytes;
    const from = this.#values.offsetOf(keyIndex, valueBytes);
    if (valueBytes > 128) out.set(pool.subarray(from, from + valueBytes), at);
    else for (let i = 0; i < valueBytes; i++) out[at + i] = pool[from + i] as number;
    return at + valueBytes;
  }
}

const KEY = -1;

/** A custom command in pieces. */
interface Template {
  /** What never changes: one more than gaps. */
  pieces: Uint8Array[];
  /** What stands between two pieces: KEY, or a value with so many more bytes in its argument. */
  gaps: number[];
  /** Of each gap: what comes before the value in its argument. */
  before: Uint8Array[];
  keyCount: number;
  valueCount: number;
  fixedBytes: number;
}

function templateOf({ args }: CommandPlan): Template {
  const template: Template = { pieces: [], gaps: [], before: [], keyCount: 0, valueCount: 0, fixedBytes: 0 };
  let text = `*${args.length}\r\n`;
  const cut = (gap: number, before: string): void => {
    template.pieces.push(Buffer.from(text, 'latin1'));
    template.gaps.push(gap);
    template.before.push(Buffer.from(before, 'latin1'));
  };
  for (const arg of args) {
    text += '$';
    if (arg.kind === 'literal') text += `${arg.bytes.length}\r\n${arg.bytes}`;
    else if (arg.kind === 'key') {
      template.keyCount++;
      cut(KEY, '');
      text = '';
    } else {
      template.valueCount++;
      cut(arg.before.length + arg.after.length, arg.before);
      text = arg.after;
    }
    text += '\r\n';
  }
  template.pieces.push(Buffer.from(text, 'latin1'));
  template.fixedBytes = [...template.pieces, ...template.before].reduce((sum, part) => sum + part.length, 0);
  return template;
}

/** HOT: for short parts a loop beats a call into the runtime. */
function copy(part: Uint8Array, out: Uint8Array, at: number): number {
  for (let i = 0; i < part.length; i++) out[at + i] = part[i] as number;
  return at + part.length;
}

/** HOT: a length and its CR LF. */
function writeLength(out: Uint8Array, at: number, length: number): number {
  const end = writeDigits(out, at, length);
  out[end] = 13;
  out[end + 1] = 10;
  return end + 2;
}

/** HOT: how many digits a whole number has. */
function digitCountOf(value: number): number {
  let count = 1;
  for (let bound = 10; value >= bound; bound *= 10) count++;
  return count;
}

/** HOT: returns where the digits end. */
function writeDigits(out: Uint8Array, at: number, value: number): number {
  const end = at + digitCountOf(value);
  let rest = value;
  for (let digitAt = end - 1; digitAt >= at; digitAt--) {
    const next = Math.floor(rest / 10);
    out[digitAt] = 48 + rest - next * 10;
    rest = next;
  }
  return end;
}
