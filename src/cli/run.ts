/**
 * `kvbench run`: the pipeline, top to bottom. profile → plan → topology → load workers and chaos, observed → records → result folder →
 * report. Load and chaos meet in performance.ts and nowhere else. Every way out of here heals, writes and leaves nothing running.
 */
import { ExitCode } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import type { Plan } from '../plan/plan.js';
import { renderTimeline } from '../plan/timeline.js';
import { renderTerminalSummary } from '../report/terminalSummary.js';
import { readRun } from '../result/readRun.js';
import { RunFolder } from '../result/runFolder.js';
import { findCapacity } from './capacity.js';
import { renderCapacityOutline } from './capacityOutline.js';
import { type Interrupt, watchInterrupts } from './interrupt.js';
import type { RunArguments } from './main.js';
import { keepNodeLogs } from './nodeLogs.js';
import { type PerformanceEnd, perform } from './performance.js';
import { planOf } from './planOf.js';
import { Progress } from './progress.js';
import { RecordStream } from './recordStream.js';
import { makeRunRecord } from './runRecord.js';
import { setStage } from './stage.js';
import { Teardown } from './teardown.js';
import type { Terminal } from './terminal.js';
import { fromHere } from './writeGroupResults.js';
import { writeResults } from './writeResults.js';

export async function run(args: RunArguments, terminal: Terminal): Promise<ExitCode> {
  const plan = planOf(args, process.env);
  if (args.dryRun) {
    terminal.data(plan.capacity === undefined ? renderTimeline(plan) : renderCapacityOutline(plan, plan.capacity));
    return ExitCode.passed;
  }
  // From here on a signal is ours to answer.
  const interrupt = watchInterrupts((name) => terminal.alert(`${name}: healing and writing the results; a second one ends at once`));
  try {
    terminal.talk(`kvbench ${kvbenchVersion} · ${plan.name} · seed ${plan.seed}`);
    if (plan.capacity !== undefined) return await findCapacity(plan, args.out, terminal, interrupt);
    const folder = makeFolder(plan, args.out);
    const end = await play(plan, folder, terminal, interrupt);
    return end === null ? ExitCode.interrupted : await conclude(folder, end, terminal);
  } finally {
    interrupt.dispose();
  }
}

/** Sets the stage and plays the plan on it. Null: interrupted before t0, so that there is nothing to conclude. */
async function play(plan: Plan, folder: RunFolder, terminal: Terminal, interrupt: Interrupt): Promise<PerformanceEnd | null> {
  const teardown = new Teardown();
  const stream = new RecordStream();
  stream.add(folder);
  folder.onFailure((error) => terminal.alert(`kvbench: ${error.message}`));
  let started = false;
  try {
    const stage = await setStage(plan, { stream, teardown, terminal, signal: interrupt.signal, folder: folder.dir });
    const end = await perform({
      plan,
      stage,
      stream,
      progress: new Progress(plan, terminal),
      teardown,
      onStart: (t0WallMs) => {
        started = true;
        folder.writeRun(makeRunRecord({ plan, folder: folder.dir, target: stage.target, proxied: stage.proxies !== null, t0WallMs }));
      },
      interrupted: interrupt.signal,
      interruptedBy: interrupt.name,
    });
    keepNodeLogs(stage.target, folder.dir);
    return end;
  } catch (error) {
    if (started || !interrupt.signal.aborted) throw error;
    terminal.alert('Interrupted before the load started: there are no results.');
    return null;
  } finally {
    terminal.status(null);
    for (const problem of await teardown.close()) terminal.alert(`kvbench: ${problem}`);
    folder.close();
    if (!started) folder.discard();
  }
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
