/** Test support: a made-up run in which shard 0 loses its master for 4 s and another shard suffers with it. */
import type { RunData } from '../result/readRun.js';
import { failoverEvents, syntheticRun } from '../stats/syntheticRun.test.support.js';

export function failoverRun(): RunData {
  const events = failoverEvents({
    injectedUs: 8_000_000,
    detectedUs: 10_600_000,
    promotedUs: 11_900_000,
    healedUs: 15_000_000,
    restoredUs: 16_000_000,
  });
  return syntheticRun({
    events,
    chaos: [{ shading: { color: '#c0392b', label: 'kill' } }],
    outages: [
      { shard: 0, startUs: 8_000_000, endUs: 12_000_000, mode: 'refuse' },
      { shard: 1, startUs: 10_600_000, endUs: 11_900_000, mode: 'refuse', reason: 'CLUSTERDOWN' },
    ],
  });
}
