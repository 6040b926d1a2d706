/**
 * One run, from nothing to records on disk: sets the stage, plays the plan on it and clears the stage again, on every way out. Called by
 * run.ts for an ordinary run and by runGroup.ts for each of a group.
 */
import { collectGarbage } from '../base/garbage.js';
import type { Plan } from '../plan/plan.js';
import type { RunFolder } from '../result/runFolder.js';
import type { Interrupt } from './interrupt.js';
import { keepNodeLogs } from './nodeLogs.js';
import { type PerformanceEnd, perform } from './performance.js';
import { Progress } from './progress.js';
import { RecordStream } from './recordStream.js';
import { makeRunRecord } from './runRecord.js';
import { setStage } from './stage.js';
import { Teardown } from './teardown.js';
import type { Terminal } from './terminal.js';

/** Null: interrupted before t0, so that there is nothing to conclude, and the folder is gone. */
export async function play(
  plan: Plan,
  folder: RunFolder,
  terminal: Terminal,
  interrupt: Pick<Interrupt, 'signal' | 'name'>,
): Promise<PerformanceEnd | null> {
  const teardown = new Teardown();
  const stream = new RecordStream();
  stream.add(folder);
  folder.onFailure((error) => terminal.alert(`kvbench: ${error.message}`));
  let started = false;
  try {
    const stage = await setStage(plan, { stream, teardown, terminal, signal: interrupt.signal, folder: folder.dir });
    await collectGarbage();
    const end = await perform({
      plan,
      stage,
      stream,
      progress: new Progress(plan, terminal),
      teardown,
      folder: folder.dir,
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
    return null;
  } finally {
    terminal.status(null);
    for (const problem of await teardown.close()) terminal.alert(`kvbench: ${problem}`);
    folder.close();
    if (!started) folder.discard();
    await collectGarbage();
  }
}
