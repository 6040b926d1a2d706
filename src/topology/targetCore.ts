/**
 * What a lab and an external target have in common: views, endpoints, key counts, description. Made by lab.ts and external.ts.
 * It only looks; it must never change anything on a server.
 */
import type { Redis } from 'ioredis';
import { assert } from '../base/assert.js';
import { monotonicUs } from '../base/clock.js';
import type { LoadEndpoints } from '../load/client.js';
import type { RunTargetRecord } from '../result/records.js';
import { type BareNodeView, composeView, type Member, type NodePoll } from './clusterView.js';
import { type Access, openControl } from './connection.js';
import { fieldsOf } from './infoReply.js';
import { InSyncTracker } from './inSync.js';
import { NodePoller } from './nodePoller.js';
import { ShardNumbers } from './shardNumbers.js';
import { dataNodes, type NodeView, type TargetMode, type TargetNode, type TopologyView } from './target.js';

/** A node with what only the topology needs to know of it. */
export interface CoreNode extends TargetNode {
  /** Null outside a cluster. */
  clusterId: string | null;
}

/** `host:port` by which a node is known to clients and to the other nodes. */
export function announcedAddress(node: TargetNode): string {
  const { host, port } = node.announced ?? node;
  return `${host}:${port}`;
}

/** Settings that shape an outage and the recovery from it; asked by name, since some services answer no pattern. */
const notableSettings = [
  'cluster-node-timeout',
  'cluster-require-full-coverage',
  'cluster-allow-reads-when-down',
  'cluster-replica-validity-factor',
  'repl-diskless-sync',
  'repl-diskless-sync-delay',
  'repl-timeout',
  'repl-backlog-size',
  'repl-ping-replica-period',
  'min-replicas-to-write',
  'appendonly',
  'appendfsync',
  'save',
  'maxmemory',
  'maxmemory-policy',
  'io-threads',
];

export class TargetCore {
  readonly mode: TargetMode;
  readonly nodes: readonly CoreNode[];
  readonly access: Access;
  readonly #sentinelAccess: Access;
  readonly tracker: InSyncTracker;
  readonly poller: NodePoller;
  readonly #nodes: CoreNode[];
  readonly #members: Member[];
  #shards: ShardNumbers | null = null;
  #record: RunTargetRecord | null = null;
  #proxied = false;

  constructor(mode: TargetMode, nodes: readonly CoreNode[], access: Access, tracker = new InSyncTracker(), sentinelAccess = access) {
    this.mode = mode;
    this.#nodes = [...nodes];
    this.nodes = this.#nodes;
    this.access = access;
    this.#sentinelAccess = sentinelAccess;
    this.tracker = tracker;
    this.poller = new NodePoller(
      mode,
      (nodeId) => this.control(nodeId),
      (nodeId) => this.#nodes.find(({ id }) => id === nodeId)?.watches,
    );
    this.#members = nodes.map(memberOf);
  }

  add(node: CoreNode): void {
    this.#nodes.push(node);
    this.#members.push(memberOf(node));
  }

  retire(nodeId: string): void {
    for (const list of [this.#nodes, this.#members]) {
      const at = list.findIndex(({ id }) => id === nodeId);
      if (at >= 0) list.splice(at, 1);
    }
    this.tracker.observe(nodeId, null, monotonicUs());
  }

  /** Fixes shard numbers and the description; call once, when the target is ready. */
  async describeNow(server: string, version: string): Promise<void> {
    const view = await this.currentView();
    const asked = view.nodes.find((node) => node.reachable && node.role === 'master') ?? view.nodes.find((node) => node.reachable);
    const settings = await this.#settings(asked?.id ?? this.nodes[0]?.id ?? '');
    const sentinel = await this.#sentinelSettings();
    const timeoutMs = settings['cluster-node-timeout'];
    const coverage = settings['cluster-require-full-coverage'];
    this.#record = {
      topology: this.mode,
      server,
      version,
      nodes: view.nodes.map(({ id, role, address, shard, slots, masterId }) => ({
        id,
        role,
        address,
        shard,
        slots: slots.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)),
        masterId,
      })),
      clusterNodeTimeoutMs: this.mode === 'cluster' && timeoutMs !== undefined ? Number(timeoutMs) : null,
      fullCoverage: this.mode === 'cluster' && coverage !== undefined ? coverage === 'yes' : null,
      settings,
      ...(sentinel === null ? {} : { sentinel }),
      proxied: false,
    };
  }

  describe(): RunTargetRecord {
    assert(this.#record !== null, 'a target was described before it was ready');
    return { ...this.#record, proxied: this.#proxied };
  }

  async currentView(): Promise<TopologyView> {
    const ids = this.nodes.map((node) => node.id);
    const known = new Set(ids.filter((id) => this.tracker.hasEarlierPoll(id)));
    let polls = await this.#pollOnce(ids);
    // "In sync" compares two polls of a master; one that had no earlier poll is asked again at once.
    if (polls.some((poll) => poll.replication?.role === 'master' && poll.replication.replicas.length > 0 && !known.has(poll.id))) {
      polls = await this.#pollOnce(ids);
    }
    const bare = composeView(this.#members, polls);
    this.#shards ??= new ShardNumbers(bare);
    const shards = this.#shards.shardsOf(bare);
    const nodes: NodeView[] = bare.map((node) => ({
      ...node,
      shard: shards.get(node.id) ?? null,
      inSync: this.#isInSync(node, bare),
    }));
    return { atUs: monotonicUs(), nodes };
  }

  control(nodeId: string): Redis {
    const node = this.nodes.find((candidate) => candidate.id === nodeId);
    assert(node, `no node ${nodeId}`);
    return openControl(node.host, node.port, node.watches === undefined ? this.access : this.#sentinelAccess);
  }

  endpoints(proxies: Record<string, { host: string; port: number }> | null): LoadEndpoints {
    const shards = this.#shards;
    assert(shards !== null, 'endpoints were asked for before the target was ready');
    this.#proxied = proxies !== null;
    return {
      mode: this.mode,
      ...this.#seeds(),
      natMap: proxies,
      nodeIds: Object.fromEntries(this.#members.map(({ address, id }) => [address, id])),
      ...this.access,
      shardOfSlot: shards.shardOfSlot,
      shardCount: shards.shardCount,
    };
  }

  async keysPerNode(): Promise<Record<string, number>> {
    const view = await this.currentView();
    const counts = await Promise.all(
      view.nodes
        .filter((node) => node.role !== 'replica' && node.role !== 'sentinel')
        .map(async (node): Promise<[string, number]> => [node.id, (await this.poller.ask(node.id, (redis) => redis.dbsize())) ?? -1]),
    );
    return Object.fromEntries(counts);
  }

  /** The master of t0 first; sentinels apart. */
  #seeds(): Pick<LoadEndpoints, 'seeds' | 'sentinels'> {
    const masterId = this.mode === 'cluster' ? undefined : this.describe().nodes.find(({ role }) => role === 'master')?.id;
    const servers = dataNodes(this.nodes).toSorted((a, b) => Number(b.id === masterId) - Number(a.id === masterId));
    const sentinels = this.nodes.filter(({ watches }) => watches !== undefined);
    const masterName = sentinels[0]?.watches;
    const addressOf = ({ host, port, announced }: CoreNode): { host: string; port: number } => announced ?? { host, port };
    return {
      seeds: servers.map(addressOf),
      ...(masterName === undefined
        ? {}
        : { sentinels: { masterName, seeds: sentinels.map(addressOf), login: this.#sentinelAccess.password !== null } }),
    };
  }

  /** As one of the sentinels says; null without any. */
  async #sentinelSettings(): Promise<NonNullable<RunTargetRecord['sentinel']> | null> {
    const sentinels = this.nodes.filter(({ watches }) => watches !== undefined);
    for (const { id, watches: masterName = '' } of sentinels) {
      const reply = await this.poller.ask(id, (redis) => redis.call('SENTINEL', 'MASTER', masterName));
      if (reply === null) continue;
      const fields = fieldsOf(reply);
      const number = (name: string): number => Number(fields.get(name) ?? 0);
      return {
        masterName,
        count: sentinels.length,
        quorum: number('quorum'),
        downAfterMs: number('down-after-milliseconds'),
        failoverTimeoutMs: number('failover-timeout'),
      };
    }
    return null;
  }

  /**
   * A master may know its replica by another address than clients do (a name, or the port without TLS); then the count decides: when
   * as many are in sync as there are replicas, each is.
   */
  #isInSync(node: BareNodeView, all: readonly BareNodeView[]): boolean {
    if (node.role !== 'replica' || node.masterId === null) return false;
    const inSync = this.tracker.replicasInSync(node.masterId);
    return inSync.has(node.address) || inSync.size >= all.filter((other) => other.masterId === node.masterId).length;
  }

  async #pollOnce(ids: readonly string[]): Promise<NodePoll[]> {
    const polls = await this.poller.poll(ids);
    for (const poll of polls) this.tracker.observe(poll.id, poll.replication, poll.atUs);
    return polls;
  }

  /** Empty where CONFIG is forbidden, as on managed services. */
  async #settings(nodeId: string): Promise<Record<string, string>> {
    const settings: Record<string, string> = {};
    for (const name of notableSettings) {
      const reply = await this.poller.ask(nodeId, (redis) => redis.call('CONFIG', 'GET', name).catch(() => []));
      if (Array.isArray(reply) && typeof reply[1] === 'string') settings[name] = reply[1];
    }
    return settings;
  }
}

function memberOf(node: CoreNode): Member {
  const { id, clusterId, watches } = node;
  return { id, address: announcedAddress(node), clusterId, ...(watches === undefined ? {} : { isSentinel: true }) };
}
