/** The schema of `variants`: names, and for each the keys of the profile that are different there. How they are merged is in variants.ts. */
import { z } from 'zod';
import { nameField } from './workloadSchema.js';

/** A run group of more than these would take days. */
const MAX_VARIANTS = 50;

const part = (key: string) =>
  z
    .unknown()
    .optional()
    .describe(`What is different in \`${key}\`.`)
    .meta({ title: `as in ${key}` });

/** Its values are checked where they arrive: merged into the profile, at the place where the variant says them. */
const variantSchema = z.strictObject({
  description: z.string().default('').describe('What is different, in a few words; shown beside its name.'),
  target: part('target'),
  toxiproxy: part('toxiproxy'),
  load: part('load'),
  objective: part('objective'),
  chaos: part('chaos'),
  thresholds: part('thresholds'),
  gate: part('gate'),
  allow: part('allow'),
});

/** Keys of the profile that a variant may have for itself. */
export const variantKeys: readonly string[] = Object.keys(variantSchema.shape).filter((key) => key !== 'description');

export const variantsSchema = z
  .record(nameField(), variantSchema)
  .refine((variants) => Object.keys(variants).length > 0, { error: 'it is empty; name at least one variant, or leave it out' })
  .refine((variants) => Object.keys(variants).length <= MAX_VARIANTS, { error: `more than ${MAX_VARIANTS} variants; split the profile` });
