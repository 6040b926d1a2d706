/** What `kvbench lab status` and `lab up` show of a lab in the background: its nodes, how clients reach them, and the faults in force. */
import Table from 'cli-table3';
import { isStillRunning } from '../base/processIdentity.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { ALL_CLIENTS } from '../plan/plan.js';
import { targetText } from '../plan/timeline.js';
import { type AttachedLab, attachLab } from '../topology/keptLab.js';
import type { KeptNetwork } from '../topology/labState.js';
import type { NodeView } from '../topology/target.js';
import { journalsOfLab } from './labJournals.js';
import type { Terminal } from './terminal.js';

/** Throws LAB_FAILED when none of this name runs. */
export async function showLab(name: string, terminal: Terminal): Promise<void> {
  const attached = await attachLab(runtimeFolder(), name);
  try {
    const { server, version } = attached.describe();
    terminal.data(`lab ${name}: ${targetText(attached.plan)}; ${server} ${version}\n${await nodesTable(attached)}\n`);
    if (attached.network) terminal.data(`${networkText(attached.network)}\n`);
    for (const line of await faultLines(name)) terminal.data(`${line}\n`);
  } finally {
    await attached.close();
  }
}

async function nodesTable(lab: AttachedLab): Promise<string> {
  const { nodes } = await lab.currentView();
  const direct = lab.network ? ['direct'] : [];
  const table = new Table({ head: ['node', 'address', ...direct, 'role', 'slots', 'in sync', 'state', 'pid'], style: { head: [], border: [] } });
  for (const node of nodes) {
    const pid = lab.processes.pidOf(node.id);
    const place = lab.nodes.find(({ id }) => id === node.id);
    table.push([
      node.id,
      node.address,
      ...direct.map(() => `${place?.host}:${place?.port}`),
      roleText(node),
      slotsText(node, lab),
      node.role === 'replica' ? (node.inSync ? 'yes' : 'no') : '',
      stateText(node, pid),
      pid ?? '',
    ]);
  }
  return table.toString();
}

function networkText({ url, clientGroups, links }: KeptNetwork): string {
  const lines = [
    `Every link is a proxy of the Toxiproxy at ${url}. Clients use the column "address", which is also what nodes and sentinels tell them:`,
    'any client that starts there goes through the links of the clients. "direct" goes past them.',
  ];
  for (const group of clientGroups.filter((name) => name !== ALL_CLIENTS)) {
    const places = links.filter(({ channel, from }) => channel === 'client' && from === group).map(({ to, host, port }) => `${to} ${host}:${port}`);
    lines.push(`Clients of ${group} use (natMap): ${places.join(', ')}`);
  }
  return lines.join('\n');
}

/** What `inject` and runs have in force that a process table does not show. */
async function faultLines(lab: string): Promise<string[]> {
  const journals = (await journalsOfLab(runtimeFolder(), lab)).filter(({ open }) => open.length > 0);
  return journals.map(({ head }) => {
    const until = isStillRunning(head.owner) ? `process ${head.owner.pid} heals it` : `until kvbench heal --lab ${lab}`;
    return `In force: ${head.what ?? head.run} (${until})`;
  });
}

function roleText({ role, masterId }: NodeView): string {
  return role === 'replica' && masterId !== null ? `replica of ${masterId}` : role;
}

/** Only a cluster divides them. */
function slotsText({ slots }: NodeView, { mode }: AttachedLab): string {
  if (mode !== 'cluster') return '';
  return slots.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(', ');
}

function stateText({ reachable }: NodeView, pid: number | null): string {
  if (pid === null) return 'down';
  return reachable ? 'up' : 'does not answer';
}
