/**
 * Which node serves what: asked of the cluster or the sentinels when the wire client connects and at every hint that it changed, one question
 * at a time. Owned by WireClient; it opens no connection for operations, and the hot path only reads what it knows.
 */
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError } from '../../base/errors.js';
import type { LoadEndpoints } from '../client.js';
import { addressOf, askSlots, type SlotRange } from './clusterMap.js';
import type { Delays } from './delays.js';
import { ReplicaMap } from './replicaMap.js';
import { SentinelResolver } from './sentinelResolver.js';
import type { WireNode } from './wireNode.js';

/** It is asked for at most this often. */
const REFRESH_EVERY_MS = 100;
/** With reads from replicas, it is asked for this often even if nothing hints at a change: nobody says MOVED when a replica joins. */
const LOOK_FOR_REPLICAS_MS = 1000;

export interface NodeMapOwner {
  readonly nodes: readonly WireNode[];
  /** The node of this address, which is made and connected to where it is new. */
  nodeAt(address: string): WireNode;
}

export class NodeMap {
  /** Index of the node that takes everything outside a cluster. */
  master = 0;
  /** In a cluster: index of the node that serves a slot; −1: not known. */
  readonly nodeOfSlot = new Int16Array(16_384).fill(-1);
  /** Null: reads go to masters as everything else. */
  readonly replicas: ReplicaMap | null;
  /** How often a cluster was asked. */
  refreshes = 0;
  readonly #endpoints: LoadEndpoints;
  readonly #owner: NodeMapOwner;
  readonly #delays: Delays;
  readonly #isCluster: boolean;
  /** Whether the master can become another one: then whoever knows is asked again at every hint. */
  readonly #isLed: boolean;
  /** Null: not led by sentinels. */
  readonly #sentinels: SentinelResolver | null;
  /** The shard that an address serves or served last. */
  readonly #shards = new Map<string, number>();
  #refreshing = false;
  #refreshWanted = false;

  constructor(endpoints: LoadEndpoints, readsReplicas: boolean, delays: Delays, owner: NodeMapOwner) {
    const { mode } = endpoints;
    this.#endpoints = endpoints;
    this.#owner = owner;
    this.#delays = delays;
    this.#isCluster = mode === 'cluster';
    this.#isLed = mode === 'cluster' || mode === 'sentinel';
    this.replicas = mode !== 'standalone' && readsReplicas ? new ReplicaMap() : null;
    this.#sentinels = mode === 'sentinel' ? new SentinelResolver(endpoints, this.replicas !== null, () => this.#refresh(0)) : null;
  }

  /** Resolves when the map is known. Throws TARGET_UNREACHABLE when nobody could tell by then. */
  async open(deadlineUs: number): Promise<void> {
    this.#sentinels?.open();
    while (!(await this.#apply())) {
      if (monotonicUs() > deadlineUs) {
        const { seeds, sentinels } = this.#endpoints;
        const asked = (sentinels?.seeds ?? seeds).map((seed) => addressOf(seed.host, seed.port)).join(', ');
        if (sentinels) throw new KvbenchError('TARGET_UNREACHABLE', `none of the sentinels ${asked} could tell the master`, 'Do they watch it?');
        const hint = 'Is it a cluster, and are user and password right?';
        throw new KvbenchError('TARGET_UNREACHABLE', `none of ${asked} could tell the cluster's slots`, hint);
      }
      await new Promise((resolve) => setTimeout(resolve, REFRESH_EVERY_MS));
    }
  }

  close(): void {
    this.#sentinels?.close();
  }

  /** The map may be old: it is asked for soon. Nothing where the master stays what it is. */
  hint(): void {
    if (this.#isLed) this.#refresh();
  }

  /** Where reads go to replicas: looks for new ones from now on. */
  watchReplicas(): void {
    if (this.replicas === null) return;
    this.#delays.after(LOOK_FOR_REPLICAS_MS, () => {
      this.#refresh();
      this.watchReplicas();
    });
  }

  isMaster(node: WireNode): boolean {
    return this.#isCluster ? this.nodeOfSlot.includes(node.index) : node.index === this.master;
  }

  shardOfAddress(address: string): number | null {
    return this.#shards.get(address) ?? null;
  }

  #refresh(delayMs = REFRESH_EVERY_MS): void {
    this.#refreshWanted = true;
    if (this.#refreshing || this.#delays.closed) return;
    this.#refreshing = true;
    this.#delays.after(delayMs, () => {
      this.#refreshWanted = false;
      void this.#apply().then((applied) => {
        this.#refreshing = false;
        if (this.#refreshWanted || !applied) this.#refresh();
      });
    });
  }

  async #apply(): Promise<boolean> {
    const ranges = await this.#ask();
    if (ranges === null || this.#delays.closed) return false;
    const owner = this.#owner;
    if (!this.#isCluster) this.master = owner.nodeAt(ranges[0]?.address ?? '').index;
    for (const { from, to, address } of ranges) {
      this.nodeOfSlot.fill(owner.nodeAt(address).index, from, to + 1);
      this.#shards.set(address, this.#endpoints.shardOfSlot[from] ?? 0);
    }
    const used = new Set(ranges.map((range) => range.address));
    if (this.replicas !== null) {
      const readers = ranges.map(({ from, to, replicas }) => ({ from, to, nodes: replicas.map((address) => owner.nodeAt(address).index) }));
      this.replicas.replace(readers);
      for (const { from, replicas } of ranges) {
        for (const address of replicas) {
          used.add(address);
          this.#shards.set(address, this.#endpoints.shardOfSlot[from] ?? 0);
        }
      }
    }
    this.#leaveUnused(used);
    return true;
  }

  /** Who serves what: as the cluster or the sentinels say, else as it was at t0. Null: nobody could tell. */
  #ask(): Promise<SlotRange[] | null> {
    const seeds = this.#endpoints.seeds.map((seed) => addressOf(seed.host, seed.port));
    if (this.#sentinels !== null) return this.#sentinels.ask();
    if (!this.#isCluster) return Promise.resolve([{ from: 0, to: 16_383, address: seeds[0] ?? '', replicas: seeds.slice(1) }]);
    const live = this.#owner.nodes.filter((node) => node.connections.some((connection) => connection?.isReady)).map((node) => node.address);
    this.refreshes++;
    return askSlots(this.#endpoints, [...live, ...seeds.filter((address) => !live.includes(address))]);
  }

  /**
   * Closes the connections to nodes that serve nothing any more. In a cluster what is in flight there is still answered; a master that
   * sentinels have replaced may be frozen, or lose what it acknowledges: nobody knows of its operations.
   */
  #leaveUnused(used: ReadonlySet<string>): void {
    for (const node of this.#owner.nodes) {
      if (node.gone || used.has(node.address)) continue;
      // Who was sent to a newcomer knows more than the node that was asked.
      if (this.#isCluster && (node.waiting !== null || node.connections.some((connection) => connection !== null && connection.inFlight > 0)))
        continue;
      node.leave();
    }
  }
}
