/** The schema of `thresholds`, `objective` and `gate`: their shape. What the expressions mean is in thresholdExpression.ts and gateRule.ts. */
import { z } from 'zod';
import { duration } from './fields.js';

const expression = () =>
  z
    .string()
    .min(1)
    .meta({ title: 'expression', examples: ['p(99)<20ms'] });

const gateExpression = () =>
  z
    .string()
    .min(1)
    .meta({ title: 'rule', examples: ['p(99) +10%'] });

const thresholdObject = z.strictObject({
  threshold: expression().describe('The expression that must hold.'),
  abortOnFail: z.boolean().default(false).describe('Ends the run as soon as it does not hold (exit code 99).'),
  delayAbortEval: duration('0s')
    .prefault('0s')
    .describe('How long after t0 a failure does not yet end the run.')
    .meta({ examples: ['10s'] }),
});

/** `latency{op:get}` → one expression, several, or objects that can end the run. */
export const thresholdsSchema = z.record(
  z.string(),
  z.union([expression(), z.array(z.union([expression(), thresholdObject])).min(1), thresholdObject]),
);
export type ThresholdEntry = z.output<typeof thresholdsSchema>[string];

/** How much worse a figure may get; what the rules mean is in gateRule.ts. */
export const gateSchema = z.record(z.string(), z.union([gateExpression(), z.array(gateExpression()).min(1)]));

/** As thresholds, but an objective ends nothing. */
export const objectiveSchema = z.record(z.string(), z.union([expression(), z.array(expression()).min(1)]));
