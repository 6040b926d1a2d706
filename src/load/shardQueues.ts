/**
 * Per shard: how many operations the client has, how many wait, and those that wait in order. Used by the engine only; an outage of
 * one shard fills its own queue and nobody else's.
 */
import { NONE, type OpenOperations, RowState } from './openOperations.js';

/** HOT: first in, first out, linked through the rows of the open operations. */
export class ShardQueues {
  /** What the client has, per shard. */
  readonly inFlight: Uint32Array;
  /** What waits, per shard: queued, and parked behind a write on the same key. */
  readonly waiting: Uint32Array;
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;

  constructor(
    readonly operations: OpenOperations,
    readonly shardCount: number,
  ) {
    this.inFlight = new Uint32Array(shardCount);
    this.waiting = new Uint32Array(shardCount);
    this.#heads = new Int32Array(shardCount).fill(NONE);
    this.#tails = new Int32Array(shardCount).fill(NONE);
  }

  /** The first of the queue, or NONE. */
  head(shard: number): number {
    return this.#heads[shard] as number;
  }

  enqueue(row: number, shard: number): void {
    const tail = this.#tails[shard] as number;
    this.operations.state[row] = RowState.queued;
    this.operations.link[row] = NONE;
    if (tail === NONE) this.#heads[shard] = row;
    else this.operations.link[tail] = row;
    this.#tails[shard] = row;
    this.waiting[shard] = (this.waiting[shard] as number) + 1;
  }

  /** Takes the first of the queue, which must not be empty. */
  dequeue(shard: number): number {
    const row = this.#heads[shard] as number;
    const next = this.operations.link[row] as number;
    this.#heads[shard] = next;
    if (next === NONE) this.#tails[shard] = NONE;
    this.operations.link[row] = NONE;
    this.waiting[shard] = (this.waiting[shard] as number) - 1;
    return row;
  }

  /** Puts a write behind the one in flight on its key (`holder`), and behind those parked there already. */
  park(row: number, holder: number, shard: number): void {
    const tail = this.operations.chainTail[holder] as number;
    this.operations.link[tail === NONE ? holder : tail] = row;
    this.operations.chainTail[holder] = row;
    this.operations.link[row] = NONE;
    this.operations.state[row] = RowState.parked;
    this.waiting[shard] = (this.waiting[shard] as number) + 1;
  }

  /** A parked write left its place: it is sent, or has ended. */
  unparked(shard: number): void {
    this.waiting[shard] = (this.waiting[shard] as number) - 1;
  }
}
