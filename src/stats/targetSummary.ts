/** The target before and after a run, for summary.json. After: as asked at the end, or, of a killed run, by the roles last seen. Pure. */
import type { EventOf, EventRecord, NodeRecord, RunTargetRecord } from '../result/records.js';
import type { TargetSummary } from '../result/summary.js';

export function targetSummary(target: RunTargetRecord | null, events: readonly EventRecord[]): TargetSummary | null {
  if (!target) return null;
  const final = events.findLast((event) => event.type === 'target');
  const before = events.find((event): event is EventOf<'keys'> => event.type === 'keys' && event.tUs < 0);
  return {
    topology: target.topology,
    server: target.server,
    version: target.version,
    nodes: target.nodes.map(short),
    nodesAfter: final ? final.nodes.map(short) : byLastRoles(target.nodes, events),
    keysPerNode: final?.keysPerNode ?? {},
    ...(before === undefined ? {} : { keysPerNodeBefore: before.perNode }),
  };
}

function short({ id, role, address, slots }: NodeRecord): TargetSummary['nodes'][number] {
  return { id, role, address, slots };
}

/** A shard's slots are with whoever was last seen as its master. */
function byLastRoles(nodes: readonly NodeRecord[], events: readonly EventRecord[]): TargetSummary['nodes'] {
  const slotsOfShard = new Map(nodes.flatMap((node) => (node.role === 'master' && node.shard !== null ? [[node.shard, node.slots]] : [])));
  const last = new Map(nodes.map((node) => [node.id, { role: node.role, shard: node.shard }]));
  for (const event of events) {
    if (event.type === 'role') last.set(event.node, { role: event.role, shard: event.shard ?? last.get(event.node)?.shard ?? null });
  }
  return nodes.map(({ id, address }) => {
    const { role, shard } = last.get(id) ?? { role: 'unknown' as const, shard: null };
    return { id, role, address, slots: role === 'master' && shard !== null ? (slotsOfShard.get(shard) ?? []) : [] };
  });
}
