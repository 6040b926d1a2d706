/**
 * The charts of a timeline, once for the page and the picture: Chart.js configurations with the plugin options of chartjs-plugin-annotation.
 * Runs in Node and in the browser: imports types of chart.js only, nothing of Node; whoever draws registers the controllers and plugins.
 */
import type { ChartConfiguration, TooltipItem } from 'chart.js';
import { formatBytes } from '../base/units.js';
import { LANE_AXIS, lanedAnnotations, plainAnnotations } from './chartAnnotations.js';
import { baseChart, bucketText, type ChartAnnotations, type ChartSpec, type Point, type Series } from './chartBase.js';
import { type Lanes, lanesOf } from './chartLanes.js';
import { compact, laneScale, logScale, timeScale, valueScale } from './chartScales.js';
import { type ChartTheme, translucent } from './chartTheme.js';
import type { ServerMeasure } from './serverSeries.js';
import type { TimelineData } from './timelineData.js';

export type { ChartSpec } from './chartBase.js';
export { type ChartTheme, darkTheme, lightTheme } from './chartTheme.js';

export interface ChartOptions {
  /** Faults, gaps and events over the curves. */
  bands: boolean;
  /** Of the response chart. */
  logScale: boolean;
  /** Default false. */
  animation?: boolean;
  /** Whose response times; default `all`. */
  operation?: string;
  /** Adds the chart of the servers, where they said anything, with this figure of each. */
  servers?: ServerMeasure;
}

const MAX_REASONS = 8;

/** Distance of points, in steps, beyond which a server's line is broken: it did not answer. */
const SILENT_STEPS = 2.5;

export const serverMeasureTexts: Readonly<Record<ServerMeasure, { name: string; subtitle: string; value(value: number): string }>> = {
  cpu: { name: 'CPU', subtitle: 'cores in use by each server, as it says itself', value: (value) => `${value.toFixed(2)} cores` },
  memory: { name: 'Memory', subtitle: 'used by each server, as it says itself', value: formatBytes },
  ops: { name: 'Operations', subtitle: 'per second of each server, as it says itself', value: (value) => `${compact(value)}/s` },
};

/** Throughput, response time and errors (and clients by group, and servers) on one time axis: `scales.x` has the same limits in all. */
export function buildCharts(timeline: TimelineData, theme: ChartTheme, options: ChartOptions): ChartSpec[] {
  const lanes = lanesOf(timeline);
  const operation = options.operation ?? 'all';
  const measure = timeline.servers === null ? undefined : options.servers;
  const charts: ChartSpec[] = [
    {
      id: 'throughput',
      title: 'Throughput',
      subtitle: `operations per second, by completion, per ${bucketText(timeline.bucketMs)}`,
      config: throughputChart(timeline, lanes, theme, options),
    },
    ...groupsCharts(timeline, lanes, theme, options),
    {
      id: 'response',
      title: 'Response time',
      subtitle: `milliseconds from intended start to reply${operation === 'all' ? '' : ` of ${operation}`}${options.logScale ? ', log scale' : ''}`,
      config: responseChart(timeline, lanes, theme, options, operation),
    },
    ...lagCharts(timeline, lanes, theme, options),
    {
      id: 'errors',
      title: 'Errors by reason',
      subtitle: 'operations per second that did not end ok',
      config: errorsChart(timeline, lanes, theme, options, measure === undefined),
    },
  ];
  if (measure === undefined) return charts;
  const { name, subtitle } = serverMeasureTexts[measure];
  return [...charts, { id: 'servers', title: `Servers: ${name}`, subtitle, config: serversChart(timeline, lanes, theme, options, measure) }];
}

function throughputChart(timeline: TimelineData, lanes: Lanes, theme: ChartTheme, options: ChartOptions): ChartConfiguration<'line'> {
  const { throughput } = timeline;
  const area = (label: string, values: readonly number[], color: string, strength: number): Series => ({
    label,
    data: points(timeline, values),
    borderColor: color,
    backgroundColor: translucent(color, strength),
    borderWidth: 1.25,
    fill: 'stack',
    stack: 'outcomes',
    pointStyle: 'rect',
  });
  const outcomes = (['fail', 'info', 'dropped'] as const)
    .filter((outcome) => throughput[outcome].some((rate) => rate > 0))
    .map((outcome) => ({ ...area(outcome, throughput[outcome], theme[outcome], 0.55), borderWidth: 0 }));
  const planned: Series[] = throughput.planned
    ? [
        {
          label: 'planned',
          data: points(timeline, throughput.planned),
          borderColor: theme.planned,
          borderWidth: 1,
          borderDash: [4, 3],
          stack: 'planned',
          pointStyle: 'line',
        },
      ]
    : [];
  const showLanes = options.bands && lanes.count > 0;
  return chart(timeline, theme, options, {
    datasets: [area('ok', throughput.ok, theme.ok, 0.18), ...outcomes, ...planned],
    scales: {
      // The first y axis is the curves' own, and stands below the next.
      y: { ...valueScale(theme), stacked: true, beginAtZero: true, ...(showLanes ? { stack: 'rows', stackWeight: 1 } : {}) },
      ...(showLanes ? { [LANE_AXIS]: laneScale(lanes, theme) } : {}),
    },
    annotations: showLanes ? lanedAnnotations(timeline, lanes, theme) : {},
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${compact(item.parsed.y ?? 0)}/s`,
  });
}

/** None without groups. */
function groupsCharts(timeline: TimelineData, lanes: Lanes, theme: ChartTheme, options: ChartOptions): ChartSpec[] {
  if (timeline.groups === undefined) return [];
  const datasets = timeline.groups.flatMap(({ name, ok, notOk }, i): Series[] => {
    const color = serverColor(theme, i);
    const line = (label: string, values: readonly number[]): Series => ({
      label,
      data: points(timeline, values),
      borderColor: color,
      backgroundColor: color,
      borderWidth: 1.5,
      pointStyle: 'line',
    });
    return [line(`${name} ok`, ok), { ...line(`${name} errors`, notOk), borderDash: [2, 3] }];
  });
  const config = chart(timeline, theme, options, {
    datasets,
    scales: { y: { ...valueScale(theme), beginAtZero: true } },
    annotations: options.bands ? plainAnnotations(timeline, lanes, theme) : {},
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${compact(item.parsed.y ?? 0)}/s`,
  });
  return [{ id: 'groups', title: 'Clients by group', subtitle: 'operations per second, by completion: ok (line) and not ok (dotted)', config }];
}

function responseChart(
  timeline: TimelineData,
  lanes: Lanes,
  theme: ChartTheme,
  options: ChartOptions,
  operation: string,
): ChartConfiguration<'line'> {
  const latency = timeline.response[operation] ?? { p50: [], p99: [], max: [] };
  const line = (label: string, values: readonly (number | null)[], color: string, width: number): Series => ({
    label,
    data: points(timeline, values),
    borderColor: color,
    backgroundColor: color,
    borderWidth: width,
    pointStyle: 'line',
    // A moment between two silent ones has no line: it gets a dot.
    pointRadius: values.map((value, i) => (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? 1.5 : 0)),
    spanGaps: false,
  });
  const y = options.logScale ? logScale(theme, latency.p50, latency.max) : { ...valueScale(theme), beginAtZero: true };
  return chart(timeline, theme, options, {
    datasets: [line('p50', latency.p50, theme.p50, 1.5), line('p99', latency.p99, theme.p99, 1.5), line('max', latency.max, theme.max, 0.75)],
    scales: { y },
    annotations: options.bands ? plainAnnotations(timeline, lanes, theme) : {},
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${compact(item.parsed.y ?? 0)} ms`,
  });
}

/** None where lag was not measured. A line is broken where nothing is known. */
function lagCharts(timeline: TimelineData, lanes: Lanes, theme: ChartTheme, options: ChartOptions): ChartSpec[] {
  const { lag } = timeline;
  if (lag === undefined) return [];
  const datasets = lag.nodes.map(
    ({ node, tMs, lagMs }, i): Series => ({
      label: node,
      data: tMs.map((at, k) => ({ x: (at + lag.stepMs / 2) / 1000, y: lagMs[k] ?? Number.NaN })),
      borderColor: serverColor(theme, i),
      backgroundColor: serverColor(theme, i),
      borderWidth: 1.5,
      ...(i >= theme.servers.length ? { borderDash: [6, 3] } : {}),
      pointStyle: 'line',
      spanGaps: (2 * SILENT_STEPS * lag.stepMs) / 1000,
    }),
  );
  const all = lag.nodes.flatMap(({ lagMs }) => lagMs);
  const config = chart(timeline, theme, options, {
    datasets,
    scales: { y: options.logScale ? logScale(theme, all, all) : { ...valueScale(theme), beginAtZero: true } },
    annotations: options.bands ? plainAnnotations(timeline, lanes, theme) : {},
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${compact(item.parsed.y ?? 0)} ms`,
  });
  const subtitle = `milliseconds until a write shows on each replica, by the time of the write${options.logScale ? ', log scale' : ''}`;
  return [{ id: 'lag', title: 'Replication lag', subtitle, config }];
}

function errorsChart(timeline: TimelineData, lanes: Lanes, theme: ChartTheme, options: ChartOptions, isLowest: boolean): ChartConfiguration<'line'> {
  const datasets = reasonSeries(timeline).map(([reason, values], i): Series => {
    const color = theme.reasons[i % theme.reasons.length] ?? theme.fail;
    return {
      label: reason,
      data: points(timeline, values),
      borderColor: color,
      backgroundColor: translucent(color, 0.6),
      borderWidth: 0,
      fill: i === 0 ? 'origin' : '-1',
      pointStyle: 'rect',
      stepped: 'middle',
    };
  });
  const y = { ...valueScale(theme), stacked: true, beginAtZero: true, ...(datasets.length === 0 ? { max: 1 } : { grace: '15%' }) };
  return chart(timeline, theme, options, {
    datasets,
    scales: { y },
    timeTitle: isLowest,
    annotations: options.bands ? plainAnnotations(timeline, lanes, theme) : {},
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${compact(item.parsed.y ?? 0)}/s`,
  });
}

function serversChart(
  timeline: TimelineData,
  lanes: Lanes,
  theme: ChartTheme,
  options: ChartOptions,
  measure: ServerMeasure,
): ChartConfiguration<'line'> {
  const { stepMs, nodes } = timeline.servers ?? { stepMs: 0, nodes: [] };
  const text = serverMeasureTexts[measure].value;
  const datasets = nodes.map((series, i): Series => {
    const color = serverColor(theme, i);
    return {
      label: series.node,
      data: series.tMs.map((tMs, at) => ({ x: tMs / 1000, y: series[measure][at] ?? Number.NaN })),
      borderColor: color,
      backgroundColor: color,
      borderWidth: 1.5,
      // Colours that come again are dashed.
      ...(i >= theme.servers.length ? { borderDash: [6, 3] } : {}),
      pointStyle: 'line',
      spanGaps: (SILENT_STEPS * stepMs) / 1000,
    };
  });
  const scale = valueScale(theme);
  const ticks = measure === 'memory' ? { ...scale.ticks, callback: (value: number | string) => formatBytes(Number(value)) } : scale.ticks;
  return chart(timeline, theme, options, {
    datasets,
    scales: { y: { ...scale, ticks, beginAtZero: true, grace: '10%' } },
    timeTitle: true,
    annotations: options.bands ? plainAnnotations(timeline, lanes, theme) : {},
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${text(item.parsed.y ?? 0)}`,
  });
}

/** Of the i-th server, in its chart and wherever else it is shown. */
export function serverColor(theme: ChartTheme, i: number): string {
  return theme.servers[i % theme.servers.length] ?? theme.text;
}

/** Reasons by how often they occurred; those beyond the palette as one. */
function reasonSeries({ reasons }: TimelineData): [string, number[]][] {
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  const sorted = Object.entries(reasons).sort(([, a], [, b]) => total(b) - total(a));
  if (sorted.length <= MAX_REASONS) return sorted;
  const rest = sorted.slice(MAX_REASONS - 1);
  const sums = (rest[0]?.[1] ?? []).map((_, i) => rest.reduce((sum, [, values]) => sum + (values[i] ?? 0), 0));
  return [...sorted.slice(0, MAX_REASONS - 1), [`${rest.length} more`, sums]];
}

interface Parts {
  datasets: Series[];
  scales: Record<string, unknown>;
  annotations: ChartAnnotations;
  tooltip: (item: TooltipItem<'line'>) => string;
  /** Only the lowest chart names the axis that all share. */
  timeTitle?: boolean;
}

/** What all charts of a timeline share. */
function chart(timeline: TimelineData, theme: ChartTheme, options: ChartOptions, parts: Parts): ChartConfiguration<'line'> {
  return baseChart(theme, {
    ...parts,
    scales: { x: timeScale(timeline, theme, parts.timeTitle === true ? 'seconds since t0' : null), ...parts.scales },
    animation: options.animation === true,
    title: (x) => timeText(x, timeline.bucketMs),
  });
}

/** Each bucket at its middle, in seconds. */
function points({ throughput, bucketMs }: TimelineData, values: readonly (number | null)[]): Point[] {
  return throughput.tMs.map((tMs, i) => ({ x: (tMs + bucketMs / 2) / 1000, y: values[i] ?? Number.NaN }));
}

function timeText(middleSeconds: number, bucketMs: number): string {
  const startMs = middleSeconds * 1000 - bucketMs / 2;
  const digits = bucketMs < 1000 ? 1 : 0;
  return `${(startMs / 1000).toFixed(digits)}–${((startMs + bucketMs) / 1000).toFixed(digits)} s`;
}
