/** The benchmark's own arithmetic: medians, spreads, ratios and how two windows become one. Used by every part of the bench. Pure. */

/** With more cores than this busy with something else, figures are not to be relied on, and the tables say so. */
export const NOISE_LIMIT_CORES = 0.1;

/** Middle value, or the mean of the two middle ones. NaN when empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[upper] as number;
  return ((sorted[upper - 1] ?? Number.NaN) + (sorted[upper] ?? Number.NaN)) / 2;
}

/** A figure over rounds. */
export interface Figure {
  median: number;
  min: number;
  max: number;
  /** In the order of the rounds. */
  values: number[];
}

/** Null when there is no value. */
export function figureOf(values: readonly number[]): Figure | null {
  if (values.length === 0) return null;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), values: [...values] };
}

/** Round by round, so that what slows a whole round cancels out; rounds that either side lacks are left out. Null when none is left. */
export function ratioOf(own: readonly (number | null)[], other: readonly (number | null)[]): Figure | null {
  const ratios: number[] = [];
  own.forEach((value, round) => {
    const against = other[round];
    if (value !== null && against !== null && against !== undefined && against !== 0) ratios.push(value / against);
  });
  return figureOf(ratios);
}

/** What one window of one generator showed, seen from outside. */
export interface WindowResult {
  /** GETs and SETs that the servers executed, per second. */
  opsPerSec: number;
  /** CPU time of the generator's processes per operation; null where the system does not tell. */
  cpuUsPerOp: number | null;
  /** Peak resident size of the generator's processes so far, summed. */
  peakRssBytes: number | null;
  /** CPU cores the servers under test kept busy. */
  serverCores: number | null;
  /** CPU cores that neither generator, servers nor the bench itself kept busy: the noise. */
  otherCores: number | null;
}

/**
 * Windows of single commands as one of an even mix: as many operations of each, so the rates combine harmonically, costs per operation
 * as the mean, and shares of time by the time that each takes.
 */
export function combineEvenly(windows: readonly WindowResult[]): WindowResult {
  const timePerRound = windows.reduce((sum, { opsPerSec }) => sum + 1 / opsPerSec, 0);
  const byTime = (pick: (window: WindowResult) => number | null): number | null =>
    nullableSum(windows.map((window) => scaled(pick(window), 1 / window.opsPerSec / timePerRound)));
  return {
    opsPerSec: windows.length / timePerRound,
    cpuUsPerOp: nullableSum(windows.map(({ cpuUsPerOp }) => scaled(cpuUsPerOp, 1 / windows.length))),
    peakRssBytes: windows.some(({ peakRssBytes }) => peakRssBytes === null)
      ? null
      : Math.max(...windows.map(({ peakRssBytes }) => peakRssBytes ?? 0)),
    serverCores: byTime(({ serverCores }) => serverCores),
    otherCores: byTime(({ otherCores }) => otherCores),
  };
}

/** Who goes when: each round starts one further on, and every other round goes backwards, so that nobody always follows the same one. */
export function orderOfRound<T>(items: readonly T[], round: number): T[] {
  const start = items.length === 0 ? 0 : round % items.length;
  const rotated = [...items.slice(start), ...items.slice(0, start)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}

function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}

function nullableSum(values: readonly (number | null)[]): number | null {
  return values.some((value) => value === null) ? null : values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
