/**
 * The command line of a lab server: sane defaults, the profile's own directives over them, and over all what kvbench needs to find,
 * watch and clean up its servers (a profile that sets those is refused earlier). Used by lab.ts. Pure.
 */
import type { LabPlan } from '../plan/plan.js';

export const LOG_FILE = 'server.log';

/** Arguments for the server on these ports; `busPort` only counts in a cluster. */
export function serverArguments(plan: LabPlan, port: number, busPort: number): string[] {
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
    ...(plan.topology === 'cluster' ? { 'cluster-enabled': 'yes', 'cluster-port': String(busPort), 'cluster-config-file': 'nodes.conf' } : {}),
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
