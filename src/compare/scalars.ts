/** What a run has one value of, from its summary: gaps, milestones of faults, lost writes, the generator. Pure; used by sides.ts. */
import type { FaultSummary, Summary } from '../result/summary.js';
import type { Measure } from './measures.js';

/** In the unit of the measure. Null: the run has none; infinite: it never ended. */
export function scalarOf(measure: Measure, summary: Summary): number | null {
  switch (measure.metric) {
    case 'gap':
      return gapOf(measure, summary);
    case 'rto':
      return worst(measure, summary, (fault) => recoveryUs(fault, summary));
    case 'detection':
      return worst(measure, summary, (fault) => between(fault.injectedAtMs, fault.detectedMs));
    case 'promotion':
      return worst(measure, summary, (fault) => between(fault.detectedMs, fault.promotedMs));
    case 'p99_recovery':
      return worst(measure, summary, (fault) => between(fault.injectedAtMs, fault.p99RecoveredMs));
    case 'redundancy':
      return worst(measure, summary, (fault) => between(fault.injectedAtMs, fault.redundancyRestoredMs));
    case 'lost_writes':
      return lostWrites(summary);
    case 'generator_utilization':
      return summary.generator.eventLoopUtilization;
    default:
      return null;
  }
}

/** Lost increments of counters are among them. None lost is not known while keys could not be read back. Summaries of earlier versions have none. */
function lostWrites({ consistency }: Summary): number | null {
  if (!consistency) return null;
  const lost = consistency.lostWrites + consistency.counters.lost;
  return lost === 0 && consistency.unverifiedKeys > 0 ? null : lost;
}

/** The longest (or how many): without any, 0, which is what a run without an outage has. */
function gapOf({ tags, aggregate }: Measure, { availability }: Summary): number {
  const { shard = 'any', op, fault } = tags;
  const kind = op === undefined ? null : op === 'get' ? 'read' : 'write';
  const gaps = availability.gaps.filter(
    (gap) => String(gap.shard) === shard && (kind === null || gap.kind === kind) && (fault === undefined || gap.faultId === Number(fault)),
  );
  return aggregate === 'count' ? gaps.length : Math.max(0, ...gaps.map((gap) => gap.durationMs * 1000));
}

/** Of the fault that is named, or the longest of all that were injected. */
function worst({ tags }: Measure, { faults }: Summary, timeOf: (fault: FaultSummary) => number | null): number | null {
  const wanted = faults.filter(({ id, injectedAtMs }) => injectedAtMs !== null && (tags.fault === undefined || id === Number(tags.fault)));
  const times = wanted.map(timeOf).filter((time) => time !== null);
  return times.length === 0 ? null : Math.max(...times);
}

function between(fromMs: number | null, toMs: number | null): number | null {
  return fromMs === null || toMs === null ? null : Math.max(0, toMs - fromMs) * 1000;
}

/** 0 where clients felt nothing; infinite where they never recovered. */
function recoveryUs(fault: FaultSummary, { availability }: Summary): number {
  if (fault.rtoMs !== null) return fault.rtoMs * 1000;
  const felt = availability.gaps.some((gap) => typeof gap.shard === 'number' && gap.faultId === fault.id && !gap.collateral);
  return felt ? Number.POSITIVE_INFINITY : 0;
}
