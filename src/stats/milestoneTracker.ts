/**
 * Follows every fault of a run through its milestones. One code live (the schedule waits for its states, the terminal tells them) and
 * offline (the summary). Consumes records in the order they are written; never throws.
 */
import type { FaultState, Plan } from '../plan/plan.js';
import type { EventOf, EventRecord, IntervalRecord, NodeRef, RunSink, RunTargetRecord } from '../result/records.js';
import { LatencyHistory } from './latencyHistory.js';
import { type LiveOutage, LiveOutages } from './liveOutages.js';
import { type ExactRecovery, MilestoneWatch } from './milestones.js';

/** `happened` is false when the state holds without anything having happened: redundancy that was never lost. */
export type StateListener = (faultId: number, state: FaultState, atUs: number, happened: boolean) => void;

/** An outage nobody scheduled, to be followed like a fault. */
export interface IncidentSubject {
  id: number;
  kind: string;
  beganUs: number;
  targets: NodeRef[];
  recovery: ExactRecovery;
}

export interface TrackerOptions {
  /** Whose shards the nodes are at t0; without it roles tell, as they are seen. */
  target?: RunTargetRecord | null;
  /** Offline: when clients recovered from each fault, from the exact spans. */
  recoveries?: ReadonlyMap<number, ExactRecovery>;
  /** Offline: known beforehand. */
  incidents?: readonly IncidentSubject[];
}

/** A node that starts to be silent just before its fault is confirmed is silent because of it. */
const OUTAGE_SLACK_US = 200_000;

export class MilestoneTracker implements RunSink {
  readonly #faults = new Map<number, MilestoneWatch>();
  readonly #incidents: MilestoneWatch[] = [];
  readonly #listeners: StateListener[] = [];
  readonly #history: LatencyHistory;
  readonly #outages = new LiveOutages((outage) => this.#outageOver(outage));
  readonly #shardOfNode = new Map<string, number>();
  readonly #inSync = new Map<number, number>();
  readonly #replicasPlanned: number | null;
  readonly #target: RunTargetRecord | null;
  readonly #recoveries: ReadonlyMap<number, ExactRecovery> | null;
  #nowUs = Number.NEGATIVE_INFINITY;
  /** The run was stopped: what fails from then on was cut by that. */
  #stoppedUs = Number.POSITIVE_INFINITY;

  constructor(plan: Plan, options: TrackerOptions = {}) {
    this.#history = new LatencyHistory(plan);
    this.#replicasPlanned = plan.target.kind === 'external' ? null : plan.target.replicasPerMaster;
    this.#target = options.target ?? null;
    this.#recoveries = options.recoveries ?? null;
    for (const node of options.target?.nodes ?? []) if (node.shard !== null) this.#shardOfNode.set(node.id, node.shard);
    for (const fault of plan.chaos) this.#watchOf(fault.id, fault.kind);
    for (const incident of options.incidents ?? []) this.#addIncident(incident);
  }

  /** Told each state of each fault once, when it becomes known; `atUs` is when it was, which is a little earlier. */
  onState(listener: StateListener): void {
    this.#listeners.push(listener);
  }

  /** Faults of the plan and what else was injected, by id. */
  faults(): MilestoneWatch[] {
    return [...this.#faults.values()].sort((a, b) => a.id - b.id);
  }

  incidents(): readonly MilestoneWatch[] {
    return this.#incidents;
  }

  interval(written: IntervalRecord): void {
    const record = withoutStop(written, this.#stoppedUs);
    this.#nowUs = Math.max(this.#nowUs, record.endUs);
    this.#history.interval(record);
    for (const shard of record.shards) {
      const atUs = Math.min(shard.firstNotOkUs ?? Number.POSITIVE_INFINITY, shard.overdueSinceUs ?? Number.POSITIVE_INFINITY);
      if (atUs !== Number.POSITIVE_INFINITY) this.#latestOn(shard.shard, Math.max(atUs, record.startUs), record.endUs)?.shard(shard);
    }
    this.#outages.interval(record);
    for (const outage of this.#outages.open()) this.#culpritOf(outage)?.outageSeen();
    for (const watch of this.#all()) {
      watch.checkP99(record.endUs);
      watch.advance(this.#nowUs);
    }
  }

  event(event: EventRecord): void {
    this.#nowUs = Math.max(this.#nowUs, event.tUs);
    if (event.type === 'run' && (event.state === 'interrupted' || event.state === 'aborted')) this.#stoppedUs = event.tUs;
    if (event.type === 'fault') this.#watchOf(event.faultId, event.kind).fault(event);
    else if (event.type === 'replicas') this.#replicas(event);
    else this.#concerned(event)?.event(event);
    if (event.type === 'role' && event.shard !== null) this.#shardOfNode.set(event.node, event.shard);
    for (const watch of this.#all()) watch.advance(this.#nowUs);
  }

  /** Of several faults an event could belong to, the latest. */
  #concerned(event: EventRecord): MilestoneWatch | undefined {
    switch (event.type) {
      case 'process':
        if (event.byFault !== null) return this.#faults.get(event.byFault);
        return this.#latest((watch) => watch.status === 'observed' && watch.hits(event.node) && watch.covers(event.tUs));
      case 'connection':
        if (event.tUs >= this.#stoppedUs) return undefined;
        return this.#latest(
          (watch) => watch.covers(event.tUs) && (watch.hits(event.node) || (event.shard !== null && watch.shards.has(event.shard))),
        );
      case 'flag':
        return this.#latest((watch) => watch.covers(event.tUs) && watch.hits(event.node));
      case 'log': {
        const { subject } = event;
        if (event.log === 'promoted') return this.#latestOn(this.#shardOfNode.get(event.node), event.tUs, event.tUs);
        if (event.log === 'promotedReplica') return this.#latestOn(this.#shardOfNode.get(subject ?? ''), event.tUs, event.tUs);
        return subject === null ? undefined : this.#latest((watch) => watch.covers(event.tUs) && watch.hits(subject));
      }
      case 'role':
        return this.#latestOn(event.shard ?? this.#shardOfNode.get(event.node), event.tUs, event.tUs);
      default:
        return undefined;
    }
  }

  #replicas(event: EventOf<'replicas'>): void {
    for (const watch of this.#all()) if (watch.shards.has(event.shard)) watch.replicas(event);
    this.#inSync.set(event.shard, event.inSync);
  }

  #latestOn(shard: number | undefined, fromUs: number, toUs: number): MilestoneWatch | undefined {
    if (shard === undefined) return undefined;
    return this.#latest((watch) => watch.shards.has(shard) && (watch.covers(fromUs) || watch.covers(toUs)));
  }

  #latest(matches: (watch: MilestoneWatch) => boolean): MilestoneWatch | undefined {
    let latest: MilestoneWatch | undefined;
    for (const watch of this.#all()) {
      if (matches(watch) && (latest === undefined || (watch.beganUs ?? 0) >= (latest.beganUs ?? 0))) latest = watch;
    }
    return latest;
  }

  #culpritOf(outage: LiveOutage): MilestoneWatch | undefined {
    const began = outage.startUs + OUTAGE_SLACK_US;
    return (
      this.#latest(
        (watch) =>
          watch.shards.has(outage.shard) &&
          watch.injectedAtUs !== null &&
          watch.covers(Math.max(outage.startUs, watch.beganUs ?? 0)) &&
          (watch.beganUs ?? 0) <= began,
      ) ?? this.#latest((watch) => watch.shards.has(outage.shard) && watch.injectedAtUs !== null && watch.covers(this.#nowUs))
    );
  }

  #outageOver(outage: LiveOutage): void {
    const watch = this.#culpritOf(outage);
    if (!watch || outage.endUs === null) return;
    watch.outageSeen();
    const others = this.#outages.open().some((open) => watch.shards.has(open.shard));
    if (!others) watch.outageOver(outage.endUs);
  }

  #watchOf(id: number, kind: string): MilestoneWatch {
    let watch = this.#faults.get(id);
    if (!watch) {
      watch = this.#newWatch(
        id,
        kind,
        this.#recoveries ? (this.#recoveries.get(id) ?? { hadGap: false, recoveredUs: null }) : null,
        (state, atUs, happened) => {
          for (const listener of this.#listeners) listener(id, state, atUs, happened);
        },
      );
      this.#faults.set(id, watch);
    }
    return watch;
  }

  #addIncident(incident: IncidentSubject): void {
    const watch = this.#newWatch(incident.id, incident.kind, incident.recovery, () => undefined);
    watch.status = 'observed';
    watch.begin(incident.beganUs, incident.targets);
    watch.injectedAtUs = incident.beganUs;
    this.#incidents.push(watch);
  }

  #newWatch(
    id: number,
    kind: string,
    exact: ExactRecovery | null,
    emit: (state: FaultState, atUs: number, happened: boolean) => void,
  ): MilestoneWatch {
    const inSyncReplicas = (shard: number): number | null => this.#inSync.get(shard) ?? this.#replicasAtStart(shard);
    return new MilestoneWatch(id, kind, { history: this.#history, inSyncReplicas, emit }, exact);
  }

  /** Before the first look at them: those that were there, or were planned. */
  #replicasAtStart(shard: number): number | null {
    if (!this.#target) return this.#replicasPlanned;
    return this.#target.nodes.filter((node) => node.shard === shard && node.role === 'replica').length;
  }

  *#all(): Generator<MilestoneWatch> {
    yield* this.#faults.values();
    yield* this.#incidents;
  }
}

/** Leaves out the failures from `stoppedUs` on. An interval keeps those before it. */
function withoutStop(record: IntervalRecord, stoppedUs: number): IntervalRecord {
  if (record.endUs <= stoppedUs) return record;
  const isBefore = (us: number | null): us is number => us !== null && us < stoppedUs;
  const shards = record.shards.map((shard) => ({
    ...shard,
    ...(isBefore(shard.firstNotOkUs) ? {} : { notOk: 0, firstNotOkUs: null }),
    ...(isBefore(shard.overdueSinceUs) ? {} : { overdueSinceUs: null }),
  }));
  return { ...record, shards };
}
