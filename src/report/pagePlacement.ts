/**
 * Where keys and operations were: shares of the nodes and how even they are, and a strip of the slots, before and after they changed
 * hands. Called by page.ts; pure.
 */
import { formatCount } from '../base/units.js';
import type { PlacementSummary, Summary } from '../result/summary.js';
import { serverColor } from './chartDefinition.js';
import { lightTheme } from './chartTheme.js';
import { atOf, shareOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, raw, table } from './pageHtml.js';

const WIDTH_PX = 900;
const BAR_PX = 18;
const STRIP_PX = 46;
const GAP_PX = 4;
const LABEL_PX = 84;

const names: Readonly<Record<PlacementSummary['name'], string>> = {
  whole: 'The whole run: no slot changed hands',
  before: 'Before slots changed hands',
  between: 'From the first change to the last',
  after: 'After the last change',
};

/** Empty outside clusters. */
export function placementSection({ placement = [] }: Summary): Html {
  if (placement.length === 0) return html``;
  const ids = [...new Set(placement.flatMap(({ nodes }) => nodes.map(({ node }) => node)))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const colorOf = (node: string | null): string => (node === null ? lightTheme.grid : serverColor(lightTheme, ids.indexOf(node)));
  const parts = placement.map(
    (one) =>
      html`<h3>${names[one.name]}</h3><p class="note">${atOf(one.startMs)} to ${atOf(one.endMs)}. ${evenness(one)}</p>${picture(one, colorOf)}${nodeTable(one)}`,
  );
  return html`<section id="placement"><h2>Placement</h2><p class="note">Operations that ended ok, by the slot of their key and the node that held it then (as
seen twice a second); keys as counted before t0 and after healing. Variation is standard deviation over mean: 0 is even.</p>${parts}</section>`;
}

function evenness({ opsVariation, keysVariation, slotOpsVariation, hottest }: PlacementSummary): string {
  const variation = (value: number | null): string => (value === null ? 'not known' : value.toFixed(3));
  const [first] = hottest;
  const hot =
    first === undefined ? '' : ` Hottest slot: ${first.slot}${first.node === null ? '' : ` (${first.node})`}, ${formatCount(first.ops)} operations.`;
  return `Variation over nodes: operations ${variation(opsVariation)}, keys ${variation(keysVariation)}; over slots: operations ${variation(slotOpsVariation)}.${hot}`;
}

const columns: Column[] = [
  { title: 'Node' },
  { title: 'Slots', numeric: true },
  { title: 'Keys', numeric: true },
  { title: 'Share', numeric: true },
  { title: 'Operations', numeric: true },
  { title: 'Share', numeric: true },
];

function nodeTable({ nodes }: PlacementSummary): Html {
  const ops = nodes.reduce((sum, node) => sum + node.ops, 0);
  const keys = nodes.reduce((sum, node) => sum + (node.keys ?? 0), 0);
  const rows = nodes.map((node): HtmlValue[] => [
    node.node,
    formatCount(node.slots),
    node.keys === null ? '–' : formatCount(node.keys),
    node.keys === null ? '–' : shareOf(node.keys, keys),
    formatCount(node.ops),
    shareOf(node.ops, ops),
  ]);
  return table(columns, rows);
}

/** Two bars with the nodes' shares of keys and operations, and below them the operations of each range of slots, in its node's colour. */
function picture(one: PlacementSummary, colorOf: (node: string | null) => string): Html {
  const bars = [
    { label: 'keys', shares: one.nodes.map(({ node, keys }) => ({ node, value: keys ?? 0 })) },
    { label: 'operations', shares: one.nodes.map(({ node, ops }) => ({ node, value: ops })) },
  ].filter(({ shares }) => shares.some(({ value }) => value > 0));
  const stripPx = bars.length * (BAR_PX + GAP_PX);
  const drawn = bars.map(({ label, shares }, i) => bar(label, shares, i * (BAR_PX + GAP_PX), colorOf)).join('');
  const heightPx = stripPx + STRIP_PX + 18;
  const text = `Shares of the nodes and operations by slot: ${one.nodes.map(({ node, slots, ops }) => `${node} ${slots} slots ${ops} operations`).join(', ')}`;
  return html`<svg class="placement" viewBox="0 0 ${WIDTH_PX} ${heightPx}" width="100%" role="img" aria-label="${text}">${raw(drawn + strip(one, stripPx, colorOf))}</svg>`;
}

function bar(label: string, shares: readonly { node: string; value: number }[], topPx: number, colorOf: (node: string) => string): string {
  const total = shares.reduce((sum, { value }) => sum + value, 0);
  const fullPx = WIDTH_PX - LABEL_PX;
  let leftPx = LABEL_PX;
  const rects = shares.map(({ node, value }) => {
    const widthPx = (value / total) * fullPx;
    const words = `${node} ${((100 * value) / total).toFixed(1)} %`;
    const text = widthPx > 60 ? `<text x="${px(leftPx + 6)}" y="${topPx + 13}" font-size="11" fill="#fff">${words}</text>` : '';
    const rect = `<rect x="${px(leftPx)}" y="${topPx}" width="${px(widthPx)}" height="${BAR_PX}" fill="${colorOf(node)}"><title>${label}: ${words}</title></rect>${text}`;
    leftPx += widthPx;
    return rect;
  });
  return `<text x="0" y="${topPx + 13}" font-size="11" fill="currentColor">${label}</text>${rects.join('')}`;
}

function strip({ ranges }: PlacementSummary, topPx: number, colorOf: (node: string | null) => string): string {
  const most = Math.max(1, ...ranges.map(({ ops }) => ops));
  const stepPx = (WIDTH_PX - LABEL_PX) / ranges.length;
  const perRange = 16_384 / Math.max(1, ranges.length);
  const rects = ranges.map(({ node, ops, keys }, i) => {
    const heightPx = (ops / most) * (STRIP_PX - 4);
    const words = `slots ${i * perRange} to ${(i + 1) * perRange - 1}, ${node ?? 'nobody'}: ${formatCount(ops)} operations${keys === null ? '' : `, ${formatCount(keys)} keys`}`;
    const place = `x="${px(LABEL_PX + i * stepPx)}" width="${px(stepPx - 1)}" fill="${colorOf(node)}"`;
    return `<g><title>${words}</title><rect ${place} y="${px(topPx + STRIP_PX - 4 - heightPx)}" height="${px(heightPx)}"/><rect ${place} y="${topPx + STRIP_PX - 3}" height="3"/></g>`;
  });
  const labels = `<text x="0" y="${topPx + 26}" font-size="11" fill="currentColor">by slot</text><text x="${LABEL_PX}" y="${topPx + STRIP_PX + 13}" font-size="10" fill="currentColor">slot 0</text><text x="${WIDTH_PX}" y="${topPx + STRIP_PX + 13}" font-size="10" text-anchor="end" fill="currentColor">16383</text>`;
  return rects.join('') + labels;
}

function px(value: number): string {
  return String(Math.round(value * 100) / 100);
}
