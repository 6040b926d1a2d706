#!/usr/bin/env node
/**
 * The benchmark of kvbench itself: `npm run bench [-- parts] [--rounds N] [--seconds N] [--only case/contender] [--out FOLDER]`. Progress and
 * the tables go to stdout; latest.json and latest.md are rewritten after each part, which leaves the other parts as they were. Started by
 * src/setup/bench.mjs. It ends every process it started, also on Ctrl-C.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { packageRoot } from '../base/packageRoot.js';
import { measureAccuracy } from './accuracy.js';
import { type BenchFile, type BenchSections, emptyBench, readBench, writeBench } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import { renderBench } from './benchTable.js';
import { Selection } from './cases.js';
import { Children } from './children.js';
import { measureLedger } from './ledgerCost.js';
import { measureMemory, measurePacing } from './openLoopRuns.js';
import { measureProxy } from './proxyCost.js';
import { measureStartUp } from './startUp.js';
import { measureThroughput } from './throughput.js';

const usage = `npm run bench [-- part ...] [options]

Parts: throughput, startup, proxy, pacing (these four when none is named); ledger, accuracy, memory (11 minutes); all

  --rounds N      rounds of each case, alternating (default 5)
  --seconds N     length of one window (default 5; accuracy: of one run, default 20)
  --only WHAT     of throughput and accuracy only this case, contender (client) or case/contender; can be repeated
  --out FOLDER    where latest.json and latest.md are kept (default docs/bench; with --only, nowhere)
`;
const partNames = ['throughput', 'startup', 'proxy', 'pacing', 'ledger', 'accuracy', 'memory'] as const;
type PartName = (typeof partNames)[number];
const defaultParts: readonly PartName[] = ['throughput', 'startup', 'proxy', 'pacing'];
const DEFAULT_ROUNDS = 5;
const DEFAULT_SECONDS = 5;
const DEFAULT_ACCURACY_SECONDS = 20;

interface Arguments {
  parts: readonly PartName[];
  rounds: number;
  seconds: number | null;
  selection: Selection;
  /** Null: shown only. */
  out: string | null;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const interrupted = new AbortController();
  const children = new Children();
  const folder = mkdtempSync(join(tmpdir(), 'kvbench-bench-'));
  // Also when a second signal ends everything at once.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) process.exit(ExitCode.interrupted);
      console.log(`${signal}: ending servers and generators; a second one ends at once`);
      interrupted.abort();
      void children.endAll();
    });
  }
  try {
    const args = parseArguments(process.argv.slice(2));
    if (args === null) {
      console.log(usage);
      return ExitCode.passed;
    }
    await measureAll(args, { children, folder, signal: interrupted.signal });
    return ExitCode.passed;
  } catch (error) {
    if (interrupted.signal.aborted) return ExitCode.interrupted;
    console.error(`bench: ${messageOf(error)}`);
    if (!(error instanceof KvbenchError)) throw error;
    if (error.hint !== undefined) console.error(`  ${error.hint}`);
    return error.exitCode;
  } finally {
    await children.endAll();
  }
}

/** Each part is kept as soon as it is measured. */
async function measureAll(args: Arguments, context: Pick<BenchRun, 'children' | 'folder' | 'signal'>): Promise<void> {
  let bench: BenchFile = args.out === null ? emptyBench() : readBench(args.out);
  const say = (text: string): void => console.log(text);
  for (const part of args.parts) {
    const seconds = args.seconds ?? (part === 'accuracy' ? DEFAULT_ACCURACY_SECONDS : DEFAULT_SECONDS);
    const run: BenchRun = { ...context, rounds: args.rounds, seconds, say };
    const measured = await measure(part, run, args.selection);
    context.signal.throwIfAborted();
    bench = { ...bench, sections: { ...bench.sections, ...measured } };
    if (args.out !== null) writeBench(args.out, bench, renderBench(bench));
  }
  console.log(`\n${renderBench(bench)}`);
  console.log(args.out === null ? 'Not kept: a part of the cases only (--only). Name a folder with --out to keep it.' : `Kept in ${args.out}.`);
}

async function measure(part: PartName, run: BenchRun, selection: Selection): Promise<BenchSections> {
  switch (part) {
    case 'throughput':
      return { throughput: await measureThroughput(run, selection) };
    case 'startup':
      return { startUp: measureStartUp(run) };
    case 'proxy': {
      const proxy = await measureProxy(run);
      return proxy === null ? {} : { proxy };
    }
    case 'pacing':
      return { pacing: await measurePacing(run) };
    case 'ledger':
      return { ledger: await measureLedger(run) };
    case 'memory':
      return { memory: await measureMemory(run) };
    case 'accuracy':
      return { accuracy: await measureAccuracy(run, selection) };
  }
}

/** Null: only the usage was asked for. Throws INVALID_ARGUMENT. */
function parseArguments(argv: string[]): Arguments | null {
  const { values, positionals } = parseOrExplain(argv);
  if (values.help) return null;
  const named = positionals.flatMap((name): PartName[] => {
    if (name === 'all') return [...partNames];
    const part = partNames.find((each) => each === name);
    if (part === undefined)
      throw new KvbenchError('INVALID_ARGUMENT', `${JSON.stringify(name)} is no part of the bench`, `parts: ${partNames.join(', ')}, all`);
    return [part];
  });
  return {
    parts: named.length === 0 ? defaultParts : [...new Set(named)],
    rounds: positive('rounds', values.rounds, true) ?? DEFAULT_ROUNDS,
    seconds: positive('seconds', values.seconds, false),
    selection: new Selection(values.only ?? []),
    out: folderFor(values.out, values.only !== undefined),
  };
}

function parseOrExplain(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        only: { type: 'string', multiple: true },
        out: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new KvbenchError('INVALID_ARGUMENT', messageOf(error), usage);
  }
}

/** A few cases must not replace the whole table in the documents. */
function folderFor(out: string | undefined, isPartial: boolean): string | null {
  if (out !== undefined) return resolve(process.env.INIT_CWD ?? process.cwd(), out);
  return isPartial ? null : join(packageRoot, 'docs', 'bench');
}

function positive(name: string, text: string | undefined, whole: boolean): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (value > 0 && value <= 3600 && (!whole || Number.isInteger(value))) return value;
  throw new KvbenchError('INVALID_ARGUMENT', `--${name} ${text}: not a${whole ? ' whole' : ''} number above 0 and up to 3600`);
}
