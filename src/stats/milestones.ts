/**
 * The milestones of one fault or incident: what became of it, step by step. Fed with records in the order they are written, live and
 * offline alike; the tracker decides which records concern it. Times are µs since t0.
 */
import type { FaultState } from '../plan/plan.js';
import type { EventOf, EventRecord, FaultSide, LogKind, NodeRef, ShardRecord } from '../result/records.js';
import type { FaultSummary } from '../result/summary.js';
import { SETTLE_US, shardsOf } from './faultTimes.js';
import type { LatencyHistory } from './latencyHistory.js';

/** p99 is back when it is at most this much of what it was … */
export const P99_RECOVERED_FACTOR = 1.25;
/** … plus this. */
export const P99_RECOVERED_SLACK_US = 1000;
/** A second with fewer operations says nothing about p99. */
export const P99_RECOVERED_COUNT_MIN = 200;
const P99_BEFORE_US = 5_000_000;
/** A loss of redundancy shows up this late after a heal, or there is none. */
const REDUNDANCY_GRACE_US = 1_000_000;

/** When the clients were served again, known from the exact spans. */
export interface ExactRecovery {
  hadGap: boolean;
  /** Null: never, or there was no gap. */
  recoveredUs: number | null;
}

interface SentinelSteps {
  sdownUs: number | null;
  tryFailoverUs: number | null;
  electedUs: number | null;
  switchedUs: number | null;
  aborts: number;
}

const sentinelKeys: Partial<Record<LogKind, Exclude<keyof SentinelSteps, 'aborts'>>> = {
  sdown: 'sdownUs',
  tryFailover: 'tryFailoverUs',
  electedLeader: 'electedUs',
  switchMaster: 'switchedUs',
};

export interface WatchContext {
  history: LatencyHistory;
  /** In-sync replicas of a shard as last seen, or as the plan promises. */
  inSyncReplicas(shard: number): number | null;
  /** @param happened false: the state was never left, so whoever waits for it may go on */
  emit(state: FaultState, atUs: number, happened: boolean): void;
}

export class MilestoneWatch {
  readonly id: number;
  readonly kind: string;
  status: FaultSummary['status'] = 'planned';
  message: string | null = null;
  targets: NodeRef[] = [];
  sides: FaultSide[] | null = null;
  plannedAtUs: number | null = null;
  /** Start of the injection, or of the incident; null: not yet. */
  beganUs: number | null = null;
  injectedAtUs: number | null = null;
  processGoneUs: number | null = null;
  firstErrorUs: number | null = null;
  promotedUs: number | null = null;
  clientRecoveredUs: number | null = null;
  p99RecoveredUs: number | null = null;
  healedAtUs: number | null = null;
  redundancyRestoredUs: number | null = null;
  /** An outage of the clients was seen, whether it is over or not. */
  hadOutage = false;

  readonly #context: WatchContext;
  readonly #exact: ExactRecovery | null;
  #shards = new Set<number>();
  #detectedInLogUs: number | null = null;
  #detectedByFlagUs: number | null = null;
  #promotedByRole = false;
  #sentinelSteps: SentinelSteps | null = null;
  readonly #inSyncBefore = new Map<number, number>();
  readonly #missingReplicas = new Set<number>();
  #redundancyDropped = false;
  #p99LimitUs: number | null | undefined;
  #p99TriedUpTo = Number.NEGATIVE_INFINITY;
  readonly #emitted = new Set<FaultState>();

  constructor(id: number, kind: string, context: WatchContext, exact: ExactRecovery | null) {
    this.id = id;
    this.kind = kind;
    this.#context = context;
    this.#exact = exact;
    if (exact) {
      this.hadOutage = exact.hadGap;
      this.clientRecoveredUs = exact.recoveredUs;
    }
  }

  get shards(): ReadonlySet<number> {
    return this.#shards;
  }

  /** The log's own time is the best; the observers' polls come later. */
  get detectedUs(): number | null {
    return this.#detectedInLogUs ?? this.#detectedByFlagUs;
  }

  /** From its beginning until a while after its heal. */
  covers(atUs: number): boolean {
    return this.beganUs !== null && atUs >= this.beganUs && (this.healedAtUs === null || atUs <= this.healedAtUs + SETTLE_US);
  }

  hits(node: string): boolean {
    return this.targets.some((target) => target.node === node);
  }

  begin(atUs: number, targets: NodeRef[]): void {
    this.beganUs ??= atUs;
    if (targets.length === 0) return;
    this.targets = targets;
    this.#shards = shardsOf(targets);
    for (const shard of this.#shards) {
      const inSync = this.#context.inSyncReplicas(shard);
      if (inSync !== null && !this.#inSyncBefore.has(shard)) this.#inSyncBefore.set(shard, inSync);
    }
  }

  /** The fault's own events. */
  fault(event: EventOf<'fault'>): void {
    this.plannedAtUs ??= event.plannedAtUs;
    this.sides ??= event.sides ?? null;
    if (event.message !== undefined && event.state !== 'healing') this.message = event.message;
    if (event.state === 'injecting') this.begin(event.tUs, event.targets);
    else if (event.state === 'injected') {
      this.begin(event.tUs, event.targets);
      this.status = 'injected';
      this.injectedAtUs = event.tUs;
      this.#emit('injected', event.tUs);
      if (this.firstErrorUs !== null) this.#firstError(this.firstErrorUs);
    } else if (event.state === 'healed') {
      if (this.status === 'injected') this.status = 'healed';
      this.healedAtUs = event.tUs;
      this.#emit('healed', event.tUs);
    } else if (event.state === 'failed' || event.state === 'skipped') {
      this.status = event.state;
      // What was never in force explains nothing.
      if (this.injectedAtUs === null) this.beganUs = null;
    }
  }

  /** An event about one of its nodes or shards, in its time. */
  event(event: EventRecord): void {
    switch (event.type) {
      case 'process':
        if (event.state === 'exited' && this.hits(event.node)) this.processGoneUs ??= event.tUs;
        break;
      case 'connection':
        if (event.state !== 'ready') this.#firstError(event.tUs);
        break;
      case 'log':
        if ((event.log === 'markingFailing' || event.log === 'failReceived') && event.subject !== null && this.hits(event.subject)) {
          // Logs of several nodes are read one after the other: an earlier line can come later.
          this.#detectedInLogUs = Math.min(this.#detectedInLogUs ?? event.tUs, event.tUs);
          this.#emit('detected', event.tUs);
        } else if (event.log === 'promoted') this.#promoted(event.node, event.tUs, false);
        else this.#sentinelSays(event);
        break;
      case 'flag':
        if (event.flag === 'fail' && this.hits(event.node)) {
          this.#detectedByFlagUs ??= event.tUs;
          this.#emit('detected', event.tUs);
        }
        break;
      case 'role':
        if (event.role === 'master') this.#promoted(event.node, event.tUs, true);
        break;
    }
  }

  /** Steps of a failover by sentinels; null where none did anything. Times are µs since t0. */
  get sentinelSteps(): Readonly<SentinelSteps> | null {
    return this.#sentinelSteps;
  }

  /** Logs of several sentinels are read one after the other: the earliest counts. */
  #sentinelSays({ log, tUs, subject }: EventOf<'log'>): void {
    if (subject === null) return;
    // It knows by asking once a second: the first to see it counts, unless the replica's own log says it.
    if (log === 'promotedReplica') this.#promoted(subject, tUs, true);
    if (!this.hits(subject) || !this.targets.some((target) => target.role === 'master')) return;
    const key = sentinelKeys[log];
    if (key === undefined && log !== 'odown' && log !== 'failoverAborted') return;
    this.#sentinelSteps ??= { sdownUs: null, tryFailoverUs: null, electedUs: null, switchedUs: null, aborts: 0 };
    if (key !== undefined) this.#sentinelSteps[key] = Math.min(this.#sentinelSteps[key] ?? tUs, tUs);
    if (log === 'failoverAborted') this.#sentinelSteps.aborts++;
    if (log !== 'odown') return;
    this.#detectedInLogUs = Math.min(this.#detectedInLogUs ?? tUs, tUs);
    this.#emit('detected', tUs);
  }

  /** What the clients saw of one of its shards in an interval. */
  shard(record: ShardRecord): void {
    for (const atUs of [record.firstNotOkUs, record.overdueSinceUs]) {
      if (atUs !== null && this.covers(atUs)) this.#firstError(atUs);
    }
  }

  /** In-sync replicas of one of its shards changed. */
  replicas(event: EventOf<'replicas'>): void {
    const before = this.#inSyncBefore.get(event.shard);
    if (before === undefined || this.beganUs === null || event.tUs < this.beganUs) return;
    if (event.inSync < before) {
      this.#missingReplicas.add(event.shard);
      this.#redundancyDropped = true;
    } else if (this.#missingReplicas.delete(event.shard) && this.#missingReplicas.size === 0) {
      this.redundancyRestoredUs ??= event.tUs;
      this.#emit('redundancyRestored', event.tUs);
    }
  }

  /** Live only: an outage of one of its shards was seen. */
  outageSeen(): void {
    if (!this.#exact) this.hadOutage = true;
  }

  /** Live only: its last outage is over. */
  outageOver(endUs: number): void {
    if (this.#exact) return;
    this.clientRecoveredUs = Math.max(this.clientRecoveredUs ?? endUs, endUs);
    this.#emit('clientRecovered', this.clientRecoveredUs);
  }

  /** After every record: what depends on time having passed. @param nowUs the latest time of any record */
  advance(nowUs: number): void {
    if (this.#redundancyDropped || this.healedAtUs === null || nowUs < this.healedAtUs + REDUNDANCY_GRACE_US) return;
    // It was never lost: whoever waits for it need not wait longer.
    this.#emit('redundancyRestored', this.healedAtUs, false);
  }

  /** After every interval. @param intervalEndUs its end */
  checkP99(intervalEndUs: number): void {
    if (this.injectedAtUs === null || this.p99RecoveredUs !== null || intervalEndUs <= this.injectedAtUs) return;
    const { history } = this.#context;
    if (this.#p99LimitUs === undefined) {
      const beforeUs = history.p99Us(this.injectedAtUs - P99_BEFORE_US, this.injectedAtUs);
      this.#p99LimitUs = beforeUs === null ? null : beforeUs * P99_RECOVERED_FACTOR + P99_RECOVERED_SLACK_US;
    }
    const fromUs = this.hadOutage ? this.clientRecoveredUs : this.injectedAtUs;
    if (this.#p99LimitUs === null || fromUs === null) return;
    const found = history.firstGoodSecond(fromUs, this.#p99TriedUpTo, P99_RECOVERED_COUNT_MIN, this.#p99LimitUs);
    this.#p99TriedUpTo = found.triedUpTo;
    if (found.startUs === null) return;
    this.p99RecoveredUs = found.startUs;
    this.#emit('p99Recovered', found.startUs);
  }

  /** The first error is not before the injection, though clients can see it some µs before its confirmation. */
  #firstError(atUs: number): void {
    const earliestUs = Math.min(this.firstErrorUs ?? atUs, atUs);
    this.firstErrorUs = Math.max(earliestUs, this.injectedAtUs ?? earliestUs);
    if (this.injectedAtUs !== null) this.#emit('firstError', this.firstErrorUs);
  }

  /** A master that was hit and is seen as one again is no promotion; a replica may be hit too (a partition hits all) and still be promoted. */
  #promoted(node: string, atUs: number, byRole: boolean): void {
    const masters = this.targets.filter((target) => target.role === 'master');
    if (masters.length === 0 || masters.some((target) => target.node === node)) return;
    if (this.promotedUs === null || (this.#promotedByRole && !byRole)) {
      this.promotedUs = atUs;
      this.#promotedByRole = byRole;
      this.#emit('promoted', atUs);
    }
  }

  #emit(state: FaultState, atUs: number, happened = true): void {
    if (this.#emitted.has(state)) return;
    this.#emitted.add(state);
    this.#context.emit(state, atUs, happened);
  }
}

/** As `summary.json` has it. */
export function milestonesInMs(watch: MilestoneWatch): FaultSummary {
  const ms = (us: number | null): number | null => (us === null ? null : us / 1000);
  const { injectedAtUs, clientRecoveredUs, sentinelSteps } = watch;
  return {
    id: watch.id,
    kind: watch.kind,
    status: watch.status,
    message: watch.message,
    targets: watch.targets,
    ...(watch.sides === null ? {} : { sides: watch.sides }),
    plannedAtMs: ms(watch.plannedAtUs),
    injectedAtMs: ms(injectedAtUs),
    processGoneMs: ms(watch.processGoneUs),
    firstErrorMs: ms(watch.firstErrorUs),
    detectedMs: ms(watch.detectedUs),
    promotedMs: ms(watch.promotedUs),
    clientRecoveredMs: ms(clientRecoveredUs),
    p99RecoveredMs: ms(watch.p99RecoveredUs),
    healedAtMs: ms(watch.healedAtUs),
    redundancyRestoredMs: ms(watch.redundancyRestoredUs),
    rtoMs: injectedAtUs !== null && clientRecoveredUs !== null ? (clientRecoveredUs - injectedAtUs) / 1000 : null,
    ...(sentinelSteps === null
      ? {}
      : {
          sentinel: {
            sdownMs: ms(sentinelSteps.sdownUs),
            tryFailoverMs: ms(sentinelSteps.tryFailoverUs),
            electedMs: ms(sentinelSteps.electedUs),
            switchedMs: ms(sentinelSteps.switchedUs),
            aborts: sentinelSteps.aborts,
          },
        }),
  };
}
