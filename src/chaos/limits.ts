/**
 * Whether a fault may be injected now: the check before the first one, and the limits on what may be down at once. Asked by the
 * controller. Pure: a view and a plan in, a reason or null out.
 */
import type { ChaosLimits, SafetyPlan } from '../plan/plan.js';
import type { NodeView, TopologyView } from '../topology/target.js';

/** Why no fault should be begun yet; null: all is well. @param errorRate of the last second, 0..1; null: nothing was asked */
export function notReadyBecause(safety: SafetyPlan, view: TopologyView, errorRate: number | null): string | null {
  if (errorRate !== null && errorRate > safety.maxErrorRate) {
    return `${percent(errorRate)} of the operations of the last second failed, and the check allows ${percent(safety.maxErrorRate)}`;
  }
  if (!safety.replicasInSync) return null;
  for (const [shard, replicas] of replicasByShard(view.nodes)) {
    if (!replicas.some((replica) => replica.reachable && replica.inSync)) return `shard ${shard} has no replica in sync`;
  }
  return null;
}

/**
 * Which limit taking these nodes down would break; null: none.
 * @param down nodes that are down already, or about to be
 */
export function brokenLimit(limits: ChaosLimits, targets: readonly NodeView[], view: TopologyView, down: ReadonlySet<string>): string | null {
  const then = new Set([...down, ...targets.map((target) => target.id)]);
  if (limits.maxNodesDown !== null && then.size > limits.maxNodesDown) {
    return `${then.size} ${then.size === 1 ? 'node' : 'nodes'} would be down (${[...then].join(', ')}), and the limit is ${limits.maxNodesDown}`;
  }
  if (!limits.keepInSyncCopy) return null;
  for (const shard of new Set(targets.map((target) => target.shard))) {
    if (shard === null) continue;
    const copies = view.nodes.filter((node) => node.shard === shard && holdsAll(node) && !then.has(node.id));
    if (copies.length === 0) return `shard ${shard} would have no copy in sync left`;
  }
  return null;
}

/** A master that serves, or a replica that has what its master had. */
function holdsAll(node: NodeView): boolean {
  return node.reachable && (node.role === 'master' ? node.slots.length > 0 : node.role === 'replica' && node.inSync);
}

function replicasByShard(nodes: readonly NodeView[]): Map<number, NodeView[]> {
  const shards = new Map<number, NodeView[]>();
  for (const node of nodes) {
    if (node.role === 'replica' && node.shard !== null) shards.set(node.shard, [...(shards.get(node.shard) ?? []), node]);
  }
  return shards;
}

function percent(rate: number): string {
  return `${Math.round(rate * 1000) / 10} %`;
}
