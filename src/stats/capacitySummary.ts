/**
 * From the runs of a group to its summary: each trial's verdict, and what the search made of them. Pure; the same for a search that has
 * just ended and for a folder. Called by cli/writeGroup.ts, and by cli/capacity.ts for the verdict of a trial.
 */
import { ExitCode } from '../base/errors.js';
import { formatCount, formatPercent, formatUs } from '../base/units.js';
import type { CapacityPlan, Plan, ThresholdPlan } from '../plan/plan.js';
import type { CapacityGroupRecord, CapacityResult, CapacitySummary, TrialPurpose, TrialSummary, TrialVerdict } from '../result/group.js';
import { FORMAT_VERSION } from '../result/records.js';
import type { Summary, ThresholdResult } from '../result/summary.js';
import { capacityStep, type SearchSettings } from './capacitySearch.js';

/** A generator that is itself this part of the allowed time late (p99) cannot say that the server was too slow. */
const GENERATOR_SHARE = 0.5;

export function settingsOf({ minRatePerSec, maxRatePerSec, precision, confirm }: CapacityPlan): SearchSettings {
  return { minRatePerSec, maxRatePerSec, precision, confirm };
}

/** Null: the trial did not run to its end, and says nothing. `summary`: of its run. */
export function summarizeTrial(
  capacity: CapacityPlan,
  trial: { number: number; run: string; plan: Plan; purpose: TrialPurpose },
  summary: Summary,
): TrialSummary | null {
  if (summary.verdict === 'interrupted' || summary.verdict === 'aborted') return null;
  const phase = trial.plan.load.phases.at(-1);
  const failed = summary.thresholds.filter(({ ok }) => !ok).map(failureText);
  if (summary.ops.dropped > 0) failed.push(`${formatCount(summary.ops.dropped)} operations were dropped`);
  const generator = failed.length === 0 ? [] : generatorReasons(capacity, summary);
  const verdict: TrialVerdict = failed.length === 0 ? 'holds' : generator.length > 0 ? 'generator' : 'fails';
  return {
    number: trial.number,
    run: trial.run,
    rateOpsPerSec: phase?.kind === 'open' ? phase.rateStartPerSec : 0,
    purpose: trial.purpose,
    verdict,
    reasons: [...failed, ...generator],
    throughputOpsPerSec: summary.throughputOpsPerSec,
    latencyUs: summary.latencyUs.all ?? null,
    availability: summary.availability.rate,
    dropped: summary.ops.dropped,
    objective: summary.thresholds,
    dispatchLagP99Us: summary.generator.dispatchLagP99Us,
    eventLoopUtilization: summary.generator.eventLoopUtilization,
    saturated: summary.generator.saturated,
  };
}

function generatorReasons({ objective }: CapacityPlan, { generator }: Summary): string[] {
  if (generator.saturated) return generator.reasons;
  const allowedUs = Math.min(...objective.filter(isUpperTime).map(({ limit }) => limit));
  if (!(generator.dispatchLagP99Us > allowedUs * GENERATOR_SHARE)) return [];
  return [`the generator itself sent ${formatUs(generator.dispatchLagP99Us)} late (p99), of ${formatUs(allowedUs)} allowed`];
}

function isUpperTime({ name, comparator, aggregate }: ThresholdPlan): boolean {
  return name === 'latency' && (comparator === '<' || comparator === '<=') && aggregate.kind !== 'count';
}

/** What the search made of its trials, which are in the order they ran. */
export function summarizeCapacity(group: CapacityGroupRecord, trials: readonly TrialSummary[]): CapacitySummary {
  const capacity = group.plan.capacity as CapacityPlan;
  const step = capacityStep(settingsOf(capacity), trials);
  const { findings } = step;
  const isOver = step.kind === 'done';
  const result: CapacityResult = {
    rateOpsPerSec: findings.holdsOpsPerSec,
    bracket: { holdsOpsPerSec: findings.holdsOpsPerSec, failsOpsPerSec: findings.failsOpsPerSec },
    objective: capacity.objective.map(({ metric, expression }) => `${metric} ${expression}`),
    confirmed: findings.confirmed,
    limitedBy: findings.limitedBy,
  };
  const verdict = !isOver ? 'interrupted' : result.rateOpsPerSec === null ? 'failed' : 'passed';
  return {
    formatVersion: FORMAT_VERSION,
    kind: 'capacity',
    verdict,
    exitCode: { passed: ExitCode.passed, failed: ExitCode.thresholdFailed, interrupted: ExitCode.interrupted }[verdict],
    sentence: sentenceOf(capacity, result, trials, isOver, group.interruptedBy),
    advice: adviceOf(group.plan, result, isOver),
    seed: group.plan.seed,
    capacity: result,
    trials: [...trials],
  };
}

function sentenceOf(
  capacity: CapacityPlan,
  result: CapacityResult,
  trials: readonly TrialSummary[],
  isOver: boolean,
  interrupted: string | null,
): string {
  const what = capacity.objective.map(({ metric, expression }) => (metric === 'latency' ? expression : `${metric} ${expression}`)).join(' and ');
  const { failsOpsPerSec, holdsOpsPerSec } = result.bracket;
  if (!isOver) {
    const so = holdsOpsPerSec === null ? 'no rate has held yet' : `${what} held up to ${rateText(holdsOpsPerSec)} so far`;
    return `${interrupted === null ? 'The search was cut off' : `Interrupted (${interrupted})`}: ${so}`;
  }
  const failing =
    failsOpsPerSec === null ? undefined : trials.findLast(({ rateOpsPerSec, verdict }) => rateOpsPerSec === failsOpsPerSec && verdict !== 'holds');
  const why =
    failing === undefined
      ? ''
      : failing.reasons.map((reason) => (reason.startsWith(`${what} was `) ? reason.replace(what, 'it') : reason)).join('; ');
  if (holdsOpsPerSec === null) {
    const lowest = `${what} does not hold even at ${rateText(capacity.minRatePerSec)}`;
    return result.limitedBy === 'generator' ? `${lowest}, and the generator was the limit: ${why}` : `${lowest}: ${why}`;
  }
  switch (result.limitedBy) {
    case 'range':
      return `The server holds ${what} at ${rateText(holdsOpsPerSec)}, the highest rate that was to be tried; its limit is above`;
    case 'generator':
      return `The server holds ${what} at ${rateText(holdsOpsPerSec)} at least; at ${rateText(failsOpsPerSec ?? 0)} the generator was the limit: ${why}`;
    case 'server':
      return `The server holds ${what} up to ${rateText(holdsOpsPerSec)}; at ${rateText(failsOpsPerSec ?? 0)} ${why}`;
  }
}

function adviceOf(plan: Plan, { limitedBy, rateOpsPerSec }: CapacityResult, isOver: boolean): string | null {
  if (!isOver) return null;
  if (limitedBy === 'range' && plan.capacity !== undefined) {
    const higher = Math.min(10_000_000, plan.capacity.maxRatePerSec * 4);
    return `Let it go higher. Try: kvbench run ${plan.name} --set capacity.rate.max=${higher}/s`;
  }
  if (limitedBy === 'generator') {
    const client = plan.load.client === 'wire' ? '' : ' --set load.client=wire';
    return `Give the generator more, on a machine with cores to spare. Try: kvbench run ${plan.name}${client} --set load.threads=${plan.load.threads * 2}`;
  }
  if (rateOpsPerSec === null && plan.capacity !== undefined && plan.capacity.minRatePerSec > 10) {
    return `Begin lower. Try: kvbench run ${plan.name} --set capacity.rate.min=${Math.max(10, Math.floor(plan.capacity.minRatePerSec / 10))}/s`;
  }
  return null;
}

export function rateText(opsPerSec: number): string {
  return `${formatCount(opsPerSec)} ops/s`;
}

/** `p(99)<2ms was 3.41ms`. */
function failureText({ metric, expression, observed, note }: ThresholdResult): string {
  const what = metric === 'latency' ? expression : `${metric} ${expression}`;
  if (observed === null) return `${what} had no samples${note === undefined ? '' : ` (${note})`}`;
  const isTime = /^(latency|service|queue|gap)/.test(metric) && !/^\s*count/.test(expression);
  const isShare = /^(availability|errors)/.test(metric) && !/^\s*count/.test(expression);
  return `${what} was ${isTime ? formatUs(observed) : isShare ? formatPercent(observed) : formatCount(observed)}`;
}

/** What the search asks of the next trial after these. */
export function purposeOf(capacity: CapacityPlan, earlier: readonly TrialSummary[]): TrialPurpose {
  const step = capacityStep(settingsOf(capacity), earlier);
  return step.kind === 'trial' ? step.purpose : 'confirmation';
}
