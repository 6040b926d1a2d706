/**
 * The operations that are planned and not yet ended, as columns of typed arrays. A row's number with its generation is the token
 * that a client carries. Each row is in the list of its shard and kind, in order of intended start. Used by the engine only.
 */
import { assert } from '../base/assert.js';

/** Rows are the low digits of a token, generations the high ones. */
const TOKEN_ROWS = 2 ** 21;
/** More operations than this are not kept open by one worker: what comes due beyond it is dropped as queue-full. */
export const MAX_OPEN_OPERATIONS = TOKEN_ROWS;
export const NONE = -1;

/** What a row is doing. Parked: a write that waits for the write in flight on its key. */
export const RowState = { free: 0, queued: 1, parked: 2, inFlight: 3 } as const;

/** HOT: rows are reused; a token of an earlier use no longer matches. */
export class OpenOperations {
  operation = new Uint8Array(0);
  state = new Uint8Array(0);
  /** shard × 2 + (0 for reads, 1 for writes). */
  list = new Uint32Array(0);
  phase = new Uint16Array(0);
  keyIndex = new Uint32Array(0);
  valueBytes = new Uint32Array(0);
  /** Times are µs since t0. */
  intendedUs = new Float64Array(0);
  dispatchedUs = new Float64Array(0);
  /** When the engine handed it to the client. */
  sentUs = new Float64Array(0);
  /** The closed-loop lane that issued it, or NONE. */
  lane = new Int32Array(0);
  /** Next in the shard's queue, next parked on the same key, or next free row. */
  link = new Int32Array(0);
  /** Of the write in flight on a key: the last one parked behind it, or NONE. */
  chainTail = new Int32Array(0);
  readonly openCount: Uint32Array;
  #generation = new Uint32Array(0);
  #prev = new Int32Array(0);
  #next = new Int32Array(0);
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  #firstFree: number = NONE;
  #size = 0;

  constructor(readonly listCount: number) {
    this.openCount = new Uint32Array(listCount);
    this.#heads = new Int32Array(listCount).fill(NONE);
    this.#tails = new Int32Array(listCount).fill(NONE);
    this.#grow(1024);
  }

  /** How many operations are open. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === MAX_OPEN_OPERATIONS;
  }

  /** The oldest open operation of a list by intended start, or NONE. */
  oldest(list: number): number {
    return this.#heads[list] as number;
  }

  /** The one that came after it in the same list, or NONE. */
  after(row: number): number {
    return this.#next[row] as number;
  }

  /** Takes a free row and appends it to its list. There must be room (`isFull`). */
  open(list: number): number {
    if (this.#firstFree === NONE) this.#grow(this.state.length * 2);
    const row = this.#firstFree;
    this.#firstFree = this.link[row] as number;
    this.#size++;
    this.list[row] = list;
    this.link[row] = NONE;
    this.chainTail[row] = NONE;
    const tail = this.#tails[list] as number;
    this.#prev[row] = tail;
    this.#next[row] = NONE;
    if (tail === NONE) this.#heads[list] = row;
    else this.#next[tail] = row;
    this.#tails[list] = row;
    this.openCount[list] = (this.openCount[list] as number) + 1;
    return row;
  }

  /** Gives the row back; its token is of the past from now on. */
  close(row: number): void {
    const list = this.list[row] as number;
    const prev = this.#prev[row] as number;
    const next = this.#next[row] as number;
    if (prev === NONE) this.#heads[list] = next;
    else this.#next[prev] = next;
    if (next === NONE) this.#tails[list] = prev;
    else this.#prev[next] = prev;
    this.openCount[list] = (this.openCount[list] as number) - 1;
    this.state[row] = RowState.free;
    this.#generation[row] = (this.#generation[row] as number) + 1;
    this.link[row] = this.#firstFree;
    this.#firstFree = row;
    this.#size--;
  }

  tokenOf(row: number): number {
    return (this.#generation[row] as number) * TOKEN_ROWS + row;
  }

  /** The row a token stands for, or NONE when that operation ended already. */
  rowOf(token: number): number {
    const generation = Math.floor(token / TOKEN_ROWS);
    const row = token - generation * TOKEN_ROWS;
    return this.#generation[row] === generation ? row : NONE;
  }

  #grow(rows: number): void {
    const old = this.state.length;
    assert(rows <= MAX_OPEN_OPERATIONS && rows > old, `${rows} open operations`);
    this.operation = grown(this.operation, new Uint8Array(rows));
    this.state = grown(this.state, new Uint8Array(rows));
    this.list = grown(this.list, new Uint32Array(rows));
    this.phase = grown(this.phase, new Uint16Array(rows));
    this.keyIndex = grown(this.keyIndex, new Uint32Array(rows));
    this.valueBytes = grown(this.valueBytes, new Uint32Array(rows));
    this.intendedUs = grown(this.intendedUs, new Float64Array(rows));
    this.dispatchedUs = grown(this.dispatchedUs, new Float64Array(rows));
    this.sentUs = grown(this.sentUs, new Float64Array(rows));
    this.lane = grown(this.lane, new Int32Array(rows));
    this.link = grown(this.link, new Int32Array(rows));
    this.chainTail = grown(this.chainTail, new Int32Array(rows));
    this.#prev = grown(this.#prev, new Int32Array(rows));
    this.#next = grown(this.#next, new Int32Array(rows));
    this.#generation = grown(this.#generation, new Uint32Array(rows));
    for (let row = rows - 1; row >= old; row--) {
      this.link[row] = this.#firstFree;
      this.#firstFree = row;
    }
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
