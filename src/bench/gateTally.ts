/** What trials of the gate came to, and whether that is what is asked for. Pure; used by gateTrials.ts and realGateTrials.ts. */
import type { CompareOptions } from '../compare/compare.js';
import { compareSides, defaultCompareOptions } from '../compare/compare.js';
import type { ComparisonRow, RuleResult } from '../compare/comparison.js';
import { judgeGate } from '../compare/gate.js';
import { gateLevel, ranksAgree } from '../compare/gateLevel.js';
import type { LoadedSide } from '../compare/loadSide.js';
import { studentTTwoSided } from '../compare/studentT.js';
import { parseGateRule } from '../profile/gateRule.js';

/** Tolerances below the changes that are to be found. */
export const trialRules = { latency: 'latency: p(99) +10%', throughput: 'throughput: -3%' } as const;

/** Enough for verdicts; a comparison by hand takes more. */
const trialOptions: CompareOptions = { ...defaultCompareOptions, resamples: 400, level: 'any', noiseFloor: null };

/** That of the gate for what is resampled. */
const PLAIN_LEVEL = 0.02;

export interface TrialOutcome {
  rules: readonly RuleResult[];
  /** Some rule calls the candidate slower or faster: significant after correction, and beyond its tolerance to either side. */
  isCalled: boolean;
  /** Some rule is significant, however small the change. */
  isSignificant: boolean;
  failed: boolean;
  /** What plain statistics would say of the first rule: beyond its tolerance, and Student's t test of the logarithms of the runs' values below 2 %. */
  plainFails: boolean;
}

export function tryGate(base: LoadedSide, candidate: LoadedSide, rules: readonly string[]): TrialOutcome {
  const parsed = rules.flatMap((text) => {
    const rule = parseGateRule(text);
    if ('problem' in rule) throw new Error(`bug in the bench: ${rule.problem}`);
    return [rule];
  });
  const { comparison, pair } = compareSides(base, candidate, trialOptions);
  const { gate } = judgeGate(comparison, pair, { rules: parsed, inconclusiveIs: 'pass' });
  const results = gate?.rules ?? [];
  const significant = results.filter(isSignificant);
  return {
    rules: results,
    isCalled: significant.some(({ row, tolerance }) => Math.abs(row?.change.relative ?? 0) > Math.abs(tolerance.value)),
    isSignificant: significant.length > 0,
    failed: gate?.outcome === 'fail',
    plainFails: results[0]?.row != null && results[0].beyond && studentP(results[0].row) <= PLAIN_LEVEL,
  };
}

/** Of equal variances, as made-up sides have. */
function studentP({ base, candidate }: ComparisonRow): number {
  const [a, b] = [base, candidate].map(({ perRun }) => perRun.map((value) => Math.log(Math.max(value ?? 1, 1e-9)))) as [number[], number[]];
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = (values: number[]): number => values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0);
  const df = a.length + b.length - 2;
  const error = Math.sqrt(((squares(a) + squares(b)) / df) * (1 / a.length + 1 / b.length));
  return error === 0 ? 1 : studentTTwoSided((mean(b) - mean(a)) / error, df);
}

/** To either side, as the gate itself asks of a failure. */
function isSignificant({ adjustedPValue, row }: RuleResult): boolean {
  return (
    row !== null && adjustedPValue !== null && adjustedPValue <= gateLevel(row, trialOptions.confidence) && ranksAgree(row, trialOptions.confidence)
  );
}

export interface TrialSeries {
  title: string;
  trials: number;
  hits: number;
  /** Share of trials: at most for false alarms, at least for changes that are there; or nothing is asked, and the share only shown. */
  limit: { atMost: number } | { atLeast: number } | { shown: true };
  /** Trials that could not be carried out. */
  broken?: number;
  note: string;
}

export function isMet({ trials, hits, limit, broken = 0 }: TrialSeries): boolean {
  if (broken > 0) return false;
  if ('shown' in limit) return true;
  const share = trials === 0 ? Number.NaN : hits / trials;
  return 'atMost' in limit ? share <= limit.atMost : share >= limit.atLeast;
}

export function seriesLine(series: TrialSeries): string {
  const { title, trials, hits, limit, broken = 0, note } = series;
  const more = [...(broken > 0 ? [`${broken} broke`] : []), ...(note === '' ? [] : [note])];
  const mark = 'shown' in limit && isMet(series) ? '·' : isMet(series) ? '✓' : '✗';
  return `${mark} ${title}: ${hits} of ${trials} (${((hits / trials) * 100).toFixed(1)} %${askedText(limit)})${more.map((text) => `; ${text}`).join('')}`;
}

function askedText(limit: TrialSeries['limit']): string {
  if ('shown' in limit) return '';
  return 'atMost' in limit ? `, asked: at most ${limit.atMost * 100} %` : `, asked: at least ${limit.atLeast * 100} %`;
}
