/**
 * How kvbench configures ioredis. `resend: never` makes it report the first failure of every attempt instead of hiding it, and
 * reconnect quickly; `client-default` leaves everything that shapes a failover at ioredis' defaults.
 */
import type { ClusterOptions, Redis, RedisOptions } from 'ioredis';
import type { LoadPlan } from '../plan/plan.js';
import type { LoadEndpoints } from './client.js';
import { sentinelLogin, tlsOptions } from './loginOptions.js';

/** resend never: pauses between attempts to connect double from the first to the last; short, so that recovery is the store's and not ours. */
const RECONNECT_FIRST_MS = 10;
export const RECONNECT_MAX_MS = 200;
/** resend never: a connection attempt, and a cluster's answer to CLUSTER SLOTS, may take this long. */
const CONNECT_TIMEOUT_MS = 2000;
const SLOTS_TIMEOUT_MS = 500;
/** resend never: after this time without an answer the next sentinel is asked. */
const SENTINEL_TIMEOUT_MS = 500;
/** resend never: how long a connection that is given up may take to close. */
const DISCONNECT_TIMEOUT_MS = 200;
/** A slot in migration answers TRYAGAIN without having done anything: asking again is not resending. */
const TRYAGAIN_DELAY_MS = 100;

type Address = { host: string; port: number };
/** Without the key that is a type parameter of ioredis' constructors. */
export type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;
type NodesOptions = Omit<ClusterOptions, 'redisOptions'> & {
  redisOptions: Omit<
    ConnectionOptions,
    'enableOfflineQueue' | 'himportFieldsets' | 'host' | 'path' | 'port' | 'readOnly' | 'retryStrategy' | 'sentinels'
  >;
};

/** Options of one connection to a standalone server. */
export function standaloneOptions(endpoints: LoadEndpoints, resend: LoadPlan['resend'], connectionName: string, reach: Address): ConnectionOptions {
  const options = { ...connectionOptions(endpoints, connectionName), host: reach.host, port: reach.port };
  if (resend === 'client-default') return options;
  return {
    ...options,
    ...hasty,
    enableOfflineQueue: false,
    // 0 rejects what is unanswered at the moment a connection closes; nothing is left to send again.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: reconnectDelayMs,
  };
}

/** Options of one connection that asks the sentinels where to connect, and follows them. */
export function sentinelOptions(
  endpoints: LoadEndpoints,
  resend: LoadPlan['resend'],
  connectionName: string,
  role: 'master' | 'slave',
): ConnectionOptions {
  const { sentinels, natMap } = endpoints;
  const options: ConnectionOptions = {
    ...connectionOptions(endpoints, connectionName),
    sentinels: (sentinels?.seeds ?? []).map((seed) => reachOf(endpoints, seed)),
    name: sentinels?.masterName ?? '',
    role,
    ...sentinelLogin(endpoints),
    ...(natMap === null ? {} : { natMap }),
  };
  if (resend === 'client-default') return options;
  return {
    ...options,
    ...hasty,
    // Whoever was promoted or demoted a moment ago is told from the other by INFO.
    enableReadyCheck: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: reconnectDelayMs,
    // By default nothing leaves a master that is silent but connected.
    failoverDetector: true,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
    sentinelReconnectStrategy: reconnectDelayMs,
  };
}

/** Options of one cluster client. */
export function clusterOptions(
  endpoints: LoadEndpoints,
  { resend, readFrom }: Pick<LoadPlan, 'resend' | 'readFrom'>,
  connectionName: string,
): NodesOptions {
  const options: NodesOptions = {
    lazyConnect: true,
    redisOptions: connectionOptions(endpoints, connectionName),
    // Names go to the socket and to TLS as the nodes announce them.
    dnsLookup: (address, callback) => callback(null, address),
    ...(endpoints.natMap === null ? {} : { natMap: endpoints.natMap }),
  };
  if (resend === 'client-default') return readFrom === 'replica' ? { ...options, scaleReads: 'slave' } : options;
  return {
    ...options,
    ...(readFrom === 'replica' ? { scaleReads: replicaChooser() } : {}),
    // 0 rejects what is unanswered at the moment a connection closes; with a retry strategy of its own a node would else resend it.
    redisOptions: { ...options.redisOptions, ...hasty, maxRetriesPerRequest: 0 },
    // A lost node stays known and reconnects; by default every operation would ask another node, be MOVED and try to connect again.
    clusterNodeRetryStrategy: reconnectDelayMs,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: TRYAGAIN_DELAY_MS,
    slotsRefreshTimeout: SLOTS_TIMEOUT_MS,
    clusterRetryStrategy: reconnectDelayMs,
  };
}

/** Without the ready check a loading server's LOADING replies are seen and counted. */
const hasty = { enableReadyCheck: false, connectTimeout: CONNECT_TIMEOUT_MS, disconnectTimeout: DISCONNECT_TIMEOUT_MS } as const;

/**
 * HOT: the replicas that are connected, in turn, else the master. ioredis' own `slave` would go on asking a replica that is gone. It calls
 * this for reads only, with the master first.
 */
function replicaChooser(): (nodes: readonly (Redis | undefined)[]) => Redis | undefined {
  let turn = 0;
  return (nodes) => {
    const count = nodes.length - 1;
    for (let tries = 0; tries < count; tries++) {
      turn = turn + 1 < count ? turn + 1 : 0;
      const node = nodes[turn + 1];
      if (node?.status === 'ready') return node;
      // Cluster connects to a node at its first command, which this one would never get.
      if (node?.status === 'wait') node.connect().catch(() => {});
    }
    return nodes[0];
  };
}

function reconnectDelayMs(attempt: number): number {
  return Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt - 1, 10));
}

function connectionOptions(endpoints: LoadEndpoints, connectionName: string): ConnectionOptions {
  const { username, password, tls } = endpoints;
  return {
    connectionName,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
  };
}

/** Where a node is reached: its proxy, or itself. */
export function reachOf(endpoints: LoadEndpoints, address: Address): Address {
  return endpoints.natMap?.[`${address.host}:${address.port}`] ?? address;
}

/** `host:port` where a node is reached → `host:port` as it announces itself. */
export function announcedAddresses(endpoints: LoadEndpoints): Map<string, string> {
  const entries = Object.entries(endpoints.natMap ?? {});
  return new Map(entries.map(([announced, reach]) => [`${reach.host}:${reach.port}`, announced]));
}
