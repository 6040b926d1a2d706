/** The schema of a workload's `commands`: what operations there are beside get, set, incr and del. Used by workloadSchema.ts. */
import { z } from 'zod';
import { operationNames } from '../plan/plan.js';
import { templateOf } from './customCommand.js';

const MAX_COMMANDS = 16;
const MAX_COMMAND_CHARACTERS = 16_384;
/** Names of operations become tags, keys of tables and columns. `all` is their sum; the last one every object of JavaScript has. */
const COMMAND_NAME = /^[a-z][a-z0-9_-]{0,31}$/;
const reserved: readonly string[] = [...operationNames, 'all', 'constructor'];

const commandSchema = z.strictObject({
  command: z
    .string()
    .min(1)
    .max(MAX_COMMAND_CHARACTERS)
    .superRefine((text, ctx) => {
      if (text === '') return;
      const template = templateOf(text);
      if ('problem' in template) ctx.addIssue({ code: 'custom', message: template.problem });
    })
    .describe(
      'The command as for redis-cli: blanks divide arguments, double quotes (with \\n, \\xHH and so on) or single ones keep them together. `__key__`, an argument of its own, is an ordinary key of the workload, the same one wherever it stands in the command; a cluster needs it. `__value__`, also inside an argument and once in each, is a value of `values`; `__data__` means the same. Other keys are the writer’s own business: nobody spreads, checks or removes them. What piles up in a key (APPEND, LPUSH) is not in the check of `maxmemory`.',
    )
    .meta({ examples: ['EXPIRE __key__ 60'] }),
  kind: z
    .enum(['read', 'write'])
    .default('write')
    .describe(
      'What it does to its key. Writes of a key wait for each other; reads do not, and go where `load.readFrom` says. Gaps tell the two apart.',
    ),
});

export const commandsSchema = z
  .record(z.string(), commandSchema)
  .superRefine((commands, ctx) => {
    const names = Object.keys(commands);
    for (const name of names) {
      const problem = reserved.includes(name)
        ? 'is taken; choose another name for the operation'
        : COMMAND_NAME.test(name)
          ? null
          : 'is no name of an operation: small letters, digits, "_" and "-", at most 32, a letter first';
      if (problem !== null) ctx.addIssue({ code: 'custom', path: [name], message: problem });
    }
    if (names.length > MAX_COMMANDS)
      ctx.addIssue({ code: 'custom', path: [], message: `there are ${names.length}; at most ${MAX_COMMANDS} are taken` });
  })
  .default({});
