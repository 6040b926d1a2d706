#!/usr/bin/env node
/**
 * Whether the gate cries wolf, and whether it sees the wolf: `npm run bench:gate [-- options]`. Made-up runs first, then real ones against
 * servers of known speed. Exit code 99 when a share is not what is asked for. Started by src/setup/benchGate.mjs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { packageRoot } from '../base/packageRoot.js';
import { isMet, seriesLine, type TrialSeries } from './gateTally.js';
import { Recording, runSyntheticTrials, usualVariation } from './gateTrials.js';
import { runRealTrials } from './realGateTrials.js';

const usage = `npm run bench:gate [-- options]

  --same N          A/A comparisons of made-up runs (default 200)
  --power N         made-up trials of each change (default 40)
  --real N          groups of real runs, half for latency and half for throughput (default 20; 0: none). 20 take about 12 minutes
  --seconds S       load of one real run (default 1.2)
  --spread PERCENT  how much latency differs between made-up runs (default 5)
  --seed N          other made-up runs (default 1)
  --recording DIR   run whose intervals made-up runs are drawn from (default reports/sample-failover)
`;

process.exitCode = await main();

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'kvbench-gate-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(ExitCode.interrupted);
      interrupted.abort();
    });
  }
  try {
    const args = parseArguments(process.argv.slice(2));
    if (args === null) {
      console.log(usage);
      return ExitCode.passed;
    }
    const say = (text: string): void => console.log(text);
    const series: TrialSeries[] = [];
    if (args.same + args.power > 0) {
      const recording = Recording.read(args.recording);
      say(`made-up runs of 10 s from ${recording.slotCount} recorded intervals; ± ${args.spread} % between runs`);
      const variation = { ...usualVariation, latency: args.spread / 100 };
      series.push(...runSyntheticTrials({ recording, variation, same: args.same, power: args.power, seed: args.seed }, say));
    }
    if (args.real > 0) series.push(...(await runRealTrials({ groups: args.real, seconds: args.seconds, folder, signal: interrupted.signal, say })));
    const asked = series.filter(({ trials }) => trials > 0);
    say('');
    for (const each of asked) say(seriesLine(each));
    return asked.every(isMet) ? ExitCode.passed : ExitCode.thresholdFailed;
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.interrupted;
    console.error(`bench:gate: ${messageOf(error)}`);
    if (error instanceof KvbenchError) return error.exitCode;
    throw error;
  }
}

interface Arguments {
  same: number;
  power: number;
  real: number;
  seconds: number;
  spread: number;
  seed: number;
  recording: string;
}

/** Null: only the usage was asked for. Throws INVALID_ARGUMENT. */
function parseArguments(args: string[]): Arguments | null {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: { same: text, power: text, real: text, seconds: text, spread: text, seed: text, recording: text, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return null;
  return {
    same: number('same', values.same ?? '200', 0, 100_000),
    power: number('power', values.power ?? '40', 0, 100_000),
    real: number('real', values.real ?? '20', 0, 1000),
    seconds: number('seconds', values.seconds ?? '1.2', 1, 3600),
    spread: number('spread', values.spread ?? '5', 0, 100),
    seed: number('seed', values.seed ?? '1', 0, 1_000),
    recording: values.recording ?? join(packageRoot, 'reports', 'sample-failover'),
  };
}

function number(name: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (text !== '' && value >= lowest && value <= highest) return value;
  throw new KvbenchError('INVALID_ARGUMENT', `--${name} ${text} is not a number from ${lowest} to ${highest}`);
}
