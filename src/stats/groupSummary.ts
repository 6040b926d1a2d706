/** A group of runs in numbers: each run in a line, each variant by its median and range. Called by cli/writeGroupResults.ts. Pure. */
import { ExitCode } from '../base/errors.js';
import { formatUs } from '../base/units.js';
import type { GroupRunPlan } from '../plan/groupPlan.js';
import { FORMAT_VERSION } from '../result/records.js';
import type { AbDecision, GroupRunSummary, RunsGroupRecord, RunsGroupSummary, Spread, VariantSummary } from '../result/runsGroup.js';
import type { FaultSummary, Summary } from '../result/summary.js';

/** What a group keeps of one of its runs. */
export function summarizeGroupRun(place: GroupRunPlan, summary: Summary): GroupRunSummary {
  const { all } = summary.latencyUs;
  const { ops, availability } = summary;
  const fault = slowestToRecover(summary.faults);
  const split = (from: number | null | undefined, to: number | null | undefined): number | null =>
    typeof from === 'number' && typeof to === 'number' && to >= from ? to - from : null;
  return {
    ...place,
    verdict: summary.verdict,
    sentence: summary.sentence,
    throughputOpsPerSec: summary.throughputOpsPerSec,
    latencyUs: all === undefined ? null : { p50: all.p50, p99: all.p99, p999: all.p999 },
    availability: availability.rate,
    errors: ops.fail + ops.info + ops.dropped,
    longestGapMs: Math.max(0, ...availability.gaps.map((gap) => gap.durationMs)),
    rtoMs: fault?.rtoMs ?? null,
    detectionMs: split(fault?.injectedAtMs, fault?.detectedMs),
    electionMs: split(fault?.detectedMs, fault?.promotedMs),
    clientMs: split(fault?.promotedMs, fault?.clientRecoveredMs),
    lostWrites: summary.consistency?.lostWrites ?? null,
    waitShort: summary.client.waits === undefined ? null : (summary.client.waitShort ?? 0),
    saturated: summary.generator.saturated,
  };
}

function slowestToRecover(faults: readonly FaultSummary[]): FaultSummary | undefined {
  return faults.reduce<FaultSummary | undefined>((slowest, fault) => ((fault.rtoMs ?? -1) > (slowest?.rtoMs ?? -1) ? fault : slowest), undefined);
}

/** @param runs those that have begun, in their order @param decision of an A/B question; null: there is none */
export function summarizeGroup(group: RunsGroupRecord, runs: readonly GroupRunSummary[], decision: AbDecision | null = null): RunsGroupSummary {
  const variants = group.variants.map((variant): VariantSummary => {
    const { name, description, changes } = variant;
    return { name, description, changes, ...spreadsOf(runs.filter((run) => run.variant === name)) };
  });
  const ended = runs.filter((run) => run.verdict !== 'interrupted');
  const failed = ended.filter((run) => run.verdict !== 'passed').length;
  const isInterrupted = group.interruptedBy !== null || ended.length < group.runs.length;
  // An A/B question fails by its rules; what its runs' own thresholds say is the same for both sides, or shows there.
  const isFailed = group.kind === 'ab' ? decision !== null && decision.exitCode !== 0 : failed > 0;
  const verdict = isInterrupted ? 'interrupted' : isFailed ? 'failed' : 'passed';
  const exitCode = verdict === 'interrupted' ? ExitCode.interrupted : verdict === 'failed' ? ExitCode.thresholdFailed : ExitCode.passed;
  const counts = { planned: group.runs.length, ended: ended.length, failed };
  return {
    formatVersion: FORMAT_VERSION,
    kind: group.kind,
    verdict,
    exitCode,
    sentence: decision !== null && !isInterrupted ? decision.sentence : sentenceOf(group, variants, counts),
    seed: group.seed,
    repeat: group.repeat,
    plannedRuns: group.runs.length,
    variants,
    runs: [...runs],
    ...(group.kind === 'ab' ? { decision } : {}),
  };
}

function spreadsOf(all: readonly GroupRunSummary[]): Omit<VariantSummary, 'name' | 'description' | 'changes'> {
  // A run that was cut short has other windows than the rest: its numbers are no sample of the variant.
  const runs = all.filter((run) => run.verdict === 'passed' || run.verdict === 'failed');
  const over = (value: (run: GroupRunSummary) => number | null | undefined): Spread | null => spreadOf(runs.map(value));
  return {
    runs: runs.length,
    failedRuns: runs.filter((run) => run.verdict === 'failed').length,
    saturatedRuns: runs.filter((run) => run.saturated).length,
    throughputOpsPerSec: over((run) => run.throughputOpsPerSec),
    latencyUs: { p50: over((run) => run.latencyUs?.p50), p99: over((run) => run.latencyUs?.p99), p999: over((run) => run.latencyUs?.p999) },
    availability: over((run) => run.availability),
    errors: over((run) => run.errors),
    longestGapMs: over((run) => run.longestGapMs),
    rtoMs: over((run) => run.rtoMs),
    detectionMs: over((run) => run.detectionMs),
    electionMs: over((run) => run.electionMs),
    clientMs: over((run) => run.clientMs),
    lostWrites: over((run) => run.lostWrites),
    waitShort: over((run) => run.waitShort),
  };
}

/** Median (of an even number the mean of the middle two), least and greatest; null without values. */
export function spreadOf(values: readonly (number | null | undefined)[]): Spread | null {
  const sorted = values.filter((value): value is number => typeof value === 'number').sort((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
  return { median, min, max, count: sorted.length };
}

interface Counts {
  planned: number;
  ended: number;
  failed: number;
}

/** The lowest and the highest of what differs most visibly; of one variant its range. */
function sentenceOf({ kind, interruptedBy }: RunsGroupRecord, variants: readonly VariantSummary[], { planned, ended, failed }: Counts): string {
  const what = kind === 'repeat' ? `${ended} runs` : `${variants.length} variants, ${ended} runs`;
  const parts = [
    rangeText(
      'response p99',
      variants,
      (variant) => variant.latencyUs.p99,
      (us) => formatUs(us),
    ),
    rangeText(
      'longest gap',
      variants,
      (variant) => variant.longestGapMs,
      (ms) => (ms === 0 ? 'none' : formatUs(ms * 1000)),
    ),
    rangeText(
      'lost writes',
      variants,
      (variant) => variant.lostWrites,
      (count) => String(count),
    ),
  ].filter((part) => part !== null);
  const failures = failed === 0 ? '' : `; thresholds failed in ${failed} of ${ended}`;
  const cut = ended === planned ? '' : `${interruptedBy === null ? 'Cut off' : `Interrupted (${interruptedBy})`} after ${ended} of ${planned} runs: `;
  return `${cut}${what}${parts.length > 0 ? `: ${parts.join('; ')}` : ''}${failures}`;
}

function rangeText(
  title: string,
  variants: readonly VariantSummary[],
  spread: (variant: VariantSummary) => Spread | null,
  text: (value: number) => string,
): string | null {
  const known = variants.flatMap((variant) => {
    const value = spread(variant);
    return value === null ? [] : [{ name: variant.name, ...value }];
  });
  const low = known.reduce<(typeof known)[number] | undefined>(
    (best, one) => (best === undefined || one.median < best.median ? one : best),
    undefined,
  );
  const high = known.reduce<(typeof known)[number] | undefined>(
    (best, one) => (best === undefined || one.median > best.median ? one : best),
    undefined,
  );
  if (low === undefined || high === undefined || high.max === 0) return null;
  if (variants.length === 1) return `${title} ${text(low.median)}${low.count > 1 ? ` (${text(low.min)} to ${text(low.max)})` : ''}`;
  return low.median === high.median
    ? `${title} ${text(low.median)} in all`
    : `${title} ${text(low.median)} (${low.name}) to ${text(high.median)} (${high.name})`;
}
