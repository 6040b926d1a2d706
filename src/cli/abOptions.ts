/** Arguments of `kvbench ab`. Used by main.ts, so it must load nothing: help has to stay quick. */
import type { Argv } from 'yargs';

export function abOptions(command: Argv) {
  return command
    .positional('profile', { type: 'string', demandOption: true, describe: 'A profile file, or the name of a shipped profile' })
    .option('base', { type: 'string', array: true, default: [] as string[], describe: 'What the base has for itself: path=value, as --set' })
    .option('candidate', { type: 'string', array: true, default: [] as string[], describe: 'What the candidate has for itself: path=value' })
    .option('set', { type: 'string', array: true, default: [] as string[], describe: 'Override a value of both: path=value' })
    .option('seed', { type: 'number', describe: 'Seed of every random draw (default: the profile’s)' })
    .option('rule', { type: 'string', array: true, describe: 'What is asked, e.g. "latency{op:get}: p(99) +10%" (default: the profile’s gate)' })
    .option('max-pairs', { type: 'number', default: 10, describe: 'Play at most so many pairs' })
    .option('budget', { type: 'string', describe: 'Begin no pair that would not be over within this time, e.g. 10m' })
    .option('inconclusive', { choices: ['pass', 'fail'] as const, default: 'pass' as const, describe: 'What an undecided question comes to' })
    .option('confidence', { type: 'number', default: 95, describe: 'Of the answer, however often it is looked at, in per cent' })
    .option('same-within', { type: 'number', default: 5, describe: 'A change that is smaller, in per cent, is none that matters' })
    .option('out', { type: 'string', describe: 'Result folder (default: reports/<time>-<name>)' })
    .option('dry-run', { type: 'boolean', default: false, describe: 'Show both timelines, the looks and what it costs; start nothing' })
    .example('$0 ab ci-gate --candidate target.server=./redis/src/redis-server', 'Is this build slower than the installed one?')
    .example('$0 ab steady --base load.client=ioredis --candidate load.client=wire --rule "latency: p(99) +0%"', 'Two clients')
    .example('$0 ab persistence --candidate target.config.appendonly=yes --budget 10m', 'One setting, ten minutes at most');
}

export type AbArguments = Awaited<ReturnType<typeof abOptions>['argv']>;
