/** The axes of the charts, and numbers on them. Used by chartDefinition.ts. No Node imports. */
import type { ScaleOptionsByType } from 'chart.js';
import { LANE_PX } from './chartAnnotations.js';
import type { Lanes } from './chartLanes.js';
import type { ChartTheme } from './chartTheme.js';

/** Wide enough for the names of lanes; equal in all charts, so that their time axes align. */
const LEFT_PX = 76;
/** Legend above and time axis below the rows and curves. */
const CHART_EDGES_PX = 60;

/** Seconds, the same in all charts. @param title null: the axis has none */
export function timeScale({ startMs, endMs }: { startMs: number; endMs: number }, theme: ChartTheme, title: string | null): unknown {
  return {
    type: 'linear',
    min: startMs / 1000,
    max: endMs / 1000,
    grid: { color: theme.grid },
    border: { color: theme.grid },
    title: { display: title !== null, text: title ?? '', color: theme.mutedText, font: { family: theme.fontFamily, size: 11 }, padding: 0 },
    ticks: { color: theme.mutedText, font: { family: theme.fontFamily, size: 11 }, maxRotation: 0, autoSkipPadding: 12, includeBounds: false },
  };
}

export function valueScale(theme: ChartTheme) {
  return {
    type: 'linear' as const,
    afterFit: fixedWidth,
    grid: { color: theme.grid },
    border: { display: false },
    ticks: {
      color: theme.mutedText,
      font: { family: theme.fontFamily, size: 11 },
      maxTicksLimit: 6,
      callback: (value: number | string) => compact(Number(value)),
    },
  };
}

/** Decades as ticks, and 2 and 5 between them where there are few. */
export function logScale(theme: ChartTheme, low: readonly (number | null)[], high: readonly (number | null)[]) {
  const min = 10 ** Math.floor(Math.log10(extreme(low, Math.min, 0.1)));
  const max = nextRound(extreme(high, Math.max, 10));
  const steps = Math.log10(max / min) > 2.5 ? [1] : [1, 2, 5];
  const ticks: { value: number }[] = [];
  for (let decade = min; decade <= max * 1.001; decade *= 10) {
    ticks.push(...steps.map((step) => ({ value: Number((decade * step).toPrecision(3)) })).filter(({ value }) => value <= max * 1.001));
  }
  return {
    ...valueScale(theme),
    type: 'logarithmic' as const,
    min,
    max,
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = ticks;
    },
  };
}

export function laneScale(lanes: Lanes, theme: ChartTheme): unknown {
  return {
    type: 'linear',
    axis: 'y',
    position: 'left',
    min: 0,
    // Half a row of distance to the curves.
    max: lanes.count + 0.5,
    reverse: true,
    stack: 'rows',
    // The rows keep their height in pixels; the curves get the rest.
    stackWeight: ({ chart: drawn }: { chart: { height: number } }) => {
      const rowsPx = (lanes.count + 0.5) * LANE_PX;
      return rowsPx / Math.max(60, drawn.height - CHART_EDGES_PX - rowsPx);
    },
    afterFit: fixedWidth,
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = lanes.titles.map((_, i) => ({ value: i + 0.5 }));
    },
    grid: { display: false },
    border: { display: false },
    ticks: {
      autoSkip: false,
      color: theme.mutedText,
      font: { family: theme.fontFamily, size: 11 },
      callback: (_value: number | string, index: number) => lanes.titles[index] ?? '',
    },
  };
}

function fixedWidth(scale: Partial<ScaleOptionsByType> & { width?: number }): void {
  scale.width = LEFT_PX;
}

function extreme(values: readonly (number | null)[], pick: (a: number, b: number) => number, otherwise: number): number {
  let result: number | null = null;
  for (const value of values) if (value !== null && value > 0) result = result === null ? value : pick(result, value);
  return result ?? otherwise;
}

/** The next 1, 2 or 5 times a power of ten. */
function nextRound(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  return decade * (value <= decade ? 1 : value <= 2 * decade ? 2 : value <= 5 * decade ? 5 : 10);
}

/** 1500 → `1.5k`; small numbers with the digits they need. */
export function compact(value: number): string {
  if (Math.abs(value) >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`;
  if (Math.abs(value) >= 10_000) return `${Number((value / 1000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(4)));
}
