/**
 * Judges what a server holds in the end against what the ledger knows of the key. Pure; called by verification.ts for every tracked key,
 * and for reads that a worker could not judge alone.
 */
import { kindOf, type LedgerMemory, versionOf, WriteKind } from '../load/ledgerMemory.js';
import { STAMP_BYTES, StampReader } from '../workload/valueStamp.js';
import type { ValuePool } from '../workload/values.js';

export type Verdict =
  | { kind: 'intact' }
  /** `foundVersion` −1: the key is gone; null: a value without a version. */
  | { kind: 'lost'; foundVersion: number | null; isResurrected: boolean }
  | { kind: 'corrupt' | 'foreign' | 'neverWritten' }
  | { kind: 'overwrittenByIndeterminate' | 'deletedByIndeterminate' | 'expired' | 'evicted' };

/** Words of the writes of unknown outcome, by number of the key. */
export class UnknownWrites {
  readonly #words = new Map<number, number[]>();
  readonly #isUncertain: Uint8Array;

  constructor(memory: LedgerMemory, countOf: (worker: number) => number) {
    this.#isUncertain = memory.isUncertain;
    for (const [worker, { unknownKeys, unknownWords }] of memory.workers.entries()) {
      const count = Math.min(unknownKeys.length, countOf(worker));
      for (let i = 0; i < count; i++) {
        const number = unknownKeys[i] as number;
        const words = this.#words.get(number);
        if (words === undefined) this.#words.set(number, [unknownWords[i] as number]);
        else words.push(unknownWords[i] as number);
      }
    }
  }

  /** Whether a write of unknown outcome can have left this version. */
  explainsVersion(number: number, version: number): boolean {
    return this.#has(number, (word) => versionOf(word) === version && kindOf(word) === WriteKind.set);
  }

  explainsKind(number: number, kind: WriteKind): boolean {
    return this.#has(number, (word) => kindOf(word) === kind);
  }

  #has(number: number, fits: (word: number) => boolean): boolean {
    return this.#isUncertain[number] === 1 || (this.#words.get(number)?.some(fits) ?? false);
  }
}

export interface JudgeOptions {
  memory: LedgerMemory;
  unknown: UnknownWrites;
  pool: ValuePool;
  /** 0: values do not expire. */
  ttlUs: number;
  /** A write may have happened so long before its acknowledgement. */
  timeoutUs: number;
  /** Whether any server evicted keys. */
  hasEvictions: boolean;
}

export class FinalJudge {
  readonly #reader = new StampReader();

  constructor(readonly options: JudgeOptions) {}

  /** @param number of the key among the tracked ones @param readUs since t0 */
  judge(number: number, value: Buffer | null, readUs: number): Verdict {
    const acked = this.options.memory.acked[number] as number;
    if (value === null) return this.#ofMissing(number, acked, readUs);
    if (value.length < STAMP_BYTES) return this.#ofUnstamped(number, acked, value);
    const { memory, unknown } = this.options;
    const keyIndex = number * memory.stride;
    if (!this.#reader.read(value, value.length)) return { kind: 'corrupt' };
    const { run, version } = this.#reader;
    if (run !== memory.run || this.#reader.keyIndex !== keyIndex) return { kind: 'foreign' };
    if (!this.#isPoolValue(keyIndex, value, STAMP_BYTES)) return { kind: 'corrupt' };
    if (version > versionOf(memory.issued[number] as number)) return { kind: 'neverWritten' };
    const ackedVersion = versionOf(acked);
    if (version === ackedVersion) return { kind: kindOf(acked) === WriteKind.set ? 'intact' : 'neverWritten' };
    if (unknown.explainsVersion(number, version)) return { kind: version > ackedVersion ? 'intact' : 'overwrittenByIndeterminate' };
    // Sent after the last acknowledged one, and refused: it must not be there.
    if (version > ackedVersion) return { kind: 'neverWritten' };
    return { kind: 'lost', foundVersion: version, isResurrected: kindOf(acked) === WriteKind.del };
  }

  #ofMissing(number: number, acked: number, readUs: number): Verdict {
    const { memory, unknown, ttlUs, timeoutUs, hasEvictions } = this.options;
    if (kindOf(acked) === WriteKind.del) return { kind: 'intact' };
    if (unknown.explainsKind(number, WriteKind.del)) return { kind: 'deletedByIndeterminate' };
    if (ttlUs > 0 && readUs + timeoutUs >= (memory.ackedUs[number] as number) + ttlUs) return { kind: 'expired' };
    if (hasEvictions) return { kind: 'evicted' };
    return { kind: 'lost', foundVersion: -1, isResurrected: false };
  }

  /** Which of several short values it is cannot be told; that it is none of this key's can. */
  #ofUnstamped(number: number, acked: number, value: Buffer): Verdict {
    const { memory, unknown } = this.options;
    if (!this.#isPoolValue(number * memory.stride, value, 0)) return { kind: 'corrupt' };
    if (kindOf(acked) === WriteKind.unstamped) return { kind: 'intact' };
    if (unknown.explainsKind(number, WriteKind.unstamped)) return { kind: 'overwrittenByIndeterminate' };
    return { kind: 'lost', foundVersion: null, isResurrected: kindOf(acked) === WriteKind.del };
  }

  /** Whether the bytes from `from` on are those that every value of this key and length has. */
  #isPoolValue(keyIndex: number, value: Buffer, from: number): boolean {
    const { pool } = this.options;
    const at = pool.offsetOf(keyIndex, value.length);
    if (value.length > pool.maxBytes) return false;
    return value.compare(pool.bytes, at + from, at + value.length, from) === 0;
  }
}
