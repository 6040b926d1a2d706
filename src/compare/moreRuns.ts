/** How many more runs of each side would decide an open rule, and how long they take. A rough estimate, and said to be one. Pure; used by gate.ts. */
import type { Tolerance } from '../profile/gateRule.js';
import type { ComparedRun, Comparison, ComparisonRow } from './comparison.js';
import { gateLevel } from './gateLevel.js';
import { smallestP } from './rankTest.js';
import { studentTQuantile } from './studentT.js';

export interface MoreRuns {
  /** Null: more than are worth asking for. */
  pairs: number | null;
  minutes: number | null;
}

/** Beyond so many runs of each side a change is too near the tolerance, or the machine too noisy. */
const RUN_LIMIT = 40;
/** What a run takes besides its load: a lab that comes up, keys that are filled in. */
const BRING_UP_MS = 5_000;

/**
 * If the change stays what it is and the spread too: the interval shrinks with the root of the runs, until it either leaves out 0 (for a change
 * beyond the tolerance) or lies within the tolerance.
 */
export function moreRunsFor(row: ComparisonRow, tolerance: Tolerance, comparison: Comparison, ruleCount: number): MoreRuns {
  const alpha = 1 - comparison.method.confidence;
  const runsA = countOf(row.base.perRun);
  const runsB = countOf(row.candidate.perRun);
  const now = (2 * runsA * runsB) / (runsA + runsB);
  const half = halfWidth(row, tolerance.kind);
  const change = tolerance.kind === 'relative' ? row.change.relative : row.change.absolute;
  if (half === null || change === null || row.decidedBy === 'noise floor') {
    // The spread is not known yet: as many as the ranks need at all.
    const least = leastRuns(alpha, ruleCount);
    return withMinutes(Math.max(1, least - Math.min(runsA, runsB)), comparison);
  }
  const beyond = row.betterIs === 'lower' ? change > tolerance.value : change < tolerance.value;
  const margin = beyond ? Math.abs(change) : Math.abs(tolerance.value - change);
  const quantileNow = studentTQuantile(1 - alpha / 2, Math.max(1, runsA + runsB - 2));
  for (let n = Math.floor(now) + 1; n <= RUN_LIMIT; n++) {
    const wanted = beyond ? gateLevel(row, comparison.method.confidence) / ruleCount : alpha;
    const then = half * Math.sqrt(now / n) * (studentTQuantile(1 - wanted / 2, 2 * n - 2) / quantileNow);
    if (then < margin && (!beyond || smallestP(n, n) <= (row.decidedBy === 'ranks' ? wanted : alpha)))
      return withMinutes(Math.max(1, n - Math.min(runsA, runsB)), comparison);
  }
  return { pairs: null, minutes: null };
}

/** Of each side, so that the ranks alone can reach what Holm's first step asks. */
function leastRuns(alpha: number, ruleCount: number): number {
  let n = 2;
  while (smallestP(n, n) > alpha / ruleCount + 1e-9) n++;
  return n;
}

function withMinutes(pairs: number, { base, candidate }: Comparison): MoreRuns {
  return { pairs, minutes: Math.ceil((pairs * (runMs(base.runs) + runMs(candidate.runs))) / 6000) / 10 };
}

/** The load, and something for what surrounds it. */
function runMs(runs: readonly ComparedRun[]): number {
  const durations = runs.map((run) => run.durationMs);
  return durations.reduce((sum, ms) => sum + ms, 0) / Math.max(1, durations.length) + BRING_UP_MS;
}

function halfWidth({ interval }: ComparisonRow, kind: Tolerance['kind']): number | null {
  if (interval === null) return null;
  const [low, high] = kind === 'relative' ? [interval.lowRelative, interval.highRelative] : [interval.low, interval.high];
  return low === null || high === null ? null : (high - low) / 2;
}

function countOf(values: readonly (number | null)[]): number {
  return Math.max(1, values.filter((value) => value !== null).length);
}
