/**
 * Where keys and operations were, and how evenly, for summary.json: what the placement watch saw, joined with the keys counted before and
 * after. Called by summarize.ts. Pure.
 */
import type { EventOf, EventRecord, PlacementStretch } from '../result/records.js';
import type { PlacementSummary } from '../result/summary.js';

/** Null outside clusters, and of runs that were cut off. */
export function placementSummary(events: readonly EventRecord[]): PlacementSummary[] | null {
  const placement = events.find((event): event is EventOf<'placement'> => event.type === 'placement');
  if (placement === undefined) return null;
  const counted = events.filter((event): event is EventOf<'keys'> => event.type === 'keys');
  const before = counted.find(({ tUs }) => tUs < 0);
  const after = counted.findLast(({ tUs }) => tUs >= 0);
  return placement.stretches.map((stretch) =>
    stretchSummary(stretch, stretch.name === 'before' ? before : stretch.name === 'between' ? undefined : after),
  );
}

function stretchSummary(stretch: PlacementStretch, keys: EventOf<'keys'> | undefined): PlacementSummary {
  const { name, startUs, endUs, rangeOps, rangeNodes, slotVariation, hottest } = stretch;
  const nodes = stretch.nodes.map(({ node, slots, ops }) => {
    const held = keys?.perNode[node];
    return { node, slots, keys: held === undefined || held < 0 ? null : held, ops };
  });
  const holders = nodes.filter(({ slots }) => slots > 0);
  return {
    name,
    startMs: startUs / 1000,
    endMs: endUs / 1000,
    nodes: nodes.toSorted((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true })),
    keysVariation: variationOf(holders.map(({ keys: count }) => count)),
    opsVariation: variationOf(holders.map(({ ops }) => ops)),
    slotOpsVariation: rounded(slotVariation),
    hottest,
    ranges: rangeOps.map((ops, i) => ({ node: rangeNodes[i] ?? null, ops, keys: keys?.perRange?.[i] ?? null })),
  };
}

/** Standard deviation (of all, not of a sample) over mean; null when one is not known or there is nothing. */
export function variationOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  const sum = known.reduce((total, value) => total + value, 0);
  if (known.length < values.length || sum === 0) return null;
  const mean = sum / known.length;
  return rounded(Math.sqrt(known.reduce((total, value) => total + (value - mean) ** 2, 0) / known.length) / mean);
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10_000) / 10_000;
}
