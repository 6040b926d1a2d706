/**
 * The schema of one `chaos` entry: the keys every fault has, and beside them those of its kind, which come from the registered
 * faults. A fault that takes toxics can also take them from a file (`use`).
 */
import { z } from 'zod';
import type { FaultSchema } from '../chaos/fault.js';
import { faultStates } from '../plan/plan.js';
import { duration, together, whole } from './fields.js';
import { nameField } from './workloadSchema.js';

const commonKeys = {
  at: duration('0s')
    .optional()
    .describe('When it is injected, since t0.')
    .meta({ examples: ['8s'] }),
  after: z
    .strictObject({
      fault: whole(1, 10_000).describe('Number of an earlier fault: 1 is the first of the list.'),
      state: z
        .enum(faultStates)
        .describe('What that fault must have reached.')
        .meta({ examples: ['redundancyRestored'] }),
      delay: duration('0s')
        .prefault('0s')
        .describe('How long after that.')
        .meta({ examples: ['2s'] }),
    })
    .optional()
    .describe(
      'Instead of `at`: injected when an earlier fault has reached a state (of one that repeats: its first time). If it never does before the end of the load, the fault is skipped.',
    )
    .meta({ examples: [{ fault: 1, state: 'redundancyRestored' }] }),
  for: duration()
    .optional()
    .describe('How long it stays in force; healed at the end of the load when absent.')
    .meta({ examples: ['10s'] }),
  every: duration('100ms')
    .optional()
    .describe('Injected again after each such time, each time as a fault of its own; until the end of the load, or `times` in all.')
    .meta({ examples: ['5s'] }),
  times: whole(2, 1000)
    .optional()
    .describe('With `every`: how often in all.')
    .meta({ examples: [3] }),
  node: z
    .string()
    .min(1)
    .optional()
    .describe('Which node it hits, resolved at injection by the roles of that moment.')
    .meta({ title: 'node selector', examples: ['master of slot 0', 'master[1]', 'all replicas'] }),
};
export const commonFaultKeys = Object.keys(commonKeys);

/** The keys every entry has; those of its kind are checked by the fault's own schema. */
export const commonFaultSchema = together(z.strictObject(commonKeys), (has, problem) => {
  if (has('at') && has('after')) problem('at and after exclude each other; a fault has one moment', 'after');
  if (has('times') && !has('every')) problem('times says how often, and every after what time; give both, e.g. every: 5s', 'times');
  if (!has('at') && !has('after')) problem('a fault needs its moment: at: 8s, or after: { fault: 1, state: redundancyRestored }');
});
export type CommonFault = z.output<typeof commonFaultSchema>;

/** The keys of a fault's own. */
export function faultShape(fault: FaultSchema): z.ZodRawShape {
  let schema: unknown = fault.params;
  while (schema instanceof z.ZodPipe) schema = schema.def.in;
  if (!(schema instanceof z.ZodObject)) throw new Error(`bug in kvbench: the parameters of fault ${fault.kind} are not an object`);
  return schema.shape as z.ZodRawShape;
}

/** Whether toxics of this fault can stand in a file. */
export function takesToxicFile(fault: FaultSchema): boolean {
  return Object.hasOwn(faultShape(fault), 'toxics');
}

/** One entry with all its keys, for documents, editors and "did you mean". */
export function documentedFault(fault: FaultSchema): z.ZodObject {
  const own = faultShape(fault);
  const useKey = takesToxicFile(fault)
    ? {
        use: z
          .string()
          .min(1)
          .optional()
          .describe('A toxic file, relative to the profile, or the name of a shipped one; instead of `toxics`.')
          .meta({ examples: ['../toxics/slow-wan.yaml'] }),
        toxics: (own.toxics as z.ZodType).optional(),
      }
    : {};
  return z
    .strictObject({ fault: z.literal(fault.kind).describe(fault.summary), ...commonKeys, ...own, ...useKey })
    .describe(`${fault.summary} ${fault.healSummary}`);
}

/** A toxic file: the fault's own keys, under a name. Undefined when no registered fault takes toxics. */
export function toxicFileSchema(faults: readonly FaultSchema[]): z.ZodObject | undefined {
  const fault = faults.find(takesToxicFile);
  if (!fault) return undefined;
  return z.strictObject({
    ...faultShape(fault),
    name: nameField()
      .optional()
      .describe('What reports call it; the file’s name when absent.')
      .meta({ examples: ['slow-wan'] }),
    description: z.string().optional().describe('What it stands for, one sentence; shown by `kvbench list`.'),
  });
}
