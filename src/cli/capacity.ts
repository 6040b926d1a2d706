/**
 * `kvbench run` of a profile with `capacity`: the target comes up and is filled once, then trial follows trial until the search of
 * stats/capacitySearch.ts has its answer. Each trial is a run with a folder of its own. Called by run.ts; every way out heals, writes
 * and leaves nothing running.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { assert } from '../base/assert.js';
import { wallClockMs } from '../base/clock.js';
import { ExitCode } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import { noJournal } from '../chaos/undoJournal.js';
import type { CapacityPlan, Plan } from '../plan/plan.js';
import { trialPlan } from '../plan/trialPlan.js';
import { renderCapacityClosing, trialLine } from '../report/capacityText.js';
import { eventLine } from '../report/eventLine.js';
import { type CapacityGroupRecord, readGroup, type TrialPurpose, type TrialSummary, writeGroup } from '../result/group.js';
import { readRun } from '../result/readRun.js';
import { type EventRecord, FORMAT_VERSION } from '../result/records.js';
import { makeResultFolder, RunFolder, useEmptyFolder } from '../result/runFolder.js';
import { capacityStep, maxTrials } from '../stats/capacitySearch.js';
import { settingsOf, summarizeTrial } from '../stats/capacitySummary.js';
import { summarize } from '../stats/summarize.js';
import type { Target } from '../topology/target.js';
import type { Interrupt } from './interrupt.js';
import { perform } from './performance.js';
import { Progress } from './progress.js';
import { RecordStream } from './recordStream.js';
import { machineRecord, makeRunRecord } from './runRecord.js';
import { bringUpTarget, connectLoad, preload } from './stage.js';
import { Teardown } from './teardown.js';
import type { Terminal } from './terminal.js';
import { fromHere, writeCapacityResults } from './writeGroupResults.js';

interface Search {
  plan: Plan;
  capacity: CapacityPlan;
  dir: string;
  target: Target;
  terminal: Terminal;
  interrupt: Interrupt;
}

/** The exit code: 0 found, 99 when not even the lowest rate holds, 105 interrupted. */
export async function findCapacity(plan: Plan, out: string | undefined, terminal: Terminal, interrupt: Interrupt): Promise<ExitCode> {
  const dir = out === undefined ? makeResultFolder('reports', plan.name) : useEmptyFolder(out);
  const failure = await search(plan, dir, terminal, interrupt);
  if (failure === 'not started') return ExitCode.interrupted;
  const group = readGroup(dir);
  assert(group.kind === 'capacity', 'a search wrote another kind of group');
  const { summary, files } = await writeCapacityResults(dir, group, (text) => terminal.status(text));
  terminal.status(null);
  terminal.data(renderCapacityClosing(summary));
  const report = files.find((file) => basename(file) === 'report.html');
  if (report !== undefined) terminal.data(`Report: ${fromHere(report)}`);
  if (failure !== null) throw failure.error;
  return summary.exitCode as ExitCode;
}

/** What went wrong after the first trial had begun, so that there is something to write; null: nothing. */
async function search(plan: Plan, dir: string, terminal: Terminal, interrupt: Interrupt): Promise<{ error: unknown } | 'not started' | null> {
  const { capacity } = plan;
  assert(capacity !== undefined, 'a search without capacity in its plan');
  const teardown = new Teardown();
  let group: CapacityGroupRecord | null = null;
  try {
    const target = await bringUpTarget(plan, teardown, terminal, interrupt.signal);
    await fill(plan, target, terminal, interrupt);
    group = groupRecord(plan, dir, target);
    writeGroup(dir, group);
    await runTrials({ plan, capacity, dir, target, terminal, interrupt });
    return null;
  } catch (error) {
    if (group !== null) return interrupt.signal.aborted ? null : { error };
    rmSync(dir, { recursive: true, force: true });
    if (!interrupt.signal.aborted) throw error;
    terminal.alert('Interrupted before the first trial: there are no results.');
    return 'not started';
  } finally {
    terminal.status(null);
    if (group !== null && interrupt.name() !== null) writeGroup(dir, { ...group, interruptedBy: interrupt.name() });
    for (const problem of await teardown.close()) terminal.alert(`kvbench: ${problem}`);
  }
}

/** Once for all trials, by workers of its own. */
async function fill(plan: Plan, target: Target, terminal: Terminal, { signal }: Interrupt): Promise<void> {
  if (!plan.load.workload.preload) return;
  const teardown = new Teardown();
  try {
    const load = await connectLoad(plan, { target, proxies: null, stream: new RecordStream(), teardown, signal });
    await preload(plan, load, terminal, signal);
  } finally {
    for (const problem of await teardown.close()) terminal.alert(`kvbench: ${problem}`);
  }
}

function groupRecord(plan: Plan, dir: string, target: Target): CapacityGroupRecord {
  return {
    formatVersion: FORMAT_VERSION,
    kind: 'capacity',
    kvbenchVersion,
    id: basename(dir),
    name: plan.name,
    startedAt: new Date(wallClockMs()).toISOString(),
    argv: process.argv.slice(2),
    plan,
    machine: machineRecord(),
    target: { ...target.describe(), proxied: false },
    interruptedBy: null,
  };
}

/** Returns when the search is over, or interrupted. */
async function runTrials(search: Search): Promise<void> {
  const { capacity, terminal, interrupt } = search;
  const settings = settingsOf(capacity);
  const limit = maxTrials(settings);
  const trials: TrialSummary[] = [];
  for (;;) {
    const step = capacityStep(settings, trials);
    if (step.kind === 'done' || interrupt.signal.aborted) return;
    assert(trials.length < limit, `a search of ${limit} trials and more`);
    const trial = await runTrial(search, trials.length + 1, step.rateOpsPerSec, step.purpose);
    if (trial === null) return;
    trials.push(trial);
    terminal.talk(trialLine(trial));
  }
}

/** Null: interrupted. */
async function runTrial(search: Search, number: number, rateOpsPerSec: number, purpose: TrialPurpose): Promise<TrialSummary | null> {
  const { capacity, dir, target, terminal, interrupt } = search;
  const plan = trialPlan(search.plan, rateOpsPerSec);
  const run = join('runs', `${String(number).padStart(2, '0')}-${Math.round(rateOpsPerSec)}`);
  mkdirSync(join(dir, 'runs'), { recursive: true });
  const folder = RunFolder.createAt(join(dir, run));
  folder.onFailure((error) => terminal.alert(`kvbench: ${error.message}`));
  const stream = new RecordStream();
  stream.add(folder);
  const teardown = new Teardown();
  // Listeners of a trial go with its own signal; on the one of the whole search they would pile up.
  const ended = new AbortController();
  const passOn = (): void => ended.abort(interrupt.signal.reason);
  interrupt.signal.addEventListener('abort', passOn, { once: true });
  let started = false;
  try {
    const load = await connectLoad(plan, { target, proxies: null, stream, teardown, signal: ended.signal });
    // The trial has one line of its own; of its events only what went wrong is worth another.
    stream.add({ interval: () => {}, event: (event) => sayWarning(event, terminal) });
    const end = await perform({
      plan,
      stage: { target, proxies: null, journal: noJournal, load },
      stream,
      progress: new Progress(plan, { ...terminal, talk: () => {} }),
      teardown,
      folder: folder.dir,
      onStart: (t0WallMs) => {
        started = true;
        folder.writeRun(makeRunRecord({ plan, folder: folder.dir, target, proxied: false, t0WallMs }));
      },
      interrupted: ended.signal,
      interruptedBy: interrupt.name,
    });
    if (end.kind === 'failed') throw end.error;
    if (end.kind !== 'complete') return null;
  } finally {
    for (const problem of await teardown.close()) terminal.alert(`kvbench: ${problem}`);
    interrupt.signal.removeEventListener('abort', passOn);
    folder.close();
    if (!started) folder.discard();
  }
  return summarizeTrial(capacity, { number, run, plan, purpose }, summarize(readRun(folder.dir)));
}

function sayWarning(event: EventRecord, terminal: Terminal): void {
  if (event.type !== 'message' || event.level === 'info') return;
  const line = eventLine(event);
  if (line !== null) terminal.talk(line);
}
