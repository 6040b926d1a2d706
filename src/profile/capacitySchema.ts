/** The schema of `capacity`: an objective, and how the highest rate at which it holds is looked for. Cross checks are in capacityChecks.ts. */
import { z } from 'zod';
import { parseRatePerSec } from '../base/units.js';
import { duration, whole } from './fields.js';
import { objectiveSchema } from './thresholdSchema.js';

/** Below it a trial of a second has too few operations to judge by; above it no generator goes. */
const MIN_RATE_PER_SEC = 10;
const MAX_RATE_PER_SEC = 10_000_000;

/** One rate, no ramp; out: operations per second. */
function plainRate() {
  return z
    .string()
    .meta({ title: 'rate', pattern: '^\\d+(\\.\\d+)?k?/(s|m|h)$', 'x-range': `${MIN_RATE_PER_SEC}/s to 10000k/s`, examples: ['1000/s'] })
    .transform((text, ctx) => {
      const perSec = parseRatePerSec(text);
      if (perSec !== undefined && perSec >= MIN_RATE_PER_SEC && perSec <= MAX_RATE_PER_SEC) return perSec;
      const message =
        perSec === undefined
          ? `${JSON.stringify(text)} is not a rate; write it like 1000/s or 20k/s`
          : `${JSON.stringify(text)} is out of range; it must be from ${MIN_RATE_PER_SEC}/s to 10000k/s`;
      ctx.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}

/** A share written as `5%`; out: 0.05. */
function percentage(min: number, max: number) {
  return z
    .string()
    .meta({ title: 'percentage', pattern: '^\\d+(\\.\\d+)?\\s*%$', 'x-range': `${min}% to ${max}%`, examples: ['5%'] })
    .transform((text, ctx) => {
      const percent = Number(/^(\d+(?:\.\d+)?)\s*%$/.exec(text)?.[1] ?? Number.NaN);
      if (percent >= min && percent <= max) return percent / 100;
      const message = Number.isNaN(percent)
        ? `${JSON.stringify(text)} is not a percentage; write it like 5%`
        : `${JSON.stringify(text)} is out of range; it must be from ${min}% to ${max}%`;
      ctx.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}

export const capacitySchema = z.strictObject({
  objective: objectiveSchema
    .describe(
      'What must hold for a rate to count: metric → expression(s) as in `thresholds`. That every operation is sent (none dropped) and an availability of at least 99.9 % are asked of every trial anyway.',
    )
    .meta({ title: 'map of metric → expression(s)', examples: [{ latency: 'p(99)<2ms' }] }),
  rate: z
    .strictObject({
      min: plainRate().prefault('1000/s').describe('The first rate. When not even this one holds, the exit code is 99.'),
      max: plainRate().prefault('200k/s').describe('The search goes no higher.'),
    })
    .prefault({})
    .describe('Where the capacity is looked for: from `min` in doublings until the objective fails, then by halving what is left.'),
  trial: duration('1s', '1h')
    .prefault('5s')
    .describe('How long each rate is measured. Whether the generator is saturated shows after 3 s; shorter trials see it by its dispatch lag alone.'),
  settle: duration('0s', '10m').prefault('1s').describe('Load at the rate of the trial before it is measured.'),
  precision: percentage(1, 50)
    .prefault('5%')
    .describe('The search ends when the lowest rate that fails is at most this much above the highest that holds.'),
  confirm: whole(1, 20)
    .default(2)
    .describe('How many more trials at the rate found must hold; when one does not, the search steps down and confirms again.'),
});
