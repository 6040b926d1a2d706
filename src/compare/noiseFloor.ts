/**
 * How much runs of the same thing differ, kept with a baseline so that later single runs can be judged by it. Used by `baseline save`, and by
 * diff and gate to find the floor that fits.
 */
import { join } from 'node:path';
import { type BaselineRecord, baselineNames, type NoiseRow, readBaseline } from './baselineFolder.js';
import { defaultCompareOptions } from './compare.js';
import { spreadOf } from './judge.js';
import type { LoadedSide } from './loadSide.js';
import { measuresOf } from './measures.js';
import { SideSamples } from './sides.js';

/** Empty with fewer runs than show how much runs differ. */
export function noiseRowsOf(side: LoadedSide): NoiseRow[] {
  const samples = new SideSamples(side, defaultCompareOptions);
  return measuresOf(side, side, samples.operations).flatMap((measure): NoiseRow[] => {
    const { value, perRun, logVariance } = samples.observe(measure);
    const values = perRun.filter((each) => each !== null);
    const isLog = logVariance !== null;
    const spread = value === null ? null : spreadOf(values, isLog);
    if (spread === null || value === null) return [];
    return [{ id: measure.id, scale: isLog ? 'log' : 'linear', middle: value, deviation: spread.deviation, widest: spread.widest }];
  });
}

/** The newest baseline with a floor, of the same profile, workload and machine as both sides; null: there is none. */
export function findNoiseFloor(sides: readonly LoadedSide[], baselinesDir: string): { name: string; runs: number; rows: readonly NoiseRow[] } | null {
  const fits = ({ fingerprint, noise }: BaselineRecord): boolean =>
    noise.length > 0 &&
    sides.every(({ runs }) =>
      runs.every(({ data: { run } }) => (['profile', 'workload', 'machine'] as const).every((part) => run.fingerprint[part] === fingerprint[part])),
    );
  const found = baselineNames(baselinesDir)
    .map((name) => readBaseline(join(baselinesDir, name)))
    .filter(fits)
    .sort((a, b) => (a.savedAt < b.savedAt ? 1 : -1));
  const [newest] = found;
  return newest === undefined ? null : { name: newest.name, runs: newest.runs.length, rows: newest.noise };
}
