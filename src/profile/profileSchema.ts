/**
 * The schema of a whole profile, put together from its parts: once as the loader checks it (files resolved, chaos entries apart) and
 * once as it is documented. The parts are the same objects, so the two cannot drift apart.
 */
import { z } from 'zod';
import type { FaultSchema } from '../chaos/fault.js';
import { capacitySchema } from './capacitySchema.js';
import { documentedFault } from './chaosSchema.js';
import { loadSchema, phasesSchema } from './loadSchema.js';
import { observeSchema } from './observeSchema.js';
import { documentedRandom } from './randomChaosSchema.js';
import { safetySchema } from './safetySchema.js';
import { targetSchema } from './targetSchema.js';
import { gateSchema, objectiveSchema, thresholdsSchema } from './thresholdSchema.js';
import { variantsSchema } from './variantSchema.js';
import { nameField, workloadSchema } from './workloadSchema.js';

const toxiproxy = z
  .string()
  .meta({ title: '`embedded`, or http:// url', pattern: '^(embedded$|https?://)', examples: ['embedded', 'http://127.0.0.1:8474'] })
  .refine((text) => text === 'embedded' || isHttpUrl(text), {
    error: (issue) => `${JSON.stringify(issue.input)} is neither "embedded" nor a url like http://host:8474`,
  });

function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^/]/.test(text) && URL.canParse(text);
}

function profileSchema<W extends z.ZodType, C extends z.ZodType, P extends z.ZodType>(workload: W, chaosEntry: C, phases: P) {
  return z.strictObject({
    name: nameField()
      .optional()
      .describe('What reports and result folders call it; the file’s name when absent.')
      .meta({ examples: ['failover'] }),
    description: z.string().default('').describe('What it shows, one sentence; shown by `kvbench list`.'),
    seed: z.int().min(0).default(42).describe('Every random draw of the run comes from it: the same seed repeats the same run.'),
    target: targetSchema.describe('What is measured.'),
    toxiproxy: toxiproxy
      .default('embedded')
      .describe('Where network faults are made: kvbench’s own server, or a running Toxiproxy. Not used when no fault needs it.'),
    load: loadSchema(workload, phases).describe('What is asked of the target.'),
    objective: objectiveSchema
      .default({})
      .describe('What "good enough" means here, for telling degraded times: metric → expression(s) as in `thresholds`.')
      .meta({
        title: 'map of metric → expression(s)',
        examples: [{ 'latency{op:get}': 'p(99)<20ms' }],
      }),
    chaos: z.array(chaosEntry).max(1000).default([]).describe('The faults, numbered from 1 in this order.'),
    safety: safetySchema
      .prefault({})
      .describe('What keeps chaos within bounds: a check before the first fault, limits, conditions that stop the run.'),
    observe: observeSchema.prefault({}).describe('What kvbench looks at beside the load, on connections of its own.'),
    thresholds: thresholdsSchema
      .default({})
      .describe('What must hold for exit code 0: metric → expression(s). Read like k6’s.')
      .meta({
        title: 'map of metric → expression(s)',
        examples: [{ 'gap{shard:any}': ['max<15s'] }],
      }),
    gate: gateSchema
      .default({})
      .describe(
        'How much worse a later run may be, for `kvbench gate`: metric → figure and tolerance. Judged when two sides are compared, not in a run.',
      )
      .meta({
        title: 'map of metric → rule(s)',
        examples: [{ 'latency{op:get}': 'p(99) +10%', throughput: '-5%' }],
      }),
    capacity: capacitySchema
      .optional()
      .describe(
        'Looks for the highest open-loop rate at which an objective holds, in many short trials, instead of one run. Excludes `load.phases`, `chaos` and `thresholds`.',
      )
      .meta({ examples: [{ objective: { latency: 'p(99)<2ms' } }] }),
    variants: variantsSchema
      .optional()
      .describe(
        'Name → what is different there: the same keys as the profile (target, load, chaos, thresholds, …). `kvbench run` plays them one after the other, `--repeat N` times over, as a run group with one report. Excludes `capacity`.',
      )
      .meta({
        title: 'map of name → differences',
        examples: [{ 'aof-always': { target: { config: { appendonly: 'yes', appendfsync: 'always' } } } }],
      }),
    allow: z
      .array(z.string())
      .default([])
      .describe('On an external target: the kinds of fault its owner allows. In a lab all are.')
      .meta({ examples: [['toxic']] }),
  });
}

/** What the loader checks: the workload already in place, chaos entries checked one by one against their faults. */
export const resolvedProfileSchema = profileSchema(workloadSchema, z.unknown(), phasesSchema);
export type ProfileOutput = z.output<typeof resolvedProfileSchema>;

/** What people write, for the reference, editors and "did you mean". */
export function documentedProfileSchema(faults: readonly FaultSchema[]): z.ZodObject {
  const entries = [...faults.map(documentedFault), documentedRandom];
  const [first, ...rest] = entries;
  const entry = first ? z.discriminatedUnion('fault', [first, ...rest] as never) : z.never();
  const workload = z.union([
    z
      .string()
      .min(1)
      .meta({ title: 'file or shipped name', examples: ['../workloads/session-cache.yaml'] }),
    workloadSchema,
  ]);
  // Those of a search for the capacity are its own: to an editor, a profile without phases is whole.
  return profileSchema(workload, entry as z.ZodType, phasesSchema.optional());
}
