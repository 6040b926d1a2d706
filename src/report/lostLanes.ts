/** Lost writes on the time axis: a row per shard that lights up when writes were acknowledged that are gone. Pure, no Node imports. */
import { formatCount } from '../base/units.js';
import type { LaneBar } from './chartLanes.js';

/** Acknowledged writes of one shard that are gone, close together in time; ms since t0. */
export interface TimelineLost {
  shard: number;
  startMs: number;
  endMs: number;
  count: number;
}

/** Lost writes of a shard that are no further apart are one bar. */
const JOIN_MS = 300;
const SLOT_MS = 100;
/** More shards share the last row. */
const MAX_LOST_LANES = 3;
const LOST_COLOR = '#c53030';

/** What was acknowledged before t0 stands at t0. @param lost in order of time, by shard and 100 ms */
export function lostBands(lost: readonly { shard: number; startMs: number; count: number }[]): TimelineLost[] {
  const bands: TimelineLost[] = [];
  const last = new Map<number, TimelineLost>();
  for (const { shard, startMs, count } of lost) {
    const atMs = Math.max(0, startMs);
    const open = last.get(shard);
    if (open !== undefined && atMs - open.endMs <= JOIN_MS) {
      open.endMs = Math.max(open.endMs, atMs + SLOT_MS);
      open.count += count;
      continue;
    }
    const band = { shard, startMs: atMs, endMs: atMs + SLOT_MS, count };
    last.set(shard, band);
    bands.push(band);
  }
  return bands;
}

export function lostLanes(lost: readonly TimelineLost[], firstLane: number): { titles: string[]; bars: LaneBar[] } {
  const shards = [...new Set(lost.map(({ shard }) => shard))].sort((a, b) => a - b);
  const rows = Math.min(shards.length, MAX_LOST_LANES);
  const bars = lost.map(({ shard, startMs, endMs, count }) => ({
    lane: firstLane + Math.min(shards.indexOf(shard), MAX_LOST_LANES - 1),
    startMs,
    endMs,
    text: `shard ${shard}: ${formatCount(count)} lost`,
    color: LOST_COLOR,
    collateral: false,
  }));
  return { titles: Array.from({ length: rows }, (_, i) => (i === 0 ? 'lost' : '')), bars };
}
