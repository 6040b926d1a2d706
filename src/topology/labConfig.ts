/**
 * The command line of a lab server: sane defaults, the profile's own directives over them, and over all what kvbench needs to find,
 * watch and clean up its servers (a profile that sets those is refused earlier). Used by lab.ts. Pure.
 */
import type { LabPlan, SentinelPlan } from '../plan/plan.js';

export const LOG_FILE = 'server.log';
export const CLUSTER_FILE = 'nodes.conf';

/** Outside a cluster each server has a file too: Sentinel's CONFIG REWRITE keeps there who is whose replica, over restarts. */
export const CONFIG_FILE = 'server.conf';
/** The one master that a lab's sentinels watch. */
export const MASTER_NAME = 'kvbench';

/** Where a lab's server listens, and what it tells the others where that differs: the one place at which a mesh can come between nodes. */
export interface NodePlace {
  host: string;
  port: number;
  /** Null: no cluster. */
  busPort: number | null;
  /** Where its own connections to others come from; null: from wherever the system likes. */
  sourceHost: string | null;
  /** What nodes and sentinels are told; null: host and port as they are. */
  announce: { host: string; port: number; busPort: number | null } | null;
}

/** The address by which other nodes and clients know it. */
export function announced({ announce, host, port }: NodePlace): { host: string; port: number } {
  return announce ? { host: announce.host, port: announce.port } : { host, port };
}

/** Arguments for a server at this place. `busPortIsFixed`: it can't be told its bus port (`fixedBusPortDistance`). */
export function serverArguments(plan: LabPlan, place: NodePlace, busPortIsFixed = false): string[] {
  const isCluster = plan.topology === 'cluster';
  const own: Record<string, string> = {};
  for (const [directive, value] of Object.entries(plan.config)) own[directive.toLowerCase()] = value;
  const directives: Record<string, string> = {
    save: '',
    appendonly: 'no',
    loglevel: 'notice',
    'protected-mode': 'yes',
    'repl-diskless-sync-delay': '0',
    ...own,
    bind: place.host,
    port: String(place.port),
    dir: '.',
    daemonize: 'no',
    logfile: LOG_FILE,
    ...(place.sourceHost === null ? {} : { 'bind-source-addr': place.sourceHost }),
    ...(isCluster ? { 'cluster-enabled': 'yes', 'cluster-config-file': CLUSTER_FILE } : {}),
    ...(isCluster && !busPortIsFixed && place.busPort !== null ? { 'cluster-port': String(place.busPort) } : {}),
    ...(isCluster ? clusterAnnouncement(place) : {}),
    ...replicaAnnouncement(place),
  };
  const args = Object.entries(directives).flatMap(([directive, value]) => [`--${directive}`, ...splitDirectiveValue(value)]);
  return hasConfigFile(plan) ? [CONFIG_FILE, ...args] : args;
}

/** Whether its servers are started with a file that they may rewrite. */
export function hasConfigFile({ topology }: LabPlan): boolean {
  return topology === 'replicated' || topology === 'sentinel';
}

function clusterAnnouncement({ announce }: NodePlace): Record<string, string> {
  if (announce === null) return {};
  return {
    'cluster-announce-ip': announce.host,
    'cluster-announce-port': String(announce.port),
    ...(announce.busPort === null ? {} : { 'cluster-announce-bus-port': String(announce.busPort) }),
  };
}

function replicaAnnouncement({ announce }: NodePlace): Record<string, string> {
  return announce === null ? {} : { 'replica-announce-ip': announce.host, 'replica-announce-port': String(announce.port) };
}

/** The text of a sentinel's configuration; it writes into the file itself what it learns. `master`: as it is announced. */
export function sentinelConfig(plan: SentinelPlan, place: NodePlace, master: { host: string; port: number }): string {
  const lines = [
    `port ${place.port}`,
    `bind ${place.host}`,
    // Before Redis 6.2 its own connections came from the first address it is bound to; since then it has to be told.
    ...(place.sourceHost === null ? [] : [`bind-source-addr ${place.sourceHost}`]),
    'dir .',
    'daemonize no',
    `logfile ${LOG_FILE}`,
    ...(place.announce === null ? [] : [`sentinel announce-ip ${place.announce.host}`, `sentinel announce-port ${place.announce.port}`]),
    `sentinel monitor ${MASTER_NAME} ${master.host} ${master.port} ${plan.quorum}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${plan.downAfterMs}`,
    `sentinel failover-timeout ${MASTER_NAME} ${plan.failoverTimeoutMs}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** A directive's value as a line of redis.conf would be split: by spaces, but not inside quotes. */
export function splitDirectiveValue(value: string): string[] {
  const words = [...value.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double?.replace(/\\(.)/g, '$1') ?? single ?? bare ?? '',
  );
  return words.length === 0 ? [''] : words;
}

/** What the server itself said about a directive it does not take; null when its output has no such complaint. */
export function configComplaint(output: string): string | null {
  const match = /FATAL CONFIG FILE ERROR[\s\S]*?>>> '(.*)'\r?\n(.+)/.exec(output);
  return match ? `${match[1]}: ${match[2]}` : null;
}

/** How far above its client port a server has its bus port, when that can't be chosen (before Redis 7.0); null when it can. */
export function fixedBusPortDistance(server: { product: 'redis' | 'valkey'; version: string }): number | null {
  return server.product === 'redis' && Number.parseInt(server.version, 10) < 7 ? 10_000 : null;
}
