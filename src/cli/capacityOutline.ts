/** A search for the capacity before it begins: what is going to be tried, and how long it can take. Called by run.ts for `--dry-run`. Pure. */
import { formatCount, formatPercent } from '../base/units.js';
import type { CapacityPlan, Plan } from '../plan/plan.js';
import { targetText } from '../plan/timeline.js';
import { durationText } from '../profile/durationText.js';
import { maxTrials, usualTrials } from '../stats/capacitySearch.js';
import { settingsOf } from '../stats/capacitySummary.js';

/** From a decision to its t0, and the start of workers: what a trial takes beside its load. */
const TRIAL_OVERHEAD_US = 1_500_000;

/** The plan of the trials, for `--dry-run`. Ends with a line break. */
export function renderCapacityOutline(plan: Plan, capacity: CapacityPlan): string {
  const { minRatePerSec, maxRatePerSec, precision, confirm, trialUs, settleUs, objective } = capacity;
  const settings = settingsOf(capacity);
  const growth: number[] = [];
  for (let rate = minRatePerSec; rate < maxRatePerSec; rate *= 2) growth.push(rate);
  growth.push(maxRatePerSec);
  const trialTime = (trials: number, drainUs: number): string =>
    durationText(Math.round((trials * (settleUs + trialUs + TRIAL_OVERHEAD_US + drainUs)) / 1e6) * 1_000_000);
  const { target, load } = plan;
  const lines = [
    `${plan.name}: ${targetText(target)}, seed ${plan.seed}`,
    ...(plan.description === '' ? [] : [plan.description]),
    '',
    `objective   ${objective.map(({ metric, expression }) => `${metric} ${expression}`).join(', ')}; none dropped, availability at least 99.9 %`,
    `each trial  ${settleUs > 0 ? `${durationText(settleUs)} to settle, ` : ''}${durationText(trialUs)} measured, open loop, client ${load.client}, ${load.threads} ${load.threads === 1 ? 'thread' : 'threads'}`,
    `1. doubling    ${growth.map((rate) => formatCount(rate)).join(', ')} ops/s, until one fails (twice)`,
    `2. halving     what is left between the highest that holds and the lowest that fails, to ${formatPercent(precision).replace('.00', '')}`,
    `3. confirming  the rate found, ${confirm === 1 ? 'once more' : `${confirm} times more`}; when it fails, a step down; the rate above is tried once again`,
    `preload     ${load.workload.preload ? `${formatCount(load.workload.keys.count)} keys, once` : 'none'}`,
    `duration    usually up to ${usualTrials(settings)} trials, ${trialTime(usualTrials(settings), 0)}; never more than ${maxTrials(settings)} trials, ${trialTime(maxTrials(settings), load.timeoutUs)}; set-up, preload and clean-up come on top`,
  ];
  return `${lines.join('\n')}\n`;
}
