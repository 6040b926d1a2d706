/**
 * What the servers said of themselves, on the time axis of the charts: points per node, fewer for long runs. Called by timelineData.ts;
 * the page and its charts read the result. No Node imports.
 */
import type { EventOf, EventRecord } from '../result/records.js';
import { cpuSharesOf, OPS_AVERAGE_US, samplesByNode } from '../stats/serverSummary.js';

/** What a chart of the servers can show. */
export const serverMeasures = ['cpu', 'memory', 'ops'] as const;
export type ServerMeasure = (typeof serverMeasures)[number];

export interface ServerSeries {
  /** Points of a node are about this far apart; farther: it did not answer. */
  stepMs: number;
  nodes: ServerNodeSeries[];
}

/** Lists of equal length; null where the server does not say. */
export interface ServerNodeSeries extends Record<ServerMeasure, (number | null)[]> {
  node: string;
  /** ms since t0. */
  tMs: number[];
}

const STEPS_MS = [1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];
/** Keeps the page of a long run on many nodes small. */
const MAX_POINTS = 600;

/** Null when no server said anything between t0 and `endMs`. */
export function serverSeries(events: readonly EventRecord[], endMs: number): ServerSeries | null {
  const stepMs = STEPS_MS.find((step) => endMs / step <= MAX_POINTS) ?? (STEPS_MS.at(-1) as number);
  const nodes = [...samplesByNode(events)].map(([node, samples]) => nodeSeries(node, samples, stepMs, endMs)).filter(({ tMs }) => tMs.length > 0);
  return nodes.length > 0 ? { stepMs, nodes } : null;
}

/** A point is the mean of the samples of a step. */
function nodeSeries(node: string, samples: readonly EventOf<'server'>[], stepMs: number, endMs: number): ServerNodeSeries {
  const series: ServerNodeSeries = { node, tMs: [], cpu: [], memory: [], ops: [] };
  const shares = cpuSharesOf(samples);
  let from = 0;
  while (from < samples.length) {
    const step = stepOf(samples[from], stepMs);
    let to = from + 1;
    while (to < samples.length && stepOf(samples[to], stepMs) === step) to++;
    const members = samples.slice(from, to);
    const tMs = Math.round(meanOf(members.map(({ tUs }) => tUs / 1000)) ?? 0);
    if (tMs >= 0 && tMs <= endMs) {
      series.tMs.push(tMs);
      series.cpu.push(rounded(meanOf(shares.slice(from, to)), 4));
      series.memory.push(rounded(meanOf(members.map(({ sample }) => sample.usedMemoryBytes)), 0));
      series.ops.push(rounded(meanOf(members.map(({ tUs, sample }) => (tUs < OPS_AVERAGE_US ? null : sample.opsPerSec))), 0));
    }
    from = to;
  }
  return series;
}

/** What a node said around a time; null: nothing near it. */
export function serverValueAt({ stepMs }: ServerSeries, series: ServerNodeSeries, measure: ServerMeasure, timeMs: number): number | null {
  let nearest = -1;
  let distanceMs = stepMs;
  for (const [i, tMs] of series.tMs.entries()) {
    if (Math.abs(tMs - timeMs) > distanceMs) continue;
    nearest = i;
    distanceMs = Math.abs(tMs - timeMs);
  }
  return series[measure][nearest] ?? null;
}

function stepOf(event: EventOf<'server'> | undefined, stepMs: number): number {
  return Math.floor((event?.tUs ?? 0) / 1000 / stepMs);
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function rounded(value: number | null, digits: number): number | null {
  return value === null ? null : Number(value.toFixed(digits));
}
