/** Arguments of `diff`, `gate` and `baseline`. Used by main.ts, so it must load nothing: help has to stay quick. */
import type { Argv } from 'yargs';
import type { CompareLevel } from '../compare/comparison.js';

const compareLevels = ['strict', 'machine', 'profile', 'any'] as const satisfies readonly CompareLevel[];
/** Relative to the working folder, so that a pipeline can cache it. */
const BASELINES_DIR = '.kvbench/baselines';

function sidesOptions(command: Argv) {
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
      describe: 'What has to be the same: load, workload and faults (profile), these and the machine (machine), everything (strict), nothing (any)',
    })
    .option('rule', { type: 'string', array: true, describe: 'A rule of the gate, e.g. "latency{op:get}: p(99) +10%"; can be repeated' })
    .option('rules', { type: 'string', describe: 'A YAML file with rules: a map like a profile’s gate, or a profile' })
    .option('inconclusive', { choices: ['pass', 'fail'] as const, default: 'pass' as const, describe: 'What an undecided gate comes to' })
    .option('confidence', { type: 'number', default: 95, describe: 'Of intervals and verdicts, in per cent' })
    .option('same-within', { type: 'number', default: 5, describe: 'A change that is smaller, in per cent, is none that matters (~)' })
    .option('markdown', { type: 'string', describe: 'Write Markdown to this file (appended where it is $GITHUB_STEP_SUMMARY)' })
    .option('json', { type: 'string', describe: 'Write the comparison as JSON to this file' })
    .option('junit', { type: 'string', describe: 'Write one test case per rule to this file' })
    .option('html', {
      type: 'string',
      describe: 'Write a page with both sides over time, their percentiles and every figure to this file (default name comparison.html)',
    })
    .option('png', { type: 'string', describe: 'Write a picture of both sides to this file (default name comparison.png)' })
    .option('dir', { type: 'string', default: BASELINES_DIR, describe: 'Folder of the baselines' })
    .option('all', { type: 'boolean', default: false, describe: 'Also figures without a change' });
}

export function diffOptions(command: Argv) {
  return sidesOptions(command)
    .option('gate', { type: 'boolean', default: false, describe: 'Judge the rules too, as kvbench gate does' })
    .example('$0 diff reports/before reports/after', 'Two runs')
    .example("$0 diff 'reports/*-before-*' 'reports/*-after-*'", 'Several of each: only then chance can be told from change')
    .example('$0 diff reports/my-group#base reports/my-group#candidate', 'Two variants of a group')
    .example('$0 diff main reports/after --markdown comment.md --png sides.png', 'A baseline against a run, for a pull request')
    .example('$0 diff reports/my-group --html', 'Both variants of a group on one time axis, in comparison.html');
}

export function gateOptions(command: Argv) {
  return sidesOptions(command)
    .example(
      '$0 gate main reports/after --rule "throughput: -5%"',
      'Exit code 99 when throughput is more than 5 % below the baseline, and that is no chance',
    )
    .example('$0 gate reports/g#base reports/g#candidate', 'The rules of the profile (gate:)')
    .example('$0 gate a b --rules gate.yaml --inconclusive fail', 'Undecided is not good enough');
}

export function baselineOptions(command: Argv) {
  return command
    .positional('action', { choices: ['save', 'list', 'show', 'path'] as const, demandOption: true, describe: 'What to do' })
    .positional('name', { type: 'string', describe: 'Name of the baseline' })
    .positional('runs', { type: 'string', array: true, describe: 'save: its runs, as a side of kvbench diff' })
    .option('dir', { type: 'string', default: BASELINES_DIR, describe: 'Folder of the baselines; cache it between pipelines' })
    .option('force', { type: 'boolean', default: false, describe: 'save: over a baseline that exists' })
    .example("$0 baseline save main 'reports/*-ci-gate*'", 'Keep these runs, and how much they differ, under a name')
    .example('$0 baseline show main', 'What it holds, and how small a change it can show');
}

export type DiffArguments = Awaited<ReturnType<typeof diffOptions>['argv']>;
export type GateArguments = Awaited<ReturnType<typeof gateOptions>['argv']>;
export type BaselineArguments = Awaited<ReturnType<typeof baselineOptions>['argv']>;
