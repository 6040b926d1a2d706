/**
 * What lies over and above the curves: warm-up, faults, gaps, events, as options of chartjs-plugin-annotation. Used by chartDefinition.ts.
 * Positions of labels are computed at every layout of the chart (scriptable options), so that they hold at any size and zoom. No Node imports.
 */
import type { Chart } from 'chart.js';
import type { BoxAnnotation, LabelAnnotation, LineAnnotation, Scriptable } from './chartAnnotationTypes.js';
import { type LabelPlace, staggerLabels } from './chartLabelLayout.js';
import type { LaneBar, Lanes } from './chartLanes.js';
import { type ChartTheme, translucent } from './chartTheme.js';
import type { TimelineData } from './timelineData.js';

export const LANE_PX = 19;
const FONT_PX = 11;
const LABEL_ROW_PX = 15;
const PLAIN_LABEL_ROWS = 2;
const LABEL_PADDING_PX = 3;
const BAR_INSET = 0.14;
export const LANE_AXIS = 'lanes';

type Annotations = Record<string, BoxAnnotation | LineAnnotation | LabelAnnotation>;

/** Of the chart that has the lanes: everything, labelled. */
export function lanedAnnotations(timeline: TimelineData, lanes: Lanes, theme: ChartTheme): Annotations {
  const annotations: Annotations = { ...grounds(timeline, theme, lanes.count > 0) };
  lanes.faults.forEach((bar, i) => {
    Object.assign(annotations, barAnnotations(`fault${i}`, bar, lanes.faults, theme));
  });
  lanes.gaps.forEach((bar, i) => {
    Object.assign(annotations, barAnnotations(`gap${i}`, bar, lanes.gaps, theme));
  });
  lanes.starts.forEach((tMs, i) => {
    annotations[`start${i}`] = { ...markLine(tMs, theme), yScaleID: LANE_AXIS, yMin: 0, yMax: plotBottom };
  });
  lanes.marks.forEach((mark, i) => {
    const place: Scriptable<LabelPlace | null> = ({ chart }) => markPlaces(chart, lanes, theme)[i] ?? null;
    const row: Scriptable<number> = (context) => lanes.firstMarkRow + (place(context)?.row ?? lanes.markRows);
    annotations[`mark${i}`] = {
      ...markLine(mark.tMs, theme),
      yScaleID: LANE_AXIS,
      yMin: row,
      yMax: plotBottom,
    };
    annotations[`markLabel${i}`] = {
      ...labelBase(mark.text, theme),
      display: (context) => place(context) !== null,
      xValue: (context) => valueAt(context.chart, 'x', place(context)?.xPx ?? 0),
      yValue: (context) => row(context) + 0.5,
      color: theme.text,
      backgroundColor: theme.background,
    };
  });
  return annotations;
}

/** Of the charts below: the same bands and lines; only the faults are named. */
export function plainAnnotations(timeline: TimelineData, lanes: Lanes, theme: ChartTheme): Annotations {
  const annotations: Annotations = { ...grounds(timeline, theme, false) };
  [...lanes.starts, ...lanes.marks.map(({ tMs }) => tMs)].forEach((tMs, i) => {
    annotations[`mark${i}`] = markLine(tMs, theme);
  });
  const requests = (chart: Chart) =>
    lanes.faults.map(({ startMs, text }) => ({ xPx: pixelOf(chart, startMs), widthPx: widthOf(chart, text, theme) }));
  lanes.faults.forEach((fault, i) => {
    const place: Scriptable<LabelPlace | null> = ({ chart }) => staggerLabels(requests(chart), areaOf(chart), PLAIN_LABEL_ROWS)[i] ?? null;
    annotations[`faultLabel${i}`] = {
      ...labelBase(fault.text, theme),
      // Behind the curves: a peak counts more than a name that stands above as well.
      drawTime: 'beforeDatasetsDraw',
      yScaleID: 'y',
      display: (context) => place(context) !== null,
      xValue: (context) => valueAt(context.chart, 'x', place(context)?.xPx ?? 0),
      yValue: (context) => valueAt(context.chart, 'y', topOf(context.chart) + ((place(context)?.row ?? 0) + 0.5) * LABEL_ROW_PX),
      color: theme.text,
      backgroundColor: translucent(theme.background, 0.8),
    };
  });
  return annotations;
}

/** Warm-up, the time of each fault and of each gap that was no collateral, behind the curves. */
function grounds(timeline: TimelineData, theme: ChartTheme, hasLanes: boolean): Annotations {
  const ground = (startMs: number, endMs: number, color: string): BoxAnnotation => ({
    type: 'box',
    drawTime: 'beforeDatasetsDraw',
    adjustScaleRange: false,
    xScaleID: 'x',
    xMin: startMs / 1000,
    xMax: endMs / 1000,
    backgroundColor: color,
    borderWidth: 0,
    ...(hasLanes ? { yScaleID: LANE_AXIS, yMin: 0, yMax: plotBottom } : {}),
  });
  const annotations: Annotations = {};
  timeline.phases.forEach((phase, i) => {
    if (!phase.record) annotations[`warmUp${i}`] = ground(phase.startMs, phase.endMs, theme.warmUp);
  });
  [...timeline.faults, ...timeline.incidents].forEach((band, i) => {
    annotations[`ground${i}`] = ground(band.startMs, band.endMs ?? timeline.endMs, translucent(band.color, 0.07));
  });
  timeline.gaps.forEach((gap, i) => {
    if (gap.shard === 'any') annotations[`silent${i}`] = ground(gap.startMs, gap.endMs, translucent(theme.gap, gap.kind === 'write' ? 0.1 : 0.04));
  });
  return annotations;
}

function barAnnotations(id: string, bar: LaneBar, others: readonly LaneBar[], theme: ChartTheme): Annotations {
  const color = bar.color ?? theme.gap;
  const place: Scriptable<number | null> = ({ chart }) => barLabelX(chart, bar, others, theme);
  return {
    [id]: {
      type: 'box',
      drawTime: 'beforeDatasetsDraw',
      adjustScaleRange: false,
      xScaleID: 'x',
      yScaleID: LANE_AXIS,
      xMin: bar.startMs / 1000,
      xMax: bar.endMs / 1000,
      yMin: bar.lane + BAR_INSET,
      yMax: bar.lane + 1 - BAR_INSET,
      backgroundColor: translucent(color, bar.collateral ? 0.18 : 0.4),
      borderColor: translucent(color, bar.collateral ? 0.45 : 1),
      borderWidth: 1,
      borderRadius: 2,
    },
    [`${id}Label`]: {
      ...labelBase(bar.text, theme),
      display: (context) => place(context) !== null,
      xValue: (context) => valueAt(context.chart, 'x', place(context) ?? 0),
      yValue: bar.lane + 0.5,
      color: bar.collateral ? theme.mutedText : theme.text,
      // Beside its bar a text may stand on the lines of events.
      backgroundColor: ({ chart }) => (barPx(chart, bar) >= widthOf(chart, bar.text, theme) ? 'transparent' : theme.background),
    },
  };
}

function markLine(tMs: number, theme: ChartTheme): LineAnnotation {
  return {
    type: 'line',
    drawTime: 'beforeDatasetsDraw',
    adjustScaleRange: false,
    xScaleID: 'x',
    xMin: tMs / 1000,
    xMax: tMs / 1000,
    borderColor: translucent(theme.mark, 0.75),
    borderWidth: 1,
    borderDash: [3, 3],
  };
}

function labelBase(text: string, theme: ChartTheme): Omit<LabelAnnotation, 'display' | 'xValue' | 'yValue' | 'color' | 'backgroundColor'> {
  return {
    type: 'label',
    drawTime: 'afterDraw',
    adjustScaleRange: false,
    content: text,
    xScaleID: 'x',
    yScaleID: LANE_AXIS,
    position: { x: 'start', y: 'center' },
    font: { size: FONT_PX, family: theme.fontFamily },
    padding: { top: 1, bottom: 1, left: LABEL_PADDING_PX, right: LABEL_PADDING_PX },
    textAlign: 'left',
  };
}

function markPlaces(chart: Chart, lanes: Lanes, theme: ChartTheme): (LabelPlace | null)[] {
  const requests = lanes.marks.map(({ tMs, text }) => ({ xPx: pixelOf(chart, tMs), widthPx: widthOf(chart, text, theme) }));
  return staggerLabels(requests, areaOf(chart), lanes.markRows);
}

/** Left end of a bar's text: in the bar where it fits, else right of it, else left of it; null where another bar or the edge is in the way. */
function barLabelX(chart: Chart, bar: LaneBar, others: readonly LaneBar[], theme: ChartTheme): number | null {
  const { leftPx, rightPx } = areaOf(chart);
  const startPx = Math.max(leftPx, pixelOf(chart, bar.startMs));
  const endPx = Math.min(rightPx, pixelOf(chart, bar.endMs));
  if (startPx > rightPx || endPx < leftPx) return null;
  const widthPx = widthOf(chart, bar.text, theme);
  const neighbours = others.filter((other) => other.lane === bar.lane && other !== bar);
  const isFree = (fromPx: number): boolean =>
    fromPx >= leftPx &&
    fromPx + widthPx <= rightPx &&
    neighbours.every((other) => pixelOf(chart, other.endMs) <= fromPx || pixelOf(chart, other.startMs) >= fromPx + widthPx);
  if (endPx - startPx >= widthPx) return isFree(startPx) ? startPx : null;
  const besides = [endPx, startPx - widthPx];
  // Left of it another bar's text may already stand: that side is only for a bar near the right edge.
  return besides.find((fromPx, i) => isFree(fromPx) && (i === 0 || neighbours.length === 0)) ?? null;
}

function barPx(chart: Chart, bar: LaneBar): number {
  const { leftPx, rightPx } = areaOf(chart);
  return Math.min(rightPx, pixelOf(chart, bar.endMs)) - Math.max(leftPx, pixelOf(chart, bar.startMs));
}

/** In rows: far below the last lane, at the bottom of the curves. */
function plotBottom({ chart }: { chart: Chart }): number {
  return valueAt(chart, LANE_AXIS, chart.chartArea.bottom);
}

/** The plugin also asks once before the first layout, when there is no area yet. */
function areaOf(chart: Chart): { leftPx: number; rightPx: number } {
  const area: Chart['chartArea'] | undefined = chart.chartArea;
  return { leftPx: area?.left ?? 0, rightPx: area?.right ?? 0 };
}

function topOf(chart: Chart): number {
  const area: Chart['chartArea'] | undefined = chart.chartArea;
  return area?.top ?? 0;
}

function pixelOf(chart: Chart, tMs: number): number {
  return chart.scales.x?.getPixelForValue(tMs / 1000) ?? 0;
}

function valueAt(chart: Chart, axis: string, px: number): number {
  return chart.scales[axis]?.getValueForPixel(px) ?? 0;
}

function widthOf(chart: Chart, text: string, theme: ChartTheme): number {
  const { ctx } = chart;
  ctx.save();
  ctx.font = `${FONT_PX}px ${theme.fontFamily}`;
  const { width } = ctx.measureText(text);
  ctx.restore();
  return Math.ceil(width) + 2 * LABEL_PADDING_PX;
}
