/**
 * `kvbench run` of a profile with variants, or with `--repeat`: one run after the other, each a run of its own on a target brought up
 * afresh, and one report over them. Called by run.ts; every way out heals, writes and leaves nothing running.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { assert } from '../base/assert.js';
import { wallClockMs } from '../base/clock.js';

import { ExitCode } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import type { GroupPlan, GroupRunPlan } from '../plan/groupPlan.js';
import { groupRunLine, renderGroupClosing } from '../report/groupText.js';
import { writeGroup } from '../result/group.js';
import { readRun } from '../result/readRun.js';
import { FORMAT_VERSION } from '../result/records.js';
import { makeResultFolder, RunFolder, useEmptyFolder } from '../result/runFolder.js';
import type { RunsGroupRecord } from '../result/runsGroup.js';
import { summarizeGroupRun } from '../stats/groupSummary.js';
import { summarize } from '../stats/summarize.js';
import type { Interrupt } from './interrupt.js';
import { play } from './play.js';
import { machineRecord } from './runRecord.js';
import type { Terminal } from './terminal.js';
import { fromHere, writeRunsGroupResults } from './writeGroupResults.js';

/** The exit code: 0 all well, 99 when a threshold failed in any run (all are played), 105 interrupted. */
export async function runGroup(plan: GroupPlan, out: string | undefined, terminal: Terminal, interrupt: Interrupt): Promise<ExitCode> {
  const dir = out === undefined ? makeResultFolder('reports', plan.name) : useEmptyFolder(out);
  const group = groupRecord(plan, dir);
  writeGroup(dir, group);
  const failure = await playAll(plan, dir, terminal, interrupt);
  if (failure === 'nothing played') {
    rmSync(dir, { recursive: true, force: true });
    terminal.alert('Interrupted before the first run: there are no results.');
    return ExitCode.interrupted;
  }
  const ended = { ...group, interruptedBy: interrupt.name() };
  writeGroup(dir, ended);
  const { summary, files } = await writeRunsGroupResults(dir, ended, (text) => terminal.status(text));
  terminal.status(null);
  terminal.data(renderGroupClosing(summary));
  const report = files.find((file) => basename(file) === 'report.html');
  if (report !== undefined) terminal.data(`Report: ${fromHere(report)}`);
  if (failure !== null) throw failure.error;
  return summary.exitCode as ExitCode;
}

/** What is asked, before the first run. */
export function groupRecord(plan: GroupPlan, dir: string): RunsGroupRecord {
  const { kind, name, description, seed, repeat, variants, runs } = plan;
  return {
    formatVersion: FORMAT_VERSION,
    kind,
    kvbenchVersion,
    id: basename(dir),
    name,
    description,
    startedAt: new Date(wallClockMs()).toISOString(),
    argv: process.argv.slice(2),
    seed,
    repeat,
    variants,
    runs,
    machine: machineRecord(),
    interruptedBy: null,
  };
}

/** What went wrong after the first run was written; null: nothing, or an interrupt. What went wrong before it is thrown. */
async function playAll(
  plan: GroupPlan,
  dir: string,
  terminal: Terminal,
  interrupt: Interrupt,
): Promise<{ error: unknown } | 'nothing played' | null> {
  let played = 0;
  for (const run of plan.runs) {
    if (interrupt.signal.aborted) break;
    terminal.talk(`run ${run.number}/${plan.runs.length}${plan.kind === 'repeat' ? '' : ` · ${run.variant}, round ${run.round}`}`);
    try {
      const end = await playRun(plan, run, dir, terminal, interrupt);
      if (end === null) break;
      played++;
    } catch (error) {
      if (played > 0) return { error };
      rmSync(dir, { recursive: true, force: true });
      throw error;
    }
  }
  return played === 0 ? 'nothing played' : null;
}

/** One run of a group, in its folder below `dir`. Null: interrupted before its t0. */
export async function playRun(plan: GroupPlan, run: GroupRunPlan, dir: string, terminal: Terminal, interrupt: Interrupt): Promise<'played' | null> {
  const variant = plan.variants.find((candidate) => candidate.name === run.variant);
  assert(variant !== undefined, `a run of ${run.variant}, which is no variant of its group`);
  mkdirSync(join(dir, 'runs'), { recursive: true });
  const folder = RunFolder.createAt(join(dir, run.run));
  // Listeners of a run go with its own signal; on the one of the whole group they would pile up.
  const ended = new AbortController();
  const passOn = (): void => ended.abort(interrupt.signal.reason);
  interrupt.signal.addEventListener('abort', passOn, { once: true });
  try {
    const end = await play(variant.plan, folder, terminal, { signal: ended.signal, name: interrupt.name });
    if (end === null) return null;
    if (end.kind === 'failed') throw end.error;
  } finally {
    interrupt.signal.removeEventListener('abort', passOn);
  }
  terminal.talk(groupRunLine(summarizeGroupRun(run, summarize(readRun(folder.dir)))));
  return 'played';
}
