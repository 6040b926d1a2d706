/**
 * `kvbench run`: the pipeline, top to bottom. profile → plan → topology → load workers and chaos, observed → records → result folder →
 * report. Load and chaos meet in performance.ts and nowhere else. Every way out of here heals, writes and leaves nothing running.
 */
import { ExitCode } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import type { GroupPlan } from '../plan/groupPlan.js';
import type { Plan } from '../plan/plan.js';
import { renderTimeline } from '../plan/timeline.js';
import { renderTerminalSummary } from '../report/terminalSummary.js';
import { readRun } from '../result/readRun.js';
import { RunFolder } from '../result/runFolder.js';
import { findCapacity } from './capacity.js';
import { renderCapacityOutline } from './capacityOutline.js';
import { renderGroupOutline } from './groupOutline.js';
import { watchInterrupts } from './interrupt.js';
import type { RunArguments } from './main.js';
import type { PerformanceEnd } from './performance.js';
import { plansOf } from './planOf.js';
import { play } from './play.js';
import { runGroup } from './runGroup.js';
import type { Terminal } from './terminal.js';
import { fromHere } from './writeGroupResults.js';
import { writeResults } from './writeResults.js';

export async function run(args: RunArguments, terminal: Terminal): Promise<ExitCode> {
  const { plan, group } = plansOf(args, process.env);
  if (args.dryRun) {
    terminal.data(dryRun(plan, group));
    return ExitCode.passed;
  }
  // From here on a signal is ours to answer.
  const interrupt = watchInterrupts((name) => terminal.alert(`${name}: healing and writing the results; a second one ends at once`));
  try {
    terminal.talk(`kvbench ${kvbenchVersion} · ${plan.name} · seed ${plan.seed}`);
    if (group !== null) return await runGroup(group, args.out, terminal, interrupt);
    if (plan.capacity !== undefined) return await findCapacity(plan, args.out, terminal, interrupt);
    const folder = makeFolder(plan, args.out);
    const end = await play(plan, folder, terminal, interrupt);
    if (end !== null) return await conclude(folder, end, terminal);
    terminal.alert('Interrupted before the load started: there are no results.');
    return ExitCode.interrupted;
  } finally {
    interrupt.dispose();
  }
}

function dryRun(plan: Plan, group: GroupPlan | null): string {
  if (group !== null) return renderGroupOutline(group);
  return plan.capacity === undefined ? renderTimeline(plan) : renderCapacityOutline(plan, plan.capacity);
}

/** From the folder alone: summary, report, the closing words and the exit code. */
async function conclude(folder: RunFolder, end: PerformanceEnd, terminal: Terminal): Promise<ExitCode> {
  const data = readRun(folder.dir);
  const { summary, files } = await writeResults(data);
  terminal.data(renderTerminalSummary(summary, data.run, { color: terminal.color, width: terminal.width }));
  const report = files.find((file) => file.endsWith('report.html'));
  if (report !== undefined) terminal.data(`Report: ${fromHere(report)}`);
  if (end.kind === 'failed') throw end.error;
  return summary.exitCode as ExitCode;
}

/** `reports/<time>-<name>/` below the working folder, or the folder that was named. */
function makeFolder(plan: Plan, out: string | undefined): RunFolder {
  return out === undefined ? RunFolder.create('reports', plan.name) : RunFolder.createAt(out);
}
