/**
 * The side-by-side benchmark: every contender on the same servers, in the same run, in alternating order, measured from outside. Called by
 * main.ts. A contender that fails in a round is noted and does not stop the others.
 */
import { messageOf } from '../base/errors.js';
import { formatCount } from '../base/units.js';
import { combineEvenly, orderOfRound, type WindowResult } from './arithmetic.js';
import { type CaseResult, type ContenderResult, makeHead, type ThroughputSection } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import { BenchServers } from './benchServers.js';
import { type BenchCase, benchCases, type Selection } from './cases.js';
import { type BenchContext, type Contender, findContenders, type OwnFigures } from './contenders.js';
import { measureWindow } from './measure.js';

const notes = [
  'Operations are GETs and SETs that the servers say they executed; CPU time and memory are those of the generator’s processes as the system accounts for them. 64-byte values, 100,000 keys, uniform, GET/SET 1:1, one load thread.',
  'redis-benchmark and valkey-benchmark send one kind of command at a time: a window of SETs and one of GETs are combined harmonically, as an even mix.',
  'In a cluster, unpipelined, kvbench, the bare loop and memtier_benchmark have 50 connections to each master, so that one operation is in flight on each at most; redis-benchmark spreads its 50 over the masters, and names its keys by slot. As many operations are in flight with all of them, but memtier_benchmark, which keeps one in flight per connection.',
];

export async function measureThroughput(run: BenchRun, selection: Selection): Promise<ThroughputSection> {
  const { contenders, missing } = findContenders(process.env);
  for (const { note } of missing) run.say(note);
  const head = makeHead({ server: null, rounds: run.rounds, seconds: run.seconds, notes: [...notes, ...missing.map(({ note }) => note)] });
  const cases: CaseResult[] = [];
  for (const benchCase of benchCases) {
    const chosen = contenders.filter(({ id }) => selection.has(benchCase.id, id));
    if (chosen.length === 0) continue;
    run.say(`${benchCase.title}: ${chosen.map(({ label }) => label).join(', ')}`);
    const servers = await BenchServers.start(benchCase.masters, run.signal);
    try {
      head.server = servers.version;
      cases.push(await measureCase(run, benchCase, chosen, servers));
    } finally {
      await run.children.endAll();
      await servers.close();
    }
  }
  return { ...head, cases };
}

async function measureCase(run: BenchRun, benchCase: BenchCase, contenders: readonly Contender[], servers: BenchServers): Promise<CaseResult> {
  const { children, folder, signal } = run;
  const context: BenchContext = { children, servers, folder, windowUs: run.seconds * 1_000_000, signal };
  const results = new Map(contenders.map((contender) => [contender.id, emptyResult(contender)]));
  for (let round = 0; round < run.rounds; round++) {
    for (const contender of orderOfRound(contenders, round)) {
      const result = results.get(contender.id) as ContenderResult;
      try {
        const { window, ownOpsPerSec, unaccounted } = await measureContender(contender, benchCase, context);
        result.rounds.push(window);
        result.ownOpsPerSec.push(ownOpsPerSec);
        result.unaccounted.push(unaccounted);
        run.say(`  round ${round + 1}/${run.rounds}  ${contender.label.padEnd(24)} ${describe(window)}`);
      } catch (error) {
        signal.throwIfAborted();
        await children.endAll();
        result.rounds.push(null);
        result.ownOpsPerSec.push(null);
        result.unaccounted.push(null);
        result.failures.push(`round ${round + 1}: ${messageOf(error)}`);
        run.say(`  round ${round + 1}/${run.rounds}  ${contender.label.padEnd(24)} failed: ${messageOf(error)}${hintOf(error)}`);
      }
    }
  }
  return { id: benchCase.id, title: benchCase.title, contenders: contenders.map(({ id }) => results.get(id) as ContenderResult) };
}

/** On emptied servers, filled as it needs them; all its parts, one after the other. */
export async function measureContender(
  contender: Contender,
  benchCase: BenchCase,
  context: BenchContext,
): Promise<{ window: WindowResult; ownOpsPerSec: number | null; unaccounted: number | null }> {
  await context.servers.empty();
  await contender.fill(context);
  const windows: WindowResult[] = [];
  let own: OwnFigures | null = null;
  const before = await context.servers.operations();
  for (const part of contender.parts) {
    const started = contender.start(part, benchCase, context);
    try {
      await started.steady();
      context.signal.throwIfAborted();
      const { window, times } = await measureWindow(started.child, context.servers, context.windowUs, context.signal);
      windows.push(window);
      own = await started.finish(times);
    } finally {
      await started.child.end();
    }
  }
  const executed = (await context.servers.operations()).operations - before.operations;
  return {
    window: combineEvenly(windows),
    ownOpsPerSec: own?.opsPerSec ?? null,
    unaccounted: own === null ? null : own.operations - executed,
  };
}

function emptyResult({ id, label, version }: Contender): ContenderResult {
  return { id, label, version, rounds: [], ownOpsPerSec: [], unaccounted: [], failures: [] };
}

export function describe({ opsPerSec, cpuUsPerOp, serverCores, otherCores }: WindowResult): string {
  const cpu = cpuUsPerOp === null ? '' : `  ${cpuUsPerOp.toFixed(2)} µs CPU/op`;
  const server = serverCores === null ? '' : `  servers ${serverCores.toFixed(2)} cores`;
  const others = otherCores === null ? '' : `  others ${otherCores.toFixed(2)}`;
  return `${formatCount(opsPerSec).padStart(9)} ops/s${cpu}${server}${others}`;
}

export function hintOf(error: unknown): string {
  const hint = (error as { hint?: unknown } | null)?.hint;
  return typeof hint === 'string' ? `\n    ${hint.replaceAll('\n', '\n    ')}` : '';
}
