/**
 * A checked profile → the plan: phases placed on the time axis, operations counted, every draw made. Called by the command line once
 * per run. Pure: the same profile and seed give the same plan on machines with as many cores.
 */
import { availableParallelism } from 'node:os';
import { confirmPlan } from '../profile/confirmSchema.js';
import { templateOf } from '../profile/customCommand.js';
import type { SingleProfile } from '../profile/loadProfile.js';
import { singlePhases } from '../profile/phaseSteps.js';
import { faultPlans } from './faultPlans.js';
import { openShape } from './openShape.js';
import {
  type CommandPlan,
  type FaultPlan,
  type KeyDistribution,
  type LoadPlan,
  loadEndUs,
  type Pacing,
  type PhasePlan,
  type Plan,
  type ValueSizes,
  type WorkloadPlan,
} from './plan.js';

type Load = SingleProfile['load'];
type Workload = Load['workload'];

const ZIPFIAN_THETA = 0.99;
const GAUSSIAN_MEAN = 0.5;
/** As in memtier_benchmark: the key space is six standard deviations wide. */
const GAUSSIAN_DEVIATION = 1 / 6;
const HOT_FRACTION = 0.2;
const HOT_SHARE = 0.8;
const LOGNORMAL_SIGMA = 1;
const LOGNORMAL_MAX_PER_MEDIAN = 100;
const FIXED_BYTES = 64;

/** @param cores of the machine that makes the load: they decide about `pacing: auto` */
export function makePlan(profile: SingleProfile, cores: number = availableParallelism()): Plan {
  const load = loadPlan(profile, cores);
  const chaos = faultPlans(profile.chaos, profile.seed, loadEndUs({ load }));
  return {
    name: profile.name,
    description: profile.description,
    seed: profile.seed,
    target: profile.target,
    toxiproxy: toxiproxyPlan(profile.toxiproxy, chaos),
    ...(chaos.some((fault) => fault.needsMesh) ? { mesh: true } : {}),
    load,
    chaos,
    objective: profile.objective,
    thresholds: profile.thresholds,
    ...(profile.gate.length === 0 ? {} : { gate: profile.gate }),
    allow: profile.allow,
    safety: profile.safety,
    ...lagPlan(profile),
    ...(profile.capacity === null ? {} : { capacity: profile.capacity }),
  };
}

/** Of an external target it is known only later whether it has replicas; without any, nothing is written. */
function lagPlan({ observe, target, chaos }: SingleProfile): Pick<Plan, 'replicationLag'> {
  const { replicationLag, lagInterval } = observe;
  const hasReplicas = target.kind === 'external' || target.replicasPerMaster > 0;
  const isOn = replicationLag === 'on' || (replicationLag === 'auto' && chaos.length > 0 && hasReplicas);
  return isOn ? { replicationLag: { everyUs: lagInterval } } : {};
}

function toxiproxyPlan(where: string, chaos: readonly FaultPlan[]): Plan['toxiproxy'] {
  if (!chaos.some((fault) => fault.needsProxy)) return { kind: 'none' };
  return where === 'embedded' ? { kind: 'embedded' } : { kind: 'url', url: where };
}

function loadPlan(profile: SingleProfile, cores: number): LoadPlan {
  const { load } = profile;
  const { client, connections, maxInFlight, maxQueued, resend, readFrom } = load;
  const clientGroups = Object.entries(load.clientGroups ?? {}).map(([name, threads]) => ({ name, threads }));
  const threads = clientGroups.length > 0 ? clientGroups.reduce((sum, group) => sum + group.threads, 0) : load.threads;
  const confirm = confirmPlan(load);
  return {
    client,
    threads,
    connections,
    maxInFlight,
    maxQueued,
    timeoutUs: load.timeout,
    resend,
    readFrom,
    ...(confirm === undefined ? {} : { confirm }),
    pacing: load.pacing === 'auto' ? pacingFor(load.phases, threads, cores) : load.pacing,
    ...ledgerPlan(profile, threads),
    workload: workloadPlan(load.workload),
    phases: phasePlans(load.phases),
    ...(clientGroups.length > 0 ? { clientGroups } : {}),
  };
}

/**
 * The trials of a search for the capacity share one filled key space, which no ledger of one trial could know; and what a custom command
 * writes has no version.
 */
function ledgerPlan({ load, chaos, capacity }: SingleProfile, threads: number): Pick<LoadPlan, 'ledger' | 'opsLog'> {
  const opsLog = load.opsLog ? ({ opsLog: true } as const) : {};
  const hasCustomWrites = commandPlans(load.workload).some(({ kind, weight }) => kind === 'write' && weight > 0);
  const isOn = load.ledger === 'on' || (load.ledger === 'auto' && capacity === null && chaos.length > 0 && !hasCustomWrites);
  return isOn ? { ledger: { keyStride: strideOf(load.workload.keys.count, load.ledgerKeys, threads) }, ...opsLog } : opsLog;
}

/** The smallest stride that keeps within the limit and has no factor in common with the number of workers. */
function strideOf(keyCount: number, limit: number, workers: number): number {
  let stride = Math.ceil(keyCount / limit);
  while (stride > 1 && commonFactor(stride, workers) > 1) stride++;
  return stride;
}

function commonFactor(a: number, b: number): number {
  return b === 0 ? a : commonFactor(b, a % b);
}

/**
 * A closed loop has nothing to be on time for; and where the workers have all cores already, every wake-up of a thread would interrupt
 * the server under test.
 */
function pacingFor(phases: Load['phases'], threads: number, cores: number): Pacing {
  return cores > threads && phases.some((phase) => phase.rate !== undefined) ? 'thread' : 'timer';
}

function phasePlans(phases: Load['phases']): PhasePlan[] {
  let startUs = 0;
  let firstOperation = 0;
  return singlePhases(phases).map((phase, index) => {
    const base = { index, name: phase.name, record: phase.record, startUs };
    if (phase.rate === undefined) {
      startUs += phase.duration;
      const { clients = 1, pipeline = 1, operations = null } = phase;
      return { ...base, durationUs: phase.duration, kind: 'closed', clients, pipeline, operationLimit: operations };
    }
    const shape = openShape(phase.rate, phase.duration, phase.operations);
    const open = { ...base, ...shape, kind: 'open', arrivals: phase.arrivals ?? 'constant', firstOperation } as const;
    startUs += shape.durationUs;
    firstOperation += shape.operationCount;
    return open;
  });
}

function workloadPlan(workload: Workload): WorkloadPlan {
  const { get, set, incr, del, readModifyWrite } = workload.operations;
  const commands = commandPlans(workload);
  return {
    name: workload.name ?? 'inline',
    operations: { get: get + readModifyWrite, set: set + readModifyWrite, incr, del },
    ...(commands.length === 0 ? {} : { commands }),
    readModifyWrite,
    keys: { count: workload.keys.count, prefix: workload.keys.prefix, perTag: workload.keys.perTag, distribution: keyDistribution(workload.keys) },
    values: valueSizes(workload.values),
    checksum: workload.values.checksum,
    // A TTL below a millisecond cannot be told to the server: rounded up.
    ttlMs: Math.ceil(workload.ttl / 1000),
    preload: workload.preload,
  };
}

function commandPlans({ commands, operations }: Workload): CommandPlan[] {
  return Object.entries(commands).map(([name, { command, kind }]) => {
    const template = templateOf(command);
    if ('problem' in template) throw new Error(`bug in kvbench: the command ${name} was not checked`);
    return { name, text: command, kind, weight: operations[name] ?? 0, args: template.args };
  });
}

function keyDistribution(keys: Workload['keys']): KeyDistribution {
  switch (keys.distribution) {
    case 'uniform':
    case 'sequential':
      return { kind: keys.distribution };
    case 'zipfian':
    case 'latest':
      return { kind: keys.distribution, theta: keys.theta ?? ZIPFIAN_THETA };
    case 'gaussian':
      return { kind: 'gaussian', mean: keys.mean ?? GAUSSIAN_MEAN, deviation: keys.deviation ?? GAUSSIAN_DEVIATION };
    case 'hotspot':
      return { kind: 'hotspot', hotFraction: keys.hotFraction ?? HOT_FRACTION, hotShare: keys.hotShare ?? HOT_SHARE };
  }
}

function valueSizes(values: Workload['values']): ValueSizes {
  if (values.median !== undefined) {
    return {
      kind: 'lognormal',
      medianBytes: values.median,
      sigma: values.sigma ?? LOGNORMAL_SIGMA,
      maxBytes: values.max ?? values.median * LOGNORMAL_MAX_PER_MEDIAN,
    };
  }
  if (values.min !== undefined && values.max !== undefined) return { kind: 'uniform', minBytes: values.min, maxBytes: values.max };
  return { kind: 'fixed', bytes: values.size ?? FIXED_BYTES };
}
