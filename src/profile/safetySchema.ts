/** The schema of `safety`: the check before the first fault, limits on what may be down, stop conditions, time to live. */
import { z } from 'zod';
import { duration, whole } from './fields.js';

const percentage = z
  .string()
  .regex(/^(100|\d{1,2})(\.\d+)?%$/, 'must be a percentage from 0% to 100%, like 5%')
  .meta({ title: 'percentage', examples: ['5%'] })
  .transform((text) => Math.min(1, Number.parseFloat(text) / 100));

const check = z.strictObject({
  replicasInSync: z
    .boolean()
    .default(true)
    .describe('Whether every shard that has replicas must have one in sync. Until it has (at most 3 s late) no fault is begun.'),
  maxErrorRate: percentage.prefault('50%').describe('The highest share of operations that may have failed in the last second.'),
});

const limits = z.strictObject({
  maxNodesDown: whole(0, 1000)
    .optional()
    .describe('At most so many nodes down at once; a fault that would take down more is skipped. No limit when absent.')
    .meta({ examples: [1] }),
  keepInSyncCopy: z
    .boolean()
    .default(false)
    .describe('Whether a fault is skipped that would take the last node of a shard down that has all its data.'),
});

export const safetySchema = z.strictObject({
  check: check.prefault({}).describe('What must hold before the first fault. A fault that comes while it does not is skipped.'),
  limits: limits.prefault({}).describe('Faults that would go beyond are skipped, with the reason.'),
  stop: z
    .array(
      z
        .string()
        .min(1)
        .meta({ title: 'stop condition', examples: ['errors: rate>0.9 for 10s'] }),
    )
    .max(20)
    .default([])
    .describe(
      'Conditions that end the run (exit code 108, everything healed and written): a metric, an expression, and for how long: `errors: rate>0.9 for 10s` is judged over the last 10 s. Metrics: latency, service, queue, errors, availability, throughput; tag `op`.',
    )
    .meta({ examples: [['errors: rate>0.9 for 10s']] }),
  timeToLive: duration('1s')
    .optional()
    .describe('Nothing stays in force longer, whatever becomes of the schedule. When absent: 30 s longer than planned.')
    .meta({ examples: ['1m'] }),
});
export type SafetyInput = z.output<typeof safetySchema>;
