#!/usr/bin/env node
/**
 * Whether the gate cries wolf, and whether it sees the wolf: `npm run bench:gate [-- options]`. Made-up runs first, then real ones against
 * servers of known speed. Exit code 99 when a share is not what is asked for. Started by src/setup/benchGate.mjs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { packageRoot } from '../base/packageRoot.js';
import { isMet, seriesLine, type TrialSeries } from './gateTally.js';
import { runSyntheticTrials } from './gateTrials.js';
import { type RealGroupKind, RealResults, realGroupKinds } from './realGateResults.js';
import { realSeries, runRealTrials } from './realGateTrials.js';
import { joined, type RecordedRuns, readRecordedRuns, writeRecordedRuns } from './recordedRuns.js';
import { recordRuns } from './recordRuns.js';

const usage = `npm run bench:gate [-- options]

  --same N          A/A comparisons of made-up runs (default 200)
  --power N         made-up trials of each change (default 40)
  --seed N          other made-up runs (default 1)
  --spread PERCENT  standard deviation of p99 between made-up runs, instead of that between recorded ones
  --recording PLACE what made-up runs are drawn from: a file that --record made, or folders of runs and groups (again for several;
                    default src/bench/knownServerRuns.ndjson.gz, runs against servers of known speed on a calm machine;
                    src/bench/ciGateRuns.ndjson.gz has what a busy one makes of profiles/ci-gate.yaml)

  --real N          A/A groups of real runs, and half as many of each change (default 20; 0: none). 20 take about 46 minutes
  --only KIND       real groups of this kind only: same, latency or throughput; no made-up ones
  --seconds S       load of one real run with a change (default 10)
  --same-seconds S  load of one real run of an A/A group (default 1.5)
  --out FILE        where the real groups are kept, as they are found (default reports/bench-gate.json)
  --continue        go on with what that file has
  --keep FILE       record the base runs of groups with a change in FILE, for --recording

  --pairs N         runs of each side (default: made-up 5, 6 and 7 in turn; real 5)

  --record FILE     no trials: record runs of profiles/ci-gate.yaml and keep their intervals in FILE; with --recording, keep those of these runs
  --runs N          runs of each load to record, open loop and closed loop in turn (default 16; they take about 8 minutes)
`;

const wholeNumbers = new Set(['same', 'power', 'seed', 'real', 'pairs', 'runs']);

const defaultRecording = join(packageRoot, 'src', 'bench', 'knownServerRuns.ndjson.gz');

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
  const { signal } = interrupted;
  try {
    const args = parseArguments(process.argv.slice(2));
    if (args === null) {
      console.log(usage);
      return ExitCode.passed;
    }
    if (args.record !== null) await record(args, args.record, folder, signal);
    else return await tryAll(args, folder, signal);
    return ExitCode.passed;
  } catch (error) {
    if (signal.aborted) return ExitCode.interrupted;
    console.error(`bench:gate: ${messageOf(error)}`);
    if (error instanceof KvbenchError) return error.exitCode;
    throw error;
  }
}

function say(text: string): void {
  console.log(text);
}

async function record({ runs, seconds, recording }: Arguments, file: string, folder: string, signal: AbortSignal): Promise<void> {
  const recorded = recording === null ? await recordRuns({ runs, seconds, folder, signal, say }) : readRecordedRuns(recording);
  writeRecordedRuns(file, recorded);
  say(`${recorded.runs.length} runs are in ${file}`);
}

async function tryAll(args: Arguments, folder: string, signal: AbortSignal): Promise<number> {
  const series: TrialSeries[] = [];
  const { same, power, seed, pairs, p99Spread, only } = args;
  if (only === null && same + power > 0) {
    const recorded = readRecordedRuns(args.recording ?? [defaultRecording]);
    series.push(...runSyntheticTrials({ recorded, p99Spread, pairs, same, power, seed }, say));
  }
  if (args.groups > 0) {
    const results = args.goesOn ? RealResults.goOn(args.out) : RealResults.begin(args.out);
    const { groups, seconds, sameSeconds } = args;
    const keep = args.keep === null ? null : keeperOf(args.keep);
    try {
      await runRealTrials({ groups, only, pairs: pairs ?? 5, seconds, sameSeconds, folder, signal, results, keep, say });
    } finally {
      series.push(...realSeries(results));
      show(series);
    }
  } else show(series);
  return series.filter(({ trials }) => trials > 0).every(isMet) ? ExitCode.passed : ExitCode.thresholdFailed;
}

/** Writes the file anew with each group, so that an interruption loses nothing. */
function keeperOf(file: string): (runs: RecordedRuns) => void {
  const kept: RecordedRuns[] = [];
  return (runs) => {
    kept.push(runs);
    writeRecordedRuns(file, joined(kept));
  };
}

function show(series: readonly TrialSeries[]): void {
  say('');
  for (const each of series.filter(({ trials }) => trials > 0)) say(seriesLine(each));
}

interface Arguments {
  same: number;
  power: number;
  seed: number;
  p99Spread: number | null;
  recording: string[] | null;
  groups: number;
  only: RealGroupKind | null;
  seconds: number;
  sameSeconds: number;
  out: string;
  goesOn: boolean;
  keep: string | null;
  pairs: number | null;
  record: string | null;
  runs: number;
}

/** Null: only the usage was asked for. Throws INVALID_ARGUMENT. */
function parseArguments(args: string[]): Arguments | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const counts = { same: text, power: text, seed: text, spread: text, real: text, seconds: text, 'same-seconds': text, pairs: text, runs: text };
  const options = {
    ...counts,
    only: text,
    out: text,
    keep: text,
    record: text,
    continue: flag,
    recording: { ...text, multiple: true },
    help: { ...flag, short: 'h' },
  } as const;
  const { values } = parsed(() => parseArgs({ args, options }));
  if (values.help) return null;
  const kind = realGroupKinds.find((each) => each === values.only) ?? null;
  if (values.only !== undefined && kind === null)
    throw new KvbenchError('INVALID_ARGUMENT', `--only ${values.only} is none of ${realGroupKinds.join(', ')}`);
  return {
    same: number('same', values.same ?? '200', 0, 100_000),
    power: number('power', values.power ?? '40', 0, 100_000),
    seed: number('seed', values.seed ?? '1', 0, 1_000),
    p99Spread: values.spread === undefined ? null : number('spread', values.spread, 0, 100) / 100,
    recording: values.recording ?? null,
    groups: number('real', values.real ?? '20', 0, 1000),
    only: kind,
    seconds: number('seconds', values.seconds ?? '10', 1, 3600),
    sameSeconds: number('same-seconds', values['same-seconds'] ?? '1.5', 1, 3600),
    out: resolve(values.out ?? join(packageRoot, 'reports', 'bench-gate.json')),
    goesOn: values.continue ?? false,
    keep: values.keep === undefined ? null : resolve(values.keep),
    pairs: values.pairs === undefined ? null : number('pairs', values.pairs, 4, 50),
    record: values.record === undefined ? null : resolve(values.record),
    runs: number('runs', values.runs ?? '16', 1, 500),
  };
}

/** What parseArgs throws is the user's mistake. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new KvbenchError('INVALID_ARGUMENT', messageOf(error), 'npm run bench:gate -- --help lists the options');
  }
}

function number(name: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= lowest && value <= highest && (Number.isInteger(value) || !wholeNumbers.has(name))) return value;
  const what = wholeNumbers.has(name) ? 'a whole number' : 'a number';
  throw new KvbenchError('INVALID_ARGUMENT', `--${name} ${text} is not ${what} from ${lowest} to ${highest}`);
}
