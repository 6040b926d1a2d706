/**
 * Reads keys back from the masters that own them, over control connections, as many at once as is kind to a server. Called by
 * verification.ts after healing and recovery. It only reads; what it cannot read in time it says.
 */
import type { Redis } from 'ioredis';
import { monotonicUs, sleepUs } from '../base/clock.js';
import type { Target, TopologyView } from '../topology/target.js';

const BATCH_KEYS_MAX = 500;
const BATCH_BYTES_MAX = 8_000_000;
const RETRY_EVERY_US = 200_000;

export interface ReadBackOptions {
  target: Pick<Target, 'mode' | 'currentView' | 'control'>;
  /** Ends it, with what was read by then. */
  signal: AbortSignal;
  limitUs: number;
  /** The longest value there can be. */
  valueBytesMax: number;
  onProgress(done: number, total: number): void;
}

export interface KeyList {
  length: number;
  nameOf(i: number): string;
  slotOf(i: number): number;
  /** A key was read; null: it does not exist. */
  found(i: number, value: Buffer | null): void;
}

export class ReadBack {
  readonly #options: ReadBackOptions;
  readonly #connections = new Map<string, Redis>();
  readonly #deadlineUs: number;

  constructor(options: ReadBackOptions) {
    this.#options = options;
    this.#deadlineUs = monotonicUs() + options.limitUs;
  }

  /** Resolves with how many keys could not be read. */
  async read(keys: KeyList): Promise<number> {
    let left: number[] | null = null;
    let done = 0;
    for (;;) {
      const queues = await this.#byOwner(keys, left);
      const failed = queues.unowned;
      const progress = (count: number): void => {
        done += count;
        this.#options.onProgress(done, keys.length);
      };
      await Promise.all([...queues.byNode].map(async ([node, list]) => failed.push(...(await this.#readFrom(node, list, keys, progress)))));
      if (failed.length === 0 || this.#isOver()) return failed.length;
      left = failed;
      await sleepUs(RETRY_EVERY_US, this.#options.signal);
    }
  }

  close(): void {
    for (const redis of this.#connections.values()) redis.disconnect();
    this.#connections.clear();
  }

  async #byOwner(keys: KeyList, left: readonly number[] | null): Promise<{ byNode: Map<string, number[]>; unowned: number[] }> {
    const owners = ownersOf(this.#options.target.mode, await this.#options.target.currentView());
    const byNode = new Map<string, number[]>();
    const unowned: number[] = [];
    const place = (i: number): void => {
      const node = owners(keys.slotOf(i));
      if (node === null) {
        unowned.push(i);
        return;
      }
      const list = byNode.get(node);
      if (list === undefined) byNode.set(node, [i]);
      else list.push(i);
    };
    if (left === null) for (let i = 0; i < keys.length; i++) place(i);
    else for (const i of left) place(i);
    return { byNode, unowned };
  }

  /** Resolves with what this node did not answer. */
  async #readFrom(node: string, list: readonly number[], keys: KeyList, progress: (count: number) => void): Promise<number[]> {
    const batchKeys = Math.max(1, Math.min(BATCH_KEYS_MAX, Math.floor(BATCH_BYTES_MAX / this.#options.valueBytesMax)));
    const failed: number[] = [];
    for (let from = 0; from < list.length; from += batchKeys) {
      const batch = list.slice(from, from + batchKeys);
      if (this.#isOver()) {
        failed.push(...list.slice(from));
        break;
      }
      const replies = await this.#ask(node, batch, keys);
      let count = 0;
      for (const [at, i] of batch.entries()) {
        const reply = replies?.[at];
        if (reply === undefined || reply[0] !== null) failed.push(i);
        else {
          keys.found(i, reply[1] as Buffer | null);
          count++;
        }
      }
      progress(count);
      if (count === 0) {
        this.#connections.get(node)?.disconnect();
        this.#connections.delete(node);
        failed.push(...list.slice(from + batchKeys));
        break;
      }
    }
    return failed;
  }

  async #ask(node: string, batch: readonly number[], keys: KeyList): Promise<[Error | null, unknown][] | null> {
    let redis = this.#connections.get(node);
    if (redis === undefined) {
      redis = this.#options.target.control(node);
      this.#connections.set(node, redis);
    }
    const pipeline = redis.pipeline();
    for (const i of batch) pipeline.getBuffer(keys.nameOf(i));
    return pipeline.exec().catch(() => null);
  }

  #isOver(): boolean {
    return this.#options.signal.aborted || monotonicUs() >= this.#deadlineUs;
  }
}

/** Which node serves a slot; null: none that answers. */
function ownersOf(mode: Target['mode'], view: TopologyView): (slot: number) => string | null {
  const masters = view.nodes.filter((node) => node.role === 'master' && node.reachable);
  if (mode !== 'cluster') {
    // One that came back on its own may still call itself a master: the one that replicas follow is it.
    const followers = (id: string): number => view.nodes.filter(({ masterId }) => masterId === id).length;
    const master = [...masters].sort((a, b) => followers(b.id) - followers(a.id))[0]?.id ?? null;
    return () => master;
  }
  const ids: (string | null)[] = new Array(16_384).fill(null);
  for (const { id, slots } of masters) for (const [from, to] of slots) ids.fill(id, from, to + 1);
  return (slot) => ids[slot] ?? null;
}
