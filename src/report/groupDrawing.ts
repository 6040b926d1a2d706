/**
 * The dot plots of a group of runs as a list of shapes: a panel per measure, a row per variant, a dot per run, a bar from the least to the
 * greatest, a tick at the median. The page draws it as SVG, the picture on a canvas. Pure.
 */
import type { GroupRunSummary, RunsGroupSummary } from '../result/runsGroup.js';
import { type GroupMeasure, groupMeasures, spreadText } from './groupText.js';

export type ShapeKind = 'dot' | 'failed' | 'range' | 'median' | 'axis' | 'title' | 'note' | 'name' | 'value' | 'tick';
export type Shape =
  | { shape: 'line'; kind: ShapeKind; x1: number; y1: number; x2: number; y2: number }
  | { shape: 'circle'; kind: ShapeKind; x: number; y: number; r: number; title: string }
  | { shape: 'text'; kind: ShapeKind; x: number; y: number; align: 'start' | 'end'; text: string };

export interface GroupDrawing {
  widthPx: number;
  heightPx: number;
  shapes: Shape[];
}

const WIDTH_PX = 1100;
const COLUMNS = 2;
const PANEL_GAP_PX = 44;
const ROW_PX = 28;
const HEAD_PX = 34;
const FOOT_PX = 38;
const NAME_PX = 132;
const VALUE_PX = 74;
const NAME_CHARS = 19;
/** Beyond this ratio between greatest and least a linear scale shows only the greatest. */
const LOG_FROM_RATIO = 20;

/** Null: there is nothing to show. */
export function groupDrawing(summary: RunsGroupSummary): GroupDrawing | null {
  const runs = summary.runs.filter((run) => run.verdict === 'passed' || run.verdict === 'failed');
  const measures = groupMeasures.filter((measure) => {
    const values = runs.flatMap((run) => measure.value(run) ?? []);
    return values.length > 0 && (!measure.zeroIsNothing || values.some((value) => value > 0));
  });
  if (measures.length === 0) return null;
  const panelWidthPx = (WIDTH_PX - PANEL_GAP_PX * (COLUMNS - 1)) / COLUMNS;
  const panelHeightPx = HEAD_PX + summary.variants.length * ROW_PX + FOOT_PX;
  const shapes = measures.flatMap((measure, i) => {
    const left = (i % COLUMNS) * (panelWidthPx + PANEL_GAP_PX);
    return panel(summary, runs, measure, { left, top: Math.floor(i / COLUMNS) * panelHeightPx, width: panelWidthPx });
  });
  return { widthPx: WIDTH_PX, heightPx: Math.ceil(measures.length / COLUMNS) * panelHeightPx, shapes };
}

interface Box {
  left: number;
  top: number;
  width: number;
}

function panel(summary: RunsGroupSummary, runs: readonly GroupRunSummary[], measure: GroupMeasure, { left, top, width }: Box): Shape[] {
  const [from, to] = [left + NAME_PX, left + width - VALUE_PX];
  const scale = scaleOf(
    runs.flatMap((run) => measure.value(run) ?? []),
    from,
    to,
  );
  const bottom = top + HEAD_PX + summary.variants.length * ROW_PX;
  const shapes: Shape[] = [
    { shape: 'text', kind: 'title', x: left, y: top + 16, align: 'start', text: measure.title },
    { shape: 'text', kind: 'note', x: left + NAME_PX, y: top + 16, align: 'start', text: `${measure.note}${scale.isLog ? ', logarithmic' : ''}` },
    { shape: 'line', kind: 'axis', x1: from, x2: to, y1: bottom, y2: bottom },
    ...scale.ticks.flatMap((tick): Shape[] => [
      { shape: 'line', kind: 'axis', x1: scale.x(tick), x2: scale.x(tick), y1: top + HEAD_PX - 6, y2: bottom + 4 },
      {
        shape: 'text',
        kind: 'tick',
        x: scale.x(tick) + (tick === scale.ticks[0] ? -2 : 14),
        y: bottom + 18,
        align: tick === scale.ticks[0] ? 'start' : 'end',
        text: tick === 0 ? '0' : measure.text(tick),
      },
    ]),
  ];
  for (const [i, variant] of summary.variants.entries()) {
    const y = top + HEAD_PX + (i + 0.5) * ROW_PX;
    const spread = measure.spread(variant);
    const name = variant.name.length > NAME_CHARS ? `${variant.name.slice(0, NAME_CHARS - 1)}…` : variant.name;
    shapes.push({ shape: 'text', kind: 'name', x: left, y: y + 4, align: 'start', text: name });
    if (spread === null) {
      shapes.push({ shape: 'text', kind: 'value', x: left + width, y: y + 4, align: 'end', text: '–' });
      continue;
    }
    shapes.push({ shape: 'line', kind: 'range', x1: scale.x(spread.min), x2: scale.x(spread.max), y1: y, y2: y });
    shapes.push({ shape: 'line', kind: 'median', x1: scale.x(spread.median), x2: scale.x(spread.median), y1: y - 8, y2: y + 8 });
    for (const run of runs) {
      const value = measure.value(run);
      if (run.variant !== variant.name || value === null) continue;
      const title = `run ${run.number}, ${run.variant}: ${measure.title} ${measure.text(value)}${run.verdict === 'failed' ? ', a threshold failed' : ''}`;
      shapes.push({ shape: 'circle', kind: run.verdict === 'failed' ? 'failed' : 'dot', x: scale.x(value), y, r: 4.5, title });
    }
    shapes.push({
      shape: 'text',
      kind: 'value',
      x: left + width,
      y: y + 4,
      align: 'end',
      text: spreadText({ ...spread, min: spread.median, max: spread.median }, measure.text),
    });
  }
  return shapes;
}

interface Scale {
  x(value: number): number;
  ticks: number[];
  isLog: boolean;
}

/** From 0 in equal steps, or by decades where the values are far apart. */
function scaleOf(values: readonly number[], from: number, to: number): Scale {
  const max = Math.max(...values);
  const least = Math.min(...values);
  const place = (share: number): number => Math.round((from + share * (to - from)) * 10) / 10;
  if (least > 0 && max / least > LOG_FROM_RATIO) {
    const low = 10 ** Math.floor(Math.log10(least));
    const decades = Math.ceil(Math.log10(max / low));
    const ticks = Array.from({ length: decades + 1 }, (_, i) => low * 10 ** i);
    return { x: (value) => place(Math.log10(value / low) / decades), ticks, isLog: true };
  }
  const top = max === 0 ? 1 : roundUp(max);
  return { x: (value) => place(value / top), ticks: [0, top / 2, top], isLog: false };
}

/** The next 1, 1.5, 2, 3, 4, 6, 8 times a power of ten: its half is a round figure too. */
function roundUp(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
  return decade * (steps.find((step) => step * decade >= value * 0.9999) ?? 10);
}
