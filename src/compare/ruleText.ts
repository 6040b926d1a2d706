/** Words for the rules of a gate, the same in every output. Pure. */
import type { RuleOutcome, RuleResult } from './comparison.js';

export function ruleMark(outcome: RuleOutcome): string {
  return { pass: '✓', fail: '✗', inconclusive: '?' }[outcome];
}

/** Null: nothing to say. */
export function moreRunsText(more: RuleResult['moreRuns']): string | null {
  if (more === null) return null;
  if (more.pairs === null) return 'more than 40 runs of each side would be needed: runs differ too much for a change of this size';
  const pairs = `about ${more.pairs} more run${more.pairs === 1 ? '' : 's'} of each side`;
  return more.minutes === null
    ? `${pairs} would decide`
    : `${pairs} (${more.minutes < 1 ? 'less than a minute' : `${Math.ceil(more.minutes)} min`}) would decide`;
}
