/**
 * The gate: each rule is passed, failed or left open. Fails only what is both significant (Holm over the rules of this gate) and beyond its
 * tolerance; passes what is shown to be within it; the rest is inconclusive, with how many more runs would decide. Pure; called by diff and gate.
 */
import { ExitCode, KvbenchError } from '../base/errors.js';
import type { GateRule } from '../profile/gateRule.js';
import type { Pair } from './compare.js';
import type { Comparison, ComparisonRow, GateResult, RuleOutcome, RuleResult } from './comparison.js';
import { gateLevel, ranksAgree } from './gateLevel.js';
import { holmAdjusted } from './holm.js';
import { pText } from './judge.js';
import { measureOf } from './measures.js';
import { type MoreRuns, moreRunsFor } from './moreRuns.js';
import { changeText, intervalText } from './rowText.js';

/** Figures that a generator at its limit makes itself. */
const ofGenerator = new Set(['latency', 'service', 'queue', 'dispatch_lag', 'throughput']);

export interface GateOptions {
  rules: readonly GateRule[];
  inconclusiveIs: 'pass' | 'fail';
}

/** The comparison with its gate: outcome, exit code and the sentence that says so. */
export function judgeGate(comparison: Comparison, pair: Pair, { rules, inconclusiveIs }: GateOptions): Comparison {
  const rows = rules.map((rule) => pair.row(measureOf(rule)));
  for (const [i, row] of rows.entries()) if (row === null) assertCanBeAsked(rules[i] as GateRule, comparison, pair);
  const levels = rows.map((row) => gateLevel(row, comparison.method.confidence));
  const shares = holmAdjusted(
    rows.map((row, i) => (row?.pValue == null ? null : row.pValue / (levels[i] as number))),
    false,
  );
  const adjusted = shares.map((share, i) => (share === null ? null : Math.min(1, share * (levels[i] as number))));
  const results = rules.map((rule, i) => judgeRule(rule, rows[i] ?? null, adjusted[i] ?? null, { comparison, pair, ruleCount: rules.length }));
  const outcome: RuleOutcome = results.some((result) => result.outcome === 'fail')
    ? 'fail'
    : results.some((result) => result.outcome === 'inconclusive')
      ? 'inconclusive'
      : 'pass';
  const fails = outcome === 'fail' || (outcome === 'inconclusive' && inconclusiveIs === 'fail');
  const gate: GateResult = { outcome, inconclusiveIs, exitCode: fails ? ExitCode.thresholdFailed : ExitCode.passed, rules: results };
  return { ...comparison, gate, sentence: sentenceOf(gate) };
}

interface RuleContext {
  comparison: Comparison;
  pair: Pair;
  ruleCount: number;
}

/** A rule that nothing can ever be judged by would pass for ever. Throws INVALID_ARGUMENT. */
function assertCanBeAsked(rule: GateRule, { base, candidate }: Comparison, pair: Pair): void {
  const why = pair.whyNot(measureOf(rule));
  if (/beyond it/.test(why)) return;
  const phases = new Set(
    [pair.base, pair.candidate].flatMap(({ side }) =>
      side.runs.flatMap(({ data }) => data.run.plan.load.phases.filter((p) => p.record).map((p) => p.name)),
    ),
  );
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    `the rule "${rule.text}" has nothing to judge in ${base.label} and ${candidate.label}: ${why}`,
    `Phases: ${[...phases].join(', ')}. Operations: ${[...new Set([...pair.base.operations, ...pair.candidate.operations])].join(', ')}. kvbench diff --all lists every figure.`,
  );
}

function judgeRule(rule: GateRule, row: ComparisonRow | null, adjusted: number | null, context: RuleContext): RuleResult {
  const { tolerance } = rule;
  const { pair, comparison } = context;
  const { confidence } = comparison.method;
  const level = gateLevel(row, confidence);
  const result = (outcome: RuleOutcome, reason: string, more: MoreRuns | null = null, beyond = false): RuleResult => ({
    rule: rule.text,
    row,
    tolerance,
    outcome,
    adjustedPValue: adjusted,
    beyond,
    moreRuns: more,
    reason,
  });
  if (row === null) return result('inconclusive', pair.whyNot(measureOf(rule)));
  const change = inTolerance(row, tolerance.kind);
  if (change === null || row.interval === null)
    return result('inconclusive', row.reason, moreRunsFor(row, tolerance, context.comparison, context.ruleCount));
  const beyond = isBeyond(change.value, tolerance.value, row);
  const worstEnd = row.betterIs === 'lower' ? change.high : change.low;
  const saturated = saturation(rule.metric, context.comparison);
  if (saturated !== null) return result('inconclusive', saturated, null, beyond);
  if (beyond && adjusted !== null && adjusted <= level && ranksAgree(row, confidence)) {
    return result('fail', `${changeText(row)} ${intervalText(row)} is more than chance (p ${pText(adjusted)}) and beyond the tolerance`, null, true);
  }
  if (worstEnd !== null && !isBeyond(worstEnd, tolerance.value, row)) {
    return result('pass', `${changeText(row)} ${intervalText(row)} stays within the tolerance`);
  }
  const why = beyond
    ? `${changeText(row)} is beyond the tolerance, but chance can explain it (p ${adjusted === null ? 'none' : pText(adjusted)}${ranksAgree(row, confidence) ? '' : `, by ranks ${pText(row.pRanks ?? 1)}`})`
    : `${changeText(row)} is within the tolerance, but these runs cannot rule out more: ${intervalText(row)}`;
  return result('inconclusive', why, moreRunsFor(row, tolerance, context.comparison, context.ruleCount), beyond);
}

/** The change in the terms of the tolerance; null: relative to nothing. */
function inTolerance(
  { change, interval }: ComparisonRow,
  kind: 'relative' | 'absolute',
): { value: number; low: number | null; high: number | null } | null {
  const value = kind === 'relative' ? change.relative : change.absolute;
  if (kind === 'absolute') return value === null ? null : { value, low: interval?.low ?? null, high: interval?.high ?? null };
  if (value !== null) return { value, low: interval?.lowRelative ?? null, high: interval?.highRelative ?? null };
  // From 0 to 0 is no change, whatever it is relative to.
  return change.absolute === 0 && interval?.low === 0 && interval.high === 0 ? { value: 0, low: 0, high: 0 } : null;
}

function isBeyond(change: number, tolerance: number, { betterIs }: Pick<ComparisonRow, 'betterIs'>): boolean {
  return betterIs === 'lower' ? change > tolerance : change < tolerance;
}

/** Why nothing can be said about times; null: something can. A single run of many is in the spread already. */
function saturation(metric: string, { base, candidate }: Comparison): string | null {
  if (!ofGenerator.has(metric)) return null;
  for (const [name, { runs }] of [
    ['base', base],
    ['candidate', candidate],
  ] as const) {
    const count = runs.filter((run) => run.saturated).length;
    if (count * 2 >= runs.length && count > 0) {
      return `the generator was saturated in ${count} of ${runs.length} runs of the ${name}: the figures are its own, not the server's; lower the rate, or give it more of the machine`;
    }
  }
  return null;
}

function sentenceOf({ outcome, inconclusiveIs, rules }: GateResult): string {
  const of = (wanted: RuleOutcome): RuleResult[] => rules.filter((rule) => rule.outcome === wanted);
  const named = (results: readonly RuleResult[]): string =>
    results.map(({ rule, row }) => (row === null ? rule : `${row.id} ${changeText(row)}`)).join('; ');
  const counted = rules.length === 1 ? 'the rule' : `all ${rules.length} rules`;
  switch (outcome) {
    case 'fail':
      return `Gate failed: ${named(of('fail'))}`;
    case 'pass':
      return `Gate passed: ${counted} held`;
    case 'inconclusive':
      return `Gate undecided, which counts as ${inconclusiveIs === 'pass' ? 'passed' : 'failed'}: ${named(of('inconclusive'))}`;
  }
}
