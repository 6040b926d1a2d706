/**
 * Making a server a member of a running cluster, and making the cluster forget one. Used by the faults add-node and remove-node, which
 * move the slots. It acts only on servers of a lab.
 */
import { sleepUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { parseClusterNodes } from '../topology/clusterNodesReply.js';
import { addressParts } from '../topology/connection.js';
import type { Growth, NodeView } from '../topology/target.js';
import { type Ask, untilTrue, withControl } from './controlCommands.js';
import type { FaultContext } from './fault.js';
import { ownSlots } from './slotMover.js';

/** Below the limit of an injection. */
const MEET_LIMIT_US = 8_000_000;
/** Twice as long as ioredis clients wait before they ask for the slots again: a node that ends at once has operations before it. */
const CLIENTS_LEAVE_US = 1_000_000;

/** @throws FAULT_FAILED where servers cannot be added or taken away */
export function growthOf({ growth, proxies }: FaultContext): Growth {
  if (!growth)
    throw new KvbenchError(
      'FAULT_FAILED',
      'this target cannot get more servers or fewer',
      'Use a lab with topology: cluster and without faults on links.',
    );
  if (proxies) {
    throw new KvbenchError(
      'FAULT_FAILED',
      'a server that comes or goes would have no proxy of its own',
      'Leave out the faults on links, or run them apart.',
    );
  }
  return growth;
}

/** Until everybody knows everybody. */
export async function meet(context: FaultContext, newcomer: { id: string; host: string; port: number; busPort: number | null }): Promise<void> {
  const others = members(context).filter((node) => node.id !== newcomer.id);
  const clusterId = await withControl(context, newcomer.id, clusterIdOf);
  await withControl(context, newcomer.id, async (ask) => {
    for (const { address } of others) {
      const { host, port } = addressParts(address);
      await ask('CLUSTER', 'MEET', host, port, ...(await busPortOf(context, others, address)));
    }
  });
  await untilTrue(`the cluster knows ${newcomer.id}`, MEET_LIMIT_US, async () => {
    // It takes no key before it finds the cluster whole, about 2 s after its start.
    const info = await withControl(context, newcomer.id, (ask) => ask('CLUSTER', 'INFO'));
    if (!String(info).includes('cluster_state:ok')) return false;
    const own = await withControl(context, newcomer.id, linesOf);
    if (own.length <= others.length || own.some((line) => line.flags.includes('handshake'))) return false;
    for (const { id } of others) {
      const line = (await withControl(context, id, linesOf)).find((candidate) => candidate.clusterId === clusterId);
      if (!line || line.flags.includes('handshake')) return false;
    }
    return true;
  });
}

/** Every member at once: whoever still knows the node would tell the others of it again. Then clients have a moment to leave it. */
export async function forget(context: FaultContext, nodeId: string): Promise<void> {
  const clusterId = await withControl(context, nodeId, clusterIdOf);
  const others = members(context).filter((node) => node.id !== nodeId);
  await Promise.all(others.map(({ id }) => withControl(context, id, (ask) => ask('CLUSTER', 'FORGET', clusterId)).catch(unlessUnknown)));
  await sleepUs(CLIENTS_LEAVE_US);
}

/** Slots per master, by their own word. */
export async function slotsOfMasters(context: FaultContext): Promise<Map<string, number[]>> {
  const masters = members(context).filter((node) => node.role === 'master');
  return new Map(await Promise.all(masters.map(async ({ id }): Promise<[string, number[]]> => [id, await withControl(context, id, ownSlots)])));
}

/** `n1 1000, n2 1003`: for the timeline. */
export async function keysText(context: FaultContext): Promise<string> {
  const masters = members(context).filter((node) => node.role === 'master');
  const counts = await Promise.all(masters.map(async ({ id }) => `${id} ${await withControl(context, id, (ask) => ask('DBSIZE'))}`));
  return counts.join(', ');
}

function members({ view }: FaultContext): NodeView[] {
  return view().nodes.filter((node) => node.reachable && node.role !== 'sentinel');
}

async function busPortOf(context: FaultContext, others: readonly NodeView[], address: string): Promise<[number] | []> {
  const node = others.find((other) => other.address === address);
  if (!node) return [];
  const reply = await withControl(context, node.id, (ask) => ask('CONFIG', 'GET', 'cluster-port'));
  const port = Array.isArray(reply) ? Number(reply[1]) : 0;
  return port > 0 ? [port] : [];
}

async function clusterIdOf(ask: Ask): Promise<string> {
  return String(await ask('CLUSTER', 'MYID'));
}

async function linesOf(ask: Ask): Promise<ReturnType<typeof parseClusterNodes>> {
  return parseClusterNodes(String(await ask('CLUSTER', 'NODES')));
}

function unlessUnknown(error: unknown): void {
  if (!/Unknown node/i.test(String(error))) throw error;
}
