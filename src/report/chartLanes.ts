/**
 * The lanes above the throughput chart: what was broken, what happened, and which shard was silent. Turns a timeline into rows; how they
 * are drawn stands in chartAnnotations.ts. Pure, no Node imports.
 */
import { formatSeconds } from '../base/units.js';
import { laneOfEach, staggerLabels } from './chartLabelLayout.js';
import { lostLanes } from './lostLanes.js';
import type { MarkKind, TimelineBand, TimelineData, TimelineGap } from './timelineData.js';

/** More silent shards than this share the last lane. */
const MAX_GAP_LANES = 6;
/** Faults beyond share the last lane, where only those that find room are named. */
const MAX_FAULT_LANES = 6;
const MAX_MARK_ROWS = 5;
const NOMINAL_WIDTH_PX = 900;
const NOMINAL_CHARACTER_PX = 6.2;

/** A bar in a lane, with its text inside or beside it; times in ms since t0. */
export interface LaneBar {
  lane: number;
  startMs: number;
  endMs: number;
  text: string;
  /** Null: the theme's colour of gaps. */
  color: string | null;
  collateral: boolean;
}

/** Rows from the top: faults, marks, silent shards, lost writes (bars among those of the gaps). */
export interface Lanes {
  count: number;
  /** What stands left of each row; '' for none. */
  titles: string[];
  faults: LaneBar[];
  gaps: LaneBar[];
  /** When each fault and incident began, in ms since t0. */
  starts: number[];
  /** What followed, to be named. */
  marks: { tMs: number; text: string }[];
  firstMarkRow: number;
  markRows: number;
}

/** The rows of a timeline; `count` is 0 when there is nothing to show. */
export function lanesOf(timeline: TimelineData): Lanes {
  const faults = faultBars([...timeline.faults, ...timeline.incidents], timeline.endMs);
  const faultLanes = 1 + Math.max(-1, ...faults.map(({ lane }) => lane));
  const marks = shownMarks(timeline);
  const markRows = rowsFor(marks, timeline.endMs);
  const gaps = gapLanes(timeline.gaps, faultLanes + markRows);
  const lost = lostLanes(timeline.lost ?? [], faultLanes + markRows + gaps.titles.length);
  const titles = [
    ...Array.from({ length: faultLanes }, (_, i) => (i === 0 ? 'faults' : '')),
    ...Array.from({ length: markRows }, (_, i) => (i === 0 ? 'events' : '')),
    ...gaps.titles,
    ...lost.titles,
  ];
  return {
    count: titles.length,
    titles,
    faults,
    gaps: [...gaps.bars, ...lost.bars],
    starts: faults.map(({ startMs }) => startMs),
    marks,
    firstMarkRow: faultLanes,
    markRows,
  };
}

/** Beginnings are named by the bars of the faults lane, and the first error is within a pixel or two of its cause. */
const unnamedKinds: ReadonlySet<MarkKind> = new Set(['kill', 'injected', 'incident', 'firstError']);

function shownMarks({ marks }: TimelineData): Lanes['marks'] {
  return marks.filter(({ kind }) => !unnamedKinds.has(kind)).map(({ tMs, label }) => ({ tMs, text: label }));
}

/** As many rows as the labels take in a chart of ordinary width; a narrower one leaves out those that find no room. */
function rowsFor(marks: Lanes['marks'], endMs: number): number {
  const requests = marks.map(({ tMs, text }) => ({
    xPx: (tMs / Math.max(endMs, 1)) * NOMINAL_WIDTH_PX,
    widthPx: text.length * NOMINAL_CHARACTER_PX,
  }));
  const places = staggerLabels(requests, { leftPx: 0, rightPx: NOMINAL_WIDTH_PX }, MAX_MARK_ROWS);
  return places.reduce((rows, place) => Math.max(rows, (place?.row ?? -1) + 1), 0);
}

function faultBars(bands: readonly TimelineBand[], endMs: number): LaneBar[] {
  const lanes = laneOfEach(bands.map((band) => ({ start: band.startMs, end: band.endMs ?? endMs })));
  return bands.map((band, i) => ({
    lane: Math.min(lanes[i] ?? 0, MAX_FAULT_LANES - 1),
    startMs: band.startMs,
    endMs: band.endMs ?? endMs,
    text: band.label,
    color: band.color,
    collateral: false,
  }));
}

/** One lane per silent shard, worst first when there are too many; reads and writes of a shard that were silent together are one bar. */
function gapLanes(gaps: readonly TimelineGap[], firstLane: number): { titles: string[]; bars: LaneBar[] } {
  const shards = [...new Set(gaps.map(({ shard }) => shard))].filter((shard) => typeof shard === 'number');
  const total = (shard: number): number => gaps.reduce((sum, gap) => (gap.shard === shard ? sum + gap.endMs - gap.startMs : sum), 0);
  const worst = [...shards].sort((a, b) => total(b) - total(a) || a - b);
  const own = (worst.length > MAX_GAP_LANES ? worst.slice(0, MAX_GAP_LANES - 1) : worst).sort((a, b) => a - b);
  const rest = new Set(shards.filter((shard) => !own.includes(shard)));
  const bars = own.flatMap((shard, i) => mergedBars(gaps.filter((gap) => gap.shard === shard)).map((bar) => ({ ...bar, lane: firstLane + i })));
  const titles = own.map((shard) => `shard ${shard}`);
  if (rest.size > 0) {
    const merged = mergedBars(gaps.filter(({ shard }) => typeof shard === 'number' && rest.has(shard)));
    bars.push(...merged.map((bar) => ({ ...bar, lane: firstLane + own.length })));
    titles.push(`${rest.size} more`);
  }
  return { titles, bars };
}

function mergedBars(gaps: readonly TimelineGap[]): Omit<LaneBar, 'lane'>[] {
  const groups: { gaps: TimelineGap[]; startMs: number; endMs: number }[] = [];
  for (const gap of [...gaps].sort((a, b) => a.startMs - b.startMs)) {
    const last = groups.at(-1);
    if (last && gap.startMs < last.endMs) {
      last.gaps.push(gap);
      last.endMs = Math.max(last.endMs, gap.endMs);
    } else groups.push({ gaps: [gap], startMs: gap.startMs, endMs: gap.endMs });
  }
  return groups.map(({ gaps: together, startMs, endMs }) => {
    const kinds = new Set(together.map(({ kind }) => kind));
    const longestMs = Math.max(...together.map((gap) => gap.endMs - gap.startMs));
    const collateral = together.every((gap) => gap.collateral);
    const what = kinds.size === 2 ? '' : `${[...kinds][0]}s: `;
    return { startMs, endMs, text: `${what}no answer ${formatSeconds(longestMs)}${collateral ? ' (collateral)' : ''}`, color: null, collateral };
  });
}
