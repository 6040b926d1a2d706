/** From command-line arguments to a plan: a profile file or shipped name, or a quick run with --url. Called by run.ts. */
import { KvbenchError } from '../base/errors.js';
import { faultRegistry } from '../chaos/registry.js';
import { makePlan } from '../plan/makePlan.js';
import type { Plan } from '../plan/plan.js';
import { loadProfile, type ProfileOptions, profileFromObject } from '../profile/loadProfile.js';
import { quickFlagOf, quickProfile } from '../profile/quickProfile.js';
import type { RunArguments } from './main.js';

/** Flags that only make sense without a profile. */
const quickFlags = [
  'workload',
  'rate',
  'clients',
  'pipeline',
  'duration',
  'threads',
  'connections',
  'mode',
  'username',
  'passwordEnv',
  'tlsCa',
] as const;

/** Those that say which server. */
const targetFlags: readonly (typeof quickFlags)[number][] = ['mode', 'username', 'passwordEnv', 'tlsCa'];

/** @throws KvbenchError INVALID_ARGUMENT or INVALID_PROFILE */
export function planOf(args: RunArguments, env: NodeJS.ProcessEnv): Plan {
  const sets = [...args.set];
  if (args.seed !== undefined) sets.push(`seed=${args.seed}`);
  if (args.server !== undefined) sets.push(`target.server=${JSON.stringify(args.server)}`);
  const options = { faults: faultRegistry, sets, env };
  if (args.url !== undefined) {
    if (args.profile !== undefined) {
      const aimed = capacityAimedAt(args, args.url, options);
      if (aimed !== null) return aimed;
      throw new KvbenchError(
        'INVALID_ARGUMENT',
        `both a profile (${args.profile}) and --url were given`,
        'Leave one of them out; to aim a profile elsewhere use --set target.url=…',
      );
    }
    if (args.server !== undefined)
      throw new KvbenchError(
        'INVALID_ARGUMENT',
        '--server names the program of a lab, and --url means a server that already runs',
        'Leave one of them out.',
      );
    return makePlan(profileFromObject(quickProfile({ ...args, url: args.url }), 'command line', process.cwd(), options, quickFlagOf));
  }
  const extra = quickFlags.filter((flag) => args[flag] !== undefined);
  if (args.profile === undefined) {
    throw new KvbenchError(
      'INVALID_ARGUMENT',
      'no profile was named',
      'For example: kvbench run profiles/failover.yaml. A quick run needs --url redis://host:port. See kvbench list profiles.',
    );
  }
  if (extra[0] !== undefined) throw belongsToQuickRun(extra[0]);
  return makePlan(loadProfile(args.profile, options));
}

/** A search for the capacity is about the server, so --url and the flags beside it say which. Null: the profile is an ordinary one. */
function capacityAimedAt(args: RunArguments, url: string, options: ProfileOptions): Plan | null {
  if (args.profile === undefined || makePlan(loadProfile(args.profile, options)).capacity === undefined) return null;
  const idle = quickFlags.find((flag) => args[flag] !== undefined && !targetFlags.includes(flag));
  if (idle !== undefined) throw belongsToQuickRun(idle);
  const { target } = quickProfile({ ...args, url }) as { target: unknown };
  return makePlan(loadProfile(args.profile, { ...options, sets: [...options.sets, `target=${JSON.stringify(target)}`] }));
}

function belongsToQuickRun(flag: (typeof quickFlags)[number]): KvbenchError {
  return new KvbenchError(
    'INVALID_ARGUMENT',
    `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} belongs to a quick run (--url); with a profile it would do nothing`,
    `Override the profile instead, e.g. --set ${setExample[flag]}`,
  );
}

const setExample: Record<(typeof quickFlags)[number], string> = {
  workload: 'load.workload=../workloads/counters.yaml',
  rate: 'load.phases.0.rate=2000/s',
  clients: 'load.phases.0.clients=50',
  pipeline: 'load.phases.0.pipeline=16',
  duration: 'load.phases.0.duration=30s',
  threads: 'load.threads=2',
  connections: 'load.connections=4',
  mode: 'target.mode=cluster',
  username: 'target.username=bench',
  passwordEnv: 'target.password.env=REDIS_PASSWORD',
  tlsCa: 'target.tls.ca=ca.pem',
};
