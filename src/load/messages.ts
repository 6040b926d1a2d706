/** Messages between the main thread and a load worker: one discriminated union each way, switched exhaustively. */
import type { AccessKind, Plan } from '../plan/plan.js';
import type { EventRecord, GeneratorSample } from '../result/records.js';
import type { ClientCounters, LoadEndpoints } from './client.js';
import type { LedgerMemory } from './ledgerMemory.js';

export interface WorkerInit {
  worker: number;
  workers: number;
  plan: Plan;
  endpoints: LoadEndpoints;
  /** Shared with the pacing thread; null when the plan is paced otherwise. */
  pacingMemory: SharedArrayBuffer | null;
  /** Shared with all workers and the main thread; null: no ledger is kept. */
  ledger: LedgerMemory | null;
  /** Its own, shared with the main thread; null: slots are not counted. */
  slotCounts: Uint32Array | null;
  /** Where its operation log goes; null: nowhere. */
  logFile: string | null;
}

export type ToWorker =
  | { type: 'preload' }
  /** t0 in machine monotonic µs, a little ahead. */
  | { type: 'start'; t0Us: number }
  /** drain: no new operations, wait for what is out. now: everything open ends as dropped (unsent) or info. */
  | { type: 'stop'; mode: 'drain' | 'now' };

export type FromWorker =
  | { type: 'ready' }
  | { type: 'preloadProgress'; done: number; total: number }
  | { type: 'preloaded'; done: number; failed: number; lastReason: string }
  | { type: 'interval'; interval: WorkerInterval }
  | { type: 'event'; event: EventRecord }
  /** Its part of the last phase's limit of operations has begun. */
  | { type: 'exhausted'; tUs: number }
  | { type: 'finished'; counters: ClientCounters; cpuUs: number; rssBytesMax: number }
  | { type: 'failed'; code: string; message: string; hint: string | undefined };

/** One worker's share of an IntervalRecord; histograms as (indices, counts) of equal length. */
export interface WorkerInterval {
  worker: number;
  index: number;
  cells: WorkerCell[];
  shards: { shard: number; kind: AccessKind; ok: number; notOk: number; firstNotOkUs: number | null; overdueSinceUs: number | null }[];
  inFlight: number;
  queued: number;
  rest: WorkerRest[];
  generator: GeneratorSample | null;
}

export interface WorkerHistogram {
  indices: Uint32Array;
  counts: Uint32Array;
}

export interface WorkerCell {
  phase: number;
  slot: number;
  op: number;
  planned: number;
  /** by OutcomeIndex */
  byOutcome: [number, number, number, number];
  /** index into `reasons` → count */
  byReason: [number, number][];
  response: WorkerHistogram;
}

export interface WorkerRest {
  phase: number;
  second: number;
  /** op −1: dispatch lag of all. */
  op: number;
  what: 'service' | 'queue' | 'dispatchLag';
  histogram: WorkerHistogram;
}
