/** How long `kvbench --help` takes against a bare `node -e 0`, alternating. Called by main.ts. */
import { spawnSync } from 'node:child_process';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { type Figure, figureOf, median } from './arithmetic.js';
import { makeHead, type StartUpSection } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import { kvbenchProgram } from './kvbenchRun.js';

const STARTS = 15;

export function measureStartUp(run: BenchRun): StartUpSection {
  const helpMs: number[] = [];
  const bareNodeMs: number[] = [];
  // Once each beforehand: what comes from the disk the first time is nobody's figure.
  start([kvbenchProgram, '--help']);
  start(['-e', '0']);
  for (let i = 0; i < STARTS && !run.signal.aborted; i++) {
    helpMs.push(start([kvbenchProgram, '--help']));
    bareNodeMs.push(start(['-e', '0']));
  }
  run.signal.throwIfAborted();
  const ratio = figureOf(helpMs.map((ms, i) => ms / (bareNodeMs[i] as number))) as Figure;
  run.say(
    `start-up: kvbench --help ${median(helpMs).toFixed(0)} ms, node -e 0 ${median(bareNodeMs).toFixed(0)} ms, ratio ${ratio.median.toFixed(2)}`,
  );
  return {
    ...makeHead({ server: null, rounds: STARTS, seconds: 0 }),
    helpMs: figureOf(helpMs) as Figure,
    bareNodeMs: figureOf(bareNodeMs) as Figure,
    ratio,
  };
}

function start(args: string[]): number {
  const beforeUs = monotonicUs();
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  const tookMs = (monotonicUs() - beforeUs) / 1000;
  if (status !== 0) throw new KvbenchError('INTERNAL', `node ${args.join(' ')} ended with ${status ?? error?.message}`);
  return tookMs;
}
