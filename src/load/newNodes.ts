/**
 * Nodes that come into an ioredis cluster client while it is used, and nodes that leave it: operations wait for a first connection, and what
 * a leaver was asked may still be answered. Used by clusterFleet.ts with `resend: never`. It never makes anything wait for a node that was
 * connected once, or whose first attempt has failed.
 */
import type { Cluster, Command, Redis } from 'ioredis';

/** A node that has no slots any more is left this long after it, when it still owes answers. */
const LINGER_MS = 200;

/** What ioredis has and does not declare. */
interface ClusterInternals {
  connectionPool: ConnectionPool;
}

interface ConnectionPool {
  nodes: { all: Record<string, RedisInternals> };
  getInstanceByKey(key: string): NodeOfPool | undefined;
  getSampleInstance(role: string): NodeOfPool | undefined;
  reset(nodes: { host: string; port: number }[]): void;
  removeNode(key: string): void;
}

type RedisInternals = Pick<Redis, 'disconnect'> & { commandQueue: { length: number }; offlineQueue: { length: number } };
type NodeOfPool = Redis | FirstConnection;

/**
 * Stands in for a node until its first connection is made. Cluster refuses what goes to a node that is `connecting`, unless it may keep
 * operations for nodes that are lost too; it lets pass what goes to one that is in `wait`, and the node itself keeps it until it is connected.
 */
class FirstConnection {
  readonly status = 'wait';

  constructor(readonly redis: Redis) {}

  get options(): Redis['options'] {
    return this.redis.options;
  }

  connect(): Promise<void> {
    return this.redis.status === 'wait' ? this.redis.connect() : Promise.resolve();
  }

  asking(): void {
    // Its failure is that of the connection, and of the command behind it.
    this.redis.asking().catch(() => {});
  }

  sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    return this.redis.sendCommand(command, stream);
  }
}

/** Lets operations wait for the first connection to a node; they fail when the first attempt at it does. */
export function waitForNewNodes(cluster: Cluster): void {
  const pool = (cluster as unknown as ClusterInternals).connectionPool;
  const first = new Map<NodeOfPool, FirstConnection>();
  cluster.on('+node', (redis: Redis) => {
    const over = (): boolean => first.delete(redis);
    first.set(redis, new FirstConnection(redis));
    redis.once('ready', over);
    redis.once('close', over);
    redis.once('end', over);
  });
  const byKey = pool.getInstanceByKey;
  const sample = pool.getSampleInstance;
  const orFirst = (node: NodeOfPool | undefined): NodeOfPool | undefined => (node === undefined ? undefined : (first.get(node) ?? node));
  // HOT: once per operation.
  pool.getInstanceByKey = (key) => {
    const node = byKey.call(pool, key);
    return first.size === 0 ? node : orFirst(node);
  };
  pool.getSampleInstance = (role) => orFirst(sample.call(pool, role));
}

/**
 * Of a node that the cluster's slots do not name any more, ioredis closes the connection at once, with what is unanswered on it: a master that
 * gave its last slot away, or a newcomer of which the node that was asked has not heard yet. Here it gets no new operations, and a moment.
 * An answer without any slot changes nothing.
 */
export function lingerOnLeavers(cluster: Cluster): void {
  const pool = (cluster as unknown as ClusterInternals).connectionPool;
  const reset = pool.reset;
  pool.reset = (nodes) => {
    // A node that has just been met, or was forgotten, knows no slots: with its answer ioredis would leave all others and reconnect.
    // (While it is ready: ioredis empties the pool itself before that and after.)
    if (nodes.length === 0 && cluster.status === 'ready') return;
    const named = new Set(nodes.map(({ host, port }) => `${host}:${port}`));
    for (const [key, redis] of Object.entries(pool.nodes.all)) {
      if (named.has(key) || redis.commandQueue.length + redis.offlineQueue.length === 0) continue;
      pool.removeNode(key);
      setTimeout(() => redis.disconnect(), LINGER_MS);
    }
    reset.call(pool, nodes);
  };
}
