/** Where labels go so that none covers another: pure geometry in pixels, called whenever a chart is laid out. No Node imports. */

/** A label that begins at its moment and runs to the right. */
export interface LabelRequest {
  xPx: number;
  widthPx: number;
}

export interface LabelPlace {
  /** Left end of the label. */
  xPx: number;
  row: number;
}

const CLEARANCE_PX = 6;

/**
 * Staggers labels, in order of their moments, over `rows` rows (0 is the top one); null where there is no room. A label that begins below
 * or beside an earlier one goes to a lower row, so that the line of a moment, from its label down, crosses no label. Where the rows run
 * out it takes any free one, and its line passes behind labels.
 */
export function staggerLabels(requests: readonly LabelRequest[], area: { leftPx: number; rightPx: number }, rows: number): (LabelPlace | null)[] {
  const placed: { startPx: number; endPx: number; row: number }[] = [];
  return requests.map(({ xPx, widthPx }) => {
    if (xPx < area.leftPx || xPx > area.rightPx) return null;
    const startPx = Math.max(area.leftPx, Math.min(xPx, area.rightPx - widthPx));
    const near = placed.filter((one) => one.endPx + CLEARANCE_PX > startPx && one.startPx < startPx + widthPx + CLEARANCE_PX);
    const taken = new Set(near.map((one) => one.row));
    const below = Math.max(-1, ...taken) + 1;
    const free = Array.from({ length: rows }, (_, row) => row).find((row) => !taken.has(row));
    const row = below < rows ? below : free;
    if (row === undefined) return null;
    placed.push({ startPx, endPx: startPx + widthPx, row });
    return { xPx: startPx, row };
  });
}

/** Bars (in any one unit) into the fewest lanes in which none overlaps; the lane of each, in the order given. */
export function laneOfEach(bars: readonly { start: number; end: number }[]): number[] {
  const ends: number[] = [];
  const order = bars.map((_, i) => i).sort((a, b) => (bars[a]?.start ?? 0) - (bars[b]?.start ?? 0));
  const lanes: number[] = bars.map(() => 0);
  for (const i of order) {
    const { start, end } = bars[i] as { start: number; end: number };
    const free = ends.findIndex((laneEnd) => laneEnd <= start);
    const lane = free === -1 ? ends.length : free;
    ends[lane] = end;
    lanes[i] = lane;
  }
  return lanes;
}
