/**
 * Finds out what a server that isn't ours is part of: standalone or cluster, and all its nodes. Called by external.ts. Only reads.
 */
import type { Redis } from 'ioredis';
import { KvbenchError } from '../base/errors.js';
import type { ExternalPlan } from '../plan/plan.js';
import { parseClusterNodes } from './clusterNodesReply.js';
import { refused } from './guestRules.js';
import { parseInfo, parseReplicationInfo } from './infoReply.js';
import type { CoreNode } from './targetCore.js';

export interface Discovery {
  mode: 'standalone' | 'cluster' | 'sentinel';
  product: 'redis' | 'valkey';
  version: string;
  nodes: CoreNode[];
}

/** Throws TARGET_REFUSED when what runs there can't be loaded as it is, e.g. a replica, or a cluster that is down. */
export async function discover(redis: Redis, seed: { host: string; port: number }, wanted: ExternalPlan['mode']): Promise<Discovery> {
  const text = await redis.info();
  const info = parseInfo(text);
  if (info.get('loading') === '1') throw refused('the server still loads its data', 'wait until it is ready');
  const isCluster = info.get('cluster_enabled') === '1' || info.get('redis_mode') === 'cluster';
  const mode = isCluster ? 'cluster' : 'standalone';
  if (wanted !== 'auto' && wanted !== mode) throw refused(`the target is ${mode}, not ${wanted}`, `set target.mode: ${mode}, or leave it out`);
  const server = programOf(info);
  if (isCluster) return { mode, ...server, nodes: await clusterNodes(redis, seed) };
  const replication = parseReplicationInfo(text);
  if (replication?.role === 'replica') {
    throw refused(`the server is a replica of ${replication.masterAddress}`, "give its master's address as target.url");
  }
  return { mode, ...server, nodes: [{ id: 'n1', ...seed, logFile: null, clusterId: null }] };
}

/** By its INFO. */
export function programOf(info: ReadonlyMap<string, string>): Pick<Discovery, 'product' | 'version'> {
  const valkeyVersion = info.get('valkey_version');
  return { product: valkeyVersion === undefined ? 'redis' : 'valkey', version: valkeyVersion ?? info.get('redis_version') ?? '' };
}

/** Whether this connection is one to a Sentinel. */
export async function isSentinel(redis: Redis): Promise<boolean> {
  return parseInfo(await redis.info('server')).get('redis_mode') === 'sentinel';
}

/**
 * All nodes, in order of address. Addresses are those that clients of this connection are told by CLUSTER SLOTS (a name where the cluster
 * prefers names, the TLS port over TLS); nodes that are not in it come from CLUSTER NODES.
 */
async function clusterNodes(redis: Redis, seed: { host: string; port: number }): Promise<CoreNode[]> {
  const state = parseInfo(String(await redis.call('CLUSTER', 'INFO')));
  if (state.get('cluster_state') !== 'ok')
    throw refused(`the cluster is not well: cluster_state is ${state.get('cluster_state')}`, 'repair it first');
  const told = endpointsOfSlots(await redis.call('CLUSTER', 'SLOTS'), seed.host);
  const nodes: Omit<CoreNode, 'id'>[] = [];
  for (const line of parseClusterNodes(String(await redis.call('CLUSTER', 'NODES')))) {
    if (line.flags.includes('handshake') || line.flags.includes('noaddr')) continue;
    const own = { host: line.host === '' ? seed.host : line.host, port: line.port };
    const { host, port } = told.get(line.clusterId) ?? own;
    if (line.failure === 'fail') throw refused(`the node ${host}:${port} has failed`, 'repair it, or remove it with CLUSTER FORGET');
    nodes.push({ host, port, logFile: null, clusterId: line.clusterId });
  }
  if (nodes.length === 0) throw new KvbenchError('TARGET_UNREACHABLE', 'the cluster names no node', 'check cluster-announce-ip');
  nodes.sort((a, b) => (a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1));
  return nodes.map((node, i) => ({ id: `n${i + 1}`, ...node }));
}

/** Cluster id → endpoint. A reply is [first, last, [host, port, id, …], …]; no host means the one that was asked. */
function endpointsOfSlots(reply: unknown, askedHost: string): Map<string, { host: string; port: number }> {
  const endpoints = new Map<string, { host: string; port: number }>();
  for (const range of Array.isArray(reply) ? reply : []) {
    for (const node of Array.isArray(range) ? range.slice(2) : []) {
      if (!Array.isArray(node)) continue;
      const [host, port, clusterId] = node as unknown[];
      const known = typeof host === 'string' && host !== '' && host !== '?';
      endpoints.set(String(clusterId), { host: known ? host : askedHost, port: Number(port) });
    }
  }
  return endpoints;
}
