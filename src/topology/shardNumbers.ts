/**
 * A shard's name is its number by lowest slot at t0, and it follows the slots: after a failover the promoted replica has the
 * number, and the old master keeps it until it is told otherwise. Used by the targets and the observer. Pure.
 */
export const SLOT_COUNT = 16_384;

/** What the numbering needs to know of a node. */
export interface SlotHolder {
  id: string;
  /** Inclusive ranges; empty for replicas and for masters without slots. */
  slots: readonly (readonly [number, number])[];
  /** Node id of its master; null for masters. */
  masterId: string | null;
}

export class ShardNumbers {
  /** Shard of each slot at t0; 0 for a slot nobody had. */
  readonly shardOfSlot = new Uint16Array(SLOT_COUNT);
  readonly shardCount: number;
  readonly #lastShard = new Map<string, number>();

  /** @param atT0 all nodes, in any order, as they are before t0 */
  constructor(atT0: readonly SlotHolder[]) {
    const masters = atT0.filter((node) => node.slots.length > 0).sort((a, b) => lowestSlot(a) - lowestSlot(b));
    masters.forEach((master, shard) => {
      for (const [first, last] of master.slots) this.shardOfSlot.fill(shard, first, last + 1);
    });
    this.shardCount = masters.length;
    this.shardsOf(atT0);
  }

  /** The shard of every node now; null for one that never had a part in any. Remembers, for nodes that lose their slots later. */
  shardsOf(nodes: readonly SlotHolder[]): Map<string, number | null> {
    for (const node of nodes) {
      if (node.slots.length === 0) continue;
      const shard = this.#majorityShard(node);
      // A newcomer that took over slots of others is no shard of t0, as long as those who have the number are there.
      const isNewcomer = !this.#lastShard.has(node.id);
      const isTaken = nodes.some((other) => other !== node && other.slots.length > 0 && this.#lastShard.get(other.id) === shard);
      if (!isNewcomer || !isTaken) this.#lastShard.set(node.id, shard);
    }
    const shards = new Map<string, number | null>();
    for (const node of nodes) {
      const ofMaster = node.slots.length === 0 && node.masterId !== null ? this.#lastShard.get(node.masterId) : undefined;
      if (ofMaster !== undefined) this.#lastShard.set(node.id, ofMaster);
      shards.set(node.id, this.#lastShard.get(node.id) ?? null);
    }
    return shards;
  }

  /** The shard that most of the node's slots had at t0; of equals the lowest. */
  #majorityShard(node: SlotHolder): number {
    const counts = new Uint32Array(Math.max(1, this.shardCount));
    for (const [first, last] of node.slots) {
      for (let slot = first; slot <= last; slot++) {
        const shard = this.shardOfSlot[slot] ?? 0;
        counts[shard] = (counts[shard] ?? 0) + 1;
      }
    }
    return counts.indexOf(Math.max(...counts));
  }
}

function lowestSlot(node: SlotHolder): number {
  return Math.min(...node.slots.map(([first]) => first));
}
