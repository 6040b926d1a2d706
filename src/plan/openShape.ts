/** How many operations an open phase has, and how long it lasts with a limit of them. Used by makePlan and by the checks of a profile; pure. */
import type { RateRange } from '../profile/fields.js';
import type { OpenPhasePlan } from './plan.js';

export type OpenShape = Pick<OpenPhasePlan, 'durationUs' | 'rateStartPerSec' | 'rateEndPerSec' | 'operationCount'>;

/** A limit below what the rate amounts to makes the phase shorter: it ends when the next operation after the limit would be due. */
export function openShape({ startPerSec, endPerSec }: RateRange, durationUs: number, limit: number | undefined): OpenShape {
  const operationCount = operationsOf(startPerSec, endPerSec, durationUs);
  if (limit === undefined || operationCount <= limit) return { durationUs, rateStartPerSec: startPerSec, rateEndPerSec: endPerSec, operationCount };
  const slopePerSec = (endPerSec - startPerSec) / (durationUs / 1_000_000);
  const limitedSec = (2 * limit) / (startPerSec + Math.sqrt(Math.max(0, startPerSec * startPerSec + 2 * slopePerSec * limit)));
  const limitedUs = Math.min(durationUs, Math.ceil(limitedSec * 1_000_000));
  const rateEndPerSec = startPerSec + slopePerSec * (limitedUs / 1_000_000);
  return { durationUs: limitedUs, rateStartPerSec: startPerSec, rateEndPerSec, operationCount: limit };
}

/** Floor of the integral of a linear rate; a millionth is added, so that 1000/m for 1m is 1000 and not 999. */
export function operationsOf(startPerSec: number, endPerSec: number, durationUs: number): number {
  return Math.floor((((startPerSec + endPerSec) / 2) * durationUs) / 1_000_000 + 1e-6);
}
