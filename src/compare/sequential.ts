/**
 * Looking at the same question again and again without fooling oneself: which p-value decides at each look, so that all looks together err
 * no more often than one would. Pure; used by `kvbench ab`. Told to users in docs/comparing.md.
 *
 * Error spending (Lan and DeMets 1983) by a power of the information (Kim and DeMets 1987, power 2): after a share t of the greatest number of
 * pairs, α·t² may have been spent. The boundaries come from the joint normal distribution of the looks by recursive integration (Armitage,
 * McPherson and Rowe 1969; Jennison and Turnbull 1999, chapter 19).
 */
import { assert } from '../base/assert.js';
import { normalCdf, normalQuantile } from '../base/normal.js';

/** Between O'Brien and Fleming (about 3: hardly ever decides early) and Pocock (about 1). */
const SPENDING_POWER = 2;
/** Odd, for Simpson's rule; the boundaries are exact to four digits with far fewer. */
const GRID_POINTS = 201;
const BISECTIONS = 60;
/** No look needs a larger z. */
const Z_LIMIT = 10;

/** How much of α may have been spent after a share `fraction` of the information. */
export function spentAlpha(alpha: number, fraction: number): number {
  return alpha * Math.min(1, fraction) ** SPENDING_POWER;
}

/**
 * The two-sided p-value at or below which each look decides.
 * @param fractions of the greatest information at each look, rising, in (0, 1]
 * @param alpha of all looks together, two-sided
 */
export function lookLevels(fractions: readonly number[], alpha: number): number[] {
  const levels: number[] = [];
  let walk = new Walk();
  for (const [look, fraction] of fractions.entries()) {
    const before = look === 0 ? 0 : (fractions[look - 1] as number);
    assert(fraction > before && fraction <= 1 + 1e-9, 'looks come with rising information');
    const toSpend = spentAlpha(alpha, fraction) - spentAlpha(alpha, before);
    const bound = boundOf(walk, fraction, toSpend);
    levels.push(2 * normalCdf(-bound));
    walk = walk.next(fraction, bound);
  }
  return levels;
}

/** The chance to cross one of the bounds (of |z|), at each look for the first time, when nothing is there. */
export function crossingProbabilities(fractions: readonly number[], bounds: readonly number[]): number[] {
  let walk = new Walk();
  return fractions.map((fraction, look) => {
    const bound = bounds[look] as number;
    const crossing = walk.crossing(fraction, bound);
    walk = walk.next(fraction, bound);
    return crossing;
  });
}

/** More spent for a lower bound. */
function boundOf(walk: Walk, fraction: number, toSpend: number): number {
  let low = 0;
  let high = Z_LIMIT;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (walk.crossing(fraction, middle) > toSpend) low = middle;
    else high = middle;
  }
  return high;
}

/** Where a standard Brownian motion that has crossed no bound yet is at a look: points of its density, with Simpson's weights. */
class Walk {
  readonly #fraction: number;
  readonly #points: readonly { at: number; mass: number }[];

  constructor(fraction = 0, points: readonly { at: number; mass: number }[] = [{ at: 0, mass: 1 }]) {
    this.#fraction = fraction;
    this.#points = points;
  }

  crossing(fraction: number, bound: number): number {
    const edge = bound * Math.sqrt(fraction);
    const step = Math.sqrt(fraction - this.#fraction);
    let probability = 0;
    for (const { at, mass } of this.#points) probability += mass * (normalCdf((-edge - at) / step) + normalCdf((at - edge) / step));
    return probability;
  }

  next(fraction: number, bound: number): Walk {
    const edge = bound * Math.sqrt(fraction);
    const step = Math.sqrt(fraction - this.#fraction);
    const width = (2 * edge) / (GRID_POINTS - 1);
    const points = Array.from({ length: GRID_POINTS }, (_, i) => {
      const at = -edge + i * width;
      const weight = ((i === 0 || i === GRID_POINTS - 1 ? 1 : i % 2 === 1 ? 4 : 2) * width) / 3;
      let density = 0;
      for (const from of this.#points) density += from.mass * normalDensity((at - from.at) / step);
      return { at, mass: (weight * density) / step };
    });
    return new Walk(fraction, points);
  }
}

function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** |z| of a two-sided p-value. */
export function boundOfLevel(level: number): number {
  return -normalQuantile(level / 2);
}
