/**
 * Trials of the gate on real runs of kvbench against servers whose speed is known: base and candidate alternate, and a third server is slower by a
 * known amount. Called by gateMain.ts; ends every server it started.
 */
import { join } from 'node:path';
import { play } from '../cli/play.js';
import type { Terminal } from '../cli/terminal.js';
import { type LoadedSide, loadSide } from '../compare/loadSide.js';
import { makePlan } from '../plan/makePlan.js';
import type { Plan } from '../plan/plan.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { readRun } from '../result/readRun.js';
import { RunFolder } from '../result/runFolder.js';
import { summarize } from '../stats/summarize.js';
import { type TrialOutcome, type TrialSeries, trialRules, tryGate } from './gateTally.js';
import type { Behaviour } from './knownAnswer.js';
import { KnownServer } from './knownServer.js';
import { benchProfile, type KvbenchLoad } from './kvbenchRun.js';

/** Runs of each side of a group. */
const PAIRS = 5;
const WARM_UP_SEC = 0.2;

interface Kind {
  name: 'latency' | 'throughput';
  rule: string;
  usual: Behaviour;
  worse: Behaviour;
  load: Pick<KvbenchLoad, 'connections' | 'intensity'>;
}

const kinds: readonly [Kind, Kind] = [
  {
    name: 'latency',
    rule: trialRules.latency,
    usual: { kind: 'two-point', shortUs: 1_000, longUs: 5_000, longShare: 0.05 },
    worse: { kind: 'two-point', shortUs: 1_000, longUs: 6_000, longShare: 0.05 },
    load: { connections: 60, intensity: { rate: '2000/s' } },
  },
  {
    name: 'throughput',
    rule: trialRules.throughput,
    usual: { kind: 'capacity', opsPerSec: 5_000 },
    worse: { kind: 'capacity', opsPerSec: 4_750 },
    load: { connections: 20, intensity: { clients: 20, pipeline: 1 } },
  },
];

export interface RealTrials {
  groups: number;
  seconds: number;
  /** For results; each group's are removed with it. */
  folder: string;
  signal: AbortSignal;
  say(text: string): void;
}

export async function runRealTrials(trials: RealTrials): Promise<TrialSeries[]> {
  const same = { hits: 0, significant: 0, trials: 0 };
  const found = { latency: { hits: 0, trials: 0 }, throughput: { hits: 0, trials: 0 } };
  for (let group = 0; group < trials.groups; group++) {
    const kind = kinds[group % 2 === 0 ? 0 : 1];
    const { unchanged, changed } = await runGroup(trials, kind, group);
    same.trials++;
    if (unchanged.isCalled) same.hits++;
    if (unchanged.isSignificant) same.significant++;
    found[kind.name].trials++;
    if (changed.failed) found[kind.name].hits++;
    const text = ({ rules }: TrialOutcome): string => rules.map(({ outcome, reason }) => `${outcome} (${reason})`).join('; ');
    trials.say(`group ${group + 1} of ${trials.groups}, ${kind.name}: A/A ${text(unchanged)}; slower ${text(changed)}`);
  }
  return [
    {
      title: 'A/A, real runs: called slower or faster',
      ...same,
      limit: { atMost: 0.02 },
      note: `${same.significant} significant, whatever their size`,
    },
    { title: '+20 % p99, real runs: found in 5 pairs', ...found.latency, limit: { atLeast: 0.9 }, note: '' },
    { title: '5 % less throughput, real runs: found in 5 pairs', ...found.throughput, limit: { atLeast: 0.8 }, note: '' },
  ];
}

/** Three servers, A and B alike and C worse, asked in turn; the order turns by one each round. */
async function runGroup(trials: RealTrials, kind: Kind, group: number): Promise<{ unchanged: TrialOutcome; changed: TrialOutcome }> {
  const servers: KnownServer[] = [];
  try {
    for (const behaviour of [kind.usual, kind.usual, kind.worse]) servers.push(await KnownServer.start(behaviour));
    const dirs: string[][] = [[], [], []];
    for (let round = 0; round < PAIRS; round++) {
      for (let i = 0; i < servers.length; i++) {
        const which = (i + round) % servers.length;
        const dir = join(trials.folder, `${group}-${'abc'[which]}-${round}`);
        await runOnce(planFor(kind, (servers[which] as KnownServer).port, trials), dir, trials);
        dirs[which]?.push(dir);
      }
    }
    const [a, b, c] = dirs.map((list): LoadedSide => loadSide(list, trials.folder));
    if (a === undefined || b === undefined || c === undefined) throw new Error('bug in the bench: a group has three sides');
    return { unchanged: tryGate(a, b, [kind.rule]), changed: tryGate(a, c, [kind.rule]) };
  } finally {
    for (const server of servers) await server.close();
  }
}

function planFor({ load }: Kind, port: number, { seconds }: RealTrials): Plan {
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

const silent: Terminal = {
  data: () => {},
  talk: () => {},
  alert: (text) => console.error(text),
  status: () => {},
  live: false,
  color: false,
  width: 100,
};

async function runOnce(plan: Plan, dir: string, { signal }: RealTrials): Promise<void> {
  const folder = RunFolder.createAt(dir);
  // Listeners of a run go with its own signal; on the one of all runs they would pile up.
  const ended = new AbortController();
  const passOn = (): void => ended.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener('abort', passOn, { once: true });
  try {
    const end = await play(plan, folder, silent, { signal: ended.signal, name: () => (signal.aborted ? 'SIGINT' : null) });
    signal.throwIfAborted();
    if (end?.kind === 'failed') throw end.error;
    folder.writeText('summary.json', `${JSON.stringify(summarize(readRun(dir)))}\n`);
  } finally {
    signal.removeEventListener('abort', passOn);
  }
}
