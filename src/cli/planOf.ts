/** From command-line arguments to a plan, or those of a group: a profile file or shipped name, or a quick run with --url. Called by run.ts. */
import { KvbenchError } from '../base/errors.js';
import { runtimeFolder } from '../base/runtimeFolder.js';
import { faultRegistry } from '../chaos/registry.js';
import { type GroupPlan, groupPlan } from '../plan/groupPlan.js';
import { makePlan } from '../plan/makePlan.js';
import { clientGroupsOf, type Plan } from '../plan/plan.js';
import { loadProfile, type ProfileOptions, profileFromObject, type ResolvedProfile } from '../profile/loadProfile.js';
import { quickPlaces, quickProfile } from '../profile/quickProfile.js';
import { requireLab } from '../topology/keptLab.js';
import type { LabState } from '../topology/labState.js';
import type { RunArguments } from './main.js';

/** Rounds of a group; more would be a mistake in the unit. */
const MAX_REPEAT = 1000;

/** Flags that only make sense without a profile. */
const quickFlags = [
  'workload',
  'command',
  'commandRatio',
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

export interface Plans {
  plan: Plan;
  /** Null: one run, or a search for the capacity. */
  group: GroupPlan | null;
}

/** @throws KvbenchError INVALID_ARGUMENT or INVALID_PROFILE */
export function plansOf(args: RunArguments, env: NodeJS.ProcessEnv): Plans {
  const profile = profileOf(args, env);
  const lab = args.lab === undefined ? null : requireLab(runtimeFolder(), args.lab);
  if (lab) profile.target = { ...lab.plan, kept: lab.name };
  const plan = lab ? onLab(makePlan(profile), lab) : makePlan(profile);
  const repeat = args.repeat ?? 1;
  if (!Number.isInteger(repeat) || repeat < 1 || repeat > MAX_REPEAT)
    throw new KvbenchError('INVALID_ARGUMENT', `--repeat ${args.repeat} is not a number of rounds`, `It can be 1 to ${MAX_REPEAT}.`);
  if (plan.capacity !== undefined && args.repeat !== undefined)
    throw new KvbenchError(
      'INVALID_ARGUMENT',
      '--repeat belongs to runs; a search for the capacity repeats its trials itself',
      'Set capacity.confirm instead.',
    );
  const variants = pickedVariants(profile, args.variant);
  if (args.lab !== undefined && (variants.length > 0 || repeat > 1))
    throw new KvbenchError('INVALID_ARGUMENT', '--lab is for a single run: the runs of a group each start from a fresh target', 'Leave --lab out.');
  return { plan, group: variants.length === 0 && repeat === 1 ? null : groupPlan(profile, variants, repeat) };
}

/** All load goes through the links of a lab that has them, whether the plan breaks any or somebody else may. */
function onLab(plan: Plan, { name, network }: LabState): Plan {
  if (!network) {
    if (plan.mesh !== true) return plan;
    throw new KvbenchError(
      'INVALID_ARGUMENT',
      `${plan.name} breaks links between nodes, and the lab ${name} has no proxies between its nodes`,
      'Start it with them (kvbench lab up PROFILE --network), or leave --lab out: kvbench then starts a lab with a link mesh.',
    );
  }
  const missing = clientGroupsOf(plan).find((group) => !network.clientGroups.includes(group.name));
  if (!missing) return { ...plan, toxiproxy: { kind: 'url', url: network.url }, mesh: true };
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    `${plan.name} has clients of ${missing.name}, and the lab ${name} has links for ${network.clientGroups.join(', ')} only`,
    `Start the lab from that profile: kvbench lab up ${plan.name} --network.`,
  );
}

/** In the order of the profile; all of them when none is picked. */
function pickedVariants({ name, variants }: ResolvedProfile, picked: readonly string[]): ResolvedProfile['variants'] {
  for (const wanted of picked) {
    if (variants.some((variant) => variant.name === wanted)) continue;
    const names = variants.map((variant) => variant.name);
    const hint = names.length === 0 ? 'The profile has no variants.' : `Its variants are ${names.join(', ')}.`;
    throw new KvbenchError('INVALID_ARGUMENT', `the profile ${name} has no variant ${JSON.stringify(wanted)}`, hint);
  }
  return picked.length === 0 ? variants : variants.filter((variant) => picked.includes(variant.name));
}

function profileOf(args: RunArguments, env: NodeJS.ProcessEnv): ResolvedProfile {
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
    checkCommandFlags(args);
    const flags = { ...args, url: args.url };
    return profileFromObject(quickProfile(flags), 'command line', process.cwd(), options, quickPlaces(flags));
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
  return loadProfile(args.profile, options);
}

/** Which ratio is whose must be clear. */
function checkCommandFlags({ command, commandRatio, workload }: RunArguments): void {
  if (command !== undefined && workload !== undefined) {
    throw new KvbenchError(
      'INVALID_ARGUMENT',
      'both --command and --workload were given; the commands would be the workload',
      'Leave one of them out, or list the commands in the workload file (commands:).',
    );
  }
  const [commands, ratios] = [command?.length ?? 0, commandRatio?.length ?? 0];
  if (ratios === 0 || ratios === commands) return;
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    `${ratios} --command-ratio for ${commands} --command`,
    'Give every --command its --command-ratio, in the same order, or none: then all weigh the same.',
  );
}

/** A search for the capacity is about the server, so --url and the flags beside it say which. Null: the profile is an ordinary one. */
function capacityAimedAt(args: RunArguments, url: string, options: ProfileOptions): ResolvedProfile | null {
  if (args.profile === undefined || loadProfile(args.profile, options).capacity === null) return null;
  const idle = quickFlags.find((flag) => args[flag] !== undefined && !targetFlags.includes(flag));
  if (idle !== undefined) throw belongsToQuickRun(idle);
  const { target } = quickProfile({ ...args, url }) as { target: unknown };
  return loadProfile(args.profile, { ...options, sets: [...options.sets, `target=${JSON.stringify(target)}`] });
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
  command: 'load.workload=my-commands.yaml',
  commandRatio: 'load.workload.operations.touch=30',
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
