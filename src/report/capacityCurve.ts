/** The latency-against-rate curve of a search for the capacity, as numbers: for the page's SVG, its table of trials and the picture. Pure. */
import type { CapacityPlan } from '../plan/plan.js';
import type { CapacitySummary, TrialSummary } from '../result/group.js';
import { byRate } from './capacityText.js';

export const percentiles = ['p50', 'p99', 'p999'] as const;
export type Percentile = (typeof percentiles)[number];
export const percentileNames: Record<Percentile, string> = { p50: 'p50', p99: 'p99', p999: 'p99.9' };

export interface CurvePoint {
  rateOpsPerSec: number;
  latencyMs: Record<Percentile, number>;
}

export interface CapacityCurve {
  /** One per rate: the median of its trials; lowest rate first. */
  line: CurvePoint[];
  /** One per trial that answered anything. */
  trials: (CurvePoint & { trial: TrialSummary })[];
  /** Upper limits of response times in the objective. */
  limits: { text: string; ms: number }[];
  capacityOpsPerSec: number | null;
  failsOpsPerSec: number | null;
  confirmed: boolean;
}

export function capacityCurve(capacity: CapacityPlan, summary: CapacitySummary): CapacityCurve {
  const trials = byRate(summary.trials).flatMap((trial) => {
    const { latencyUs } = trial;
    if (latencyUs === null) return [];
    const latencyMs = { p50: latencyUs.p50 / 1000, p99: latencyUs.p99 / 1000, p999: latencyUs.p999 / 1000 };
    return [{ trial, rateOpsPerSec: trial.rateOpsPerSec, latencyMs }];
  });
  const rates = [...new Set(trials.map(({ rateOpsPerSec }) => rateOpsPerSec))];
  const line = rates.map((rateOpsPerSec): CurvePoint => {
    const here = trials.filter((point) => point.rateOpsPerSec === rateOpsPerSec);
    const median = (of: Percentile): number => medianOf(here.map(({ latencyMs }) => latencyMs[of]));
    return { rateOpsPerSec, latencyMs: { p50: median('p50'), p99: median('p99'), p999: median('p999') } };
  });
  const limits = capacity.objective
    .filter(({ name, comparator, aggregate }) => name === 'latency' && comparator.startsWith('<') && aggregate.kind !== 'count')
    .map(({ metric, expression, limit }) => ({ text: metric === 'latency' ? expression : `${metric} ${expression}`, ms: limit / 1000 }));
  const { rateOpsPerSec, bracket, confirmed } = summary.capacity;
  return { line, trials, limits, capacityOpsPerSec: rateOpsPerSec, failsOpsPerSec: bracket.failsOpsPerSec, confirmed };
}

/** Of two, the lower of the middle ones: a value that was measured. */
function medianOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}

/** Decades around all that is drawn; null: nothing is. */
export function latencyRangeMs({ trials, limits }: CapacityCurve): { minMs: number; maxMs: number } | null {
  const values = [...trials.flatMap(({ latencyMs }) => Object.values(latencyMs)), ...limits.map(({ ms }) => ms)].filter((ms) => ms > 0);
  if (values.length === 0) return null;
  const minMs = 10 ** Math.floor(Math.log10(Math.min(...values)));
  return { minMs, maxMs: Math.max(minMs * 10, 10 ** Math.ceil(Math.log10(Math.max(...values)) - 1e-9)) };
}

/** Where the axis of rates ends. */
export function lastRateOf({ trials, capacityOpsPerSec }: CapacityCurve): number {
  return Math.max(...trials.map(({ rateOpsPerSec }) => rateOpsPerSec), capacityOpsPerSec ?? 0, 1) * 1.04;
}
