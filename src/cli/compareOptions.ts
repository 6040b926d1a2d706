/** Arguments of `diff`, `gate` and `baseline`. Used by main.ts, so it must load nothing: help has to stay quick. */
import type { Argv } from 'yargs';
import type { CompareLevel } from '../compare/comparison.js';

const compareLevels = ['strict', 'machine', 'profile', 'any'] as const satisfies readonly CompareLevel[];
/** Relative to the working folder, so that a pipeline can cache it. */
const BASELINES_DIR = '.kvbench/baselines';

export function diffOptions(command: Argv) {
  return command
    .positional('sides', {
      type: 'string',
      array: true,
      describe: 'BASE and CANDIDATE: a run, a list a,b,c, a pattern in quotes, GROUP, GROUP#variant, or a baseline',
    })
    .option('base', { type: 'string', array: true, describe: 'A run of the base; can be repeated, instead of BASE' })
    .option('candidate', { type: 'string', array: true, describe: 'A run of the candidate; can be repeated, instead of CANDIDATE' })
    .option('compare', {
      choices: compareLevels,
      describe: 'What has to be the same: load and faults (profile), these and the machine (machine), everything (strict), nothing (any)',
    })
    .option('dir', { type: 'string', default: BASELINES_DIR, describe: 'Folder of the baselines' })
    .option('all', { type: 'boolean', default: false, describe: 'Also rows in which nothing changed' })
    .example('$0 diff reports/before reports/after', 'Two runs')
    .example("$0 diff 'reports/*-before-*' 'reports/*-after-*'", 'Several of each: only then chance can be told from change')
    .example('$0 diff reports/my-group#base reports/my-group#candidate', 'Two variants of a group');
}

export type DiffArguments = Awaited<ReturnType<typeof diffOptions>['argv']>;
