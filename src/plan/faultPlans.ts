/**
 * The faults of a plan, from the entries of a profile: random choices drawn, repetitions written out. Called by makePlan. Pure.
 * Entry n has id n, or its first fault has; repetitions and further drawn faults are numbered after all entries, so that `after` and the
 * tag `fault` can name entries by their place in the profile.
 */
import { RandomStream, Stream } from '../base/random.js';
import type { ResolvedEntry, ResolvedFault } from '../profile/resolveChaos.js';
import type { FaultPlan } from './plan.js';
import { drawFaults } from './randomChaos.js';
import { templatePlan } from './templatePlan.js';

/** Repetitions have draws of their own, far from those of the entries. */
const DRAWS_PER_ENTRY = 1_000_000;

export function faultPlans(entries: readonly ResolvedEntry[], seed: number, loadEndUs: number): FaultPlan[] {
  const draws = new RandomStream(seed, Stream.selector);
  const chaos = new RandomStream(seed, Stream.chaos);
  const groups = entries.map((entry, index) =>
    'random' in entry ? drawFaults(entry, index + 1, loadEndUs, chaos) : repeated(entry, index + 1, loadEndUs, draws),
  );
  const first = groups.flatMap(([fault], index) => (fault ? [{ id: index + 1, ...fault }] : []));
  const further = groups.flatMap(([, ...faults]) => faults);
  return [...first, ...further.map((fault, i) => ({ id: entries.length + i + 1, ...fault }))];
}

function repeated(fault: ResolvedFault, entry: number, loadEndUs: number, draws: RandomStream): Omit<FaultPlan, 'id'>[] {
  return Array.from({ length: repetitions(fault.common, loadEndUs) }, (_, i) => onePlan(fault, entry, i, draws));
}

/** How often a fault comes, the first time included. Without `times`: as long as the load lasts. */
export function repetitions({ at, after, every, times }: ResolvedFault['common'], loadEndUs: number): number {
  if (every === undefined) return 1;
  const untilEnd = Math.max(1, Math.ceil((loadEndUs - (at ?? after?.delay ?? 0)) / every));
  return times ?? untilEnd;
}

/** The draw belongs to the entry's number, so that adding a fault at the end changes none before it. */
function onePlan(fault: ResolvedFault, entry: number, repetition: number, draws: RandomStream): Omit<FaultPlan, 'id'> {
  const { at, after, every, for: forUs = null } = fault.common;
  const laterUs = repetition * (every ?? 0);
  const trigger: FaultPlan['trigger'] = after
    ? { kind: 'after', faultId: after.fault, state: after.state, delayUs: after.delay + laterUs }
    : { kind: 'at', atUs: (at ?? 0) + laterUs };
  const draw = draws.unit(repetition === 0 ? entry : entry * DRAWS_PER_ENTRY + repetition);
  return { ...templatePlan(fault, draw), trigger, forUs };
}
