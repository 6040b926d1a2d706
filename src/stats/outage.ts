/** The worst outage of a run and what its time went into. Pure; for the sentence and the advice (narrative.ts). */
import type { FaultSummary, Gap, Summary } from '../result/summary.js';

export interface Outage {
  /** The fault or incident. */
  fault: FaultSummary;
  /** Its longest gap on a shard that it hit; of writes, if they had one. */
  gap: Gap;
  isIncident: boolean;
}

const HEAL_CONFIRMED_LATE_MS = 500;

export interface OutagePart {
  name: 'detection' | 'election' | 'promotion' | 'switch' | 'heal' | 'client';
  ms: number;
}

/** The fault or incident with the longest gap on its own shards; null when none has one. */
export function worstOutage({ faults, incidents, availability }: Pick<Summary, 'faults' | 'incidents' | 'availability'>): Outage | null {
  const outages: Outage[] = [];
  for (const fault of faults) {
    const gap = worstGap(availability.gaps.filter((one) => one.faultId === fault.id && !one.collateral));
    if (gap) outages.push({ fault, gap, isIncident: false });
  }
  for (const incident of incidents) {
    const shards = new Set(incident.targets.map((target) => target.shard));
    const untilMs = incident.clientRecoveredMs ?? Number.POSITIVE_INFINITY;
    const own = availability.gaps.filter(
      (gap) =>
        gap.faultId === null &&
        typeof gap.shard === 'number' &&
        shards.has(gap.shard) &&
        gap.endMs >= (incident.injectedAtMs ?? 0) &&
        gap.startMs <= untilMs,
    );
    const gap = worstGap(own);
    if (gap) outages.push({ fault: incident, gap, isIncident: true });
  }
  return outages.reduce<Outage | null>((worst, one) => (worst === null || one.gap.durationMs > worst.gap.durationMs ? one : worst), null);
}

/**
 * What the gap's time went into, from its start to its end; the parts add up to its length. Empty when no milestone in it tells:
 * detection + election (+ the sentinels' switch) + client where a replica took over, until the heal + client where the heal ended it.
 */
export function outageParts({ fault, gap }: Outage): OutagePart[] {
  const inGap = (ms: number | null): number | null => (ms !== null && ms > gap.startMs && ms <= gap.endMs ? ms : null);
  if (fault.clientRecoveredMs === null) return [];
  const detectedMs = inGap(fault.detectedMs);
  const promotedMs = inGap(fault.promotedMs);
  const switchedMs = inGap(fault.sentinel?.switchedMs ?? null);
  // Confirming a heal takes a moment, in which clients can be served already.
  const healMs =
    fault.healedAtMs !== null && fault.healedAtMs <= gap.endMs + HEAL_CONFIRMED_LATE_MS ? inGap(Math.min(fault.healedAtMs, gap.endMs)) : null;
  if (promotedMs !== null && detectedMs !== null && detectedMs <= promotedMs) {
    return partsOf(gap, [
      { name: 'detection', untilMs: detectedMs },
      { name: 'election', untilMs: promotedMs },
      ...(switchedMs !== null && switchedMs >= promotedMs ? [{ name: 'switch' as const, untilMs: switchedMs }] : []),
    ]);
  }
  if (promotedMs !== null) return partsOf(gap, [{ name: 'promotion', untilMs: promotedMs }]);
  return healMs === null ? [] : partsOf(gap, [{ name: 'heal', untilMs: healMs }]);
}

/** Rounded to 10 ms so that the parts that are shown add up to the whole that is shown, without those that are nothing; the last is the client's. */
function partsOf(gap: Gap, steps: readonly { name: OutagePart['name']; untilMs: number }[]): OutagePart[] {
  const parts: OutagePart[] = [];
  let doneMs = 0;
  for (const { name, untilMs } of [...steps, { name: 'client' as const, untilMs: gap.endMs }]) {
    const sinceStartMs = Math.round((untilMs - gap.startMs) / 10) * 10;
    parts.push({ name, ms: sinceStartMs - doneMs });
    doneMs = sinceStartMs;
  }
  return parts.filter((part) => part.ms > 0);
}

function worstGap(gaps: readonly Gap[]): Gap | null {
  const ofShards = gaps.filter((gap) => typeof gap.shard === 'number');
  const writes = ofShards.filter((gap) => gap.kind === 'write');
  const candidates = writes.length > 0 ? writes : ofShards;
  return candidates.reduce<Gap | null>((worst, gap) => (worst === null || gap.durationMs > worst.durationMs ? gap : worst), null);
}
