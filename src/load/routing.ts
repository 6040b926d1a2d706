/**
 * Which slot and shard a key belongs to, for the engine (queues per shard) and the client (connections per shard). Slots come
 * from key names as Redis Cluster computes them; shards keep the numbers they had at t0.
 */
import calculateSlot from 'cluster-key-slot';
import { type KeyNaming, keyNameOf } from '../workload/keyNames.js';

const UNKNOWN_SLOT = 0xffff;

/** HOT: slots are computed once per key and remembered (2 bytes each). */
export class Routing {
  /** Counts the versions of `shardOfSlot`; a target whose shards change their numbers would raise it. */
  readonly version = 0;
  readonly #slots: [Uint16Array, Uint16Array] | null;

  /**
   * @param keys their names, and the number of ordinary ones, and of counters
   * @param shardOfSlot of the 16,384 slots; ignored when there is one shard
   */
  constructor(
    readonly keys: KeyNaming & { count: number },
    readonly shardOfSlot: Uint16Array,
    readonly shardCount: number,
  ) {
    this.#slots = shardCount === 1 ? null : [new Uint16Array(keys.count).fill(UNKNOWN_SLOT), new Uint16Array(keys.count).fill(UNKNOWN_SLOT)];
  }

  shardOf(isCounter: boolean, keyIndex: number): number {
    return this.#slots === null ? 0 : (this.shardOfSlot[this.slotOf(isCounter, keyIndex)] as number);
  }

  slotOf(isCounter: boolean, keyIndex: number): number {
    if (this.#slots === null) return calculateSlot(keyNameOf(this.keys, isCounter, keyIndex));
    const slots = this.#slots[isCounter ? 1 : 0];
    const known = slots[keyIndex] as number;
    if (known !== UNKNOWN_SLOT) return known;
    const slot = calculateSlot(keyNameOf(this.keys, isCounter, keyIndex));
    slots[keyIndex] = slot;
    return slot;
  }
}
