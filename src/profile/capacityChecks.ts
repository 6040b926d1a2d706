/**
 * `capacity` against the rest of a profile, and the phases that it stands for. Called by loadProfile: `mountTrialPhases` before the
 * profile is checked, `checkCapacity` after.
 */
import type { CapacityPlan } from '../plan/plan.js';
import { checkThresholds, type Ground } from './crossChecks.js';
import type { ProblemList } from './problems.js';
import type { ProfileOutput } from './profileSchema.js';
import { isMap, ObjectOrigin, type ProfileTree } from './profileTree.js';
import { parseMetric } from './thresholdExpression.js';

export const SETTLE_PHASE = 'settle';
export const TRIAL_PHASE = 'trial';

/** Metrics that say nothing about how much a server bears, and why. */
const refusedMetrics: Readonly<Record<string, string>> = {
  throughput: 'in an open loop it is the rate that is tried; ask for latency or availability',
  dispatch_lag: 'it is the generator’s own; a trial in which the generator was the limit is told apart anyway',
  rto: 'it is of a fault, and a search for the capacity has none',
};

/** A profile with `capacity` has no phases of its own: every trial has these two, at its rate. What stands there is checked like any other. */
export function mountTrialPhases(tree: ProfileTree, problems: ProblemList): void {
  const capacity = tree.get(['capacity']);
  if (!isMap(capacity) || !isMap(tree.get(['load']))) return;
  if (tree.get(['load', 'phases']) !== undefined) {
    problems.add(tree.place(['load', 'phases'], 'key'), 'phases: capacity makes the phases of its trials itself; leave load.phases out');
    return;
  }
  const rate = isMap(capacity.rate) && typeof capacity.rate.min === 'string' ? capacity.rate.min : '1000/s';
  const textOf = (key: string, otherwise: string): string => (typeof capacity[key] === 'string' ? capacity[key] : otherwise);
  const settle = textOf('settle', '1s');
  const phases = [
    ...(/^0+(\.0+)?[a-zµ]+$/.test(settle) ? [] : [{ name: SETTLE_PHASE, duration: settle, rate, record: false }]),
    { name: TRIAL_PHASE, duration: textOf('trial', '5s'), rate },
  ];
  tree.mount(['load', 'phases'], phases, new ObjectOrigin('capacity'));
}

/** Null: the profile has none, or it is wrong and that has been told. */
export function checkCapacity(ground: Ground, profile: ProfileOutput | null): CapacityPlan | null {
  const { tree, problems } = ground;
  const capacity = profile?.capacity;
  if (capacity === undefined || profile === null) return null;
  const written = tree.get(['chaos']);
  if (Array.isArray(written) && written.length > 0) {
    problems.add(
      tree.place(['chaos'], 'key'),
      'chaos: a search for the capacity can have no faults in this version; leave chaos out, or run it apart',
    );
  }
  if (profile.variants !== undefined) {
    problems.add(tree.place(['variants'], 'key'), 'variants: a search for the capacity can have none in this version; run it once for each setting');
  }
  if (Object.keys(profile.thresholds).length > 0) {
    problems.add(
      tree.place(['thresholds'], 'key'),
      'thresholds: with capacity, what must hold is capacity.objective (exit code 99 when not even the lowest rate holds); move them there',
    );
  }
  const { rate, objective } = capacity;
  if (rate.min > rate.max) problems.add(tree.place(['capacity', 'rate', 'max']), `max: ${rate.max}/s is below min (${rate.min}/s); swap them`);
  if (Object.keys(objective).length === 0) {
    problems.add(tree.place(['capacity', 'objective']), 'objective: it is empty; write what must hold, e.g. objective: { latency: "p(99)<2ms" }');
  }
  for (const key of Object.keys(objective)) {
    const metric = parseMetric(key);
    const why = 'problem' in metric ? undefined : refusedMetrics[metric.name];
    if (why !== undefined) problems.add(tree.place(['capacity', 'objective', key], 'key'), `${key} can be no objective of a capacity: ${why}`);
  }
  return {
    objective: checkThresholds(ground, ['capacity', 'objective'], objective),
    minRatePerSec: rate.min,
    maxRatePerSec: rate.max,
    trialUs: capacity.trial,
    settleUs: capacity.settle,
    precision: capacity.precision,
    confirm: capacity.confirm,
  };
}
