/**
 * `kvbench ab`: base and candidate in turn, pair after pair, until the question is decided or the pairs or the time are used up. Each look
 * decides at a level of its own, so that all looks together err no more often than one. Every way out heals, writes and leaves nothing running.
 */
import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { monotonicUs } from '../base/clock.js';
import { ExitCode } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import { durationText } from '../profile/durationText.js';
import { renderGroupClosing } from '../report/groupText.js';
import { writeGroup } from '../result/group.js';
import { makeResultFolder, useEmptyFolder } from '../result/runFolder.js';
import type { RunsGroupRecord } from '../result/runsGroup.js';
import { firstLook, levelAfter, lookAt } from './abDecision.js';
import type { AbArguments } from './abOptions.js';
import { type AbQuestion, abQuestion } from './abQuestion.js';
import { renderGroupOutline } from './groupOutline.js';
import { type Interrupt, watchInterrupts } from './interrupt.js';
import { groupRecord, playRun } from './runGroup.js';
import type { Terminal } from './terminal.js';
import { fromHere, writeRunsGroupResults } from './writeGroupResults.js';

/** The exit code: 0 when the rules hold, 99 when one is broken (or undecided, with --inconclusive fail), 105 interrupted. */
export async function ab(args: AbArguments, terminal: Terminal): Promise<ExitCode> {
  const question = abQuestion(args, process.env);
  if (args.dryRun) {
    terminal.data(outline(question));
    return ExitCode.passed;
  }
  const interrupt = watchInterrupts((name) => terminal.alert(`${name}: healing and writing the results; a second one ends at once`));
  try {
    terminal.talk(`kvbench ${kvbenchVersion} · ${question.plan.name} · seed ${question.plan.seed}`);
    terminal.talk(`base against candidate: ${question.ab.rules.join(', ')}`);
    return await ask(question, args.out, terminal, interrupt);
  } finally {
    interrupt.dispose();
  }
}

async function ask(question: AbQuestion, out: string | undefined, terminal: Terminal, interrupt: Interrupt): Promise<ExitCode> {
  const dir = out === undefined ? makeResultFolder('reports', `${question.plan.name}-ab`) : useEmptyFolder(out);
  const group: RunsGroupRecord = { ...groupRecord(question.plan, dir), runs: [], ab: question.ab };
  writeGroup(dir, group);
  let failure: { error: unknown } | null = null;
  try {
    await playPairs(question, group, dir, terminal, interrupt);
  } catch (error) {
    failure = { error };
  }
  group.interruptedBy = interrupt.name();
  const first = group.runs[0];
  if (first === undefined || (group.runs.length === 1 && failure !== null)) {
    rmSync(dir, { recursive: true, force: true });
    if (failure !== null) throw failure.error;
    terminal.alert('Interrupted before the first run: there are no results.');
    return ExitCode.interrupted;
  }
  writeGroup(dir, group);
  const { summary, files } = await writeRunsGroupResults(dir, group, (text) => terminal.status(text));
  terminal.status(null);
  terminal.data(renderGroupClosing(summary));
  const report = files.find((file) => basename(file) === 'report.html');
  if (report !== undefined) terminal.data(`Report: ${fromHere(report)}`);
  if (failure !== null) throw failure.error;
  return summary.exitCode as ExitCode;
}

/** Returns when the question is decided, the pairs or the time are used up, or it was interrupted. */
async function playPairs({ plan, ab }: AbQuestion, group: RunsGroupRecord, dir: string, terminal: Terminal, interrupt: Interrupt): Promise<void> {
  const startedUs = monotonicUs();
  for (let pair = 1; pair <= ab.maxPairs; pair++) {
    const spentMs = (monotonicUs() - startedUs) / 1000;
    if (ab.budgetMs !== null && pair > 1 && spentMs + spentMs / (pair - 1) > ab.budgetMs) {
      ab.endedBy = 'budget';
      return;
    }
    for (const run of plan.runs.filter((planned) => planned.round === pair)) {
      if (interrupt.signal.aborted) return;
      terminal.talk(`pair ${pair} of at most ${ab.maxPairs} · ${run.variant}`);
      const end = await playRun(plan, run, dir, terminal, interrupt);
      if (end === null) return;
      group.runs.push(run);
      writeGroup(dir, group);
    }
    if (interrupt.signal.aborted) return;
    if (pair >= firstLook(ab) && look(dir, group, pair, terminal)) {
      ab.endedBy = 'decided';
      return;
    }
  }
  ab.endedBy = 'pairs';
}

/** Whether the question is decided. */
function look(dir: string, group: RunsGroupRecord, pairs: number, terminal: Terminal): boolean {
  const { decision } = lookAt(dir, group, pairs);
  const { outcome, level } = decision;
  group.ab?.looks.push({ pairs, level, outcome });
  writeGroup(dir, group);
  const rules = decision.rules.map((rule) => `${rule.rule}: ${rule.change} ${rule.interval}, ${rule.outcome}`);
  terminal.talk(`  look after ${pairs} pairs, at p ≤ ${level.toFixed(4)}: ${rules.join('; ')}`);
  return outcome !== 'inconclusive';
}

function outline({ plan, ab }: AbQuestion): string {
  const looks = Array.from({ length: ab.maxPairs - firstLook(ab) + 1 }, (_, i) => firstLook(ab) + i);
  const lines = [
    `asked     ${ab.rules.join(', ')}`,
    `looks     ${looks.map((pairs) => `after ${pairs} pairs at p ≤ ${levelAfter(pairs, ab).toFixed(4)}`).join(', ')}`,
    `budget    ${ab.budgetMs === null ? 'none' : durationText(ab.budgetMs * 1000)}; at most ${ab.maxPairs} pairs`,
  ];
  return `${lines.join('\n')}\n\n${renderGroupOutline(plan)}`;
}
