/** How sure a gate has to be. Pure; used by gate.ts, moreRuns.ts and bench:gate. */
import type { ComparisonRow } from './comparison.js';

/** Of 1 − 0.95. */
const ROUNDING = 1e-9;

/**
 * How often chance may make a rule call a change, over all rules of the gate. Ranks of a few runs come in coarse steps (5 and 5 cannot get below
 * 0.008), and gaps or lost writes seldom differ by chance beyond a tolerance; figures that are resampled have to meet more.
 */
const RESAMPLED_SHARE = 0.4;

export function gateLevel(row: Pick<ComparisonRow, 'decidedBy'> | null, confidence: number): number {
  return (1 - confidence) * (row?.decidedBy === 'ranks' ? 1 : RESAMPLED_SHARE) + ROUNDING;
}

/** The ranks of the runs have to agree, at the level of one test. */
export function ranksAgree({ pRanks }: Pick<ComparisonRow, 'pRanks'>, confidence: number): boolean {
  return pRanks === null || pRanks <= 1 - confidence + ROUNDING;
}
