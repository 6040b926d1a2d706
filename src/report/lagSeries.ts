/** Replication lag on the time axis: a point per replica and step, the longest lag of its markers. Called by timelineData.ts. No Node imports. */
import type { EventOf, EventRecord } from '../result/records.js';
import { lagEventsByNode } from '../stats/lagSummary.js';

export interface LagSeries {
  /** Points of a replica are about this far apart; farther: nothing is known of the time between. */
  stepMs: number;
  nodes: LagNodeSeries[];
}

/** Lists of equal length, by the time at which a marker was written, in ms. */
export interface LagNodeSeries {
  node: string;
  tMs: number[];
  lagMs: number[];
}

/** Null where no lag was measured. @param everyUs between two markers */
export function lagSeries(events: readonly EventRecord[], everyUs: number, bucketMs: number, endMs: number): LagSeries | null {
  const stepMs = Math.max(bucketMs, everyUs / 1000);
  const nodes = [...lagEventsByNode(events)].map(([node, own]) => nodeSeries(node, own, stepMs, endMs)).filter(({ tMs }) => tMs.length > 0);
  return nodes.length === 0 ? null : { stepMs, nodes };
}

function nodeSeries(node: string, events: readonly EventOf<'lag'>[], stepMs: number, endMs: number): LagNodeSeries {
  const longest = new Map<number, number>();
  for (const { markers } of events) {
    for (const [atUs, lagUs] of markers) {
      if (atUs < 0 || atUs / 1000 > endMs) continue;
      const step = Math.floor(atUs / 1000 / stepMs);
      longest.set(step, Math.max(longest.get(step) ?? 0, lagUs / 1000));
    }
  }
  const steps = [...longest].toSorted(([a], [b]) => a - b);
  return { node, tMs: steps.map(([step]) => step * stepMs), lagMs: steps.map(([, lagMs]) => lagMs) };
}

/** Of the step that holds a time; null: nothing is known. */
export function lagAt({ stepMs }: LagSeries, { tMs, lagMs }: LagNodeSeries, timeMs: number): number | null {
  const step = Math.floor(timeMs / stepMs) * stepMs;
  return lagMs[tMs.indexOf(step)] ?? null;
}
