/**
 * One trial of a search for the capacity, as a plan of its own: the group's plan at one rate, with the objective as its thresholds.
 * Called by cli/capacity.ts. Pure.
 */
import { assert } from '../base/assert.js';
import { operationsOf } from './openShape.js';
import type { OpenPhasePlan, Plan, ThresholdPlan } from './plan.js';

/** Asked of every trial, whatever the objective: a rate at which operations fail is not borne. */
export const availabilityFloor: ThresholdPlan = {
  metric: 'availability',
  name: 'availability',
  tags: {},
  expression: 'rate>=99.9%',
  aggregate: { kind: 'rate' },
  comparator: '>=',
  limit: 0.999,
  abortOnFail: false,
  delayAbortEvalUs: 0,
};

export function trialPlan(plan: Plan, rateOpsPerSec: number): Plan {
  assert(plan.capacity !== undefined, 'a trial of a plan without capacity');
  const { capacity, ...rest } = plan;
  let firstOperation = 0;
  const phases = plan.load.phases.map((phase): OpenPhasePlan => {
    assert(phase.kind === 'open', 'a trial is an open loop');
    const operationCount = operationsOf(rateOpsPerSec, rateOpsPerSec, phase.durationUs);
    const scaled = { ...phase, rateStartPerSec: rateOpsPerSec, rateEndPerSec: rateOpsPerSec, operationCount, firstOperation };
    firstOperation += operationCount;
    return scaled;
  });
  return { ...rest, load: { ...plan.load, phases }, thresholds: [...capacity.objective, availabilityFloor] };
}
