/**
 * The command line of a lab server: sane defaults, the profile's own directives over them, and over all what kvbench needs to find,
 * watch and clean up its servers (a profile that sets those is refused earlier). Used by lab.ts. Pure.
 */
import type { LabPlan } from '../plan/plan.js';

export const LOG_FILE = 'server.log';
export const CLUSTER_FILE = 'nodes.conf';

/**
 * Arguments for a server on this port. `busPort` counts in a cluster only; null: the server is too old to be told, and takes
 * `port` + 10000 (`fixedBusPortDistance`).
 */
export function serverArguments(plan: LabPlan, port: number, busPort: number | null): string[] {
  const own: Record<string, string> = {};
  for (const [directive, value] of Object.entries(plan.config)) own[directive.toLowerCase()] = value;
  const directives: Record<string, string> = {
    save: '',
    appendonly: 'no',
    loglevel: 'notice',
    'protected-mode': 'yes',
    'repl-diskless-sync-delay': '0',
    ...own,
    bind: '127.0.0.1',
    port: String(port),
    dir: '.',
    daemonize: 'no',
    logfile: LOG_FILE,
    ...(plan.topology === 'cluster' ? { 'cluster-enabled': 'yes', 'cluster-config-file': CLUSTER_FILE } : {}),
    ...(plan.topology === 'cluster' && busPort !== null ? { 'cluster-port': String(busPort) } : {}),
  };
  return Object.entries(directives).flatMap(([directive, value]) => [`--${directive}`, ...splitDirectiveValue(value)]);
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
