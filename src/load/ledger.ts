/**
 * HOT: the ledger of one load worker. It numbers the writes of tracked keys, notes what became of them, and holds what reads return
 * against what was acknowledged before. Called by the engine per operation and by the client per reply; it changes nothing of the load
 * but the stamp of a value, and never allocates per operation. What it cannot judge alone (another worker may know better) goes into
 * lists of the shared memory, for src/verify to judge.
 */
import { STAMP_BYTES, StampReader } from '../workload/valueStamp.js';
import { OutcomeIndex, type ReplyWatch } from './client.js';
import {
  Anomaly,
  Count,
  kindOf,
  type LedgerMemory,
  READ_NOTHING,
  Suspicion,
  versionOf,
  type WorkerLedgerMemory,
  WriteKind,
  wordOf,
} from './ledgerMemory.js';
import { DEL, GET, INCR, SET } from './share.js';

/** What the reply to the operation of `#replyToken` was. */
const Reply = { nothing: 0, stamped: 1, unstamped: 2, corrupt: 3, integer: 4 } as const;
/** In place of a version, and of a token that was ever given. */
const NONE = -1;

/** What a read can have brought other than a version. */
export const ReadResult = { unknown: -1, nothing: -2, corrupt: -3, foreign: -4 } as const;

export interface LedgerOptions {
  memory: LedgerMemory;
  worker: number;
  /** 0: values do not expire. */
  ttlUs: number;
  /** Deadline of an operation: a write may have happened so long before its acknowledgement. */
  timeoutUs: number;
  /** Whether the client may send an operation again on its own. */
  resends: boolean;
}

export class Ledger implements ReplyWatch {
  readonly #memory: LedgerMemory;
  readonly #own: WorkerLedgerMemory;
  readonly #counts: Float64Array;
  readonly #stride: number;
  readonly #ttlUs: number;
  readonly #timeoutUs: number;
  readonly #resends: boolean;
  readonly #reader = new StampReader();
  /** By the engine's row: the word of the write that was sent; of a read, the word acknowledged when it was sent. */
  #words = new Int32Array(1024);
  /** By row: of a read, the newest version this worker had seen of the key when it was sent. */
  #seenBefore = new Int32Array(1024);
  /** By number of the key: the newest version that this worker has read. */
  readonly #seen: Int32Array;
  #reply: number = Reply.nothing;
  #replyToken = NONE;
  #replyInteger = 0;
  /** What the operation that ended last wrote or read: a version, a counter's value or one of `ReadResult`; for the operation log. */
  lastVersion: number = ReadResult.unknown;

  constructor(options: LedgerOptions) {
    this.#memory = options.memory;
    this.#own = options.memory.workers[options.worker] as WorkerLedgerMemory;
    this.#counts = this.#own.counts;
    this.#stride = options.memory.stride;
    this.#ttlUs = options.ttlUs;
    this.#timeoutUs = options.timeoutUs;
    this.#resends = options.resends;
    this.#seen = new Int32Array(options.memory.trackedKeys).fill(NONE);
  }

  /** The version of the value that the preload writes to a key; NO_VERSION: none. */
  preloadVersionOf(keyIndex: number, valueBytes: number): number {
    return keyIndex % this.#stride === 0 && valueBytes >= STAMP_BYTES ? 0 : NONE;
  }

  /** The preload has written a key, before t0. */
  preloaded(keyIndex: number, valueBytes: number, nowUs: number): void {
    if (keyIndex % this.#stride !== 0) return;
    const number = keyIndex / this.#stride;
    const word = wordOf(0, valueBytes >= STAMP_BYTES ? WriteKind.set : WriteKind.unstamped);
    this.#memory.issued[number] = word;
    this.#memory.acked[number] = word;
    this.#memory.ackedUs[number] = nowUs;
  }

  /** An operation goes to the client now. Returns the version that its value is to be stamped with, or NO_VERSION. */
  sent(row: number, op: number, keyIndex: number, valueBytes: number): number {
    const stride = this.#stride;
    if (op > DEL || (stride > 1 && keyIndex % stride !== 0)) return NONE;
    const number = stride === 1 ? keyIndex : keyIndex / stride;
    if (row >= this.#words.length) this.#grow(row);
    if (op === GET) {
      this.#words[row] = Atomics.load(this.#memory.acked, number);
      this.#seenBefore[row] = this.#seen[number] as number;
      return NONE;
    }
    if (op === INCR) return NONE;
    const version = versionOf(this.#memory.issued[number] as number) + 1;
    const isStamped = op === SET && valueBytes >= STAMP_BYTES;
    const word = wordOf(version, op === DEL ? WriteKind.del : isStamped ? WriteKind.set : WriteKind.unstamped);
    Atomics.store(this.#memory.issued, number, word);
    this.#words[row] = word;
    return isStamped ? version : NONE;
  }

  /** An operation that was sent has ended. `doneUs` since t0. */
  ended(row: number, token: number, op: number, keyIndex: number, outcome: OutcomeIndex, doneUs: number, attempts: number): void {
    this.lastVersion = ReadResult.unknown;
    const stride = this.#stride;
    if (op > DEL || (stride > 1 && keyIndex % stride !== 0)) return;
    const number = stride === 1 ? keyIndex : keyIndex / stride;
    if (op === GET) {
      if (outcome === OutcomeIndex.ok && this.#replyToken === token) this.#read(row, number, keyIndex, doneUs);
    } else if (op === INCR) this.#incremented(token, number, outcome, doneUs, attempts);
    else this.#wrote(row, number, outcome, doneUs);
  }

  bytes(token: number, valueBytes: number, head: Uint8Array): void {
    this.#replyToken = token;
    this.#reply = valueBytes < STAMP_BYTES ? Reply.unstamped : this.#reader.read(head, valueBytes) ? Reply.stamped : Reply.corrupt;
  }

  text(token: number, value: string): void {
    this.#replyToken = token;
    this.#reply = value.length < STAMP_BYTES ? Reply.unstamped : this.#reader.readText(value) ? Reply.stamped : Reply.corrupt;
  }

  none(token: number): void {
    this.#replyToken = token;
    this.#reply = Reply.nothing;
  }

  integer(token: number, value: number): void {
    this.#replyToken = token;
    this.#reply = Reply.integer;
    this.#replyInteger = value;
  }

  #wrote(row: number, number: number, outcome: OutcomeIndex, doneUs: number): void {
    const word = this.#words[row] as number;
    const own = this.#own;
    this.lastVersion = versionOf(word);
    if (outcome === OutcomeIndex.ok) {
      Atomics.store(this.#memory.acked, number, word);
      this.#memory.ackedUs[number] = doneUs;
      const at = this.#next(Count.acks) & (own.ackKeys.length - 1);
      own.ackKeys[at] = number;
      own.ackWords[at] = word;
      own.ackUs[at] = doneUs;
      this.#add(Count.ackedWrites, 1);
      if (kindOf(word) === WriteKind.unstamped) this.#add(Count.unstampedAcks, 1);
    } else if (outcome === OutcomeIndex.info) {
      this.#add(Count.unknownWrites, 1);
      const at = this.#next(Count.unknowns);
      if (at < own.unknownKeys.length) {
        own.unknownKeys[at] = number;
        own.unknownWords[at] = word;
      } else this.#memory.isUncertain[number] = 1;
    }
  }

  #read(row: number, number: number, keyIndex: number, doneUs: number): void {
    const reader = this.#reader;
    const floor = this.#words[row] as number;
    this.#add(Count.checkedReads, 1);
    switch (this.#reply) {
      case Reply.nothing:
        this.lastVersion = ReadResult.nothing;
        if (this.#shouldExist(number, floor, doneUs)) this.#suspect(number, Suspicion.stale, READ_NOTHING, floor, doneUs);
        return;
      case Reply.corrupt:
        this.lastVersion = ReadResult.corrupt;
        return this.#anomaly(Anomaly.corrupt, Count.corruptReads, number, 1, doneUs);
      case Reply.stamped:
        break;
      default:
        return;
    }
    const { version } = reader;
    if (reader.run !== this.#memory.run || reader.keyIndex !== keyIndex) {
      this.lastVersion = ReadResult.foreign;
      return this.#anomaly(Anomaly.foreign, Count.foreignReads, number, 1, doneUs);
    }
    this.lastVersion = version;
    if (version > versionOf(Atomics.load(this.#memory.issued, number))) {
      return this.#anomaly(Anomaly.neverWritten, Count.neverWrittenReads, number, 1, doneUs);
    }
    const stale = version < versionOf(floor) ? Suspicion.stale : 0;
    const backwards = version < (this.#seenBefore[row] as number) ? Suspicion.nonMonotonic : 0;
    if (stale + backwards > 0) this.#suspect(number, stale + backwards, version, floor, doneUs);
    if (version > (this.#seen[number] as number)) this.#seen[number] = version;
  }

  /** Nothing newer was even sent than the value that was acknowledged before the read, and it has not expired. */
  #shouldExist(number: number, floor: number, doneUs: number): boolean {
    if (kindOf(floor) === WriteKind.del || Atomics.load(this.#memory.issued, number) !== floor) return false;
    return this.#ttlUs === 0 || doneUs + this.#timeoutUs < (this.#memory.ackedUs[number] as number) + this.#ttlUs;
  }

  #incremented(token: number, number: number, outcome: OutcomeIndex, doneUs: number, attempts: number): void {
    const { lows, highs, counterUs } = this.#memory;
    if (outcome === OutcomeIndex.info) {
      this.#add(Count.unknownIncrements, 1);
      highs[number] = (highs[number] as number) + 1;
      return;
    }
    if (outcome !== OutcomeIndex.ok) return;
    this.#add(Count.ackedIncrements, 1);
    const low = lows[number] as number;
    const high = highs[number] as number;
    const isTold = this.#replyToken === token && this.#reply === Reply.integer;
    const value = isTold ? this.#replyInteger : low + 1;
    if (isTold) this.lastVersion = value;
    let pending = high - low;
    if (value <= low) this.#anomaly(Anomaly.lostIncrements, Count.lostIncrements, number, low + 1 - value, doneUs);
    else if (value <= high + 1) pending = high + 1 - value;
    else {
      pending = 0;
      const extra = value - high - 1;
      const resent = this.#resends ? Math.min(extra, Math.max(0, attempts - 1)) : 0;
      if (resent > 0) this.#anomaly(Anomaly.resentIncrements, Count.resentIncrements, number, resent, doneUs);
      if (extra > resent) this.#anomaly(Anomaly.doubleIncrements, Count.doubleIncrements, number, extra - resent, doneUs);
    }
    lows[number] = value;
    highs[number] = value + pending;
    counterUs[number] = doneUs;
  }

  #suspect(number: number, kinds: number, version: number, floor: number, nowUs: number): void {
    const own = this.#own;
    const at = this.#next(Count.suspicions);
    if (at >= own.suspicionKeys.length) return;
    own.suspicionKeys[at] = number;
    own.suspicionKinds[at] = kinds;
    own.suspicionRead[at] = version;
    own.suspicionFloors[at] = floor;
    own.suspicionUs[at] = nowUs;
  }

  #anomaly(kind: Anomaly, count: number, number: number, amount: number, nowUs: number): void {
    const own = this.#own;
    this.#add(count, amount);
    const at = this.#next(Count.anomalies);
    if (at >= own.anomalyKeys.length) return;
    own.anomalyKeys[at] = number;
    own.anomalyKinds[at] = kind;
    own.anomalyAmounts[at] = amount;
    own.anomalyUs[at] = nowUs;
  }

  #add(count: number, amount: number): void {
    this.#counts[count] = (this.#counts[count] as number) + amount;
  }

  /** Counts one more; returns how many there were. */
  #next(count: number): number {
    const at = this.#counts[count] as number;
    this.#counts[count] = at + 1;
    return at;
  }

  #grow(row: number): void {
    const rows = Math.max(row + 1, this.#words.length * 2);
    const words = new Int32Array(rows);
    words.set(this.#words);
    this.#words = words;
    const seenBefore = new Int32Array(rows);
    seenBefore.set(this.#seenBefore);
    this.#seenBefore = seenBefore;
  }
}
