/**
 * `connections` ioredis cluster clients; each has one connection per master (and replica, with readFrom: replica). Made by
 * ioredisClient.ts. It survives the loss of every node: ioredis reconnects, and an instance that is stuck is replaced.
 */
import { Cluster, type Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import type { LoadPlan } from '../plan/plan.js';
import type { LoadEndpoints } from './client.js';
import type { ConnectionNews } from './connectionNews.js';
import { ConnectionWatch } from './connectionWatch.js';
import type { IoredisFleet } from './ioredisFleet.js';
import { announcedAddresses, clusterOptions, reachOf } from './ioredisOptions.js';
import { lingerOnLeavers, waitForNewNodes } from './newNodes.js';

/** resend never: slot refreshes of an instance are at least this far apart; each MOVED asks for one, and each opens a connection (ioredis #203). */
const REFRESH_GAP_US = 100_000;
/** resend never: while operations fail for want of a connection, one of the instances asks for the slots this often. */
const PROBE_GAP_US = 50_000;
/**
 * resend never: while all is well, so many instances in turn ask for the slots each time they are looked after. A stopped master answers
 * nothing and so never says MOVED (ioredis #559); but an answer costs milliseconds of CPU (16,384 slots, and a connection made for it).
 */
const ASKING_IN_TURN = 4;
/** After a failure, a MOVED or news of masters all of them ask each time, for so long. */
const RESTLESS_US = 5_000_000;
/** When one instance has learned of new masters, the others ask too, at most this often. */
const SPREAD_GAP_US = 100_000;
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
  #masters = '';
  #nextProbe = 0;
  #lastProbeUs = Number.NEGATIVE_INFINITY;
  #lastSpreadUs = Number.NEGATIVE_INFINITY;
  #restlessUntilUs = Number.NEGATIVE_INFINITY;
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
    return this.instances.flatMap((cluster) => cluster.nodes(this.load.readFrom === 'replica' ? 'all' : 'master'));
  }

  noteConnectionFailure(): void {
    if (this.load.resend === 'client-default') return;
    const nowUs = monotonicUs();
    this.#restlessUntilUs = nowUs + RESTLESS_US;
    if (nowUs - this.#lastProbeUs < PROBE_GAP_US) return;
    this.#lastProbeUs = nowUs;
    this.#askNext();
  }

  lookAfter(): void {
    if (this.#isClosed) return;
    const nowUs = monotonicUs();
    for (const [at, cluster] of this.instances.entries()) {
      const nodes = new Set(cluster.nodes());
      const watches = this.#watches[at];
      for (const watch of watches ?? []) {
        if (nodes.has(watch.redis)) watch.endIfHanging(this.handshakeLimitUs);
        else watches?.delete(watch);
      }
      const canSend = cluster.status === 'ready' && [...nodes].some((node) => node.status === 'ready');
      if (canSend) this.#notReadySinceUs[at] = nowUs;
      else if (cluster.status === 'end' || nowUs - (this.#notReadySinceUs[at] ?? nowUs) >= STUCK_US) this.#replace(at);
    }
    if (this.load.resend === 'client-default') return;
    const count = this.instances.length;
    for (let left = nowUs < this.#restlessUntilUs ? count : Math.min(ASKING_IN_TURN, count); left > 0; left--) this.#askNext();
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
    const cluster = new Cluster(seeds, clusterOptions(this.endpoints, this.load, `${this.connectionName}-${at}`));
    const noteError = (error: Error): void => {
      this.#lastError = (error as { lastNodeError?: Error }).lastNodeError ?? error;
    };
    cluster.on('error', noteError);
    cluster.on('node error', noteError);
    if (this.load.resend !== 'client-default') {
      waitForNewNodes(cluster);
      lingerOnLeavers(cluster);
    }
    cluster.on('+node', (redis: Redis) => this.#watchNode(at, redis));
    cluster.on('refresh', () => this.#learnSlots(cluster));
    this.#countRefreshes(cluster);
    cluster.connect().catch(() => {
      // It goes on trying by its retry strategy; the error events have the reason.
    });
    return cluster;
  }

  /** The next instance asks for the slots. */
  #askNext(): void {
    this.#nextProbe = (this.#nextProbe + 1) % this.instances.length;
    const cluster = this.instances[this.#nextProbe];
    if (cluster?.status === 'ready') (cluster as unknown as ClusterInternals).refreshSlotsCache(() => {});
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
  }

  #learnSlots(cluster: Cluster): void {
    const { slots } = cluster as unknown as ClusterInternals;
    const masters: string[] = [];
    for (const [shard, slot] of this.#firstSlots.entries()) {
      masters.push(slots[slot]?.[0] ?? '');
      for (const reach of slots[slot] ?? []) this.#shardOfAddress.set(this.#announced.get(reach) ?? reach, shard);
    }
    this.#spread(cluster, masters.join());
  }

  /** One instance sees other masters than the last one did: all should look. */
  #spread(from: Cluster, masters: string): void {
    const isNews = this.#masters !== '' && this.#masters !== masters;
    this.#masters = masters;
    const nowUs = monotonicUs();
    if (!isNews || this.load.resend === 'client-default') return;
    this.#restlessUntilUs = nowUs + RESTLESS_US;
    if (nowUs - this.#lastSpreadUs < SPREAD_GAP_US) return;
    this.#lastSpreadUs = nowUs;
    for (const cluster of this.instances) {
      if (cluster !== from && cluster.status === 'ready') (cluster as unknown as ClusterInternals).refreshSlotsCache(() => {});
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
      // Who gives a callback waits for it; the rest, a MOVED, only suggest.
      if (callback === undefined) this.#restlessUntilUs = nowUs + RESTLESS_US;
      if (callback === undefined && nowUs - lastUs < REFRESH_GAP_US) return;
      lastUs = nowUs;
      refresh.call(cluster, callback);
    };
  }
}
