/**
 * Draws the faults of a `fault: random` entry: which, when, for how long and on whom. Called by `faultPlans.ts`. Pure: every draw is a
 * function of the seed, the entry's number and the fault's number within it.
 */
import type { RandomStream } from '../base/random.js';
import type { ResolvedRandom, ResolvedTemplate } from '../profile/resolveChaos.js';
import type { FaultPlan } from './plan.js';
import { templatePlan } from './templatePlan.js';

/** Draws set aside for one fault, and for one entry. */
const DRAWS_PER_FAULT = 8;
const DRAWS_PER_ENTRY = 1_000_000;
export const RANDOM_FAULTS_MAX = 1000;
/** From the last heal to the end of the load. */
const RECOVERY_US = 2_000_000;
const anyMaster = { text: 'random master', by: 'randomMaster' } as const;
const anyReplica = { text: 'random replica', by: 'randomReplica' } as const;

enum Draw {
  gap,
  duration,
  template,
  role,
  node,
}

export type RandomFault = Omit<FaultPlan, 'id'>;

/** In the order of time. @param entry 1-based number in the profile's list */
export function drawFaults(
  { random, templates, hasReplicas }: ResolvedRandom,
  entry: number,
  loadEndUs: number,
  stream: RandomStream,
): RandomFault[] {
  const faults: RandomFault[] = [];
  const untilUs = random.for === undefined ? loadEndUs - random.last.maxUs - RECOVERY_US : random.at + random.for;
  let atUs = random.at;
  for (let number = 0; faults.length < RANDOM_FAULTS_MAX && number < DRAWS_PER_ENTRY / DRAWS_PER_FAULT; number++) {
    const unit = (draw: Draw): number => stream.unit(entry * DRAWS_PER_ENTRY + number * DRAWS_PER_FAULT + draw);
    const within = ({ minUs, maxUs }: { minUs: number; maxUs: number }, draw: Draw): number => Math.round(minUs + unit(draw) * (maxUs - minUs));
    if (number > 0) atUs += within(random.every, Draw.gap);
    if (atUs >= untilUs) break;
    const forUs = Math.min(within(random.last, Draw.duration), loadEndUs - atUs);
    const downMeanwhile = faults.filter((fault) => takesDown(fault, templates) && endUs(fault) > atUs).length;
    const free = templates.filter((template) => !template.takesDown || downMeanwhile < random.maxDown);
    const template = free[Math.floor(unit(Draw.template) * free.length)];
    if (!template) continue;
    const limits = { maxNodesDown: random.maxDown, keepInSyncCopy: random.keepInSyncCopy };
    const aimed = template.selector === null ? { ...template, selector: hasReplicas && unit(Draw.role) < 0.5 ? anyReplica : anyMaster } : template;
    faults.push({ ...templatePlan(aimed, unit(Draw.node)), trigger: { kind: 'at', atUs }, forUs, limits });
  }
  return faults;
}

function takesDown(fault: RandomFault, templates: readonly ResolvedTemplate[]): boolean {
  return templates.some((template) => template.kind === fault.kind && template.takesDown);
}

function endUs({ trigger, forUs }: RandomFault): number {
  return (trigger.kind === 'at' ? trigger.atUs : 0) + (forUs ?? 0);
}
