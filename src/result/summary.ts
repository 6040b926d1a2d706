/** The shape of `summary.json`: what CI, `diff` and people build on. Keys may be added, none changes. */
import type { AccessKind } from '../plan/plan.js';
import type { FaultSide, FORMAT_VERSION, NodeRef } from './records.js';

export interface Summary {
  formatVersion: typeof FORMAT_VERSION;
  verdict: 'passed' | 'failed' | 'aborted' | 'interrupted';
  exitCode: number;
  /** One sentence a person reads first: what went wrong, for how long, and what the time went into. */
  sentence: string;
  /** The setting that dominates the outage and the command that tries another value; null when there is none. */
  advice: string | null;
  seed: number;
  durationMs: number;
  ops: OperationCounts;
  warmUp: OperationCounts;
  throughputOpsPerSec: number;
  latencyUs: LatencyByOperation;
  serviceUs: LatencyByOperation;
  queueUs: LatencyByOperation;
  dispatchLagUs: { all?: LatencyStats };
  phases: PhaseSummary[];
  windows: WindowSummary[];
  availability: { rate: number | null; resolutionMs: number; degradedMs: number; gaps: Gap[] };
  faults: FaultSummary[];
  incidents: FaultSummary[];
  /** Only in runs with groups of clients. */
  clientGroups?: ClientGroupSummary[];
  /** Whether the target was as it should be once everything was healed, by what was looked at; null: the run did not get there. Absent in earlier versions. */
  healing?: { whole: boolean; holds: string[]; missing: string[] } | null;
  /** `waits`: WAIT or WAITAOF after writes that were answered, `waitShort`: how many of these fell short; absent where none were asked. */
  client: { attempts: number; retries: number; reconnects: number; slotRefreshes: number; waits?: number; waitShort?: number };
  /** Null: no ledger was kept, or nothing was read back. */
  consistency: ConsistencySummary | null;
  thresholds: ThresholdResult[];
  generator: GeneratorSummary;
  /** By node; absent in summaries of earlier versions, empty when no node could be asked. */
  servers?: ServerSummary[];
  /** By replica; absent where lag was not measured. */
  replicationLagUs?: Record<string, ReplicaLagSummary>;
  /** Absent where lag was not measured. */
  clocks?: ClockSummary;
  /** In clusters: while no slot changed hands, where keys and operations were. Absent in summaries of earlier versions. */
  placement?: PlacementSummary[];
  target: TargetSummary | null;
}

/** Operations that ended ok, keys as counted before t0 (`before`) or in the end. */
export interface PlacementSummary {
  name: 'whole' | 'before' | 'between' | 'after';
  startMs: number;
  endMs: number;
  nodes: { node: string; slots: number; keys: number | null; ops: number }[];
  /** Standard deviation over mean, of the nodes that hold slots; null: not known, or there are none. */
  keysVariation: number | null;
  opsVariation: number | null;
  /** Of all slots. */
  slotOpsVariation: number | null;
  hottest: { slot: number; ops: number; node: string | null }[];
  /** 64 ranges of 256 slots. */
  ranges: { node: string | null; ops: number; keys: number | null }[];
}

/** From the master's answer to a write until a read of the replica showed it; recorded phases only. */
export interface ReplicaLagSummary {
  /** The last it was seen in. */
  shard: number | null;
  /** In µs; null: no write was seen. */
  lag: LatencyStats | null;
  /** The lag of a write is known to within so many µs. */
  resolution: { p50: number; max: number } | null;
  /** Writes of which it is not known when they got there. */
  unseen: number;
  /** By replication offsets, master less replica; null: not known. */
  behindBytesMax: number | null;
  /** Until a fault was begun, while it was in force, from its heal to the next. */
  windows: { name: 'before' | 'inForce' | 'after'; faultId: number; lag: LatencyStats | null }[];
}

/** The nodes' clocks (TIME) against that of `reference`, in µs; ± half the round trips. */
export interface ClockSummary {
  reference: string;
  nodes: Record<string, { differenceUs: number; uncertaintyUs: number }>;
}

/** Of the keys that the ledger tracks, read back when the target was healed and whole. */
export interface ConsistencySummary {
  /** Read back, ordinary keys and counters. */
  checkedKeys: number;
  /** SETs and DELs, with those of the preload. */
  ackedWrites: number;
  indeterminateWrites: number;
  /** Acknowledged SETs and DELs that are newer than what their key holds. */
  lostWrites: number;
  /** Reads that returned less than was acknowledged before they were sent. */
  staleReads: number;
  /** Keys with a value although the last acknowledged write deleted them. */
  resurrectedKeys: number;
  /** Held in the end or returned by a read: damaged; another key's or run's; never acknowledged as written. */
  corruptValues: number;
  foreignValues: number;
  neverWrittenValues: number;
  /** Increments. `resent`: of the double ones, by a client that sent the operation again. */
  counters: { acked: number; indeterminate: number; final: number; lost: number; doubleApplied: number; resent: number };
  /** Of the three kinds of wrong values: what the servers held in the end, without what reads returned. */
  heldInTheEnd: { corrupt: number; foreign: number; neverWritten: number };
  unverifiedKeys: number;
  /** Every so many keys one was tracked; 1: all. */
  keyStride: number;
  lostKeys: number;
  /** More can be lost: not all acknowledgements were remembered one by one. */
  isLowerBound: boolean;
  /** Reads that returned less than the same worker had read before. */
  nonMonotonicReads: number;
  checkedReads: number;
  /** Suspicious reads beyond what could be remembered. */
  unjudgedReads: number;
  /** Replicas may answer with less than was acknowledged: stale reads are no fault then. */
  readFrom: 'master' | 'replica';
  /** Values too short for a version. */
  unstampedWrites: number;
  /** Keys that lack their last acknowledged write, by what explains it. */
  explained: { overwrittenByIndeterminate: number; deletedByIndeterminate: number; expired: number; evicted: number };
  /** Of the servers, by their own count. */
  evictedKeys: number;
  expiredKeys: number;
  /** Recovery point: lost writes and increments, and between which acknowledgements; null: none was lost. */
  rpo: { writes: number; firstMs: number; lastMs: number; spanMs: number } | null;
  /** Lost writes and increments by shard, fault and 100 ms of their acknowledgement. */
  lost: { shard: number; startMs: number; count: number; faultId: number | null }[];
}

export interface OperationCounts {
  /** Null in closed loop. */
  planned: number | null;
  total: number;
  ok: number;
  fail: number;
  info: number;
  dropped: number;
  byReason: Record<string, number>;
}

/** All in µs but `count`. */
export interface LatencyStats {
  min: number;
  mean: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
  count: number;
}
export type LatencyByOperation = Record<string, LatencyStats>;

export interface PhaseSummary {
  name: string;
  record: boolean;
  startMs: number;
  endMs: number;
  ops: OperationCounts;
  throughputOpsPerSec: number;
  latencyUs: LatencyByOperation;
  /** Closed loop: clients × pipeline against throughput × mean response (Little's law); null in open loop. */
  littlesLaw: { inFlightExpected: number; inFlightMeasured: number } | null;
}

export interface WindowSummary {
  name: 'before' | 'fault' | 'recovery' | 'after';
  faultId: number | null;
  startMs: number;
  endMs: number;
  ops: OperationCounts;
  latencyUs: LatencyByOperation;
}

export interface Gap {
  shard: number | 'any' | 'all';
  kind: AccessKind;
  startMs: number;
  endMs: number;
  durationMs: number;
  /** The latest fault in force there; null: an incident's. */
  faultId: number | null;
  /** The fault hit another shard. */
  collateral: boolean;
}

/** Times in ms since t0; null = did not happen or can't be seen. */
export interface FaultSummary {
  id: number;
  kind: string;
  status: 'planned' | 'injected' | 'healed' | 'failed' | 'skipped' | 'observed';
  message: string | null;
  targets: NodeRef[];
  /** Of a fault that cuts the network: who is cut off from whom (one-way: from, to). */
  sides?: FaultSide[];
  plannedAtMs: number | null;
  injectedAtMs: number | null;
  processGoneMs: number | null;
  firstErrorMs: number | null;
  detectedMs: number | null;
  promotedMs: number | null;
  clientRecoveredMs: number | null;
  p99RecoveredMs: number | null;
  healedAtMs: number | null;
  redundancyRestoredMs: number | null;
  rtoMs: number | null;
  /** Absent where no sentinel did anything about it. */
  sentinel?: SentinelSteps;
}

/** A failover by sentinels beside `detectedMs` (+odown) and `promotedMs`: when the first of them said so, in ms since t0. */
export interface SentinelSteps {
  /** +sdown: one of them had no answer for down-after. */
  sdownMs: number | null;
  tryFailoverMs: number | null;
  /** +elected-leader: a majority chose who acts. */
  electedMs: number | null;
  /** +switch-master: clients that listen go to the new one. */
  switchedMs: number | null;
  /** How often one of them gave up (-failover-abort-…). */
  aborts: number;
}

/** What one group of clients got, from the first recorded phase on, by completion. */
export interface ClientGroupSummary {
  name: string;
  threads: number;
  ok: number;
  fail: number;
  info: number;
  dropped: number;
  byReason: Record<string, number>;
  /** While each fault had the network cut, all of it. */
  cuts: GroupCutSummary[];
}

export interface GroupCutSummary {
  faultId: number;
  /** Index into the fault's sides; null: these clients reached everybody. */
  side: number | null;
  /** The nodes on their side. */
  nodes: string[] | null;
  ok: number;
  notOk: number;
  shards: GroupShardSummary[];
}

/** Times in ms since t0, of the first and last 100 ms with a success; null: none. */
export interface GroupShardSummary {
  shard: number;
  kind: AccessKind;
  ok: number;
  notOk: number;
  firstOkMs: number | null;
  lastOkMs: number | null;
}

export interface ThresholdResult {
  metric: string;
  expression: string;
  /** In the unit of the metric: µs for times, ops/s for throughput, 0..1 for rates; null: no samples (which fails). */
  observed: number | null;
  ok: boolean;
  /** Why it failed without a value, or what to know about the value. */
  note?: string;
}

export interface GeneratorSummary {
  saturated: boolean;
  /** What was over its limit, in words; empty when not saturated. */
  reasons: string[];
  /** The highest second of any worker, 0..1. */
  eventLoopUtilization: number;
  dispatchLagP99Us: number;
  eventLoopDelayP99Us: number;
  cpuSeconds: number;
  rssBytesMax: number;
  /** What to change, the most promising first; empty when not saturated. Absent in summaries of earlier versions, as `workers`. */
  remedies?: string[];
  workers?: WorkerSummary[];
}

/** One load worker; the highest second is of recorded phases, totals are of the run. */
export interface WorkerSummary {
  worker: number;
  /** Its highest second, 0..1. */
  eventLoopUtilization: number;
  /** p99 of its worst second. */
  eventLoopDelayP99Us: number;
  /** p99 of its worst second. */
  dispatchLagP99Us: number;
  cpuSeconds: number;
  /** Garbage collections since t0, how long they stopped it, and that of its worst second; null: not recorded. */
  gcCount: number | null;
  gcPauseUs: number | null;
  gcPauseWorstSecondUs: number | null;
}

/** One node by what it said of itself once a second (INFO), from t0 to the end of the load; null: it did not say. */
export interface ServerSummary {
  node: string;
  /** CPU seconds per second, of all its threads; between two samples of one process. */
  cpuSecondsPerSec: { mean: number | null; max: number | null };
  memoryBytesMax: number | null;
  /** Of its own averages over 1.6 s, once these hold nothing from before t0. */
  opsPerSecMax: number | null;
  networkBytes: { in: number | null; out: number | null };
  /** Counted over restarts. */
  hits: number | null;
  misses: number | null;
  evicted: number | null;
  expired: number | null;
  /** Of its last fork, be it before t0. */
  lastForkUs: number | null;
}

export interface TargetSummary {
  topology: string;
  server: string;
  version: string;
  nodes: { id: string; role: string; address: string; slots: string[] }[];
  /** After the run. */
  nodesAfter: { id: string; role: string; address: string; slots: string[] }[];
  keysPerNode: Record<string, number>;
  /** Before t0, after filling; absent in summaries of earlier versions. */
  keysPerNodeBefore?: Record<string, number>;
}
