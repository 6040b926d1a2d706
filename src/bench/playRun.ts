/** One run of kvbench within the bench's own process, without a report. Used by realGateTrials.ts and recordRuns.ts. */
import { play } from '../cli/play.js';
import type { Terminal } from '../cli/terminal.js';
import type { Plan } from '../plan/plan.js';
import { readRun } from '../result/readRun.js';
import { RunFolder } from '../result/runFolder.js';
import { summarize } from '../stats/summarize.js';

const silent: Terminal = {
  data: () => {},
  talk: () => {},
  alert: (text) => console.error(text),
  status: () => {},
  live: false,
  color: false,
  width: 100,
};

/** Leaves a result folder with its summary. Throws what ended the run, and the reason of the signal when that is aborted. */
export async function playRun(plan: Plan, dir: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const folder = RunFolder.createAt(dir);
  // Listeners of a run go with its own signal; on the one of all runs they would pile up.
  const ended = new AbortController();
  const passOn = (): void => ended.abort(signal.reason);
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
