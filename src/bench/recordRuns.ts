/**
 * Records steady runs of the same thing for bench:gate: what a pipeline does with profiles/ci-gate.yaml, at its rate and, in turn with that, with
 * clients that ask as fast as they are answered. Called by gateMain.ts; every run has a server of its own, which is gone afterwards.
 */
import { join } from 'node:path';
import { packageRoot } from '../base/packageRoot.js';
import { makePlan } from '../plan/makePlan.js';
import type { Plan } from '../plan/plan.js';
import { loadProfile } from '../profile/loadProfile.js';
import { readRun } from '../result/readRun.js';
import { playRun } from './playRun.js';
import { type RecordedRun, type RecordedRuns, recordedFrom } from './recordedRuns.js';

/** So few that the generator is not what limits: its event loop stays below its limit. */
const CLOSED_CLIENTS = 2;

export interface Recorder {
  /** Of each kind of load. */
  runs: number;
  seconds: number;
  /** For results. */
  folder: string;
  signal: AbortSignal;
  say(text: string): void;
}

export async function recordRuns({ runs, seconds, folder, signal, say }: Recorder): Promise<RecordedRuns> {
  const dirs: string[] = [];
  for (let round = 0; round < runs; round++) {
    for (const load of ['open', 'closed'] as const) {
      const dir = join(folder, `recorded-${round}-${load}`);
      await playRun(planFor(load, seconds), dir, signal);
      dirs.push(dir);
      const { summary } = readRun(dir);
      say(
        `${load} loop, run ${round + 1} of ${runs}: ${summary?.throughputOpsPerSec.toFixed(0)}/s, p99 ${summary?.latencyUs.all?.p99} µs${summary?.generator.saturated ? ', saturated generator' : ''}`,
      );
    }
  }
  return recordedFrom(dirs.map(readRun));
}

function planFor(load: RecordedRun['load'], seconds: number): Plan {
  const file = join(packageRoot, 'profiles', 'ci-gate.yaml');
  const { variants: _none, ...profile } = loadProfile(file, { faults: [], sets: [`load.phases.1.duration=${seconds}s`], env: {} });
  const plan = makePlan(profile);
  if (load === 'open') return plan;
  const phases = plan.load.phases.map(({ index, name, record, startUs, durationUs }) => ({
    ...{ index, name, record, startUs, durationUs },
    ...({ kind: 'closed', clients: CLOSED_CLIENTS, pipeline: 1, operationLimit: null } as const),
  }));
  return { ...plan, load: { ...plan.load, phases } };
}
