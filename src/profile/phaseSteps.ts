/** A phase whose rate is a list of steps stands for several phases, one after the other. Used by makePlan and by the checks of names; pure. */
import type { RateRange } from './fields.js';
import type { Phase } from './loadSchema.js';

/** A phase as it is run: one rate, or none. */
export type SinglePhase = Omit<Phase, 'rate' | 'name'> & {
  name: string;
  rate?: RateRange | undefined;
  /** Index of the phase in the profile that it comes from. */
  from: number;
};

/**
 * Every phase with its name (`phase-1` and so on when it has none). Steps share the duration equally, to the microsecond, and are called
 * `name-1`, `name-2` and so on.
 */
export function singlePhases(phases: readonly Phase[]): SinglePhase[] {
  return phases.flatMap(({ rate, ...phase }, from): SinglePhase[] => {
    const name = phase.name ?? `phase-${from + 1}`;
    if (!Array.isArray(rate)) return [{ ...phase, name, rate, from }];
    const boundUs = (step: number): number => Math.floor((phase.duration * step) / rate.length);
    return rate.map((stepRate, step) => ({
      ...phase,
      name: `${name}-${step + 1}`,
      duration: boundUs(step + 1) - boundUs(step),
      rate: stepRate,
      from,
    }));
  });
}
