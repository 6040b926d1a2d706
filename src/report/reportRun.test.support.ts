/** A synthetic failover with everything a report has to show, for the tests beside it. Never used by the product. */
import type { RunData } from '../result/readRun.js';
import { failoverEvents, syntheticRun } from '../stats/syntheticRun.test.support.js';

/** 20 s, three shards, shard 0 without answers from 8.0 to 11.46 s, the others CLUSTERDOWN for 0.76 s. */
export function failoverRun(name = 'failover'): RunData {
  const clusterDown = [1, 2].map((shard) => ({
    shard,
    startUs: 10_600_000,
    endUs: 11_360_000,
    mode: 'refuse' as const,
    reason: 'CLUSTERDOWN' as const,
  }));
  const times = { injectedUs: 8_000_000, detectedUs: 10_610_000, promotedUs: 11_370_000, healedUs: 15_000_000, restoredUs: 16_200_000 };
  const data = syntheticRun({
    chaos: [{}],
    outages: [{ shard: 0, startUs: 8_000_500, endUs: 11_460_000, mode: 'refuse', reason: 'closed' }, ...clusterDown],
    events: failoverEvents(times),
  });
  data.run.name = name;
  return data;
}
