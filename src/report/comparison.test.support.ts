/** Test support: two made-up sides of three failovers each, where the candidate needs twice as long to notice the loss. */
import { compareSides, defaultCompareOptions } from '../compare/compare.js';
import type { Comparison } from '../compare/comparison.js';
import type { LoadedSide } from '../compare/loadSide.js';
import { summarize } from '../stats/summarize.js';
import { failoverEvents, syntheticRun } from '../stats/syntheticRun.test.support.js';

interface Times {
  injectedUs: number;
  /** From the injection. */
  detectionUs: number;
  electionUs: number;
  /** On top of what every operation takes. */
  slowUs: number;
}

function failoverSide(label: string, runs: readonly Times[]): LoadedSide {
  return {
    label,
    source: `reports/${label}-*`,
    group: null,
    baseline: null,
    runs: runs.map(({ injectedUs, detectionUs, electionUs, slowUs }, i) => {
      const detectedUs = injectedUs + detectionUs;
      const promotedUs = detectedUs + electionUs;
      const data = syntheticRun({
        ratePerShard: 200,
        chaos: [{ forUs: 5_000_000 }],
        slow: [{ startUs: 0, endUs: 20_000_000, addUs: slowUs }],
        outages: [{ shard: 0, startUs: injectedUs + 500, endUs: promotedUs + 100_000, mode: 'refuse', reason: 'closed' }],
        events: failoverEvents({ injectedUs, detectedUs, promotedUs, healedUs: injectedUs + 7_000_000, restoredUs: injectedUs + 8_200_000 }),
      });
      data.run.id = `${label}-${i}`;
      data.run.startedAt = new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString();
      const summary = summarize(data);
      return { data: { ...data, dir: `reports/${label}-${i}`, summary }, summary };
    }),
  };
}

/** Injections 8.0 to 9.1 s after t0, so that only aligned runs have their outages at one time. */
export function failoverSides(): { base: LoadedSide; candidate: LoadedSide } {
  const starts = [8_000_000, 8_340_000, 9_100_000];
  const times = (detectionUs: number, slowUs: number): Times[] =>
    starts.map((injectedUs, i) => ({ injectedUs, detectionUs: detectionUs + i * 50_000, electionUs: 600_000, slowUs: slowUs + i * 20 }));
  return { base: failoverSide('before', times(1_500_000, 0)), candidate: failoverSide('after', times(3_000_000, 1200)) };
}

export function comparisonOf({ base, candidate }: { base: LoadedSide; candidate: LoadedSide }): Comparison {
  return compareSides(base, candidate, { ...defaultCompareOptions, resamples: 200, level: 'any', noiseFloor: null }).comparison;
}
