/**
 * Open loop at 20,000/s: how late the pacer is and what that costs (pacing), and whether memory stays flat over a long run (memory).
 * Called by main.ts. Dispatch lag is what kvbench's summary says; CPU and memory are taken from outside.
 */
import { sleepUs } from '../base/clock.js';
import { formatBytes, formatCount, formatUs } from '../base/units.js';
import { type Pacing, pacings } from '../plan/plan.js';
import { readRun } from '../result/readRun.js';
import { figureOf, orderOfRound, type WindowResult } from './arithmetic.js';
import { type MemorySection, makeHead, type PacingSection } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import { BenchServers } from './benchServers.js';
import { END_LIMIT_US, finishKvbench, type KvbenchLoad, START_LIMIT_US, STEADY_BEGINS, startKvbench } from './kvbenchRun.js';
import { measureWindow } from './measure.js';
import { treeUsage } from './processUsage.js';

const RATE_PER_SEC = 20_000;
const WARM_UP_SEC = 2;
const SETTLE_US = 300_000;
/** The steady phase goes on for this long after the window. */
const MARGIN_SEC = 1;
const MEMORY_THREADS = 2;
const MEMORY_DURATIONS_SEC = [60, 600];
const LOOK_EVERY_US = 250_000;

interface OpenLoad {
  threads: number;
  steadySec: number;
  pacing: Pacing | 'auto';
}

function openLoad(servers: BenchServers, { threads, steadySec, pacing }: OpenLoad): KvbenchLoad {
  const { port } = servers.seed;
  const load = { client: 'wire', port, mode: servers.mode, threads, connections: 50, warmUpSec: WARM_UP_SEC, steadySec } as const;
  return { ...load, intensity: { rate: `${RATE_PER_SEC}/s` }, more: { pacing } };
}

export async function measurePacing(run: BenchRun): Promise<PacingSection> {
  run.say(`open loop at ${formatCount(RATE_PER_SEC)}/s, client: wire, one worker`);
  const servers = await BenchServers.start(1, run.signal);
  const rounds: PacedRound[] = [];
  let chosen: Pacing | null = null;
  try {
    for (let round = 0; round < run.rounds; round++) {
      // What kvbench chooses by itself is known once it has chosen.
      if (chosen === null) chosen = (await pacedRound(run, servers, 'auto', rounds)).pacing;
      const done = round === 0 ? chosen : null;
      for (const pacing of orderOfRound(pacings, round)) if (pacing !== done) await pacedRound(run, servers, pacing, rounds);
    }
  } finally {
    await run.children.endAll();
    await servers.close();
  }
  const head = makeHead({ server: servers.version, rounds: run.rounds, seconds: run.seconds });
  return { ...head, ratePerSec: RATE_PER_SEC, chosen: chosen ?? 'timer', ways: pacings.map((pacing) => wayOf(pacing, rounds)) };
}

interface PacedRound {
  pacing: Pacing;
  lagP99Us: number;
  window: WindowResult;
}

async function pacedRound(run: BenchRun, servers: BenchServers, wanted: Pacing | 'auto', rounds: PacedRound[]): Promise<PacedRound> {
  await servers.empty();
  const steadySec = run.seconds + SETTLE_US / 1_000_000 + MARGIN_SEC;
  const kvbench = startKvbench(run.children, run.folder, openLoad(servers, { threads: 1, steadySec, pacing: wanted }));
  try {
    await kvbench.child.said(STEADY_BEGINS, START_LIMIT_US);
    await sleepUs(SETTLE_US, run.signal);
    const { window } = await measureWindow(kvbench.child, servers, run.seconds * 1_000_000, run.signal);
    const summary = await finishKvbench(kvbench);
    const { pacing } = readRun(kvbench.dir).run.plan.load;
    const round = { pacing, lagP99Us: summary.dispatchLagUs.all?.p99 ?? summary.generator.dispatchLagP99Us, window };
    rounds.push(round);
    const cores = coresOf(window);
    run.say(`  ${pacing.padEnd(8)} dispatch lag p99 ${formatUs(round.lagP99Us)}${cores === null ? '' : `, ${cores.toFixed(2)} cores`}`);
    return round;
  } finally {
    await kvbench.child.end();
  }
}

function wayOf(pacing: Pacing, rounds: readonly PacedRound[]): PacingSection['ways'][number] {
  const own = rounds.filter((round) => round.pacing === pacing);
  return {
    pacing,
    dispatchLagP99Us: figureOf(own.map(({ lagP99Us }) => lagP99Us)),
    opsPerSec: figureOf(own.map(({ window }) => window.opsPerSec)),
    cores: figureOf(own.map(({ window }) => coresOf(window)).filter((cores) => cores !== null)),
    cpuUsPerOp: figureOf(own.map(({ window }) => window.cpuUsPerOp).filter((perOp) => perOp !== null)),
    otherCores: figureOf(own.map(({ window }) => window.otherCores).filter((cores) => cores !== null)),
  };
}

function coresOf({ cpuUsPerOp, opsPerSec }: WindowResult): number | null {
  return cpuUsPerOp === null ? null : (cpuUsPerOp * opsPerSec) / 1_000_000;
}

/** @param durationsSec the first is what the others are held against */
export async function measureMemory(run: BenchRun, durationsSec: readonly number[] = MEMORY_DURATIONS_SEC): Promise<MemorySection> {
  const servers = await BenchServers.start(1, run.signal);
  const runs: MemorySection['runs'] = [];
  try {
    for (const durationSec of durationsSec) {
      run.say(`memory: ${durationSec} s at ${formatCount(RATE_PER_SEC)}/s, client: wire, ${MEMORY_THREADS} workers`);
      const result = await memoryRun(run, servers, durationSec);
      runs.push(result);
      run.say(`  peak ${formatBytes(result.peakRssLoadBytes)} under load, ${formatBytes(result.peakRssBytes)} with summary and report`);
    }
  } finally {
    await run.children.endAll();
    await servers.close();
  }
  const head = makeHead({ server: servers.version, rounds: 1, seconds: Math.max(...durationsSec) });
  return { ...head, ratePerSec: RATE_PER_SEC, threads: MEMORY_THREADS, runs };
}

async function memoryRun(run: BenchRun, servers: BenchServers, durationSec: number): Promise<MemorySection['runs'][number]> {
  await servers.empty();
  const kvbench = startKvbench(run.children, run.folder, openLoad(servers, { threads: MEMORY_THREADS, steadySec: durationSec, pacing: 'auto' }));
  const peak = { load: 0, all: 0 };
  const look = (): void => {
    peak.all = Math.max(peak.all, treeUsage(kvbench.child.pid)?.peakRssBytes ?? 0);
  };
  try {
    await kvbench.child.said(STEADY_BEGINS, START_LIMIT_US);
    const { window } = await measureWindow(kvbench.child, servers, (durationSec - MARGIN_SEC) * 1_000_000, run.signal);
    look();
    peak.load = peak.all;
    for (let waitedUs = 0; !kvbench.child.hasExited && waitedUs < END_LIMIT_US; waitedUs += LOOK_EVERY_US) {
      look();
      await sleepUs(LOOK_EVERY_US, run.signal);
      run.signal.throwIfAborted();
    }
    await finishKvbench(kvbench);
    return { durationSec, opsPerSec: window.opsPerSec, peakRssLoadBytes: peak.load, peakRssBytes: peak.all };
  } finally {
    await kvbench.child.end();
  }
}
