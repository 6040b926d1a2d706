/**
 * The accuracy suite: kvbench, with both clients, against a server whose answer is known, and its percentiles against the analytic ones.
 * Called by main.ts. What the server itself did late is measured too, and said beside.
 */
import { fileURLToPath } from 'node:url';
import { sleepUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { formatUs } from '../base/units.js';
import { readRun } from '../result/readRun.js';
import type { SparseHistogram } from '../result/records.js';
import type { Summary } from '../result/summary.js';
import { Counts } from '../stats/hdr.js';
import { NOISE_LIMIT_CORES } from './arithmetic.js';
import { type AccuracyCase, type AccuracyRow, type AccuracySection, makeHead } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import { type Behaviour, quantileUs } from './knownAnswer.js';
import type { KnownStats } from './knownMessages.js';
import { KnownServer } from './knownServer.js';
import { finishKvbench, type KvbenchLoad, START_LIMIT_US, STEADY_BEGINS, startKvbench } from './kvbenchRun.js';
import { watchOthers } from './processUsage.js';

const WARM_UP_SEC = 2;
/** How long before the end of the load the machine is looked at again. */
const SHORT_OF_END_US = 200_000;
const PROBE_PAUSE_US = 5_000;
/** A figure is right when it is this close, or this fraction. */
const TOLERANCE_US = 150;
const TOLERANCE_RATIO = 0.02;
const STALL_TOLERANCE_US = 20_000;
const CAPACITY_TOLERANCE_RATIO = 0.01;
const STALL_PERIOD_US = 10_000_000;
const CAPACITY_CLIENTS = 20;

export interface KnownCase {
  id: string;
  title: string;
  behaviour: Behaviour;
  percentiles: readonly number[];
  load: Partial<KvbenchLoad> & Pick<KvbenchLoad, 'connections' | 'intensity'>;
  toleranceUs(expectedUs: number): number;
  /** Of a closed loop at its limit; null in open loop. */
  capacity: { opsPerSec: number; responseUs: number } | null;
  isProbed: boolean;
}

const usual = (expectedUs: number): number => Math.max(TOLERANCE_US, expectedUs * TOLERANCE_RATIO);
/** So many connections that no answer has to wait for the one before it. */
const openLoop = { connections: 100, intensity: { rate: '2000/s' } };

export const knownCases: readonly KnownCase[] = [
  ...[1, 5, 20].map((delayMs) => ({
    id: `delay-${delayMs}ms`,
    title: `fixed delay of ${delayMs} ms, 2,000/s`,
    behaviour: { kind: 'delay', delayUs: delayMs * 1000 } as const,
    percentiles: [50, 75, 90, 95, 99, 99.9],
    load: openLoop,
    toleranceUs: usual,
    capacity: null,
    isProbed: true,
  })),
  {
    id: 'stall',
    title: 'stall of 1 s in 10 s, 1,000/s, at most 50 in flight',
    behaviour: { kind: 'stall', everyUs: STALL_PERIOD_US, stallUs: 1_000_000 },
    percentiles: [92, 95, 99],
    load: { connections: 10, intensity: { rate: '1000/s' }, more: { maxInFlight: 50 } },
    toleranceUs: () => STALL_TOLERANCE_US,
    capacity: null,
    isProbed: false,
  },
  {
    id: 'two-point',
    title: '95 % after 1 ms, 5 % after 10 ms, 2,000/s',
    behaviour: { kind: 'two-point', shortUs: 1_000, longUs: 10_000, longShare: 0.05 },
    percentiles: [50, 90, 99, 99.9],
    load: openLoop,
    toleranceUs: usual,
    capacity: null,
    isProbed: false,
  },
  {
    id: 'exponential',
    title: 'exponential with a mean of 5 ms, 2,000/s',
    behaviour: { kind: 'exponential', meanUs: 5_000 },
    percentiles: [50, 90, 99, 99.9],
    load: openLoop,
    toleranceUs: usual,
    capacity: null,
    isProbed: false,
  },
  {
    id: 'capacity',
    title: `a server that does 5,000/s, ${CAPACITY_CLIENTS} clients in a closed loop`,
    behaviour: { kind: 'capacity', opsPerSec: 5_000 },
    percentiles: [50, 99],
    load: { connections: CAPACITY_CLIENTS, intensity: { clients: CAPACITY_CLIENTS, pipeline: 1 } },
    toleranceUs: usual,
    capacity: { opsPerSec: 5_000, responseUs: (CAPACITY_CLIENTS / 5_000) * 1_000_000 },
    isProbed: false,
  },
];

export async function measureAccuracy(run: BenchRun): Promise<AccuracySection> {
  const head = makeHead({
    server: 'the bench’s own, of known delay',
    rounds: 1,
    seconds: run.seconds,
    notes: [
      'Response time, from the intended start. "Delivered" is what the known server did by its own clock, its lateness included; the mark behind it tells whether kvbench is within the tolerance of that.',
      'The known server spins on a core of its own while answers are due, so on two cores it competes with kvbench.',
    ],
  });
  const cases: AccuracyCase[] = [];
  for (const known of knownCases) {
    for (const client of ['wire', 'ioredis'] as const) {
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
    probeUs: null,
    otherCores: null,
    failure: null,
  };
  const server = await KnownServer.start(known.behaviour);
  try {
    if (known.isProbed) result.probeUs = await probe(run, server);
    const steadySec = known.behaviour.kind === 'stall' ? wholePeriodsSec(run.seconds) : run.seconds;
    const base = {
      client,
      port: server.port,
      mode: 'standalone',
      threads: 1,
      warmUpSec: WARM_UP_SEC,
      steadySec,
      keyCount: 1000,
      preload: false,
    } as const;
    const kvbench = startKvbench(run.children, run.folder, { ...base, ...known.load });
    try {
      await kvbench.child.said(STEADY_BEGINS, START_LIMIT_US);
      await server.reset();
      const others = watchOthers([kvbench.child.pid, server.pid]);
      await sleepUs(steadySec * 1_000_000 - SHORT_OF_END_US, run.signal);
      result.otherCores = others();
      const summary = await finishKvbench(kvbench);
      const stats = await server.stats();
      result.serverLatenessUs = latenessOf(stats);
      result.failure = accountingProblem(summary);
      result.rows = rowsOf(known, { response: recordedResponse(kvbench.dir), stats, summary });
    } finally {
      await kvbench.child.end();
    }
  } catch (error) {
    run.signal.throwIfAborted();
    result.failure = messageOf(error);
  } finally {
    await server.close();
  }
  return result;
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

async function probe(run: BenchRun, server: KnownServer): Promise<{ p50: number; p99: number }> {
  const count = Math.max(20, Math.min(400, Math.round(run.seconds * 20)));
  const program = fileURLToPath(new URL('./knownProbe.js', import.meta.url));
  const child = run.children.start('the probe', process.execPath, [program, String(server.port), String(count), String(PROBE_PAUSE_US)], run.folder);
  await child.finished(60_000_000);
  const sorted = (JSON.parse(child.tail) as number[]).sort((a, b) => a - b);
  const at = (fraction: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

export function describeCase({ rows, serverLatenessUs, probeUs, otherCores, failure }: AccuracyCase): string[] {
  const lines = rows.map((row) => {
    const show = (value: number): string => (row.unit === 'us' ? formatUs(value) : `${value.toFixed(0)}/s`);
    const delivered = row.delivered === null ? '' : `, delivered ${show(row.delivered)} ${row.okOfDelivered ? '✓' : '✗'}`;
    return `${row.ok ? '✓' : '✗'} ${row.what.padEnd(10)} ${show(row.observed)}, expected ${show(row.expected)} ± ${show(row.tolerance)}${delivered}`;
  });
  if (serverLatenessUs !== null) {
    const { p50, p99, p999 } = serverLatenessUs;
    lines.push(`  the server was late by ${formatUs(p50)} (p50), ${formatUs(p99)} (p99), ${formatUs(p999)} (p99.9)`);
  }
  if (probeUs !== null) lines.push(`  an independent probe saw ${formatUs(probeUs.p50)} (p50), ${formatUs(probeUs.p99)} (p99)`);
  if (otherCores !== null && otherCores > NOISE_LIMIT_CORES)
    lines.push(`! something else used ${otherCores.toFixed(2)} cores meanwhile: the machine was not idle`);
  return failure === null ? lines : [...lines, `✗ ${failure}`];
}
