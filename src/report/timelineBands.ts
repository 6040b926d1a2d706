/** Bands and marks of the timeline, from the summary: what was in force when, what was silent when, and what happened. Used by timelineData.ts. */
import { formatSeconds } from '../base/units.js';
import type { Plan } from '../plan/plan.js';
import type { NodeRef, RunRecord } from '../result/records.js';
import type { FaultSummary, Summary } from '../result/summary.js';
import { sidesText } from './groupSeries.js';
import type { MarkKind, TimelineBand, TimelineGap, TimelineMark } from './timelineData.js';

const INCIDENT_COLOR = '#6b7280';

/** Faults that were injected. */
export function faultBands(summary: Summary, plan: Plan): TimelineBand[] {
  return summary.faults.flatMap((fault): TimelineBand[] => {
    if (fault.injectedAtMs === null) return [];
    const shading = plan.chaos.find(({ id }) => id === fault.id)?.shading ?? { color: INCIDENT_COLOR, label: fault.kind };
    const targets = fault.sides ? sidesText(fault.kind, fault.sides) : targetsText(fault.targets);
    return [
      {
        id: fault.id,
        kind: fault.kind,
        label: labelOf(`${shading.label} ${fault.id}`, targets),
        color: shading.color,
        startMs: fault.injectedAtMs,
        endMs: fault.healedAtMs,
        targets,
      },
    ];
  });
}

/** Outages nobody scheduled: from their first sign to the moment that all is as before, as far as that was seen. */
export function incidentBands(summary: Summary): TimelineBand[] {
  return summary.incidents.flatMap((incident): TimelineBand[] => {
    const startMs = startOf(incident);
    if (startMs === null) return [];
    const targets = targetsText(incident.targets);
    const endMs = incident.healedAtMs ?? incident.redundancyRestoredMs ?? incident.clientRecoveredMs;
    return [
      { id: incident.id, kind: incident.kind, label: labelOf(`incident ${incident.id}`, targets), color: INCIDENT_COLOR, startMs, endMs, targets },
    ];
  });
}

export function gapBands(summary: Summary): TimelineGap[] {
  return summary.availability.gaps.map(({ shard, kind, startMs, endMs, durationMs, faultId, collateral }) => {
    const who = typeof shard === 'number' ? `shard ${shard}` : shard === 'any' ? 'any shard' : 'all shards';
    return { shard, kind, startMs, endMs, label: `${who} ${kind}s: no answer ${formatSeconds(durationMs)}`, faultId, collateral };
  });
}

/** In order of time. */
export function timelineMarks(summary: Summary, run: RunRecord): TimelineMark[] {
  const cluster = run.target?.topology === 'cluster';
  const { gaps } = summary.availability;
  const detected = cluster ? 'FAIL agreed' : run.target?.topology === 'sentinel' ? 'odown' : 'failure seen';
  const words = (recovered: string): Words => ({ detected, recovered });
  const marks = [
    ...summary.faults.flatMap((fault) => {
      const writes = gaps.some(({ faultId, collateral, kind }) => faultId === fault.id && !collateral && kind === 'write');
      return marksOf(fault, fault.kind === 'kill' ? 'kill' : 'injected', fault.kind, words(writes ? 'writes again' : 'answers again'));
    }),
    ...summary.incidents.flatMap((incident) => marksOf(incident, 'incident', 'incident', words('answers again'))),
  ];
  return marks.sort((a, b) => a.tMs - b.tMs);
}

interface Words {
  detected: string;
  recovered: string;
}

function marksOf(fault: FaultSummary, startKind: MarkKind, startWord: string, words: Words): TimelineMark[] {
  const startMs = startOf(fault);
  if (startMs === null) return [];
  const since = (tMs: number): string => `+${formatSeconds(tMs - startMs)}`;
  const at = (tMs: number | null, kind: MarkKind, label: string): TimelineMark[] =>
    tMs === null ? [] : [{ tMs, kind, label: `${label} ${since(tMs)}` }];
  return [
    { tMs: startMs, kind: startKind, label: `${startWord} ${nodesText(fault.targets)}`.trim() },
    ...at(fault.firstErrorMs, 'firstError', 'first error'),
    ...at(fault.detectedMs, 'detected', words.detected),
    ...at(fault.promotedMs, 'promoted', 'promoted'),
    ...at(fault.sentinel?.switchedMs ?? null, 'promoted', 'switched'),
    ...at(fault.clientRecoveredMs, 'clientRecovered', words.recovered),
    ...(fault.healedAtMs === null ? [] : [{ tMs: fault.healedAtMs, kind: 'healed' as const, label: healLabel(fault) }]),
    ...at(fault.redundancyRestoredMs, 'redundancyRestored', 'redundancy restored'),
  ];
}

function healLabel(fault: FaultSummary): string {
  const verbs: Record<string, string> = { kill: 'restarted', restart: 'started again', pause: 'resumed', toxic: 'toxics removed' };
  const nodes = nodesText(fault.targets);
  const verb = verbs[fault.kind] ?? 'healed';
  return fault.kind === 'toxic' || fault.sides || nodes === '' ? verb : `${nodes} ${verb}`;
}

function startOf(fault: FaultSummary): number | null {
  return fault.injectedAtMs ?? fault.firstErrorMs;
}

function labelOf(name: string, targets: string): string {
  return targets === '' ? name : `${name}: ${targets}`;
}

/** `n1 (shard 0)`; more than three are counted. */
function targetsText(targets: readonly NodeRef[]): string {
  if (targets.length > 3) return `${targets.length} nodes`;
  return targets.map(({ node, shard }) => (shard === null ? node : `${node} (shard ${shard})`)).join(', ');
}

function nodesText(targets: readonly NodeRef[]): string {
  return targets.length > 3 ? `${targets.length} nodes` : targets.map(({ node }) => node).join(', ');
}
