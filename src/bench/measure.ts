/**
 * One window of one generator, measured from outside and for all in the same way: what the servers executed, what CPU time the
 * generator's processes used. Nothing that a generator says about itself counts here.
 */
import { sleepUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import type { WindowResult } from './arithmetic.js';
import type { BenchServers } from './benchServers.js';
import type { BenchChild } from './children.js';
import { machineBusyUs, treeUsage } from './processUsage.js';

interface Sample {
  atUs: number;
  operations: number;
  generator: { cpuUs: number; peakRssBytes: number } | null;
  serversUs: number | null;
  machineUs: number | null;
  benchUs: number;
}

/** Machine monotonic. */
export interface WindowTimes {
  beginUs: number;
  endUs: number;
}

/** The generator must be in its steady phase. Throws when it ends within the window, or did nothing. */
export async function measureWindow(
  child: BenchChild,
  servers: BenchServers,
  windowUs: number,
  signal: AbortSignal,
): Promise<{ window: WindowResult; times: WindowTimes }> {
  const before = await sample(child, servers);
  await sleepUs(windowUs, signal);
  signal.throwIfAborted();
  if (child.hasExited) throw child.failure('ended while it was measured');
  const after = await sample(child, servers);
  const operations = after.operations - before.operations;
  const elapsedUs = after.atUs - before.atUs;
  if (operations <= 0) throw child.failure('sent no GET and no SET while it was measured');
  if (elapsedUs <= 0) throw new KvbenchError('INTERNAL', 'a window of the bench had no length');
  const generatorUs = difference(after.generator?.cpuUs ?? null, before.generator?.cpuUs ?? null);
  const serversUs = difference(after.serversUs, before.serversUs);
  const machineUs = difference(after.machineUs, before.machineUs);
  const known = generatorUs !== null && serversUs !== null && machineUs !== null;
  const window = {
    opsPerSec: (operations / elapsedUs) * 1_000_000,
    cpuUsPerOp: generatorUs === null ? null : generatorUs / operations,
    peakRssBytes: after.generator?.peakRssBytes ?? null,
    serverCores: serversUs === null ? null : serversUs / elapsedUs,
    otherCores: known ? Math.max(0, machineUs - generatorUs - serversUs - (after.benchUs - before.benchUs)) / elapsedUs : null,
  };
  return { window, times: { beginUs: before.atUs, endUs: after.atUs } };
}

async function sample(child: BenchChild, servers: BenchServers): Promise<Sample> {
  const generator = treeUsage(child.pid);
  const serversUs = servers.cpuUs();
  const machineUs = machineBusyUs();
  const { user, system } = process.cpuUsage();
  return { ...(await servers.operations()), generator, serversUs, machineUs, benchUs: user + system };
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}
