/**
 * Open loop at 20,000/s: how late the pacer is and what that costs (pacing), and whether memory stays flat over a long run (memory).
 * Called by main.ts. Dispatch lag is what kvbench's summary says; CPU and memory are taken from outside.
 */
import { sleepUs } from '../base/clock.js';
import { formatBytes, formatCount, formatUs } from '../base/units.js';
import type { Summary } from '../result/summary.js';
import { type Figure, figureOf, type WindowResult } from './arithmetic.js';
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

function openLoad(servers: BenchServers, threads: number, steadySec: number): KvbenchLoad {
  const { port } = servers.seed;
  const intensity = { rate: `${RATE_PER_SEC}/s` };
  return { client: 'wire', port, mode: servers.mode, threads, connections: 50, warmUpSec: WARM_UP_SEC, steadySec, intensity };
}

export async function measurePacing(run: BenchRun): Promise<PacingSection> {
  run.say(`open loop at ${formatCount(RATE_PER_SEC)}/s, client: wire, one worker`);
  const servers = await BenchServers.start(1, run.signal);
  const windows: WindowResult[] = [];
  const lagsUs: number[] = [];
  let pacing: string | null = null;
  try {
    for (let round = 0; round < run.rounds; round++) {
      const { window, summary } = await pacedRun(run, servers);
      const lagUs = summary.dispatchLagUs.all?.p99 ?? summary.generator.dispatchLagP99Us;
      windows.push(window);
      lagsUs.push(lagUs);
      pacing = pacingOf(summary);
      const cores = window.cpuUsPerOp === null ? '' : `, ${((window.cpuUsPerOp * window.opsPerSec) / 1_000_000).toFixed(2)} cores`;
      run.say(`  round ${round + 1}/${run.rounds}  dispatch lag p99 ${formatUs(lagUs)}, ${formatCount(window.opsPerSec)} ops/s${cores}`);
    }
  } finally {
    await run.children.endAll();
    await servers.close();
  }
  const perOp = windows.flatMap(({ cpuUsPerOp }) => (cpuUsPerOp === null ? [] : [cpuUsPerOp]));
  return {
    ...makeHead({ server: servers.version, rounds: run.rounds, seconds: run.seconds }),
    ratePerSec: RATE_PER_SEC,
    dispatchLagP99Us: figureOf(lagsUs) as Figure,
    opsPerSec: figureOf(windows.map(({ opsPerSec }) => opsPerSec)) as Figure,
    cores: figureOf(windows.flatMap(({ cpuUsPerOp, opsPerSec }) => (cpuUsPerOp === null ? [] : [(cpuUsPerOp * opsPerSec) / 1_000_000]))),
    cpuUsPerOp: figureOf(perOp),
    pacing,
  };
}

async function pacedRun(run: BenchRun, servers: BenchServers): Promise<{ window: WindowResult; summary: Summary }> {
  await servers.empty();
  const kvbench = startKvbench(run.children, run.folder, openLoad(servers, 1, run.seconds + SETTLE_US / 1_000_000 + MARGIN_SEC));
  try {
    await kvbench.child.said(STEADY_BEGINS, START_LIMIT_US);
    await sleepUs(SETTLE_US, run.signal);
    const { window } = await measureWindow(kvbench.child, servers, run.seconds * 1_000_000, run.signal);
    return { window, summary: await finishKvbench(kvbench) };
  } finally {
    await kvbench.child.end();
  }
}

/** A word of the summary's own; null where it says none. */
function pacingOf({ generator }: Summary): string | null {
  const { pacing } = generator as { pacing?: unknown };
  return typeof pacing === 'string' ? pacing : null;
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
  const kvbench = startKvbench(run.children, run.folder, openLoad(servers, MEMORY_THREADS, durationSec));
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
