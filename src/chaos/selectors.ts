/**
 * Which nodes a selector means, by the roles of this moment. Called by the controller at injection. Pure: a view and a selector in,
 * nodes out. A role that a reachable node has is never given to an unreachable one; where only an unreachable one has it, it is meant.
 */
import { unreachable } from '../base/assert.js';
import type { NodeSelector } from '../plan/plan.js';
import type { NodeView, TopologyView } from '../topology/target.js';

/** The nodes meant, in start order; empty when nobody has the role now. */
export function resolveSelector(selector: NodeSelector, view: TopologyView): NodeView[] {
  const all = view.nodes.toSorted(byStartOrder);
  const nodes = all.filter((node) => node.role !== 'sentinel');
  const sentinels = all.filter((node) => node.role === 'sentinel');
  const masters = mastersByLowestSlot(nodes);
  const replicas = replicasByShard(nodes);
  switch (selector.by) {
    case 'master':
      return one(masters[selector.index]);
    case 'replica':
      return one(replicas[selector.index]);
    case 'node':
      return one(nodes[selector.index]);
    case 'masterOfSlot':
      return one(masterOfSlot(masters, selector.slot));
    case 'replicaOfMaster':
      return one(replicaOf(masters[selector.index], replicas));
    case 'randomMaster':
      return one(drawn(preferReachable(masters.filter(isNode)), selector.draw));
    case 'randomReplica':
      return one(drawn(preferReachable(replicas), selector.draw));
    case 'sentinel':
      return one(sentinels[selector.index]);
    case 'allSentinels':
      return sentinels.filter(isReachable);
    case 'allMasters':
      return masters.filter(isNode).filter(isReachable).toSorted(byStartOrder);
    case 'allReplicas':
      return replicas.filter(isReachable).toSorted(byStartOrder);
    default:
      return unreachable(selector);
  }
}

/**
 * One entry per shard, undefined where a shard has no master now: so `master[1]` stays the same shard while shard 0 elects.
 * By lowest slot where all are known, else by the shards' numbers (which are by lowest slot at t0).
 */
function mastersByLowestSlot(nodes: readonly NodeView[]): (NodeView | undefined)[] {
  const shards = new Map<string, { number: number; master: NodeView | undefined }>();
  for (const node of nodes) {
    const key = node.shard === null ? node.id : `shard ${node.shard}`;
    if (node.shard !== null && !shards.has(key)) shards.set(key, { number: node.shard, master: undefined });
    if (node.role !== 'master') continue;
    const known = shards.get(key);
    if (!known?.master || moreLikelyMaster(node, known.master)) shards.set(key, { number: node.shard ?? Number.MAX_SAFE_INTEGER, master: node });
  }
  const entries = [...shards.values()];
  // A cluster master without slots (just joined, or emptied) is no shard's.
  const anySlots = entries.some(({ master }) => master && lowestSlot(master) !== null);
  const serving = entries.filter(({ number, master }) => !anySlots || number !== Number.MAX_SAFE_INTEGER || (master && lowestSlot(master) !== null));
  const allSlots = serving.every(({ master }) => master && lowestSlot(master) !== null);
  const rank = (entry: (typeof entries)[number]): number => (allSlots && entry.master ? (lowestSlot(entry.master) ?? 0) : entry.number);
  return serving.toSorted((a, b) => rank(a) - rank(b)).map(({ master }) => master);
}

/** Of two nodes that are seen as masters of one shard: the one that answers, then the one that has slots. */
function moreLikelyMaster(a: NodeView, b: NodeView): boolean {
  if (a.reachable !== b.reachable) return a.reachable;
  return a.slots.length > 0 && b.slots.length === 0;
}

function replicasByShard(nodes: readonly NodeView[]): NodeView[] {
  const replicas = nodes.filter((node) => node.role === 'replica');
  const order = (node: NodeView): number => (node.reachable ? 0 : 1e6) + (node.shard ?? 1e5);
  return replicas.toSorted((a, b) => order(a) - order(b));
}

/** A server outside a cluster has no slots and serves them all. */
function masterOfSlot(masters: readonly (NodeView | undefined)[], slot: number): NodeView | undefined {
  const known = masters.filter(isNode);
  if (known.every((node) => node.slots.length === 0)) return known.length === 1 ? known[0] : undefined;
  return known.find((node) => node.slots.some(([from, to]) => from <= slot && slot <= to));
}

function replicaOf(master: NodeView | undefined, replicas: readonly NodeView[]): NodeView | undefined {
  if (!master) return undefined;
  return replicas.find((node) => node.masterId === master.id) ?? replicas.find((node) => master.shard !== null && node.shard === master.shard);
}

function preferReachable(nodes: readonly NodeView[]): NodeView[] {
  const reachable = nodes.filter(isReachable);
  return reachable.length > 0 ? reachable : [...nodes];
}

function drawn(nodes: readonly NodeView[], draw: number): NodeView | undefined {
  return nodes[Math.floor(draw * nodes.length)];
}

function lowestSlot(node: NodeView): number | null {
  return node.slots.length === 0 ? null : Math.min(...node.slots.map(([from]) => from));
}

/** `n2` before `n10`. */
function byStartOrder(a: NodeView, b: NodeView): number {
  return a.id.localeCompare(b.id, 'en', { numeric: true });
}

function isReachable(node: NodeView): boolean {
  return node.reachable;
}

function isNode(node: NodeView | undefined): node is NodeView {
  return node !== undefined;
}

function one(node: NodeView | undefined): NodeView[] {
  return node ? [node] : [];
}
