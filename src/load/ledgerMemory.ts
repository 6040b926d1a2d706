/**
 * What the ledger knows, as typed arrays that all load workers and the main thread share: made by loadRunner.ts before the workers start,
 * written by ledger.ts in each worker, read by src/verify when the workers are done. Plain data; the meaning of the numbers stands here.
 */
import { monotonicUs } from '../base/clock.js';
import { mix32 } from '../base/random.js';
import type { Plan } from '../plan/plan.js';
import { RUN_TAGS } from '../workload/valueStamp.js';
import { usesOf } from './share.js';

/** What a write was: the two low bits of a word, above which stands its version. */
export const WriteKind = { set: 0, del: 1, /** A value too short for a stamp. */ unstamped: 2 } as const;
export type WriteKind = (typeof WriteKind)[keyof typeof WriteKind];
/** Nothing was ever written: a deleted key of version 0. */
export const NEVER_WRITTEN = WriteKind.del;

/** HOT */
export function wordOf(version: number, kind: WriteKind): number {
  return version * 4 + kind;
}

/** HOT */
export function versionOf(word: number): number {
  return word >> 2;
}

/** HOT */
export function kindOf(word: number): WriteKind {
  return (word & 3) as WriteKind;
}

/** Limits per worker: acknowledgements that are remembered one by one (the newest), and of what is rare the first. */
const ACKS_LIMIT = 2 ** 20;
const UNKNOWNS_LIMIT = 2 ** 17;
const SUSPICIONS_LIMIT = 2 ** 17;
const ANOMALIES_LIMIT = 2 ** 14;
const ACKS_MIN = 2 ** 10;

/** What a read showed that the reader itself cannot judge: bits of `suspicionKinds`. */
export const Suspicion = { stale: 1, nonMonotonic: 2 } as const;
/** In place of the version read: there was no such key. */
export const READ_NOTHING = -1;

/** What went wrong with a value or counter on the spot: `anomalyKinds`. */
export const Anomaly = { corrupt: 0, foreign: 1, neverWritten: 2, lostIncrements: 3, doubleIncrements: 4, resentIncrements: 5 } as const;
export type Anomaly = (typeof Anomaly)[keyof typeof Anomaly];

/** Indices into `counts`. */
export const Count = {
  ackedWrites: 0,
  unknownWrites: 1,
  unstampedAcks: 2,
  ackedIncrements: 3,
  unknownIncrements: 4,
  /** Tracked reads whose answer was looked at. */
  checkedReads: 5,
  /** All of its kind, also those beyond a list's end. */
  acks: 6,
  unknowns: 7,
  suspicions: 8,
  anomalies: 9,
  lostIncrements: 10,
  doubleIncrements: 11,
  /** Of the double ones: by a client that sent the operation again. */
  resentIncrements: 12,
  corruptReads: 13,
  foreignReads: 14,
  neverWrittenReads: 15,
} as const;
const COUNTS = 16;

export interface LedgerMemory {
  /** In every stamp of this run. */
  run: number;
  /** Every so many keys one is tracked: key index = number × stride. */
  stride: number;
  /** How many keys are tracked, and as many counters. */
  trackedKeys: number;
  /** Ordinary keys, by number. `issued`: word of the newest write that was sent; `acked`: of the newest acknowledged; `ackedUs`: when, since t0. */
  issued: Int32Array;
  acked: Int32Array;
  ackedUs: Float64Array;
  /** 1: not all writes of unknown outcome to this key are in a list. */
  isUncertain: Uint8Array;
  /** Counters, by number: the lowest and highest value it can have by all that was answered; when the last answer came. */
  lows: Int32Array;
  highs: Int32Array;
  counterUs: Float64Array;
  workers: WorkerLedgerMemory[];
}

/** What one worker writes down in order. */
export interface WorkerLedgerMemory {
  counts: Float64Array;
  /** A ring of the newest acknowledged writes; `counts[Count.acks]` says how many there were. Its length is a power of two. */
  ackKeys: Uint32Array;
  ackWords: Int32Array;
  ackUs: Float64Array;
  /** Writes of unknown outcome. */
  unknownKeys: Uint32Array;
  unknownWords: Int32Array;
  suspicionKeys: Uint32Array;
  suspicionKinds: Uint8Array;
  /** The version that was read, or READ_NOTHING, and the word that was acknowledged before. */
  suspicionRead: Int32Array;
  suspicionFloors: Int32Array;
  suspicionUs: Float64Array;
  anomalyKeys: Uint32Array;
  anomalyKinds: Uint8Array;
  /** How many increments; for values 1. */
  anomalyAmounts: Uint32Array;
  anomalyUs: Float64Array;
}

/** Null: the plan keeps no ledger. */
export function makeLedgerMemory(plan: Plan, workers: number): LedgerMemory | null {
  const ledger = plan.load.ledger;
  if (ledger === undefined) return null;
  const { keys } = plan.load.workload;
  const uses = usesOf(plan.load.workload);
  const trackedKeys = Math.ceil(keys.count / ledger.keyStride);
  const counters = uses.counters ? trackedKeys : 0;
  const acks = acksOf(plan);
  return {
    run: mix32(mix32(plan.seed >>> 0) ^ (monotonicUs() >>> 0)) % RUN_TAGS,
    stride: ledger.keyStride,
    trackedKeys,
    issued: new Int32Array(shared(trackedKeys * 4)).fill(NEVER_WRITTEN),
    acked: new Int32Array(shared(trackedKeys * 4)).fill(NEVER_WRITTEN),
    ackedUs: new Float64Array(shared(trackedKeys * 8)),
    isUncertain: new Uint8Array(shared(trackedKeys)),
    lows: new Int32Array(shared(counters * 4)),
    highs: new Int32Array(shared(counters * 4)),
    counterUs: new Float64Array(shared(counters * 8)),
    workers: Array.from({ length: workers }, () => workerMemory(acks)),
  };
}

function workerMemory(acks: number): WorkerLedgerMemory {
  return {
    counts: new Float64Array(shared(COUNTS * 8)),
    ackKeys: new Uint32Array(shared(acks * 4)),
    ackWords: new Int32Array(shared(acks * 4)),
    ackUs: new Float64Array(shared(acks * 8)),
    unknownKeys: new Uint32Array(shared(UNKNOWNS_LIMIT * 4)),
    unknownWords: new Int32Array(shared(UNKNOWNS_LIMIT * 4)),
    suspicionKeys: new Uint32Array(shared(SUSPICIONS_LIMIT * 4)),
    suspicionKinds: new Uint8Array(shared(SUSPICIONS_LIMIT)),
    suspicionRead: new Int32Array(shared(SUSPICIONS_LIMIT * 4)),
    suspicionFloors: new Int32Array(shared(SUSPICIONS_LIMIT * 4)),
    suspicionUs: new Float64Array(shared(SUSPICIONS_LIMIT * 8)),
    anomalyKeys: new Uint32Array(shared(ANOMALIES_LIMIT * 4)),
    anomalyKinds: new Uint8Array(shared(ANOMALIES_LIMIT)),
    anomalyAmounts: new Uint32Array(shared(ANOMALIES_LIMIT * 4)),
    anomalyUs: new Float64Array(shared(ANOMALIES_LIMIT * 8)),
  };
}

/** Room for all acknowledgements where that many can be foreseen, within the limit. */
function acksOf({ load }: Plan): number {
  let operations = 0;
  for (const phase of load.phases) operations += phase.kind === 'open' ? phase.operationCount : (phase.operationLimit ?? Number.POSITIVE_INFINITY);
  let size = ACKS_MIN;
  while (size < operations && size < ACKS_LIMIT) size *= 2;
  return size;
}

function shared(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}
