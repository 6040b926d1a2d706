/**
 * One threshold at work: collects what its metric needs as intervals come, and says what it observed. The same code for the end of a
 * run, for aborting a running one, and (over one interval at a time) for telling degraded times.
 */
import { unreachable } from '../base/assert.js';
import { accessOf } from '../plan/operations.js';
import type { AccessKind, Plan, ThresholdPlan, WorkloadPlan } from '../plan/plan.js';
import type { IntervalRecord } from '../result/records.js';
import type { ConsistencySummary, ThresholdResult } from '../result/summary.js';
import type { GapUs } from './gaps.js';
import { Counts } from './hdr.js';
import { Scope } from './scope.js';
import type { Window } from './windows.js';

/** What of a fault the metric `rto` needs. */
export interface FaultOutcome {
  faultId: number;
  injectedAtUs: number | null;
  hadGap: boolean;
  clientRecoveredUs: number | null;
  shards: ReadonlySet<number>;
}

/** What only the whole shows. */
export interface Outcome {
  gaps: readonly GapUs[];
  faults: readonly FaultOutcome[];
  windows: readonly Window[];
  /** End of the load, or now. */
  endUs: number;
  /** The time looked at, when it is not all that the tags select up to `endUs`. */
  durationUs?: number;
  /** While the run is on, operations without an answer yet do not count against availability. */
  live: boolean;
  /** Null or absent: no ledger, or nothing was read back (yet). */
  consistency?: ConsistencySummary | null;
}

interface Observation {
  observed: number | null;
  note?: string;
  /** It does not cover everything, so that it cannot hold. */
  isPartial?: boolean;
}

export class Probe {
  readonly threshold: ThresholdPlan;
  readonly #scope: Scope;
  readonly #workload: WorkloadPlan;
  readonly #counts = new Counts();
  readonly #asked = new Set<string>();
  #planned = 0;
  #ok = 0;
  #total = 0;

  constructor(threshold: ThresholdPlan, plan: Plan) {
    this.threshold = threshold;
    this.#scope = new Scope(threshold, plan);
    this.#workload = plan.load.workload;
  }

  clear(): void {
    this.#counts.clear();
    this.#asked.clear();
    this.#planned = 0;
    this.#ok = 0;
    this.#total = 0;
  }

  /** @param windows as known so far */
  interval(record: IntervalRecord, windows: readonly Window[]): void {
    const { name } = this.threshold;
    switch (name) {
      case 'latency':
        for (const cell of record.cells) {
          if (this.#scope.hasCell(cell, windows)) for (const operation of this.#scope.operationsOf(cell)) this.#counts.add(operation.response);
        }
        break;
      case 'service':
      case 'queue':
        for (const rest of record.rest ?? []) {
          if (this.#scope.hasRest(rest, windows)) for (const op of this.#scope.operations) this.#counts.add(rest[name][op] ?? []);
        }
        break;
      case 'dispatch_lag':
        for (const rest of record.rest ?? []) if (this.#scope.hasRest(rest, windows)) this.#counts.add(rest.dispatchLag);
        break;
      case 'throughput':
      case 'availability':
      case 'errors':
        this.#countOutcomes(record, windows);
        break;
      case 'gap':
        for (const { shard, kind, ok, notOk, overdueSinceUs } of record.shards) {
          if (ok > 0 || notOk > 0 || overdueSinceUs !== null) this.#asked.add(`${shard} ${kind}`);
        }
        break;
      case 'rto':
      case 'lost_writes':
        break;
      default:
        unreachable(name);
    }
  }

  /** The value so far, in the unit of the metric, and whether the expression holds. Without a sample it does not. */
  result(outcome: Outcome): ThresholdResult {
    const { observed, note, isPartial = false } = this.#observe(outcome);
    const { metric, expression } = this.threshold;
    const ok = observed !== null && !isPartial && holds(observed, this.threshold);
    // JSON has no infinity: what never ended has no value.
    return { metric, expression, observed: observed === Number.POSITIVE_INFINITY ? null : observed, ok, ...(note === undefined ? {} : { note }) };
  }

  #observe(outcome: Outcome): Observation {
    const { name, aggregate } = this.threshold;
    switch (name) {
      case 'latency':
      case 'service':
      case 'queue':
      case 'dispatch_lag':
        return this.#ofCounts();
      case 'throughput': {
        const durationUs = outcome.durationUs ?? this.#scope.durationUs(outcome.windows, outcome.endUs);
        if (this.#total === 0 || durationUs === 0) return { observed: null, note: this.#scope.emptyNote() };
        return { observed: (this.#ok * 1_000_000) / durationUs };
      }
      case 'availability': {
        const asked = outcome.live || this.#scope.closedLoop ? this.#total : this.#planned;
        return asked === 0 ? { observed: null, note: this.#scope.emptyNote() } : { observed: this.#ok / asked };
      }
      case 'errors': {
        if (this.#total === 0) return { observed: null, note: this.#scope.emptyNote() };
        const errors = this.#total - this.#ok;
        return { observed: aggregate.kind === 'count' ? errors : errors / this.#total };
      }
      case 'gap':
        return this.#gap(outcome);
      case 'rto':
        return this.#rto(outcome);
      case 'lost_writes':
        return this.#lostWrites(outcome);
      default:
        return unreachable(name);
    }
  }

  #ofCounts(): Observation {
    const { aggregate } = this.threshold;
    const counts = this.#counts;
    if (counts.total === 0) return { observed: null, note: this.#scope.emptyNote() };
    switch (aggregate.kind) {
      case 'avg':
        return { observed: counts.meanUs() };
      case 'min':
        return { observed: counts.percentileUs(0) };
      case 'max':
        return { observed: counts.percentileUs(100) };
      case 'med':
        return { observed: counts.percentileUs(50) };
      case 'percentile':
        return { observed: counts.percentileUs(aggregate.percentile) };
      case 'count':
        return { observed: counts.total };
      default:
        return { observed: null, note: `a time has no ${aggregate.kind}` };
    }
  }

  #gap(outcome: Outcome): Observation {
    const { shard = 'any', op, fault } = this.threshold.tags;
    const kinds: AccessKind[] = op === undefined ? ['read', 'write'] : [accessOf(this.#workload, op)];
    const asked = [...this.#asked].some((key) =>
      kinds.some((kind) => (shard === 'any' || shard === 'all' ? key.endsWith(kind) : key === `${shard} ${kind}`)),
    );
    if (!asked) return { observed: null, note: `shard ${shard} was asked nothing` };
    if (fault !== undefined && !wasInjected(fault, outcome)) return { observed: null, note: `fault ${fault} was not injected` };
    const gaps = outcome.gaps.filter(
      (gap) => String(gap.shard) === shard && kinds.includes(gap.kind) && (fault === undefined || gap.faultId === Number(fault)),
    );
    const open = gaps.some((gap) => !gap.endedBySuccess) && !outcome.live;
    const observed = ofDurations(
      gaps.map((gap) => gap.endUs - gap.startUs),
      this.threshold,
    );
    return open ? { observed, note: 'a gap was still open at the end' } : { observed };
  }

  #rto(outcome: Outcome): Observation {
    const { shard, fault } = this.threshold.tags;
    const faults = outcome.faults.filter(
      ({ faultId, injectedAtUs, shards }) =>
        injectedAtUs !== null &&
        (fault === undefined || faultId === Number(fault)) &&
        (shard === undefined || shard === 'any' || shards.has(Number(shard))),
    );
    if (faults.length === 0) return { observed: null, note: fault === undefined ? 'no fault was injected' : `fault ${fault} was not injected` };
    const lasting = faults.filter((one) => one.hadGap && one.clientRecoveredUs === null);
    const durations = faults.map((one) => {
      if (!one.hadGap) return 0;
      const untilUs = one.clientRecoveredUs ?? (outcome.live ? outcome.endUs : Number.POSITIVE_INFINITY);
      return untilUs - (one.injectedAtUs ?? untilUs);
    });
    const observed = ofDurations(this.threshold.aggregate.kind === 'count' ? durations.filter((us) => us > 0) : durations, this.threshold);
    if (lasting.length === 0 || outcome.live) return { observed };
    return { observed, note: `clients never recovered from fault ${lasting.map((one) => one.faultId).join(', ')}` };
  }

  /** Lost increments of counters are among them. Silence about some keys is no pass. */
  #lostWrites({ consistency = null }: Outcome): Observation {
    if (consistency === null) return { observed: null, note: 'nothing was read back in this run' };
    const { shard = 'any', fault } = this.threshold.tags;
    const isMeant = (one: { shard: number; faultId: number | null }): boolean =>
      (shard === 'any' || shard === 'all' || one.shard === Number(shard)) && (fault === undefined || one.faultId === Number(fault));
    const observed = consistency.lost.reduce((sum, one) => sum + (isMeant(one) ? one.count : 0), 0);
    const { unverifiedKeys } = consistency;
    if (unverifiedKeys === 0) return { observed };
    return { observed, note: `${unverifiedKeys} keys could not be read back`, isPartial: true };
  }

  #countOutcomes(record: IntervalRecord, windows: readonly Window[]): void {
    for (const cell of record.cells) {
      if (!this.#scope.hasCell(cell, windows)) continue;
      for (const { planned, ok, fail, info, dropped } of this.#scope.operationsOf(cell)) {
        this.#planned += planned;
        this.#ok += ok;
        this.#total += ok + fail + info + dropped;
      }
    }
  }
}

/** Whether an observed value satisfies a threshold. */
export function holds(observed: number, { comparator, limit }: ThresholdPlan): boolean {
  switch (comparator) {
    case '<':
      return observed < limit;
    case '<=':
      return observed <= limit;
    case '>':
      return observed > limit;
    case '>=':
      return observed >= limit;
    case '==':
      return observed === limit;
    case '!=':
      return observed !== limit;
    default:
      return unreachable(comparator);
  }
}

/** Of a few durations; 0 when there is none, because it was watched and nothing happened. `value` is the longest. */
function ofDurations(durationsUs: readonly number[], { aggregate }: ThresholdPlan): number {
  const sorted = [...durationsUs].sort((a, b) => a - b);
  const at = (percentile: number): number => sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1)] ?? 0;
  switch (aggregate.kind) {
    case 'count':
      return sorted.length;
    case 'avg':
      return sorted.length === 0 ? 0 : sorted.reduce((sum, us) => sum + us, 0) / sorted.length;
    case 'min':
      return at(0);
    case 'med':
      return at(50);
    case 'percentile':
      return at(aggregate.percentile);
    default:
      return at(100);
  }
}

function wasInjected(faultId: string, outcome: Outcome): boolean {
  return outcome.faults.some((fault) => fault.faultId === Number(faultId) && fault.injectedAtUs !== null);
}
