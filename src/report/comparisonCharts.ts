/**
 * The charts of a comparison, once for the page and the picture: both sides over time, and their percentile spectra. Runs in Node and in the
 * browser: imports types of chart.js and of the data only, nothing of Node.
 */
import type { ChartAnnotations, ChartSpec, Point, Series } from './chartBase.js';
import { baseChart, bucketText } from './chartBase.js';
import { compact, logScale, timeScale, valueScale } from './chartScales.js';
import { type ChartTheme, translucent } from './chartTheme.js';
import type { ComparisonOverlay, OverlaySeries, OverlaySide, SideName, Spectrum, SpectrumSide } from './comparisonOverlay.js';

export interface ComparisonChartOptions {
  /** Single runs beside the median, and their range in the spectra. */
  runs: boolean;
  /** Of the response charts. */
  logScale: boolean;
}

const SIDES: readonly SideName[] = ['base', 'candidate'];
const LABEL_PX = 11;
const LABEL_ROW_PX = 16;
/** Of the middle of the first row, below the upper edge. */
const LABEL_DOWN_PX = 9;
/** Above the curves, per row of labels. */
const HEADROOM_PERCENT = 9;
const MAX_MARK_ROWS = 3;
/** More would stand on each other: then only lines show, and the box of the pointer names them. */
const MAX_LABELLED_MARKS = 6;
/** So far from the right edge a label stands to the left of its line. */
const LABEL_ROOM_PX = 150;

/** Blue and orange are told apart by nearly everybody; the base's median is dashed besides. */
export function sideColor(theme: ChartTheme, side: SideName): string {
  return side === 'base' ? theme.p50 : theme.p99;
}

/** Throughput and p99 of both sides on one time axis: `scales.x` has the same limits in both. */
export function buildOverlayCharts(overlay: ComparisonOverlay, theme: ChartTheme, options: ComparisonChartOptions): ChartSpec[] {
  const per = `per ${bucketText(overlay.bucketMs)}, by completion`;
  return [
    overlayChart(overlay, theme, options, {
      id: 'overlay-throughput',
      title: 'Throughput',
      subtitle: `operations answered ok per second, ${per}`,
      key: 'throughput',
      unit: '/s',
      logScale: false,
      timeTitle: null,
    }),
    overlayChart(overlay, theme, options, {
      id: 'overlay-p99',
      title: 'Response p99',
      subtitle: `milliseconds from intended start to reply, ${per}${options.logScale ? ', log scale' : ''}`,
      key: 'p99Ms',
      unit: ' ms',
      logScale: options.logScale,
      timeTitle: overlay.anchor.kind === 'fault' ? `seconds since the ${overlay.anchor.text}` : 'seconds since t0',
    }),
  ];
}

interface OverlayParts {
  id: string;
  title: string;
  subtitle: string;
  key: keyof OverlaySeries;
  unit: string;
  logScale: boolean;
  timeTitle: string | null;
}

function overlayChart(overlay: ComparisonOverlay, theme: ChartTheme, options: ComparisonChartOptions, parts: OverlayParts): ChartSpec {
  const { key } = parts;
  const datasets: Series[] = [];
  const legend: NonNullable<ChartSpec['legend']> = [];
  const medianNames = new Map<SideName, string>(SIDES.map((side) => [side, medianName(side, overlay.sides[side])]));
  for (const side of SIDES) {
    const { runs, runCount } = overlay.sides[side];
    const color = sideColor(theme, side);
    if (!options.runs || runCount < 2) continue;
    legend.push({ name: `${side} runs`, color: translucent(color, 0.4), datasets: runs.map((_, i) => datasets.length + i) });
    for (const run of runs) {
      datasets.push({
        ...line(`${side} ${run.id}`, pointsOf(overlay, run[key])),
        borderColor: translucent(color, 0.3),
        borderWidth: 0.75,
      });
    }
  }
  for (const side of SIDES) {
    const color = sideColor(theme, side);
    legend.push({ name: medianNames.get(side) as string, color, datasets: [datasets.length], dashed: side === 'base' });
    const values = overlay.sides[side].median[key];
    datasets.push({
      ...line(medianNames.get(side) as string, pointsOf(overlay, values)),
      borderColor: color,
      backgroundColor: color,
      borderWidth: 2.25,
      ...(side === 'base' ? { borderDash: [7, 3] } : {}),
      // A moment between two silent ones has no line: it gets a dot.
      pointRadius: values.map((value, i) => (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null ? 1.5 : 0)),
    });
  }
  const shown = SIDES.flatMap((side) => [overlay.sides[side].median[key], ...(options.runs ? overlay.sides[side].runs.map((run) => run[key]) : [])]);
  const labelled = key === 'throughput';
  const headroom = labelled ? { grace: `${labelRows(overlay) * HEADROOM_PERCENT}%` } : {};
  const y = parts.logScale ? logScale(theme, shown.flat(), shown.flat()) : { ...valueScale(theme), beginAtZero: true, ...headroom };
  const config = baseChart(theme, {
    datasets,
    scales: { x: timeScale(overlay, theme, parts.timeTitle), y },
    annotations: overlayAnnotations(overlay, theme, labelled),
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${compact(item.parsed.y ?? 0)}${parts.unit}`,
    title: (x) => `${x.toFixed(1)} s`,
    inLegend: (label) => [...medianNames.values()].includes(label),
  });
  return { id: parts.id, title: parts.title, subtitle: parts.subtitle, config, legend };
}

function medianName(side: SideName, { label, runCount }: OverlaySide): string {
  return `${side}: ${label}${runCount > 1 ? `, median of ${runCount} runs` : ''}`;
}

/** Response time of an operation by percentile, both sides. */
export function buildSpectrumChart(overlay: ComparisonOverlay, theme: ChartTheme, options: ComparisonChartOptions, operation: string): ChartSpec {
  const spectrum = overlay.spectra[operation] ?? emptySpectrum;
  const datasets: Series[] = [];
  const legend: NonNullable<ChartSpec['legend']> = [];
  const names = new Map<SideName, string>(SIDES.map((side) => [side, `${side}: ${overlay.sides[side].label}`]));
  for (const side of SIDES) {
    const { lowMs, highMs } = spectrum[side];
    if (!options.runs || lowMs.every((value) => value === null)) continue;
    const color = sideColor(theme, side);
    const edge = (values: readonly (number | null)[], label: string): Series => ({
      ...line(label, spectrumPoints(spectrum, values)),
      borderWidth: 0,
      backgroundColor: translucent(color, 0.18),
    });
    legend.push({ name: `${side}: range of runs`, color: translucent(color, 0.4), datasets: [datasets.length, datasets.length + 1] });
    datasets.push(edge(lowMs, `${side} lowest run`), { ...edge(highMs, `${side} highest run`), fill: '-1' });
  }
  for (const side of SIDES) {
    const color = sideColor(theme, side);
    legend.push({ name: names.get(side) as string, color, datasets: [datasets.length], dashed: side === 'base' });
    datasets.push({
      ...line(names.get(side) as string, spectrumPoints(spectrum, spectrum[side].mergedMs)),
      borderColor: color,
      backgroundColor: color,
      borderWidth: 2.25,
      ...(side === 'base' ? { borderDash: [7, 3] } : {}),
    });
  }
  const low = SIDES.flatMap((side) => [...spectrum[side].mergedMs, ...spectrum[side].lowMs]);
  const high = SIDES.flatMap((side) => [...spectrum[side].mergedMs, ...spectrum[side].highMs]);
  const config = baseChart(theme, {
    datasets,
    scales: {
      x: percentileScale(spectrum, theme),
      y: options.logScale ? logScale(theme, low, high) : { ...valueScale(theme), beginAtZero: true },
    },
    annotations: {},
    tooltip: (item) => ` ${item.dataset.label ?? ''}: ${compact(item.parsed.y ?? 0)} ms`,
    title: percentileText,
    inLegend: (label) => [...names.values()].includes(label),
  });
  const subtitle = `milliseconds from intended start to reply of ${operation === 'all' ? 'all operations' : operation}${options.logScale ? ', log scale' : ''}`;
  return { id: 'spectrum', title: 'Percentile spectrum', subtitle, config, legend };
}

const emptySide: SpectrumSide = { mergedMs: [], lowMs: [], highMs: [], count: 0 };
const emptySpectrum: Spectrum = { x: [], base: emptySide, candidate: emptySide };

/** x = log10(1 / (1 − p)) as a percentile: 2 → `p99`. */
export function percentileText(x: number): string {
  const percent = 100 * (1 - 10 ** -x);
  return `p${Number(percent.toFixed(Math.max(1, Math.ceil(x))))}`;
}

function percentileScale({ x }: Spectrum, theme: ChartTheme): unknown {
  const max = Math.max(1, x.at(-1) ?? 1);
  const decades = Array.from({ length: Math.floor(max + 1e-9) + 1 }, (_, decade) => decade);
  const ticks = [0, Math.log10(2), ...decades.slice(1)].map((value) => ({ value }));
  return {
    type: 'linear',
    min: 0,
    max,
    grid: { color: theme.grid },
    border: { color: theme.grid },
    title: { display: true, text: 'percentile', color: theme.mutedText, font: { family: theme.fontFamily, size: 11 }, padding: 0 },
    afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
      scale.ticks = ticks;
    },
    ticks: {
      color: theme.mutedText,
      font: { family: theme.fontFamily, size: 11 },
      maxRotation: 0,
      autoSkip: false,
      callback: (value: number | string) => percentileText(Number(value)),
    },
  };
}

/** The moment all runs are aligned at, and what came later, on the side it came. */
function overlayAnnotations(overlay: ComparisonOverlay, theme: ChartTheme, labelled: boolean): ChartAnnotations {
  const annotations: ChartAnnotations = {};
  const add = (id: string, tMs: number, color: string, text: string, row: number | null): void => {
    annotations[id] = {
      type: 'line',
      drawTime: 'beforeDatasetsDraw',
      adjustScaleRange: false,
      xScaleID: 'x',
      xMin: tMs / 1000,
      xMax: tMs / 1000,
      borderColor: color,
      borderWidth: 1,
      borderDash: [3, 3],
    };
    if (!labelled || row === null) return;
    annotations[`${id}Label`] = {
      type: 'label',
      drawTime: 'afterDraw',
      adjustScaleRange: false,
      content: text,
      display: ({ chart }) => tMs / 1000 >= (chart.scales.x?.min ?? 0) && tMs / 1000 <= (chart.scales.x?.max ?? 0),
      xScaleID: 'x',
      xValue: ({ chart }) => {
        const x = chart.scales.x;
        if (x === undefined) return tMs / 1000;
        return x.getValueForPixel(Math.min(x.getPixelForValue(tMs / 1000), x.right - LABEL_ROOM_PX)) ?? tMs / 1000;
      },
      yValue: ({ chart }) => chart.scales.y?.getValueForPixel((chart.chartArea?.top ?? 0) + LABEL_DOWN_PX + row * LABEL_ROW_PX) ?? 0,
      position: { x: 'start', y: 'center' },
      color: theme.text,
      backgroundColor: translucent(theme.background, 0.8),
      font: { size: LABEL_PX, family: theme.fontFamily },
      padding: { top: 1, bottom: 1, left: 3, right: 3 },
      textAlign: 'left',
    };
  };
  if (overlay.anchor.kind === 'fault') add('anchor', 0, theme.text, overlay.anchor.text, 0);
  const areNamed = overlay.marks.length <= MAX_LABELLED_MARKS;
  overlay.marks.forEach(({ tMs, label, side }, i) => {
    add(`mark${i}`, tMs, sideColor(theme, side), `${label}, ${side}`, areNamed ? 1 + (i % MAX_MARK_ROWS) : null);
  });
  return annotations;
}

/** Rows of labels that stand above the curves. */
function labelRows({ anchor, marks }: ComparisonOverlay): number {
  if (anchor.kind === 't0') return 0;
  return 1 + (marks.length <= MAX_LABELLED_MARKS ? Math.min(marks.length, MAX_MARK_ROWS) : 0);
}

function line(label: string, data: Point[]): Series {
  return { label, data, pointStyle: 'line', spanGaps: false };
}

/** Each bucket at its middle, in seconds. */
function pointsOf({ tMs, bucketMs }: ComparisonOverlay, values: readonly (number | null)[]): Point[] {
  return tMs.map((startMs, i) => ({ x: (startMs + bucketMs / 2) / 1000, y: values[i] ?? Number.NaN }));
}

function spectrumPoints({ x }: Spectrum, values: readonly (number | null)[]): Point[] {
  return x.map((at, i) => ({ x: at, y: values[i] ?? Number.NaN }));
}
