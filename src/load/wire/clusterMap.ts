/**
 * Who serves which slot, asked of the cluster itself through ioredis. Called by WireClient when it connects and whenever replies or
 * connections say that the map is old. Keeps no connection open and never throws out of an event.
 */
import type { LoadEndpoints } from '../client.js';
import { tlsOptions } from '../loginOptions.js';

/** The longest that one node may take to answer before the next is asked. */
const ASK_LIMIT_MS = 800;

export interface SlotRange {
  from: number;
  to: number;
  /** host:port as announced. */
  address: string;
  /** Its replicas, as far as the nodes know them to be up. */
  replicas: string[];
}

export function addressOf(host: string, port: number): string {
  return `${host}:${port}`;
}

/** Where this client group reaches an announced address: a proxy, or the address itself. */
export function reachable(endpoints: LoadEndpoints, address: string): { host: string; port: number } {
  const mapped = endpoints.natMap?.[address];
  if (mapped) return mapped;
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

/** Asks the addresses in turn for CLUSTER SLOTS; null when none of them could tell. */
export async function askSlots(endpoints: LoadEndpoints, addresses: readonly string[]): Promise<SlotRange[] | null> {
  for (const address of addresses) {
    const ranges = await askOne(endpoints, address).catch(() => null);
    if (ranges !== null && ranges.length > 0) return ranges;
  }
  return null;
}

async function askOne(endpoints: LoadEndpoints, address: string): Promise<SlotRange[]> {
  const { host, port } = reachable(endpoints, address);
  const { tls } = endpoints;
  // Only where there is a cluster to ask: it would take memory in every worker.
  const { Redis } = await import('ioredis');
  const redis = new Redis({
    host,
    port,
    ...(endpoints.username === null ? {} : { username: endpoints.username }),
    ...(endpoints.password === null ? {} : { password: endpoints.password }),
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
    lazyConnect: true,
    connectTimeout: ASK_LIMIT_MS,
    commandTimeout: ASK_LIMIT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    enableReadyCheck: false,
    connectionName: 'kvbench-wire-map',
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const slots = await redis.cluster('SLOTS');
    const nodeAddress = (node: (typeof slots)[number][2]): string => addressOf(node[0] === '' ? host : node[0], node[1]);
    return slots.flatMap(([from, to, master, ...replicas]) =>
      master === undefined ? [] : [{ from, to, address: nodeAddress(master), replicas: replicas.map(nodeAddress) }],
    );
  } finally {
    redis.disconnect();
  }
}
