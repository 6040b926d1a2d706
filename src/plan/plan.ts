/**
 * The plan: a profile with every default filled in, every file reference resolved and every random choice drawn.
 * Pure data: it is stored in `run.json` and goes to the load workers as it is. It never holds a secret's value.
 */

/** The built-in ones; those of a workload, its custom commands among them: `operationNamesOf` (operations.ts). */
export const operationNames = ['get', 'set', 'incr', 'del'] as const;
export type BuiltInOperation = (typeof operationNames)[number];
/** A built-in operation, or the name of a custom command. */
export type OperationName = string;
/** Index into `operationNamesOf`; what the hot path carries. */
export type OperationIndex = number;
/** A GET is a read, a custom command what the workload says, everything else a write. */
export type AccessKind = 'read' | 'write';

export interface Plan {
  name: string;
  description: string;
  /** A safe integer ≥ 0; every draw of the run comes from it. */
  seed: number;
  target: TargetPlan;
  /** Where network faults are made; `none` when no fault of the plan needs a proxy. */
  toxiproxy: { kind: 'none' } | { kind: 'embedded' } | { kind: 'url'; url: string };
  /** Whether every link between nodes is a proxy of its own; absent: they talk directly. */
  mesh?: boolean;
  load: LoadPlan;
  chaos: FaultPlan[];
  objective: ThresholdPlan[];
  thresholds: ThresholdPlan[];
  /** Rules for comparing this run with others; absent: none. */
  gate?: GateRuleText[];
  /** Fault kinds that an external target's owner allows; ignored in a lab, where all are. */
  allow: string[];
  /** Absent (in plans of earlier versions): no checks, limits or stop conditions. */
  safety?: SafetyPlan;
  /** Look for the highest rate that holds, in many trials (trialPlan.ts); absent: an ordinary run. */
  capacity?: CapacityPlan;
  /** How often a marker is written for the lag of replicas; absent: none is. */
  replicationLag?: { everyUs: number };
  /** Which of the profile's variants this is; absent: none. */
  variant?: string;
}

export interface CapacityPlan {
  /** All must hold. */
  objective: ThresholdPlan[];
  minRatePerSec: number;
  maxRatePerSec: number;
  trialUs: number;
  /** 0: none. */
  settleUs: number;
  /** 0..1, of the highest rate that holds. */
  precision: number;
  /** Trials at the rate found that must hold too; ≥ 1. */
  confirm: number;
}

export type TargetPlan = LabPlan | ExternalPlan;

export interface LabPlan {
  kind: 'lab';
  topology: 'standalone' | 'replicated' | 'sentinel' | 'cluster';
  /** 1 outside a cluster. */
  masters: number;
  replicasPerMaster: number;
  /** With topology `sentinel`, and only there. */
  sentinel?: SentinelPlan;
  /** Name of a lab that runs in the background already; absent: one is started for the run. */
  kept?: string;
  /** A program name or path, as given. */
  server: string;
  /** redis.conf directives, as given. */
  config: Record<string, string>;
}

/** The sentinels of a lab, and how they judge. */
export interface SentinelPlan {
  count: number;
  /** How many must agree that the master is down; a majority elects the one that acts, whatever this says. */
  quorum: number;
  downAfterMs: number;
  failoverTimeoutMs: number;
}

/** A secret is named, never held: it is read when the connection is made. */
export type SecretSource = { env: string } | { file: string } | { command: string };

export interface ExternalPlan {
  kind: 'external';
  /** `redis://` or `rediss://` with host and port, without user and password. */
  url: string;
  mode: 'standalone' | 'cluster' | 'sentinel' | 'auto';
  /** Where the url is that of a Sentinel: the master it watches; absent: the only one. */
  masterName?: string;
  /** `host:port` of other sentinels, for when the one of the url does not answer; absent: none. */
  sentinels?: string[];
  username: string | null;
  password: SecretSource | null;
  tls: { ca: string | null; cert: string | null; key: string | null; serverName: string | null; rejectUnauthorized: boolean } | null;
}

/** Node's 1 ms timer; a thread of kvbench's own that sleeps until the next due time; or an event loop that never sleeps. */
export const pacings = ['timer', 'thread', 'spin'] as const;
export type Pacing = (typeof pacings)[number];

export interface LoadPlan {
  client: 'ioredis' | 'wire';
  threads: number;
  /** Per shard and worker. */
  connections: number;
  /** Per shard and worker. */
  maxInFlight: number;
  /** Per shard and worker; overflow is dropped. */
  maxQueued: number;
  /** Deadline of an operation, from its intended start. */
  timeoutUs: number;
  resend: 'never' | 'client-default';
  /** Where GETs go; `replica`: to the master only while no replica of the shard can be reached. */
  readFrom: 'master' | 'replica';
  /** What is asked of the server after each write, on the same connection; absent: nothing. */
  confirm?: ConfirmPlan;
  /** What wakes a worker when an operation is due. */
  pacing: Pacing;
  /** Absent: no ledger is kept. */
  ledger?: LedgerPlan;
  /** Absent: no operation is logged one by one. */
  opsLog?: true;
  workload: WorkloadPlan;
  phases: PhasePlan[];
  /** Who stands where when the network is cut: each group has so many of the threads, in this order. Absent: one group of all. */
  clientGroups?: ClientGroupPlan[];
}

export interface ClientGroupPlan {
  name: string;
  threads: number;
}

/** A confirmation after each write: WAIT, or WAITAOF (Redis 7.2 and newer, Valkey). */
export interface ConfirmPlan {
  command: 'wait' | 'waitaof';
  /** WAITAOF: 1 when the own log must be synced too; WAIT: 0. */
  local: 0 | 1;
  /** So many replicas must have it (WAITAOF: synced). */
  replicas: number;
  timeoutMs: number;
}

export interface LedgerPlan {
  /** One key of so many is tracked; 1: all. Has no factor in common with the number of workers, so that each of them has its part. */
  keyStride: number;
}

export interface WorkloadPlan {
  name: string;
  /** Weights of what is sent, ≥ 0; at least one, or that of a custom command, is > 0. */
  operations: Record<BuiltInOperation, number>;
  /** Custom commands, in the order of their operation indices; absent: none. */
  commands?: CommandPlan[];
  /** Weight of the gets and sets that are pairs: a get and, once it is answered, a set of the same key. At most that of either. */
  readModifyWrite: number;
  /** `perTag`: so many neighbouring keys have a hash tag in common, and so a slot; 0: no tags. */
  keys: { count: number; prefix: string; perTag: number; distribution: KeyDistribution };
  values: ValueSizes;
  /** Values consist of records with a number and a checksum each (workload/checkedValues.ts). */
  checksum: boolean;
  /** 0 = no expiry. */
  ttlMs: number;
  preload: boolean;
}

/** A command that a workload brings along, sent as operation `name`. */
export interface CommandPlan {
  name: OperationName;
  /** As written. */
  text: string;
  kind: AccessKind;
  /** ≥ 0 */
  weight: number;
  /** The command's own name comes first. */
  args: ArgumentPlan[];
}

/** Literal bytes are written as a character each (latin1). `value`: a value between two literals, which may be empty. */
export type ArgumentPlan = { kind: 'literal'; bytes: string } | { kind: 'key' } | { kind: 'value'; before: string; after: string };

export type KeyDistribution =
  | { kind: 'uniform' }
  | { kind: 'sequential' }
  | { kind: 'zipfian'; theta: number }
  | { kind: 'hotspot'; hotFraction: number; hotShare: number }
  /** Mean and standard deviation in fractions of the key count. */
  | { kind: 'gaussian'; mean: number; deviation: number }
  | { kind: 'latest'; theta: number };

export type ValueSizes =
  | { kind: 'fixed'; bytes: number }
  | { kind: 'uniform'; minBytes: number; maxBytes: number }
  | { kind: 'lognormal'; medianBytes: number; sigma: number; maxBytes: number };

export type PhasePlan = OpenPhasePlan | ClosedPhasePlan;

interface PhaseBase {
  index: number;
  name: string;
  /** False: a warm-up; counted apart and in no threshold. */
  record: boolean;
  /** Since t0. */
  startUs: number;
  durationUs: number;
}

/** Evenly spaced; or a Poisson process with as many arrivals as planned. */
export const arrivals = ['constant', 'poisson'] as const;
export type Arrivals = (typeof arrivals)[number];

/** Operations at intended times, whatever the server does. The rate goes linearly from start to end. */
export interface OpenPhasePlan extends PhaseBase {
  kind: 'open';
  arrivals: Arrivals;
  rateStartPerSec: number;
  rateEndPerSec: number;
  /** floor of the integral of the rate, or the profile's limit: exactly this many operations are planned, over all workers. */
  operationCount: number;
  /** Index of its first operation in the plan's one sequence. */
  firstOperation: number;
}

/** `clients` virtual clients over all workers, each keeping `pipeline` operations in flight. */
export interface ClosedPhasePlan extends PhaseBase {
  kind: 'closed';
  clients: number;
  pipeline: number;
  /** The load ends when so many operations have begun; null: no limit. In the last phase only. */
  operationLimit: number | null;
}

/** States of an earlier fault that a later one can wait for. */
export const faultStates = [
  'injected',
  'firstError',
  'detected',
  'promoted',
  'clientRecovered',
  'p99Recovered',
  'healed',
  'redundancyRestored',
] as const;
export type FaultState = (typeof faultStates)[number];

export interface FaultPlan {
  /** 1-based, in the order of the profile. */
  id: number;
  kind: string;
  trigger: { kind: 'at'; atUs: number } | { kind: 'after'; faultId: number; state: FaultState; delayUs: number };
  /** Null: healed at the end of the load. */
  forUs: number | null;
  selector: NodeSelector | null;
  /** As the fault's own schema left it. */
  params: unknown;
  /** Whether it acts through a proxy. */
  needsProxy: boolean;
  /** Whether it acts on links between nodes; absent: it does not. */
  needsMesh?: boolean;
  /** Selectors that its parameters name beside `selector`, by their text. */
  selectors?: NodeSelector[];
  /** How a chart shades its time in force. */
  shading: Shading;
  /** Of a drawn fault: its own limits beside those of the plan. */
  limits?: ChaosLimits;
}

/** A fault that would break one is skipped. */
export interface ChaosLimits {
  /** Null: as many as you like. */
  maxNodesDown: number | null;
  /** No shard's last node that has all its data is taken down. */
  keepInSyncCopy: boolean;
}

/** What keeps chaos within bounds while it runs. */
export interface SafetyPlan {
  /** Before the first fault: every shard that has replicas must have one in sync. */
  replicasInSync: boolean;
  /** Before the first fault: 0..1 of the operations of the last second. */
  maxErrorRate: number;
  limits: ChaosLimits;
  /** The run ends when one of them held for its time. */
  stop: StopPlan[];
  /** Nothing stays in force longer than this; null: 30 s longer than planned. */
  timeToLiveUs: number | null;
}

/** A stop condition such as `errors: rate>0.5 for 5s`. */
export interface StopPlan {
  /** As written. */
  text: string;
  threshold: ThresholdPlan;
  /** What is judged is the last so many µs. */
  windowUs: number;
}

export interface Shading {
  /** CSS colour of the band's border and label; the fill is the same, translucent. */
  color: string;
  label: string;
}

/** Which nodes a fault hits; resolved at injection, by the roles of that moment. `text` is what the profile says. */
export type NodeSelector = { text: string } & (
  | { by: 'master'; index: number }
  | { by: 'replica'; index: number }
  | { by: 'node'; index: number }
  | { by: 'masterOfSlot'; slot: number }
  | { by: 'replicaOfMaster'; index: number }
  | { by: 'randomMaster' /** uniform in [0,1): drawn from the seed */; draw: number }
  | { by: 'randomReplica'; draw: number }
  | { by: 'sentinel'; index: number }
  | { by: 'allSentinels' }
  | { by: 'allReplicas' }
  | { by: 'allMasters' }
);

/** A rule of a gate, as written: `latency{op:get}` : `p(99) +10%`. Parsed by profile/gateRule.ts. */
export interface GateRuleText {
  metric: string;
  expression: string;
}

/** One threshold expression on one metric with tags, e.g. `latency{op:get,during:before}` : `p(99)<50ms`. */
export interface ThresholdPlan {
  /** As written: `latency{op:get,during:before}`. */
  metric: string;
  name: MetricName;
  tags: Partial<Record<TagName, string>>;
  /** As written: `p(99)<50ms`. */
  expression: string;
  aggregate: { kind: 'avg' | 'min' | 'max' | 'med' | 'count' | 'rate' | 'value' } | { kind: 'percentile'; percentile: number };
  comparator: '<' | '<=' | '>' | '>=' | '==' | '!=';
  /** In µs for time metrics, else as is. */
  limit: number;
  abortOnFail: boolean;
  delayAbortEvalUs: number;
}

export const metricNames = [
  'latency',
  'service',
  'queue',
  'dispatch_lag',
  'throughput',
  'availability',
  'errors',
  'gap',
  'rto',
  'lost_writes',
] as const;
export type MetricName = (typeof metricNames)[number];
export const tagNames = ['op', 'phase', 'during', 'shard', 'fault'] as const;
export type TagName = (typeof tagNames)[number];

/** The name of the clients' group in a plan without groups. */
export const ALL_CLIENTS = 'clients';

/** The groups of clients, at least one. */
export function clientGroupsOf(plan: Pick<Plan, 'load'>): ClientGroupPlan[] {
  return plan.load.clientGroups ?? [{ name: ALL_CLIENTS, threads: plan.load.threads }];
}

/** The group of a load worker. */
export function clientGroupOf(plan: Pick<Plan, 'load'>, worker: number): string {
  let before = 0;
  for (const { name, threads } of clientGroupsOf(plan)) {
    before += threads;
    if (worker < before) return name;
  }
  return ALL_CLIENTS;
}

/** Who stands on a side of a cut network: some clients, the nodes nobody names, or (null) a node selector. */
export type SideMember = { kind: 'clients' /** Null: all. */; group: string | null } | { kind: 'rest' };

/** `clients`, `clients of NAME`, `rest`; null: it is a node selector. */
export function parseSideMember(text: string): SideMember | null {
  const words = text.trim().replaceAll(/\s+/g, ' ');
  if (words === 'rest') return { kind: 'rest' };
  if (words === 'clients') return { kind: 'clients', group: null };
  const group = /^clients of (.+)$/.exec(words)?.[1];
  return group === undefined ? null : { kind: 'clients', group };
}

/** End of the last phase since t0, in µs. */
export function loadEndUs(plan: { load: Pick<LoadPlan, 'phases'> }): number {
  const last = plan.load.phases.at(-1);
  return last ? last.startUs + last.durationUs : 0;
}
