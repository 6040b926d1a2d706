/**
 * The link mesh of a lab that is kept in the background: opened in the keeper's process (labKeeperMain.ts), and come to from any other, by
 * `inject`, `heal` and `run --lab`. It closes with its keeper; whoever comes to it must leave the proxies where they are.
 */
import { ALL_CLIENTS, clientGroupsOf, type Plan } from '../../plan/plan.js';
import type { KeeperNetwork, OpenNetwork } from '../../topology/labKeeper.js';
import type { KeptNetworkPlan } from '../../topology/labKeeperProtocol.js';
import type { KeptNetwork } from '../../topology/labState.js';
import { openProxies } from '../proxies.js';
import { UndoJournal } from '../undoJournal.js';
import { LinkMesh } from './mesh.js';

/** The keeper, as a program. */
export const labKeeperProgram = new URL('./labKeeperMain.js', import.meta.url);

/** By this the steps of a lab's journals are found again. */
export function journalFolderOf(lab: string): string {
  return `lab:${lab}`;
}

/**
 * What a plan needs, or null. Clients of nobody's group, a user's own, are a group of their own: they come first, and stand on the side of
 * `clients`.
 */
export function keptNetworkPlan(plan: Plan, isWanted: boolean): KeptNetworkPlan | null {
  const { toxiproxy } = plan;
  if (!isWanted && toxiproxy.kind === 'none') return null;
  const groups = clientGroupsOf(plan).map(({ name }) => name);
  return {
    toxiproxy: toxiproxy.kind === 'none' ? { kind: 'embedded' } : toxiproxy,
    clientGroups: [ALL_CLIENTS, ...groups.filter((name) => name !== ALL_CLIENTS)],
  };
}

/** In the keeper. Throws PROXY_FAILED. */
export const openKeptNetwork: OpenNetwork = async ({ name, runtime, network }): Promise<KeeperNetwork> => {
  const { toxiproxy, clientGroups } = network ?? { toxiproxy: { kind: 'embedded' }, clientGroups: [ALL_CLIENTS] };
  const journal = new UndoJournal(runtime, { run: `lab-${name}`, folder: journalFolderOf(name), access: null, lab: name });
  const proxies = await openProxies(toxiproxy, journal);
  const mesh = new LinkMesh(proxies);
  return {
    listen: (node) => mesh.listen(node),
    connect: (nodes) => mesh.connect(nodes),
    async open(target): Promise<KeptNetwork> {
      await mesh.connectClients(target, clientGroups);
      return { url: proxies.url, clientGroups, links: proxies.made.map(({ link, ...place }) => ({ ...link, ...place })) };
    },
    async close() {
      await mesh.close();
      await journal.close();
    },
  };
};
