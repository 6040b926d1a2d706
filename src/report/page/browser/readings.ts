/** What all charts say at one time, in words and figures. Used by readout.ts; pure: no DOM, no chart. */
import { formatCount, formatUs } from '../../../base/units.js';
import { serverColor, serverMeasureTexts } from '../../chartDefinition.js';
import type { ChartTheme } from '../../chartTheme.js';
import { lagAt } from '../../lagSeries.js';
import { type ServerMeasure, serverValueAt } from '../../serverSeries.js';
import type { TimelineData } from '../../timelineData.js';

export interface Reading {
  name: string;
  value: string;
  color: string;
}

export interface Readings {
  /** `12.300 s`, and the phase. */
  time: string;
  parts: { title: string; readings: Reading[] }[];
  /** Faults, incidents and gaps of that time. */
  inForce: string[];
}

/** More would not fit beside the charts; the chart itself has all. */
const MAX_SERVERS = 12;
const OUTCOMES = ['ok', 'fail', 'info', 'dropped'] as const;

/** The bucket that holds the time; the first or last one beyond the ends. */
export function bucketAt({ bucketMs, throughput }: TimelineData, timeMs: number): number {
  return Math.min(Math.max(0, Math.floor(timeMs / bucketMs)), Math.max(0, throughput.tMs.length - 1));
}

export function readingsAt(timeline: TimelineData, theme: ChartTheme, timeMs: number, measure: ServerMeasure): Readings {
  const i = bucketAt(timeline, timeMs);
  const atMs = timeline.throughput.tMs[i] ?? 0;
  const phase = timeline.phases.find(({ startMs, endMs }) => atMs >= startMs && atMs < endMs);
  return {
    time: `${(atMs / 1000).toFixed(timeline.bucketMs < 1000 ? 1 : 0)} s${phase === undefined ? '' : ` · ${phase.name}`}`,
    parts: [
      { title: 'Operations per second', readings: rates(timeline, theme, i) },
      { title: 'Clients by group', readings: groups(timeline, theme, i) },
      { title: 'Response time', readings: latencies(timeline, theme, i) },
      { title: 'Replication lag', readings: lags(timeline, theme, atMs + timeline.bucketMs / 2) },
      { title: 'Errors per second', readings: reasons(timeline, theme, i) },
      { title: `Servers: ${serverMeasureTexts[measure].name}`, readings: servers(timeline, theme, measure, atMs + timeline.bucketMs / 2) },
    ].filter(({ readings }) => readings.length > 0),
    inForce: inForceAt(timeline, atMs, atMs + timeline.bucketMs),
  };
}

function rates({ throughput }: TimelineData, theme: ChartTheme, i: number): Reading[] {
  const shown = OUTCOMES.filter((outcome) => outcome === 'ok' || throughput[outcome].some((rate) => rate > 0));
  const planned = throughput.planned?.[i];
  return [
    ...(planned === undefined ? [] : [{ name: 'planned', value: perSecond(planned), color: theme.planned }]),
    ...shown.map((outcome) => ({ name: outcome, value: perSecond(throughput[outcome][i] ?? 0), color: theme[outcome] })),
  ];
}

function groups({ groups: series = [] }: TimelineData, theme: ChartTheme, i: number): Reading[] {
  return series.map(({ name, ok, notOk }, at) => ({
    name,
    value: `${perSecond(ok[i] ?? 0)} ok, ${perSecond(notOk[i] ?? 0)} not`,
    color: serverColor(theme, at),
  }));
}

function latencies({ response }: TimelineData, theme: ChartTheme, i: number): Reading[] {
  const all = response.all;
  if (all === undefined) return [];
  return (['p50', 'p99', 'max'] as const).map((name) => {
    const ms = all[name][i] ?? null;
    return { name, value: ms === null ? 'no answer' : formatUs(ms * 1000).replace(/(\d)([a-zµ]+)/g, '$1\u00a0$2'), color: theme[name] };
  });
}

function reasons({ reasons: byReason }: TimelineData, theme: ChartTheme, i: number): Reading[] {
  return Object.entries(byReason)
    .sort(([, a], [, b]) => sum(b) - sum(a))
    .map(([name, values], at) => ({
      name,
      value: perSecond(values[i] ?? 0),
      color: theme.reasons[Math.min(at, theme.reasons.length - 1)] ?? theme.fail,
    }));
}

function servers({ servers: series }: TimelineData, theme: ChartTheme, measure: ServerMeasure, timeMs: number): Reading[] {
  return (series?.nodes ?? []).slice(0, MAX_SERVERS).map((node, i) => {
    const value = series === null ? null : serverValueAt(series, node, measure, timeMs);
    return { name: node.node, value: value === null ? '–' : serverMeasureTexts[measure].value(value), color: serverColor(theme, i) };
  });
}

function lags({ lag }: TimelineData, theme: ChartTheme, timeMs: number): Reading[] {
  if (lag === undefined) return [];
  return lag.nodes.slice(0, MAX_SERVERS).map((node, i) => {
    const ms = lagAt(lag, node, timeMs);
    return {
      name: node.node,
      value: ms === null ? 'not known' : formatUs(ms * 1000).replace(/(\d)([a-zµ]+)/g, '$1\u00a0$2'),
      color: serverColor(theme, i),
    };
  });
}

function inForceAt({ faults, incidents, gaps, marks }: TimelineData, fromMs: number, toMs: number): string[] {
  const bands = [...faults, ...incidents].filter(({ startMs, endMs }) => startMs < toMs && (endMs ?? Number.POSITIVE_INFINITY) > fromMs);
  const open = gaps.filter(({ shard, startMs, endMs }) => typeof shard === 'number' && startMs < toMs && endMs > fromMs);
  const events = marks.filter(({ tMs }) => tMs >= fromMs && tMs < toMs);
  return [...bands, ...open, ...events].map(({ label }) => label);
}

function perSecond(rate: number): string {
  return `${formatCount(rate)}\u00a0/s`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
