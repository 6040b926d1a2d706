/** What the schemas of a result folder's files have in common. Used by recordSchemas.ts and summarySchema.ts. */
import { z } from 'zod';
import { FORMAT_VERSION } from './records.js';

export const formatVersion = z.literal(FORMAT_VERSION);
export const timeUs = z.number().describe('µs since t0; negative before it');
export const timeMs = z.number().nullable().describe('ms since t0; null: did not happen or cannot be seen');
export const count = z.number().int().nonnegative();
export const accessKind = z.enum(['read', 'write']);
export const role = z.enum(['master', 'replica', 'sentinel', 'unknown']);
export const sparseHistogram = z
  .array(z.number().int().nonnegative())
  .describe('flat pairs [index step, count, …] over the counts array of an HDR histogram of 1 µs to 10 min with 3 significant digits');
export const byOperation = <T extends z.ZodType>(value: T) =>
  z.record(z.string().describe('get, set, incr, del or the name of a custom command'), value);

export const nodeRef = z.looseObject({ node: z.string(), shard: z.number().int().nullable(), role });
export const nodeRecord = z.looseObject({
  id: z.string(),
  role,
  address: z.string(),
  shard: z.number().int().nullable(),
  slots: z.array(z.string()),
  masterId: z.string().nullable(),
});

export const faultSides = z
  .array(z.looseObject({ nodes: z.array(z.string()), clients: z.array(z.string()) }))
  .describe('of a fault that cuts the network: who is cut off from whom (one-way: from, to); absent: it cuts nothing');
