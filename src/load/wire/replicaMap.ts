/**
 * HOT: which replicas serve a slot's reads, and whose turn it is. Filled by WireClient from each slot map; it knows nothing of connections.
 */

const NO_GROUP = -1;

/** Replicas of one range of slots, as indices of the client's nodes. */
interface Group {
  nodes: readonly number[];
  turn: number;
}

export class ReplicaMap {
  readonly #groupOfSlot = new Int16Array(16_384).fill(NO_GROUP);
  #groups: Group[] = [];

  /** Takes the place of all that was known. */
  replace(ranges: readonly { from: number; to: number; nodes: readonly number[] }[]): void {
    this.#groupOfSlot.fill(NO_GROUP);
    this.#groups = ranges.map(({ from, to, nodes }, group) => {
      this.#groupOfSlot.fill(group, from, to + 1);
      return { nodes, turn: 0 };
    });
  }

  /** How many replicas serve the slot. */
  countOf(slot: number): number {
    return this.#groups[this.#groupOfSlot[slot] as number]?.nodes.length ?? 0;
  }

  /** The replica whose turn it is: the next call names the next one. Only where `countOf` is not 0. */
  next(slot: number): number {
    const group = this.#groups[this.#groupOfSlot[slot] as number] as Group;
    group.turn = group.turn + 1 < group.nodes.length ? group.turn + 1 : 0;
    return group.nodes[group.turn] as number;
  }
}
