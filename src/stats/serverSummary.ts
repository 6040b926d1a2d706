/**
 * Each server of a run by what it said of itself once a second: CPU, memory, traffic, evictions. Totals fall back when a process starts
 * anew; they are added up over its lives. Called by summarize.ts; `cpuSharesOf` also by the report. Pure.
 */
import type { EventOf, EventRecord, ServerSample } from '../result/records.js';
import type { ServerSummary } from '../result/summary.js';

type ServerEvent = EventOf<'server'>;
type TotalKey = Extract<keyof ServerSample, `${string}Total` | `${string}TotalBytes`>;

/** A server's operations per second are its own average over this long: until then, what was before t0 (filling the store) is in it. */
export const OPS_AVERAGE_US = 1_600_000;
/** Two samples closer than this make no rate. */
const SHORTEST_SPAN_US = 100_000;

/** By node, in the order in which they were heard first. @param endUs of the load, since t0 */
export function serverSummaries(events: readonly EventRecord[], endUs: number): ServerSummary[] {
  return [...samplesByNode(events)].map(([node, all]) => serverSummary(node, all, endUs));
}

/** The samples of each node, in order. */
export function samplesByNode(events: readonly EventRecord[]): Map<string, ServerEvent[]> {
  const byNode = new Map<string, ServerEvent[]>();
  for (const event of events) {
    if (event.type !== 'server') continue;
    const samples = byNode.get(event.node);
    if (samples === undefined) byNode.set(event.node, [event]);
    else samples.push(event);
  }
  for (const samples of byNode.values()) samples.sort((a, b) => a.tUs - b.tUs);
  return byNode;
}

/** CPU seconds per second up to each sample; null for the first of a process, or where the server does not say. */
export function cpuSharesOf(samples: readonly ServerEvent[]): (number | null)[] {
  return samples.map((sample, i) => {
    const before = samples[i - 1];
    if (before === undefined) return null;
    const cpuUs = cpuTotalUs(sample.sample);
    const beforeUs = cpuTotalUs(before.sample);
    const spanUs = sample.tUs - before.tUs;
    if (cpuUs === null || beforeUs === null || cpuUs < beforeUs || spanUs < SHORTEST_SPAN_US) return null;
    return Math.round(((cpuUs - beforeUs) / spanUs) * 10_000) / 10_000;
  });
}

function serverSummary(node: string, all: readonly ServerEvent[], endUs: number): ServerSummary {
  const firstIn = all.findIndex(({ tUs }) => tUs >= 0);
  // The last sample before t0 is what totals are counted from.
  const samples = (firstIn < 0 ? [] : all.slice(Math.max(0, firstIn - 1))).filter(({ tUs }) => tUs <= endUs);
  const during = samples.filter(({ tUs }) => tUs >= 0);
  const grown = (key: TotalKey): number | null => growthOf(samples.map(({ sample }) => sample[key]));
  return {
    node,
    cpuSecondsPerSec: { mean: meanShare(samples), max: maxOf(cpuSharesOf(samples)) },
    memoryBytesMax: maxOf(during.map(({ sample }) => sample.usedMemoryBytes)),
    opsPerSecMax: maxOf(during.map(({ tUs, sample }) => (tUs < OPS_AVERAGE_US ? null : sample.opsPerSec))),
    networkBytes: { in: grown('netInputTotalBytes'), out: grown('netOutputTotalBytes') },
    hits: grown('keyspaceHitsTotal'),
    misses: grown('keyspaceMissesTotal'),
    evicted: grown('evictedKeysTotal'),
    expired: grown('expiredKeysTotal'),
    lastForkUs: all.findLast(({ tUs, sample }) => tUs <= endUs && sample.latestForkUs !== null)?.sample.latestForkUs ?? null,
  };
}

/** Over the time that samples of one process cover; an outage is no time at rest. */
function meanShare(samples: readonly ServerEvent[]): number | null {
  let cpuUs = 0;
  let spanUs = 0;
  cpuSharesOf(samples).forEach((share, i) => {
    if (share === null) return;
    const span = (samples[i]?.tUs ?? 0) - (samples[i - 1]?.tUs ?? 0);
    cpuUs += share * span;
    spanUs += span;
  });
  return spanUs === 0 ? null : Math.round((cpuUs / spanUs) * 10_000) / 10_000;
}

function cpuTotalUs({ cpuSysTotalUs, cpuUserTotalUs }: ServerSample): number | null {
  return cpuSysTotalUs === null || cpuUserTotalUs === null ? null : cpuSysTotalUs + cpuUserTotalUs;
}

/** From the first value on; one that is lower than the last is of a new process, which began at 0. */
function growthOf(totals: readonly (number | null)[]): number | null {
  let last: number | null = null;
  let grown: number | null = null;
  for (const total of totals) {
    if (total === null) continue;
    grown = (grown ?? 0) + (last === null ? 0 : total >= last ? total - last : total);
    last = total;
  }
  return grown;
}

function maxOf(values: readonly (number | null)[]): number | null {
  let most: number | null = null;
  for (const value of values) if (value !== null && (most === null || value > most)) most = value;
  return most;
}
