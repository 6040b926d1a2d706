/**
 * Several runs that answer one question, before they begin: the plans of the variants, and in which order they are played. Called by the
 * command line for `--repeat` and for profiles with `variants`. Pure: the same profile and seed give the same order.
 */
import { RandomStream, Stream } from '../base/random.js';
import type { ResolvedProfile } from '../profile/loadProfile.js';
import { makePlan } from './makePlan.js';
import type { Plan } from './plan.js';

export interface GroupPlan {
  /** repeat: one variant, which is the profile itself; ab: `base` against `candidate`. */
  kind: 'variants' | 'repeat' | 'ab';
  name: string;
  description: string;
  seed: number;
  /** Rounds in which each variant is played once. */
  repeat: number;
  variants: VariantPlan[];
  runs: GroupRunPlan[];
}

export interface VariantPlan {
  name: string;
  description: string;
  /** What it says for itself: path as `--set` takes it, value as YAML. */
  changes: { path: string; value: string }[];
  plan: Plan;
}

export interface GroupRunPlan {
  /** 1-based, in the order they are played; also the beginning of the folder's name. */
  number: number;
  /** 1-based. */
  round: number;
  variant: string;
  /** Folder, relative to the group's. */
  run: string;
}

/** @param variants all of the profile's, or those that were picked */
export function groupPlan(profile: ResolvedProfile, variants: ResolvedProfile['variants'], repeat: number): GroupPlan {
  const { name, description, seed } = profile;
  const plans =
    variants.length === 0
      ? [{ name, description, changes: [], plan: makePlan(profile) }]
      : variants.map((variant) => ({
          name: variant.name,
          description: variant.description,
          changes: variant.changes,
          plan: { ...makePlan(variant.profile), variant: variant.name },
        }));
  const runs = groupOrder(
    plans.map((plan) => plan.name),
    repeat,
    seed,
  );
  return { kind: variants.length === 0 ? 'repeat' : 'variants', name, description, seed, repeat, variants: plans, runs };
}

/** One side of an A/B question: the profile with that side's own values. */
export interface AbSide {
  profile: ResolvedProfile;
  changes: VariantPlan['changes'];
}

/** @param maxPairs as many pairs as can be played; the question may be decided before */
export function abPlan(base: AbSide, candidate: AbSide, maxPairs: number): GroupPlan {
  const { name, description, seed } = base.profile;
  const variants = Object.entries({ base, candidate }).map(([side, { profile, changes }]) => ({
    name: side,
    description: '',
    changes,
    plan: { ...makePlan(profile), variant: side },
  }));
  return { kind: 'ab', name, description, seed, repeat: maxPairs, variants, runs: groupOrder(['base', 'candidate'], maxPairs, seed) };
}

/**
 * Alternating: the first round in an order drawn from the seed, each further one turned by one place. So each variant is first, second, …
 * equally often (exactly so when the rounds are a multiple of the variants), and a machine that drifts is no variant's doing.
 */
export function groupOrder(names: readonly string[], rounds: number, seed: number): GroupRunPlan[] {
  const first = shuffled(names, seed);
  const runs: GroupRunPlan[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < first.length; place++) {
      const variant = first[(place + round) % first.length] as string;
      runs.push(runOf(runs.length + 1, round + 1, variant));
    }
  }
  return runs;
}

export function runOf(number: number, round: number, variant: string): GroupRunPlan {
  return { number, round, variant, run: `runs/${String(number).padStart(2, '0')}-${variant}` };
}

/** Fisher–Yates. */
function shuffled(names: readonly string[], seed: number): string[] {
  const draws = new RandomStream(seed, Stream.groupOrder);
  const order = [...names];
  for (let i = order.length - 1; i > 0; i--) {
    const j = draws.below(i, i + 1);
    const moved = order[i] as string;
    order[i] = order[j] as string;
    order[j] = moved;
  }
  return order;
}
