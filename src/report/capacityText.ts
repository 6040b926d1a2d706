/** A search for the capacity on the terminal: a line per trial, the closing words. Pure, no colours. */
import Table from 'cli-table3';
import { formatCount, formatPercent, formatUs } from '../base/units.js';
import type { CapacitySummary, TrialPurpose, TrialSummary } from '../result/group.js';
import { rateText } from '../stats/capacitySummary.js';

export const verdictMarks: Record<TrialSummary['verdict'], string> = { holds: '✓ holds', fails: '✗ fails', generator: '! generator' };
export const purposeTexts: Record<TrialPurpose, string> = {
  growth: 'doubling',
  repeat: 'second look',
  bisection: 'halving',
  confirmation: 'confirming',
};

/** `trial  4   8,000 ops/s  p50 112µs  p99 340µs  p99.9 1.20ms  ✓ holds (doubling)`. */
export function trialLine(trial: TrialSummary): string {
  const { number, rateOpsPerSec, latencyUs, verdict, purpose, reasons } = trial;
  const time = (us: number | undefined): string => formatUs(us ?? null).padStart(7);
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
  const head = `  trial ${String(number).padStart(2)}  ${rateText(rateOpsPerSec).padStart(15)}`;
  return `${head}  p50 ${time(latencyUs?.p50)}  p99 ${time(latencyUs?.p99)}  p99.9 ${time(latencyUs?.p999)}  ${verdictMarks[verdict]} (${purposeTexts[purpose]})${why}`;
}

/** What a person reads at the end. Ends without a line break. */
export function renderCapacityClosing(summary: CapacitySummary): string {
  const { sentence, advice, trials, capacity } = summary;
  const table = new Table({
    head: ['rate', 'ok/s', 'p50', 'p99', 'p99.9', 'available', 'verdict'],
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const trial of byRate(trials)) {
    const { rateOpsPerSec, throughputOpsPerSec, latencyUs, availability, verdict } = trial;
    table.push([
      formatCount(rateOpsPerSec),
      formatCount(throughputOpsPerSec),
      formatUs(latencyUs?.p50 ?? null),
      formatUs(latencyUs?.p99 ?? null),
      formatUs(latencyUs?.p999 ?? null),
      availability === null ? '–' : formatPercent(availability),
      verdictMarks[verdict],
    ]);
  }
  const lines = [`${sentence}.`];
  if (capacity.limitedBy === 'generator')
    lines.push('THE GENERATOR WAS THE LIMIT, not the server: its capacity is at least what held, and may be far more.');
  if (capacity.rateOpsPerSec !== null && !capacity.confirmed) lines.push('This rate is not confirmed: the search did not come to its end.');
  if (trials.length > 0) lines.push(table.toString());
  if (advice !== null) lines.push(advice);
  return lines.join('\n');
}

/** Lowest first; of one rate in the order they ran. */
export function byRate(trials: readonly TrialSummary[]): TrialSummary[] {
  return [...trials].sort((a, b) => a.rateOpsPerSec - b.rateOpsPerSec || a.number - b.number);
}
