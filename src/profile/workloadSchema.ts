/** The schema of a workload: what is asked of the store. The same keys stand in a file or inline under `load.workload`. */
import { z } from 'zod';
import { type BuiltInOperation, operationNames } from '../plan/plan.js';
import { commandsSchema } from './commandSchema.js';
import { duration, size, whole } from './fields.js';
import { isMap } from './profileTree.js';

/** What names may consist of: they become parts of file names, tags and tables. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const nameField = () => z.string().regex(NAME_PATTERN).meta({ title: 'name (letters, digits, ".", "_" and "-", at most 64)' });

const weight = (what: string) => z.number().min(0).max(1_000_000).default(0).describe(what);

const operations = z
  .strictObject({
    get: weight('Weight of GET: reads a key.'),
    set: weight('Weight of SET: writes a key with a value of `values`, expiring after `ttl`.'),
    incr: weight('Weight of INCR: counts up a counter; counters live in a key space of their own.'),
    del: weight('Weight of DEL: removes a key.'),
    readModifyWrite: weight(
      'Weight of pairs: a GET and, as soon as it is answered, a SET of the same key, as in YCSB’s workload F. Both are counted, as a get and as a set.',
    ),
  } satisfies Record<BuiltInOperation | 'readModifyWrite', z.ZodType>)
  // Those of custom commands; what else is not known is found below.
  .catchall(z.number().min(0).max(1_000_000).describe('Weight of the custom command of this name.'))
  .refine((weights) => Object.values(weights).some((weight) => weight > 0), {
    error: 'a workload without weights does nothing; give at least one operation a weight above 0, e.g. operations: { get: 90, set: 10 }',
  });

const keys = z
  .strictObject({
    count: whole(1, 1_000_000_000)
      .default(100_000)
      .describe('How many different keys there are.')
      .meta({ examples: [100_000] }),
    distribution: z
      .enum(['uniform', 'sequential', 'zipfian', 'hotspot', 'gaussian', 'latest'])
      .default('uniform')
      .describe(
        'Which key an operation takes: `uniform`, all alike; `sequential`, one after the other; `zipfian`, few are popular, scattered over the key space as in YCSB; `hotspot`, a fraction gets a share; `gaussian`, around a middle; `latest`, writes go through the keys in turn and reads prefer what was written last.',
      ),
    prefix: z
      .string()
      .min(1)
      .max(200)
      .default('kvbench:')
      .describe(
        'What every key begins with. On an external target a part of the run’s own follows it. In a cluster, all keys of a prefix with a hash tag, like `app:{x}:`, share one slot.',
      )
      .meta({
        examples: ['kvbench:'],
      }),
    perTag: whole(0, 1_000_000_000)
      .default(0)
      .describe(
        'So many neighbouring keys share a hash tag, and with it a slot and a node of a cluster, as related keys of one user would; 0: no tags. Keys are called `prefix{0}:0`, `prefix{0}:1` and so on.',
      )
      .meta({ examples: [10] }),
    theta: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe('For `zipfian` and `latest`: the skew; the nearer to 1, the more popular the popular. 0.99 when absent, as in YCSB.')
      .meta({
        examples: [0.99],
      }),
    mean: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('For `gaussian`: where the middle is, as a fraction of the keys. 0.5 when absent.')
      .meta({ examples: [0.5] }),
    deviation: z
      .number()
      .min(0.000001)
      .max(10)
      .optional()
      .describe('For `gaussian`: the standard deviation, as a fraction of the keys. A sixth when absent, as in memtier_benchmark.')
      .meta({ examples: [0.1] }),
    hotFraction: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe('For `hotspot`: the fraction of keys that is hot. 0.2 when absent.')
      .meta({ examples: [0.2] }),
    hotShare: z
      .number()
      .gt(0)
      .lte(1)
      .optional()
      .describe('For `hotspot`: the share of operations that goes to hot keys. 0.8 when absent.')
      .meta({ examples: [0.8] }),
  })
  .superRefine((value, ctx) => {
    const only = (key: 'theta' | 'mean' | 'deviation' | 'hotFraction' | 'hotShare', ...distributions: string[]): void => {
      if (value[key] === undefined || distributions.includes(value.distribution)) return;
      ctx.addIssue({
        code: 'custom',
        path: [key],
        message: `belongs to distribution: ${distributions.join(' or ')}, but here it is ${value.distribution}; leave it out`,
      });
    };
    if (value.perTag > 0 && /\{[^}]+\}/.test(value.prefix)) {
      const message = `does nothing with prefix ${JSON.stringify(value.prefix)}: a server takes the first tag of a key, which is the prefix’s; leave one of them out`;
      ctx.addIssue({ code: 'custom', path: ['perTag'], message });
    }
    only('theta', 'zipfian', 'latest');
    only('mean', 'gaussian');
    only('deviation', 'gaussian');
    only('hotFraction', 'hotspot');
    only('hotShare', 'hotspot');
  });

const values = z
  .strictObject({
    distribution: z
      .enum(['fixed', 'uniform', 'lognormal'])
      .optional()
      .describe(
        'How value sizes vary: `fixed` (needs `size`), `uniform` (needs `min` and `max`) or `lognormal` (needs `median`, like most real data). Follows from the keys given when absent.',
      ),
    size: size()
      .optional()
      .describe('For `fixed`: the size of every value.')
      .meta({ examples: ['64B'] }),
    min: size()
      .optional()
      .describe('For `uniform`: the smallest value.')
      .meta({ examples: ['16B'] }),
    max: size()
      .optional()
      .describe('For `uniform` and `lognormal`: the largest value. For `lognormal` 100 × the median when absent.')
      .meta({ examples: ['64KB'] }),
    median: size()
      .optional()
      .describe('For `lognormal`: half of the values are smaller.')
      .meta({ examples: ['200B'] }),
    sigma: z
      .number()
      .gt(0)
      .max(4)
      .optional()
      .describe('For `lognormal`: the spread (standard deviation of the logarithm). 1 when absent.')
      .meta({ examples: [1] }),
    checksum: z
      .boolean()
      .default(false)
      .describe(
        'Whether values are made of 64-byte records with a number and a CRC-32 each, so that any reader can tell a value that is damaged, cut off or another key’s. Sizes are rounded up to whole records.',
      ),
  })
  .superRefine((value, ctx) => {
    const problem = (message: string, key?: string): void => ctx.addIssue({ code: 'custom', message, path: key ? [key] : [] });
    const kind = value.distribution ?? (value.median !== undefined ? 'lognormal' : value.min !== undefined ? 'uniform' : 'fixed');
    const takes = { fixed: ['size'], uniform: ['min', 'max'], lognormal: ['median', 'sigma', 'max'] }[kind];
    const needs = { fixed: ['size'], uniform: ['min', 'max'], lognormal: ['median'] }[kind];
    for (const key of ['size', 'min', 'max', 'median', 'sigma'] as const) {
      if (value[key] !== undefined && !takes.includes(key)) problem(`does not belong to ${kind} values; they take ${takes.join(' and ')}`, key);
      if (value[key] === undefined && needs.includes(key)) problem(`${kind} values need "${key}", e.g. ${key}: 64B`);
    }
    const low = kind === 'uniform' ? value.min : kind === 'lognormal' ? value.median : undefined;
    if (low !== undefined && value.max !== undefined && value.max < low) problem(`is smaller than ${kind === 'uniform' ? 'min' : 'median'}`, 'max');
  });

const wholeWorkload = z.strictObject({
  name: nameField()
    .optional()
    .describe('What reports call it; the file’s name when absent.')
    .meta({ examples: ['session-cache'] }),
  description: z.string().optional().describe('What it stands for, one sentence; shown by `kvbench list`.'),
  operations: operations.describe('Weights of the operations; 90 and 10 mean the same as 9 and 1.').meta({ examples: [{ get: 90, set: 10 }] }),
  commands: commandsSchema
    .describe('Custom commands: operations of the workload’s own, under names of its choice, at most 16. They are counted and shown like the others.')
    .meta({ title: 'map of name → command', examples: [{ touch: { command: 'EXPIRE __key__ 60' } }] }),
  keys: keys.prefault({}).describe('The key space and how operations pick from it.'),
  values: values.prefault({ size: '64B' }).describe('The sizes of the values that SET and `__value__` write.'),
  ttl: duration('0s', '8760h')
    .prefault('0s')
    .describe('Expiry of what SET writes; `0s`: none.')
    .meta({ examples: ['60s'] }),
  preload: z.boolean().default(true).describe('Whether every key is written once before the load starts, so that reads find something.'),
});

/** Operations and commands belong together: none without the other. Also told when other keys are wrong. */
const commandsAndWeights = z.superRefine<unknown>((value, ctx) => {
  if (!isMap(value) || !isMap(value.operations)) return;
  const weights = value.operations;
  const commands = isMap(value.commands) ? Object.keys(value.commands) : [];
  const known: readonly string[] = [...operationNames, 'readModifyWrite', ...commands];
  const unknown = Object.keys(weights).filter((name) => !known.includes(name));
  if (unknown.length > 0) ctx.addIssue({ code: 'unrecognized_keys', keys: unknown, path: ['operations'], input: weights });
  for (const name of commands) {
    if (weights[name] !== undefined) continue;
    const message = `would never be sent; give it a weight, e.g. operations: { ${name}: 10 }`;
    ctx.addIssue({ code: 'custom', path: ['commands', name], message });
  }
});
commandsAndWeights._zod.def.when = () => true;

export const workloadSchema = wholeWorkload.check(commandsAndWeights as z.core.$ZodCheck<z.output<typeof wholeWorkload>>);
export type Workload = z.output<typeof workloadSchema>;
