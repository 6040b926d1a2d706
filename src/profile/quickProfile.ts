/**
 * A profile from flags, for `kvbench run --url redis://… --workload …`: one recorded phase, no chaos. Called by the command line; what
 * it makes goes through the same checks as a file.
 */
import { quickCommands } from './quickCommands.js';

/** Flags of a quick run; all but `url` may be absent. Texts carry units as in a profile; a bare number of a rate is per second, of a duration seconds. */
export interface QuickFlags {
  /** `redis://host:port` or `rediss://host:port`. */
  url: string;
  /** A file (relative to the current folder) or the name of a shipped one. */
  workload?: string | undefined;
  /** Custom commands instead of a workload, and the weight of each (1 when there are none). */
  command?: readonly string[] | undefined;
  commandRatio?: readonly number[] | undefined;
  /** Open loop. */
  rate?: string | number | undefined;
  /** Closed loop, instead of `rate`. */
  clients?: number | undefined;
  pipeline?: number | undefined;
  duration?: string | number | undefined;
  threads?: number | undefined;
  connections?: number | undefined;
  mode?: string | undefined;
  username?: string | undefined;
  /** Name of the environment variable that holds the password. */
  passwordEnv?: string | undefined;
  /** PEM file of the authority to trust, for rediss:// urls. */
  tlsCa?: string | undefined;
}

const DEFAULT_WORKLOAD = 'session-cache';
const DEFAULT_RATE = '1000/s';
const DEFAULT_DURATION = '10s';

/** Path of a value in a quick profile → the flag it came from, for messages. */
export const quickFlagOf: Readonly<Record<string, string>> = {
  'target.url': '--url',
  'target.mode': '--mode',
  'target.username': '--username',
  'target.password.env': '--password-env',
  'target.tls.ca': '--tls-ca',
  'load.workload': '--workload',
  'load.threads': '--threads',
  'load.connections': '--connections',
  'load.phases.0.rate': '--rate',
  'load.phases.0.clients': '--clients',
  'load.phases.0.pipeline': '--pipeline',
  'load.phases.0.duration': '--duration',
};

/** As `quickFlagOf`, with the places of the commands given. */
export function quickPlaces(flags: QuickFlags): Readonly<Record<string, string>> {
  if (flags.command === undefined) return quickFlagOf;
  const { commands } = quickCommands(flags.command, flags.commandRatio ?? []);
  const places = Object.keys(commands).flatMap((name): [string, string][] => [
    [`load.workload.commands.${name}`, '--command'],
    [`load.workload.commands.${name}.command`, `--command (${name})`],
    [`load.workload.operations.${name}`, '--command-ratio'],
  ]);
  return { ...quickFlagOf, ...Object.fromEntries(places), 'load.workload.operations': '--command-ratio', 'load.workload.commands': '--command' };
}

/** The object for `profileFromObject`; unchecked. */
export function quickProfile(flags: QuickFlags): unknown {
  const { url, mode, username, passwordEnv, tlsCa, threads, connections, clients, pipeline } = flags;
  const rate = flags.rate ?? (clients === undefined ? DEFAULT_RATE : undefined);
  return {
    name: 'quick',
    description: 'A quick run from the command line.',
    target: given({
      topology: 'external',
      url,
      mode,
      username,
      password: passwordEnv === undefined ? undefined : { env: passwordEnv },
      tls: tlsCa === undefined ? undefined : { ca: tlsCa },
    }),
    load: given({
      workload:
        flags.command === undefined
          ? (flags.workload ?? DEFAULT_WORKLOAD)
          : { name: 'commands', ...quickCommands(flags.command, flags.commandRatio ?? []) },
      threads,
      connections,
      phases: [
        given({
          name: 'steady',
          duration: withUnit(flags.duration ?? DEFAULT_DURATION, 's'),
          rate: rate === undefined ? undefined : withUnit(rate, '/s'),
          clients,
          pipeline,
        }),
      ],
    }),
  };
}

function withUnit(value: string | number, unit: string): string {
  return /^\d+(\.\d+)?$/.test(String(value)) ? `${value}${unit}` : String(value);
}

function given(keys: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).filter(([, value]) => value !== undefined));
}
