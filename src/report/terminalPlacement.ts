/** The summary's section on placement: a row per stretch in which no slot changed hands. Called by terminalSummary.ts. */
import { formatCount } from '../base/units.js';
import type { PlacementSummary, Summary } from '../result/summary.js';
import type { SummaryPage } from './summaryPage.js';
import { shareText } from './textLayout.js';

/** Of more nodes the extremes are enough. */
const NODES_MAX = 6;

export function addPlacement(page: SummaryPage, { placement = [] }: Pick<Summary, 'placement'>): void {
  if (placement.every(({ nodes }) => nodes.every(({ ops }) => ops === 0))) return;
  page.section('PLACEMENT', 'operations that ended ok, by the node that held their slot');
  for (const one of placement) page.row(one.name === 'whole' ? 'nodes' : one.name, nodesText(one));
  const last = placement.at(-1);
  const [hot] = last?.hottest ?? [];
  if (hot !== undefined) page.row('hottest slot', `${hot.slot}${hot.node === null ? '' : ` (${hot.node})`}, ${formatCount(hot.ops)} operations`);
}

function nodesText({ nodes, opsVariation }: PlacementSummary): string {
  const ops = nodes.reduce((sum, node) => sum + node.ops, 0);
  const variation = opsVariation === null ? '' : `, variation ${opsVariation.toFixed(3)}`;
  if (ops === 0) return 'none';
  const shown = nodes.filter((node) => node.ops > 0 || node.slots > 0);
  if (shown.length <= NODES_MAX) return shown.map((node) => `${node.node} ${shareText(node.ops / ops)}`).join(', ') + variation;
  const sorted = shown.toSorted((a, b) => b.ops - a.ops);
  const [most, least] = [sorted[0], sorted.at(-1)];
  return `${shown.length} nodes, from ${most?.node} ${shareText((most?.ops ?? 0) / ops)} to ${least?.node} ${shareText((least?.ops ?? 0) / ops)}${variation}`;
}
