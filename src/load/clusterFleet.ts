/**
 * `connections` ioredis cluster clients; each has one connection per master, so a shard has `connections` of them. Made by
 * ioredisClient.ts. It survives the loss of every node: ioredis reconnects, and an instance that is stuck is replaced.
 */
import { Cluster, type Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import type { LoadPlan } from '../plan/plan.js';
import type { LoadEndpoints } from './client.js';
import { type ConnectionNews, ConnectionWatch } from './connectionWatch.js';
import type { IoredisFleet } from './ioredisFleet.js';
import { announcedAddresses, clusterOptions, reachOf } from './ioredisOptions.js';

/** resend never: unasked-for slot refreshes are at least this far apart; each MOVED asks for one, and each opens a connection (ioredis #203). */
const REFRESH_GAP_US = 100_000;
/** An instance that could not send for this long is replaced by a new one (ioredis #587). */
const STUCK_US = 10_000_000;

/** What ioredis has and does not declare. */
interface ClusterInternals {
  slots: (string[] | undefined)[];
  refreshSlotsCache(callback?: (error?: Error) => void): void;
  getInfoFromNode(redis: Redis, callback: (error?: Error) => void): void;
}

export class ClusterFleet implements IoredisFleet {
  readonly instances: Cluster[] = [];
  slotRefreshes = 0;
  readonly #announced: Map<string, string>;
  readonly #shardOfAddress = new Map<string, number>();
  /** The first slot of each shard, at t0. */
  readonly #firstSlots: number[];
  readonly #watches: Set<ConnectionWatch>[] = [];
  readonly #connected: Set<string>[] = [];
  readonly #notReadySinceUs: number[] = [];
  #lastError: Error | null = null;
  #isClosed = false;

  constructor(
    readonly endpoints: LoadEndpoints,
    readonly load: LoadPlan,
    readonly connectionName: string,
    readonly news: ConnectionNews,
    readonly handshakeLimitUs: number,
  ) {
    this.#announced = announcedAddresses(endpoints);
    this.#firstSlots = Array.from({ length: endpoints.shardCount }, (_, shard) => endpoints.shardOfSlot.indexOf(shard));
  }

  open(): void {
    for (let at = 0; at < this.load.connections; at++) {
      this.#watches.push(new Set());
      this.#connected.push(new Set());
      this.#notReadySinceUs.push(monotonicUs());
      this.instances.push(this.#makeInstance(at));
    }
  }

  isReady(): boolean {
    return this.instances.every((cluster) => cluster.status === 'ready');
  }

  nodes(): Redis[] {
    return this.instances.flatMap((cluster) => cluster.nodes('master'));
  }

  lookAfter(): void {
    if (this.#isClosed) return;
    const nowUs = monotonicUs();
    for (const [at, cluster] of this.instances.entries()) {
      for (const watch of this.#watches[at] ?? []) watch.endIfHanging(this.handshakeLimitUs);
      const canSend = cluster.status === 'ready' && cluster.nodes().length > 0;
      if (canSend) this.#notReadySinceUs[at] = nowUs;
      else if (cluster.status === 'end' || nowUs - (this.#notReadySinceUs[at] ?? nowUs) >= STUCK_US) this.#replace(at);
    }
  }

  shardOfAddress(address: string): number | null {
    return this.#shardOfAddress.get(address) ?? null;
  }

  lastError(): Error | null {
    return this.#lastError;
  }

  close(): void {
    this.#isClosed = true;
    for (const cluster of this.instances) cluster.disconnect();
  }

  #makeInstance(at: number): Cluster {
    const seeds = this.endpoints.seeds.map((seed) => reachOf(this.endpoints, seed));
    const cluster = new Cluster(seeds, clusterOptions(this.endpoints, this.load.resend, `${this.connectionName}-${at}`));
    const noteError = (error: Error): void => {
      this.#lastError = (error as { lastNodeError?: Error }).lastNodeError ?? error;
    };
    cluster.on('error', noteError);
    cluster.on('node error', noteError);
    cluster.on('+node', (redis: Redis) => this.#watchNode(at, redis));
    cluster.on('refresh', () => this.#learnShards(cluster));
    this.#countRefreshes(cluster);
    cluster.connect().catch(() => {
      // It goes on trying by its retry strategy; the error events have the reason.
    });
    return cluster;
  }

  #replace(at: number): void {
    const old = this.instances[at];
    this.#notReadySinceUs[at] = monotonicUs();
    this.#watches[at]?.clear();
    this.instances[at] = this.#makeInstance(at);
    old?.disconnect();
  }

  #watchNode(at: number, redis: Redis): void {
    const reach = `${redis.options.host}:${redis.options.port}`;
    const address = this.#announced.get(reach) ?? reach;
    const hadConnection = (): boolean => {
      const connected = this.#connected[at];
      const had = connected?.has(address) ?? false;
      connected?.add(address);
      return had;
    };
    const watch = new ConnectionWatch(redis, address, this.news, hadConnection);
    this.#watches[at]?.add(watch);
    redis.once('end', () => this.#watches[at]?.delete(watch));
  }

  #learnShards(cluster: Cluster): void {
    const { slots } = cluster as unknown as ClusterInternals;
    for (const [shard, slot] of this.#firstSlots.entries()) {
      for (const reach of slots[slot] ?? []) this.#shardOfAddress.set(this.#announced.get(reach) ?? reach, shard);
    }
  }

  /** Counts every CLUSTER SLOTS, and keeps them apart unless ioredis is to behave as it does by default. */
  #countRefreshes(cluster: Cluster): void {
    const internals = cluster as unknown as ClusterInternals;
    const ask = internals.getInfoFromNode;
    internals.getInfoFromNode = (redis, callback) => {
      this.slotRefreshes++;
      ask.call(cluster, redis, callback);
    };
    if (this.load.resend === 'client-default') return;
    const refresh = internals.refreshSlotsCache;
    let lastUs = Number.NEGATIVE_INFINITY;
    internals.refreshSlotsCache = (callback) => {
      const nowUs = monotonicUs();
      // Who gives a callback waits for it; the rest only suggest.
      if (callback === undefined && nowUs - lastUs < REFRESH_GAP_US) return;
      lastUs = nowUs;
      refresh.call(cluster, callback);
    };
  }
}
