/**
 * What a run writes as it happens: one interval line per 100 ms and one event line per happening. The summary, the
 * report and the gate are computed from these and `run.json` alone, so a killed run can be read like a finished one.
 * All times are whole µs since t0.
 */
import type { AccessKind, OperationName } from '../plan/plan.js';
import type { ConsistencyRecord } from './consistency.js';

export const FORMAT_VERSION = 1;
export const INTERVAL_US = 100_000;

export const outcomes = ['ok', 'fail', 'info', 'dropped'] as const;
export type Outcome = (typeof outcomes)[number];

/** Why an operation did not end ok. Replies by their first word; the rest by what happened to the connection. */
export const reasons = [
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'CROSSSLOT',
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'BUSY',
  'OOM',
  'NOREPLICAS',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
  'WRONGTYPE',
  'MISCONF',
  'ERR',
  'timeout',
  'queue-timeout',
  'reset',
  'refused',
  'closed',
  'unreachable',
  'protocol',
  'too-many-redirections',
  'queue-full',
  'unsent',
  'other',
] as const;
export type Reason = (typeof reasons)[number];

/**
 * A histogram as flat pairs [index step, count, index step, count, …] over HDR's own counts array (`base/hdrIndex.ts`):
 * the first step is from 0, each next from the index before. Lossless, and adding two is adding counts.
 */
export type SparseHistogram = number[];

/** Everything that completed in one 100 ms interval, of all workers. */
export interface IntervalRecord {
  index: number;
  startUs: number;
  endUs: number;
  /** Completions grouped by the phase and the 100 ms slot (index) of their *intended* start. */
  cells: CellRecord[];
  shards: ShardRecord[];
  /** What each group of clients saw, in plans with `load.clientGroups`. */
  groups?: GroupRecord[];
  /** At the end of the interval, over all workers. */
  inFlight: number;
  queued: number;
  /** Once a second: service, queue and dispatch lag, by phase and *intended* second. */
  rest?: RestRecord[];
  /** Once a second, one per worker. */
  generator?: GeneratorSample[];
}

export interface CellRecord {
  phase: number;
  /** floor(intendedUs / INTERVAL_US). */
  slot: number;
  ops: Record<OperationName, OperationCell>;
}

export interface OperationCell {
  /** Operations of this cell that came due in this interval. */
  planned: number;
  ok: number;
  fail: number;
  info: number;
  dropped: number;
  /** Of fail, info and dropped; absent when empty. */
  reasons?: Partial<Record<Reason, number>>;
  /** Response time, ok + info. */
  response: SparseHistogram;
}

export interface ShardRecord {
  shard: number;
  kind: AccessKind;
  ok: number;
  notOk: number;
  /** First completion that was not ok. */
  firstNotOkUs: number | null;
  /** Intended start + 100 ms of the oldest operation still without an answer, when that moment fell in or before this interval. */
  overdueSinceUs: number | null;
}

/** Completions of one group's clients, warm-up included. */
export interface GroupRecord {
  group: string;
  ok: number;
  fail: number;
  info: number;
  dropped: number;
  /** Of fail, info and dropped; absent when empty. */
  reasons?: Partial<Record<Reason, number>>;
  /** Only shards that had completions. */
  shards: { shard: number; kind: AccessKind; ok: number; notOk: number }[];
}

export interface RestRecord {
  phase: number;
  /** floor(intendedUs / 1 s). */
  second: number;
  service: Record<OperationName, SparseHistogram>;
  queue: Record<OperationName, SparseHistogram>;
  dispatchLag: SparseHistogram;
}

export interface GeneratorSample {
  worker: number;
  /** 0..1 of the last second. */
  eventLoopUtilization: number;
  eventLoopDelayP99Us: number;
  dispatchLagP99Us: number;
  /** Of the worker's thread, since its start. */
  cpuUs: number;
  rssBytes: number;
  /** Garbage collections of the last second and how long they stopped the worker, all together; absent in records of earlier versions. */
  gcCount?: number;
  gcPauseUs?: number;
}

export interface NodeRef {
  node: string;
  /** Null when it serves no shard (e.g. a fresh node). */
  shard: number | null;
  role: 'master' | 'replica' | 'sentinel' | 'unknown';
}

/** Who stands together when the network is cut: node ids, and names of client groups. */
export interface FaultSide {
  nodes: string[];
  clients: string[];
}

/** How a server's log line matters. */
export type LogKind =
  | 'markingFailing'
  | 'failReceived'
  | 'failCleared'
  | 'electionDelayed'
  | 'electionStarted'
  | 'promoted'
  | 'clusterStateFail'
  | 'clusterStateOk'
  | 'sdown'
  | 'odown'
  | 'downCleared'
  | 'tryFailover'
  | 'electedLeader'
  | 'selectedReplica'
  | 'promotedReplica'
  | 'switchMaster'
  | 'failoverEnd'
  | 'failoverAborted'
  | 'convertedToReplica'
  | 'tilt'
  | 'replicaSyncStart'
  | 'replicaSyncDone'
  | 'shutdown'
  | 'ready'
  | 'warning';

export type EventRecord = { tUs: number } /** `resumed` never happens; a run has one t0. */ & (
  | { type: 'run'; state: 't0' | 'loadEnd' | 'drained' | 'interrupted' | 'aborted' | 'stopped' | 'end'; detail?: string }
  | { type: 'phase'; phase: number; name: string; state: 'start' | 'end' }
  | {
      type: 'fault';
      faultId: number;
      kind: string;
      state: 'injecting' | 'injected' | 'healing' | 'healed' | 'failed' | 'skipped';
      targets: NodeRef[];
      /** Of a fault that cuts the network: who is cut off from whom; a node on no side reaches everybody. */
      sides?: FaultSide[];
      /** With `sides`, once injected: from when on every link between them was cut; a cut of many links takes some tens of ms. */
      cutCompleteUs?: number;
      /** When the plan (or the state it waits for) wanted this step. */
      plannedAtUs: number | null;
      message?: string;
    }
  /** A server process of the lab. `byFault`: the fault that meant it. */
  | {
      type: 'process';
      node: string;
      pid: number;
      state: 'started' | 'exited';
      exitCode: number | null;
      signal: string | null;
      byFault: number | null;
    }
  /** A client connection of a worker. */
  | { type: 'connection'; worker: number; node: string; shard: number | null; state: 'closed' | 'failed' | 'ready'; reason: string }
  | { type: 'log'; node: string; log: LogKind /** node that the line is about, when it names one */; subject: string | null; text: string }
  | {
      type: 'role';
      node: string;
      role: 'master' | 'replica' | 'sentinel' | 'unknown';
      shard: number | null;
      epoch: number | null;
      resolutionUs: number;
    }
  | { type: 'flag'; node: string; seenBy: string; flag: 'pfail' | 'fail' | 'ok'; resolutionUs: number }
  | { type: 'clusterState'; node: string; state: 'ok' | 'fail'; resolutionUs: number }
  | { type: 'reachable'; node: string; reachable: boolean; resolutionUs: number; reason: string }
  /** In-sync replicas of a shard changed; by acknowledged offset. */
  | { type: 'replicas'; shard: number; inSync: number; known: number; resolutionUs: number }
  /** Once a second and node: what the server says of itself. */
  | { type: 'server'; node: string; sample: ServerSample }
  /** Once a second and replica, while its master answers: what the lag probe (observe/lagProbe.ts) saw since the last one. */
  | {
      type: 'lag';
      node: string;
      shard: number | null;
      master: string | null;
      /** Markers that its master has acknowledged. */
      written: number;
      /** Markers of which it will not be known when they got there: no connection, another master. */
      unseen: number;
      /** Those that it showed. */
      markers: LagMarker[];
      /** Age of the oldest that it does not show yet; null: none. */
      waitingUs: number | null;
      /** By INFO: the master's replication offset less its own, each up to 100 ms old; null: not known, or another history. */
      behindBytes: number | null;
    }
  /** Every 5 s and node, with the lag probe: its wall clock (TIME) less the time since t0, in µs since the epoch; ± half the round trip. */
  | { type: 'clock'; node: string; wallAtT0Us: number; uncertaintyUs: number }
  /** Time ≥ 100 ms in which one worker had no success on a shard although the run was on. */
  | {
      type: 'span';
      worker: number;
      shard: number;
      kind: AccessKind;
      startUs: number;
      endUs: number;
      /** Operations to that shard and kind that came due, or were already waiting, in the span. */
      asked: number;
      notOk: number;
      /** Whether the success that ended it (or what was open at its end) had waited ≥ 100 ms. */
      overdue: boolean;
      /** For how much of it the worker itself stood still (turns of its event loop > 20 ms); absent: a folder from before this was recorded. */
      standstillUs?: number;
    }
  | {
      type: 'client';
      worker: number;
      attempts: number;
      retries: number;
      reconnects: number;
      slotRefreshes: number;
      waits?: number;
      waitShort?: number;
    }
  | { type: 'thread'; worker: number; cpuUs: number; rssBytesMax: number }
  /** Once, after healing: who is what then, and where the keys are (−1: could not be asked). */
  | { type: 'target'; nodes: NodeRecord[]; keysPerNode: Record<string, number> }
  /** Before t0 and after healing: the keys of each node that holds some (−1: could not be asked), and of 64 equal ranges of slots. */
  | { type: 'keys'; perNode: Record<string, number>; perRange: number[] | null }
  /** Once, when the load has ended, in clusters: where its operations went. */
  | { type: 'placement'; stretches: PlacementStretch[] }
  /** Once, after healing: whether the target is as it should be. `holds`: what was looked at and found well; `missing`: what is not. */
  | { type: 'proof'; holds: string[]; missing: string[] }
  /** Once, after reading back what the ledger tracks. */
  | ({ type: 'consistency' } & ConsistencyRecord)
  | { type: 'message'; level: 'info' | 'warning' | 'error'; text: string }
);
export type EventType = EventRecord['type'];

/** A time in which no slot changed hands (see observe/placementWatch.ts); operations that ended ok. */
export interface PlacementStretch {
  name: 'whole' | 'before' | 'between' | 'after';
  startUs: number;
  endUs: number;
  /** Those that held slots at its end, or had operations. */
  nodes: { node: string; slots: number; ops: number }[];
  /** Of 64 ranges of 256 slots. */
  rangeOps: number[];
  /** Who held most of each range at the end; null: nobody. */
  rangeNodes: (string | null)[];
  /** Standard deviation over mean of the operations per slot; null: there were none. */
  slotVariation: number | null;
  hottest: { slot: number; ops: number; node: string | null }[];
}

/**
 * When the master acknowledged it (µs since t0); how much later a read of the replica that showed it was answered; and how wide the room
 * is in which the truth lies: from the last read that did not show it, and from the sending of the write.
 */
export type LagMarker = [atUs: number, lagUs: number, resolutionUs: number];

/** From INFO; null where the server does not say. Totals are since the server's start, so they fall back at a restart. */
export interface ServerSample {
  cpuSysTotalUs: number | null;
  cpuUserTotalUs: number | null;
  usedMemoryBytes: number | null;
  /** The server's own average of its last 1.6 s. */
  opsPerSec: number | null;
  netInputTotalBytes: number | null;
  netOutputTotalBytes: number | null;
  keyspaceHitsTotal: number | null;
  keyspaceMissesTotal: number | null;
  evictedKeysTotal: number | null;
  expiredKeysTotal: number | null;
  /** Of the last fork for a snapshot, rewrite or full copy; 0 before the first. */
  latestForkUs: number | null;
  connectedClients: number | null;
}

export type EventOf<T extends EventType> = Extract<EventRecord, { type: T }>;

/** One ordered stream of records: to disk, terminal, milestones and, later, a web page. Calls are in order and never throw. */
export interface RunSink {
  interval(record: IntervalRecord): void;
  event(record: EventRecord): void;
}

/** `run.json`, written before t0 and amended once the target is up. */
export interface RunRecord {
  formatVersion: typeof FORMAT_VERSION;
  kvbenchVersion: string;
  id: string;
  name: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  /** Wall clock of t0, ms since the epoch; null until t0. */
  t0WallMs: number | null;
  argv: string[];
  plan: import('../plan/plan.js').Plan;
  /** Hex digests (16 digits) of what makes two runs comparable. */
  fingerprint: { profile: string; workload: string; seed: number; server: string; machine: string };
  machine: { cpus: number; cpuModel: string; memoryBytes: number; platform: string; node: string };
  target: RunTargetRecord | null;
}

export interface RunTargetRecord {
  topology: string;
  /** `redis` or `valkey`. */
  server: string;
  version: string;
  /** Before t0: shard numbers come from here. */
  nodes: NodeRecord[];
  clusterNodeTimeoutMs: number | null;
  /** cluster-require-full-coverage */
  fullCoverage: boolean | null;
  /** repl-diskless-sync-delay and others that shape recovery, as the server reports them. */
  settings: Record<string, string>;
  /** How the sentinels judge; absent without sentinels. */
  sentinel?: { masterName: string; count: number; quorum: number; downAfterMs: number; failoverTimeoutMs: number };
  proxied: boolean;
}

export interface NodeRecord {
  id: string;
  role: 'master' | 'replica' | 'sentinel' | 'unknown';
  address: string;
  shard: number | null;
  /** Inclusive ranges, e.g. `0-5460`; empty for replicas. */
  slots: string[];
  masterId: string | null;
}
