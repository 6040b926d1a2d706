/**
 * The accuracy suite: kvbench, with both clients, against a server whose answer is known, and its percentiles against the analytic ones.
 * Called by main.ts. What the server itself did late is measured too, and said beside.
 */
import { fileURLToPath } from 'node:url';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { formatUs } from '../base/units.js';
import { readRun } from '../result/readRun.js';
import type { SparseHistogram } from '../result/records.js';
import type { Summary } from '../result/summary.js';
import { Counts } from '../stats/hdr.js';
import { NOISE_LIMIT_CORES } from './arithmetic.js';
import { type AccuracyCase, type AccuracyRow, type AccuracySection, type Lateness, makeHead } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import type { Selection } from './cases.js';
import type { BenchChild } from './children.js';
import { quantileUs } from './knownAnswer.js';
import { type KnownCase, knownCases, STALL_PERIOD_US } from './knownCases.js';
import type { KnownStats } from './knownMessages.js';
import { KnownServer } from './knownServer.js';
import { finishKvbench, type KvbenchRun, START_LIMIT_US, STEADY_BEGINS, startKvbench, WARM_UP_BEGINS } from './kvbenchRun.js';
import { watchOthers, watchWaits } from './processUsage.js';
import { keepCoresAwake, obstacleToQuiet, preferBusiest } from './quietMachine.js';

const WARM_UP_SEC = 2;
/**
 * So many that hardly ever a write comes due on a key whose last write is still in flight: kvbench lets it wait for that, and the answer would be another
 * one. (Of 1,000 keys 20 have a write in flight at 1,000 writes/s and 20 ms: one write in fifty waited.)
 */
const KEY_COUNT = 1_000_000;
/** How long before the end of the load the machine is looked at again. */
const SHORT_OF_END_US = 200_000;
/** The probe ends before the load does. */
const PROBE_SHORT_OF_END_US = 1_000_000;
const PROBE_LIMIT_US = 10_000_000;
const PROBE_PAUSE_US = 10_000;
const CAPACITY_TOLERANCE_RATIO = 0.01;

export async function measureAccuracy(run: BenchRun, selection: Selection): Promise<AccuracySection> {
  const obstacle = obstacleToQuiet();
  const head = makeHead({
    server: 'the bench’s own, of known delay',
    rounds: 1,
    seconds: run.seconds,
    notes: [
      'Response time, from the intended start. "Delivered" is what the known server did by its own clock, its lateness included; the mark behind it tells whether kvbench is within the tolerance of that.',
      'A worker sleeps until something is due or answered, and how long the system takes to wake it and to give it a core is in its figures, as it is in those of every client that sleeps.',
      obstacle === null
        ? 'On a quiet machine: a loop of idle priority keeps each core awake, and the busiest threads of the known server and of the load have real-time priority (SCHED_FIFO). What is late then, the programs made late.'
        : `Not measured on a quiet machine (real-time priority, cores kept awake): ${obstacle}.`,
      'The known server sleeps between its answers; so does the independent probe, a plain socket with one GET at a time, which runs beside the load.',
    ],
  });
  const cases: AccuracyCase[] = [];
  for (const known of knownCases) {
    for (const client of ['wire', 'ioredis'] as const) {
      if (!selection.has(known.id, client) || (known.isQuiet && obstacle !== null)) continue;
      const result = await measureCase(run, known, client);
      run.signal.throwIfAborted();
      cases.push(result);
      run.say(`${known.title}, client: ${client}`);
      for (const line of describeCase(result)) run.say(`  ${line}`);
    }
  }
  return { ...head, cases };
}

async function measureCase(run: BenchRun, known: KnownCase, client: 'wire' | 'ioredis'): Promise<AccuracyCase> {
  const result: AccuracyCase = {
    id: known.id,
    title: known.title,
    client,
    rows: [],
    serverLatenessUs: null,
    dispatchLagUs: null,
    waitsMs: null,
    probeUs: null,
    otherCores: null,
    failure: null,
  };
  const server = await KnownServer.start(known.behaviour);
  try {
    const steadySec = known.behaviour.kind === 'stall' ? wholePeriodsSec(run.seconds) : run.seconds;
    const base = {
      client,
      port: server.port,
      mode: 'standalone',
      threads: 1,
      warmUpSec: WARM_UP_SEC,
      steadySec,
      keyCount: KEY_COUNT,
      preload: false,
    } as const;
    const kvbench = startKvbench(run.children, run.folder, { ...base, ...known.load });
    const loops = known.isQuiet ? keepCoresAwake(run.children, run.folder, START_LIMIT_US / 1_000_000 + steadySec) : [];
    try {
      if (known.isQuiet) await preferWhatMatters(run, kvbench, server);
      await kvbench.child.said(STEADY_BEGINS, START_LIMIT_US);
      await server.reset();
      const beganUs = monotonicUs();
      const probe = known.isProbed ? startProbe(run, server, steadySec) : null;
      const others = watchOthers([kvbench.child, server, ...loops].map(({ pid }) => pid));
      const waits = watchWaits({ generator: kvbench.child.pid, server: server.pid });
      if (probe !== null) result.probeUs = await resultOf(probe, steadySec);
      await sleepUs(beganUs + steadySec * 1_000_000 - SHORT_OF_END_US - monotonicUs(), run.signal);
      result.otherCores = others();
      result.waitsMs = waits();
      const summary = await finishKvbench(kvbench);
      const stats = await server.stats();
      result.serverLatenessUs = latenessOf(stats);
      const lag = summary.dispatchLagUs.all;
      if (lag !== undefined && known.capacity === null) result.dispatchLagUs = { p50: lag.p50, p99: lag.p99, p999: lag.p999 };
      result.failure = accountingProblem(summary);
      result.rows = rowsOf(known, { response: recordedResponse(kvbench.dir), stats, summary });
    } finally {
      await Promise.all([kvbench.child, ...loops].map((child) => child.end()));
    }
  } catch (error) {
    run.signal.throwIfAborted();
    result.failure = messageOf(error);
  } finally {
    await server.close();
  }
  return result;
}

/** In the middle of the warm-up, when it shows which threads have the work: the worker and the pacing thread; the server's own and its alarm clock. */
async function preferWhatMatters(run: BenchRun, kvbench: KvbenchRun, server: KnownServer): Promise<void> {
  await kvbench.child.said(WARM_UP_BEGINS, START_LIMIT_US);
  await sleepUs((WARM_UP_SEC * 1_000_000) / 2, run.signal);
  preferBusiest(kvbench.child.pid, 2, { butMain: true });
  preferBusiest(server.pid, 2);
}

/** A stall's percentiles hold over whole periods only. */
function wholePeriodsSec(seconds: number): number {
  const periodSec = STALL_PERIOD_US / 1_000_000;
  return Math.max(1, Math.round(seconds / periodSec)) * periodSec;
}

/** Response times of all operations of the recorded phases, of a result folder. */
function recordedResponse(dir: string): Counts {
  const { run, intervals } = readRun(dir);
  const counts = new Counts();
  for (const { cells } of intervals()) {
    for (const { phase, ops } of cells) {
      if (run.plan.load.phases[phase]?.record) for (const cell of Object.values(ops)) counts.add(cell.response);
    }
  }
  return counts;
}

function rowsOf(known: KnownCase, { response, stats, summary }: { response: Counts; stats: KnownStats; summary: Summary }): AccuracyRow[] {
  const delivered = countsOf(stats.delivered);
  const rows = known.percentiles.map((percentile): AccuracyRow => {
    const expected = known.capacity?.responseUs ?? quantileUs(known.behaviour, percentile / 100);
    // A server that stalls sees only what is in flight; what waits at the client is not its figure.
    const its = known.behaviour.kind === 'stall' ? null : delivered.percentileUs(percentile);
    return judge({ what: `p${percentile}`, expected, observed: response.percentileUs(percentile) ?? Number.NaN, delivered: its, unit: 'us' }, known);
  });
  if (known.capacity === null) return rows;
  const { opsPerSec } = known.capacity;
  const tolerance = opsPerSec * CAPACITY_TOLERANCE_RATIO;
  const observed = summary.throughputOpsPerSec;
  const isClose = Math.abs(observed - opsPerSec) <= tolerance;
  return [...rows, { what: 'throughput', expected: opsPerSec, observed, delivered: null, tolerance, unit: '1/s', ok: isClose, okOfDelivered: null }];
}

function judge(row: Pick<AccuracyRow, 'what' | 'expected' | 'observed' | 'delivered' | 'unit'>, known: KnownCase): AccuracyRow {
  const tolerance = known.toleranceUs(row.expected);
  const ok = Math.abs(row.observed - row.expected) <= tolerance;
  const okOfDelivered = row.delivered === null ? null : Math.abs(row.observed - row.delivered) <= tolerance;
  return { ...row, tolerance, ok, okOfDelivered };
}

/** Null: every operation is accounted for and went well, as it must where the server never fails. */
function accountingProblem({ ops }: Summary): string | null {
  if (ops.ok === ops.total && (ops.planned === null || ops.planned === ops.total)) return null;
  return `of ${ops.planned ?? ops.total} operations ${ops.ok} ended ok: ${JSON.stringify(ops.byReason)}`;
}

function latenessOf(stats: KnownStats): AccuracyCase['serverLatenessUs'] {
  const counts = countsOf(stats.lateness);
  return { p50: counts.percentileUs(50) ?? 0, p99: counts.percentileUs(99) ?? 0, p999: counts.percentileUs(99.9) ?? 0 };
}

function countsOf(sparse: SparseHistogram): Counts {
  const counts = new Counts();
  counts.add(sparse);
  return counts;
}

/** Looks at the server beside the load, until shortly before its end. */
function startProbe(run: BenchRun, server: KnownServer, steadySec: number): BenchChild {
  const program = fileURLToPath(new URL('./knownProbe.js', import.meta.url));
  const durationUs = Math.max(PROBE_SHORT_OF_END_US, steadySec * 1_000_000 - PROBE_SHORT_OF_END_US);
  const args = [program, String(server.port), String(durationUs), String(PROBE_PAUSE_US)];
  return run.children.start('the probe', process.execPath, args, run.folder);
}

async function resultOf(probe: BenchChild, steadySec: number): Promise<{ p50: number; p99: number }> {
  await probe.finished(steadySec * 1_000_000 + PROBE_LIMIT_US);
  return JSON.parse(probe.tail) as { p50: number; p99: number };
}

export function describeCase({ rows, serverLatenessUs, dispatchLagUs, waitsMs, probeUs, otherCores, failure }: AccuracyCase): string[] {
  const lines = rows.map((row) => {
    const show = (value: number): string => (row.unit === 'us' ? formatUs(value) : `${value.toFixed(0)}/s`);
    const delivered = row.delivered === null ? '' : `, delivered ${show(row.delivered)} ${row.okOfDelivered ? '✓' : '✗'}`;
    return `${row.ok ? '✓' : '✗'} ${row.what.padEnd(10)} ${show(row.observed)}, expected ${show(row.expected)} ± ${show(row.tolerance)}${delivered}`;
  });
  const late = ({ p50, p99, p999 }: Lateness): string => `${formatUs(p50)} (p50), ${formatUs(p99)} (p99), ${formatUs(p999)} (p99.9)`;
  if (serverLatenessUs !== null) lines.push(`  the server was late by ${late(serverLatenessUs)}`);
  if (dispatchLagUs != null) lines.push(`  kvbench sent late by ${late(dispatchLagUs)}`);
  if (waitsMs != null) {
    const { generator, server, steal } = waitsMs;
    lines.push(
      `  ready to run, but without a core: threads of kvbench ${generator.toFixed(0)} ms, of the server ${server.toFixed(0)} ms; taken by the host ${steal.toFixed(0)} ms`,
    );
  }
  if (probeUs !== null) lines.push(`  an independent probe saw ${formatUs(probeUs.p50)} (p50), ${formatUs(probeUs.p99)} (p99) beside it`);
  if (otherCores !== null && otherCores > NOISE_LIMIT_CORES)
    lines.push(`! something else used ${otherCores.toFixed(2)} cores meanwhile: the machine was not idle`);
  return failure === null ? lines : [...lines, `✗ ${failure}`];
}
