/**
 * Trials of the gate on real runs of kvbench against servers whose speed is known: base and candidate in turn, the candidate alike or worse by a known
 * amount. Called by gateMain.ts; ends every server it started, and keeps what it has found after each group, so that it can go on later.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { monotonicUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { loadSide } from '../compare/loadSide.js';
import { makePlan } from '../plan/makePlan.js';
import type { Plan } from '../plan/plan.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { type TrialOutcome, type TrialSeries, trialRules, tryGate } from './gateTally.js';
import type { Behaviour } from './knownAnswer.js';
import { KnownServer } from './knownServer.js';
import { benchProfile, type KvbenchLoad } from './kvbenchRun.js';
import { playRun } from './playRun.js';
import type { RealGroup, RealGroupKind, RealResults } from './realGateResults.js';
import { type RecordedRuns, recordedFrom } from './recordedRuns.js';

const WARM_UP_SEC = 0.2;
/** What a run takes besides its load, roughly: only for saying how long it will take. */
const AROUND_SEC = 0.9;

interface Setting {
  rule: string;
  usual: Behaviour;
  worse: Behaviour;
  load: Pick<KvbenchLoad, 'connections' | 'intensity'>;
}

const settings: Readonly<Record<'latency' | 'throughput', Setting>> = {
  latency: {
    rule: trialRules.latency,
    usual: { kind: 'two-point', shortUs: 1_000, longUs: 5_000, longShare: 0.05 },
    worse: { kind: 'two-point', shortUs: 1_000, longUs: 6_000, longShare: 0.05 },
    load: { connections: 60, intensity: { rate: '2000/s' } },
  },
  throughput: {
    rule: trialRules.throughput,
    usual: { kind: 'capacity', opsPerSec: 5_000 },
    worse: { kind: 'capacity', opsPerSec: 4_750 },
    load: { connections: 20, intensity: { clients: 20, pipeline: 1 } },
  },
};

export interface RealTrials {
  /** A/A groups, and half as many of each change. */
  groups: number;
  /** Null: of all kinds. */
  only: RealGroupKind | null;
  /** Runs of each side of a group. */
  pairs: number;
  /** Load of one run: of a group with a change, and of an A/A group. */
  seconds: number;
  sameSeconds: number;
  /** For results; each group's are removed when it is over. */
  folder: string;
  signal: AbortSignal;
  /** Groups that it has already are not run again. */
  results: RealResults;
  /** Gets the base runs of each group with a change; null: nobody wants them. */
  keep: ((runs: RecordedRuns) => void) | null;
  say(text: string): void;
}

interface Task {
  kind: RealGroupKind;
  number: number;
}

/** Throws the reason of the signal; what was found until then stands in `results`. */
export async function runRealTrials(trials: RealTrials): Promise<void> {
  const { results, say, signal } = trials;
  const tasks = tasksOf(trials).filter((task) => !results.has(task.kind, task.number));
  let leftSec = tasks.reduce((sum, task) => sum + lengthSec(trials, task), 0);
  say(
    `real runs: ${tasks.length} groups of ${trials.pairs} pairs, runs of ${trials.seconds} s (A/A: ${trials.sameSeconds} s); about ${Math.ceil(leftSec / 60)} min; results so far in ${results.file}`,
  );
  for (const task of tasks) {
    const startedUs = monotonicUs();
    const group = await runGroup(trials, task);
    results.add(group);
    leftSec -= lengthSec(trials, task);
    const tookSec = (monotonicUs() - startedUs) / 1e6;
    say(`${task.kind} ${task.number + 1}: ${group.text} (${tookSec.toFixed(0)} s; about ${Math.ceil(leftSec / 60)} min left)`);
    signal.throwIfAborted();
  }
}

/** Of all kinds in turn, so that what an interruption leaves says something about each. */
function tasksOf({ groups, only }: RealTrials): Task[] {
  const tasks: Task[] = [];
  for (let number = 0; number < groups; number++) {
    if (number % 2 === 0) tasks.push({ kind: 'latency', number: number / 2 }, { kind: 'throughput', number: number / 2 });
    tasks.push({ kind: 'same', number });
  }
  return tasks.filter(({ kind }) => only === null || kind === only);
}

function lengthSec(trials: RealTrials, task: Task): number {
  return 2 * trials.pairs * (secondsOf(trials, task) + WARM_UP_SEC + AROUND_SEC);
}

function secondsOf({ seconds, sameSeconds }: RealTrials, { kind }: Task): number {
  return kind === 'same' ? sameSeconds : seconds;
}

/** A group that breaks is one too: it counts against what is asked for. */
async function runGroup(trials: RealTrials, task: Task): Promise<RealGroup> {
  const { kind, number } = task;
  try {
    const outcome = await playGroup(trials, task);
    const [rule] = outcome.rules;
    return {
      ...{ kind, number, pairs: trials.pairs, seconds: secondsOf(trials, task), broken: false },
      ...{ called: outcome.isCalled, significant: outcome.isSignificant, failed: outcome.failed },
      base: rule?.row?.base.perRun ?? [],
      candidate: rule?.row?.candidate.perRun ?? [],
      text: outcome.rules.map(({ outcome: decided, reason }) => `${decided}: ${reason}`).join('; '),
    };
  } catch (error) {
    if (trials.signal.aborted) throw error;
    const empty = { called: false, significant: false, failed: false, base: [], candidate: [] };
    return { kind, number, pairs: trials.pairs, seconds: secondsOf(trials, task), broken: true, ...empty, text: `broke: ${messageOf(error)}` };
  }
}

/** Two servers asked in turn: base first, then candidate first. */
async function playGroup(trials: RealTrials, task: Task): Promise<TrialOutcome> {
  const { kind, number } = task;
  const { rule, usual, worse, load } = settings[kind === 'same' ? (number % 2 === 0 ? 'latency' : 'throughput') : kind];
  const folder = join(trials.folder, `${kind}-${number}`);
  mkdirSync(folder);
  const servers: KnownServer[] = [];
  try {
    for (const behaviour of [usual, kind === 'same' ? usual : worse]) servers.push(await KnownServer.start(behaviour));
    const dirs: [string[], string[]] = [[], []];
    for (let round = 0; round < trials.pairs; round++) {
      for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const dir = join(folder, `${which === 0 ? 'base' : 'candidate'}-${round}`);
        await playRun(planFor(load, (servers[which] as KnownServer).port, secondsOf(trials, task)), dir, trials.signal);
        dirs[which].push(dir);
      }
    }
    const [base, candidate] = [loadSide(dirs[0], folder), loadSide(dirs[1], folder)];
    if (kind !== 'same') trials.keep?.(recordedFrom(base.runs.map(({ data }) => data)));
    return tryGate(base, candidate, [rule]);
  } finally {
    for (const server of servers) await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function planFor(load: Setting['load'], port: number, seconds: number): Plan {
  const shape = {
    client: 'wire',
    port,
    mode: 'standalone',
    threads: 1,
    warmUpSec: WARM_UP_SEC,
    steadySec: seconds,
    keyCount: 1000,
    preload: false,
  } as const;
  const { variants: _none, ...profile } = profileFromObject(benchProfile({ ...shape, ...load }), 'bench', '.', { faults: [], sets: [], env: {} });
  return makePlan(profile);
}

/** Of all groups that `results` has. */
export function realSeries(results: RealResults): TrialSeries[] {
  const of = (kind: RealGroupKind, title: string, hit: (group: RealGroup) => boolean, limit: TrialSeries['limit']): TrialSeries => {
    const groups = results.groups.filter((group) => group.kind === kind);
    const broken = groups.filter((group) => group.broken).length;
    const lengths = [...new Set(groups.map(({ pairs, seconds }) => `${pairs} pairs of ${seconds} s`))].join(', ');
    const significant = kind === 'same' ? `; ${groups.filter((group) => group.significant).length} significant, whatever their size` : '';
    return { title: `${title}, real runs`, trials: groups.length, hits: groups.filter(hit).length, limit, broken, note: `${lengths}${significant}` };
  };
  return [
    of('same', 'A/A: called slower or faster', ({ called }) => called, { atMost: 0.02 }),
    of('latency', '+20 % p99: found', ({ failed }) => failed, { atLeast: 0.9 }),
    of('throughput', '5 % less throughput: found', ({ failed }) => failed, { atLeast: 0.8 }),
  ];
}
