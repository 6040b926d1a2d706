/**
 * Asks every node, over connections it keeps, for INFO replication and CLUSTER NODES. Used by the targets.
 * A node that does not answer in time must never hold up the others, nor make this throw.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { parseClusterNodes } from './clusterNodesReply.js';
import type { NodePoll } from './clusterView.js';
import { parseMasterAddress, parseReplicationInfo } from './infoReply.js';
import type { TargetMode } from './target.js';
import { withinLimit } from './waiting.js';

/** How long one poll waits for a node before it counts as not reachable. */
export const POLL_LIMIT_US = 1_000_000;

export class NodePoller {
  readonly #connections = new Map<string, Redis>();
  readonly #cluster: boolean;
  readonly #open: (nodeId: string) => Redis;
  #closed = false;

  readonly #watched: (nodeId: string) => string | undefined;

  /** @param watched of a sentinel: the name of the master that it watches */
  constructor(mode: TargetMode, open: (nodeId: string) => Redis, watched: (nodeId: string) => string | undefined = () => undefined) {
    this.#cluster = mode === 'cluster';
    this.#open = open;
    this.#watched = watched;
  }

  /** One answer per id, in order. */
  poll(nodeIds: readonly string[]): Promise<NodePoll[]> {
    return Promise.all(nodeIds.map((id) => this.#pollNode(id)));
  }

  /** Null when there is no answer (in time). */
  async ask<T>(nodeId: string, command: (redis: Redis) => Promise<T>): Promise<T | null> {
    if (this.#closed) return null;
    const redis = this.#connectionTo(nodeId);
    try {
      return await withinLimit(command(redis), POLL_LIMIT_US, () => new Error('no answer in time'));
    } catch {
      // An error reply leaves a good connection behind; but a new one is cheap, and a stuck one would poison the next poll.
      this.#connections.delete(nodeId);
      redis.disconnect();
      return null;
    }
  }

  close(): void {
    this.#closed = true;
    for (const redis of this.#connections.values()) redis.disconnect();
    this.#connections.clear();
  }

  async #pollNode(id: string): Promise<NodePoll> {
    const masterName = this.#watched(id);
    if (masterName !== undefined) return this.#pollSentinel(id, masterName);
    const answers = await this.ask(id, (redis) =>
      Promise.all([redis.info('replication'), this.#cluster ? redis.call('CLUSTER', 'NODES').catch(nullWhileLoading) : null]),
    );
    const [info, nodes] = answers ?? [null, null];
    return {
      id,
      atUs: monotonicUs(),
      replication: info === null ? null : parseReplicationInfo(info),
      cluster: typeof nodes === 'string' ? parseClusterNodes(nodes) : null,
    };
  }

  async #pollSentinel(id: string, masterName: string): Promise<NodePoll> {
    const answer = await this.ask(id, async (redis) => ({
      master: parseMasterAddress(await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName)),
    }));
    const bare = { id, atUs: monotonicUs(), replication: null, cluster: null };
    return answer === null ? bare : { ...bare, sentinelMaster: answer.master };
  }

  #connectionTo(nodeId: string): Redis {
    let redis = this.#connections.get(nodeId);
    if (!redis || redis.status === 'end' || redis.status === 'close') {
      redis = this.#open(nodeId);
      this.#connections.set(nodeId, redis);
    }
    return redis;
  }
}

/** While it loads its data a server answers INFO, but not CLUSTER NODES. */
function nullWhileLoading(thrown: unknown): null {
  if (thrown instanceof Error && thrown.message.startsWith('LOADING')) return null;
  throw thrown;
}
