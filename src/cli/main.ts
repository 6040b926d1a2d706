#!/usr/bin/env node
/**
 * The program: maps a command name to a function and is the only place that exits. Commands are loaded when they are called, so that
 * `kvbench --help` stays quick. What a command function returns is the exit code.
 */
import type { Argv } from 'yargs';
import { ExitCode, KvbenchError, messageOf } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import { abOptions } from './abOptions.js';
import { baselineOptions, diffOptions, gateOptions } from './compareOptions.js';
import { helpPage } from './helpPage.js';
import { explainParseFailure } from './parseFailure.js';
import { makeTerminal, type Terminal } from './terminal.js';

type Command = (terminal: Terminal) => Promise<ExitCode>;

const argv = process.argv.slice(2);
/** Of these several can be given. */
const repeatable = new Set(['set', 'variant', 'command', 'commandRatio', 'command-ratio', 'profiles', 'sides', 'base', 'candidate', 'rule', 'runs']);
let chosen: Command | null = null;
/** Remembers what to do; nothing runs inside yargs, whose own error handling would blur ours. */
const choose = (command: Command): void => {
  chosen = command;
};

process.exitCode = await main();

async function main(): Promise<ExitCode> {
  const terminal = makeTerminal({ quiet: argv.includes('--quiet') || argv.includes('-q'), color: !argv.includes('--no-color') }, process.env);
  try {
    if (argv.length === 1 && (argv[0] === '--help' || argv[0] === '-h')) {
      process.stdout.write(helpPage(declared, columns()));
      return ExitCode.passed;
    }
    await (await parser(argv)).parseAsync();
    if (chosen === null) return ExitCode.passed;
    return await (chosen as Command)(terminal);
  } catch (thrown) {
    return report(thrown, terminal);
  }
}

function report(thrown: unknown, terminal: Terminal): ExitCode {
  if (thrown instanceof KvbenchError) {
    terminal.alert(`kvbench: ${thrown.message}`);
    if (thrown.hint !== undefined) terminal.alert(`  ${thrown.hint}`);
    if (thrown.exitCode === ExitCode.internal && thrown.cause instanceof Error && process.env.KVBENCH_DEBUG)
      terminal.alert(String(thrown.cause.stack));
    return thrown.exitCode;
  }
  terminal.alert(`kvbench: internal error: ${messageOf(thrown)}`);
  terminal.alert('  This is a bug in kvbench. Please report it with these lines and the run folder.');
  if (thrown instanceof Error) terminal.alert(String(thrown.stack));
  return ExitCode.internal;
}

/** As wide as the terminal, within reason. */
function columns(): number {
  return Math.min(110, process.stdout.columns ?? 100);
}

async function parser(args: readonly string[]): Promise<Argv> {
  // Not for `kvbench --help`: it takes longer to load than Node takes to start.
  const { default: yargs } = await import('yargs');
  const self: Argv = yargs(args as string[]);
  return declared(self.scriptName('kvbench'))
    .version(kvbenchVersion)
    .alias('v', 'version')
    .alias('h', 'help')
    .demandCommand(1, 'Name a command.')
    .parserConfiguration({ 'camel-case-expansion': true, 'greedy-arrays': false, 'populate--': true })
    .strict()
    .check(nothingTwice)
    .exitProcess(false)
    .wrap(columns())
    .fail((message, error) => {
      throw explainParseFailure(message, error, args, self);
    });
}

/** The commands, and all that the page of `kvbench --help` shows. */
function declared(self: Argv): Argv {
  return self
    .usage(
      '$0 <command>\n\nBenchmarks and chaos-tests Redis and Valkey: measured load, scripted faults, and a report in which every dip has a cause.',
    )
    .command('run [profile]', 'Run a profile (a file, or the name of a shipped one), or make a quick run with --url', runOptions, (args) =>
      choose(async (terminal) => (await import('./run.js')).run(args, terminal)),
    )
    .command('validate <profiles..>', 'Check profiles, workloads and toxics, without starting anything', validateOptions, (args) =>
      choose(async (terminal) => (await import('./validate.js')).validate(args, terminal)),
    )
    .command('report <run>', 'Make the report of a run again from its folder', reportOptions, (args) =>
      choose(async (terminal) => (await import('./report.js')).report(args, terminal)),
    )
    .command('diff [sides..]', 'Compare two runs, or two sets of runs: what changed, and how sure that is', diffOptions, (args) =>
      choose(async (terminal) => (await import('./diff.js')).diff(args, terminal)),
    )
    .command('verify <run>', 'Count again what a run lost, from its operation log, and compare with its summary', verifyOptions, (args) =>
      choose(async (terminal) => (await import('./verify.js')).verify(args, terminal)),
    )
    .command('ab <profile>', 'Play base and candidate in turn until it is decided which is better', abOptions, (args) =>
      choose(async (terminal) => (await import('./ab.js')).ab(args, terminal)),
    )
    .command('gate [sides..]', 'Fail when the candidate is worse than the base by more than chance and tolerance', gateOptions, (args) =>
      choose(async (terminal) => (await import('./gate.js')).gate(args, terminal)),
    )
    .command('baseline <action> [name] [runs..]', 'Keep runs under a name to compare with: save, list, show, path', baselineOptions, (args) =>
      choose(async (terminal) => (await import('./baseline.js')).baseline(args, terminal)),
    )
    .command('list [what]', 'List profiles, workloads, toxics, faults or runs', listOptions, (args) =>
      choose(async (terminal) => (await import('./list.js')).list(args, terminal)),
    )
    .command('lab <action> [what]', 'Keep a lab running in the background: up PROFILE, status, down', labOptions, (args) =>
      choose(async (terminal) => (await import('./lab.js')).lab(args, terminal)),
    )
    .command('inject <fault>', 'Break a lab that runs in the background, by hand', injectOptions, (args) =>
      choose(async (terminal) => (await import('./inject.js')).inject(args, terminal)),
    )
    .command('heal [run]', 'Undo what a killed run left on targets that are not kvbench’s own, or mend a lab', healOptions, (args) =>
      choose(async (terminal) => (await import('./heal.js')).heal(args, terminal)),
    )
    .command('proxy', 'Run a Toxiproxy-compatible server for your own tests, until Ctrl-C', proxyOptions, (args) =>
      choose(async (terminal) => (await import('./proxy.js')).proxy(args, terminal)),
    )
    .command('doctor', 'Check what this machine offers: server, limits, ports, memory settings', noOptions, () =>
      choose(async (terminal) => (await import('./doctor.js')).doctor(terminal)),
    )
    .command('schema', 'Print the JSON Schema of profiles, for editors', noOptions, () =>
      choose(async (terminal) => (await import('./schema.js')).schema(terminal)),
    )
    .completion('completion', 'Print the completion script for bash or zsh')
    .option('quiet', { alias: 'q', type: 'boolean', global: true, describe: 'Only errors and the result' })
    .option('color', { type: 'boolean', default: true, global: true, describe: 'Colour where the terminal has it (--no-color, NO_COLOR)' })
    .example('$0 run profiles/failover.yaml', 'Kill a master of a real cluster under load and see what the clients felt')
    .example('$0 run failover --set load.phases.1.rate=8000/s', 'The same, with more load')
    .example('$0 run failover --dry-run', 'Show the timeline; start nothing')
    .example('$0 run --url redis://127.0.0.1:6379 --workload session-cache --rate 2000/s --duration 30s', 'A quick run without a profile')
    .example('$0 report reports/20261121-140000-failover', 'Make the pages of a run again')
    .epilogue(
      'Exit codes: 0 well · 99 threshold or gate failed · 100 target not available · 104 invalid input · 105 interrupted · 107 internal error · 108 stop condition',
    );
}

/** A flag that takes one value, given twice: which one is meant? */
function nothingTwice(args: Record<string, unknown>): true {
  for (const [name, value] of Object.entries(args)) {
    if (!Array.isArray(value) || name === '_' || name === '--' || repeatable.has(name)) continue;
    throw new KvbenchError('INVALID_ARGUMENT', `--${name} was given ${value.length} times: ${value.join(', ')}`, 'Give it once.');
  }
  return true;
}

function noOptions(command: Argv): Argv {
  return command;
}

function validateOptions(command: Argv) {
  return command
    .positional('profiles', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Profiles, workloads or toxics: files, or names of shipped profiles',
    })
    .option('set', { type: 'string', array: true, default: [] as string[], describe: 'Override a value: path=value' })
    .example('$0 validate profiles/*.yaml', 'Check all of them');
}

function reportOptions(command: Argv) {
  return command
    .positional('run', { type: 'string', demandOption: true, describe: 'A result folder' })
    .example('$0 report reports/20261121-140000-failover', 'Write report.html, the picture and the summary again');
}

function healOptions(command: Argv) {
  return command
    .positional('run', { type: 'string', describe: 'The result folder of a killed run; all that left something without it' })
    .option('lab', { type: 'string', describe: 'A lab that runs in the background: everything in it is made well' })
    .example('$0 heal', 'Undo everything that killed runs left')
    .example('$0 heal --lab failover', 'Start what was killed, resume what was paused, open every link');
}

function labOptions(command: Argv) {
  return command
    .positional('action', { choices: ['up', 'status', 'down'] as const, demandOption: true, describe: 'What to do' })
    .positional('what', { type: 'string', describe: 'up: a profile, whose target the lab is; else the name of a lab' })
    .option('name', { type: 'string', describe: 'Name of the lab (default: the profile’s)' })
    .option('server', { type: 'string', describe: 'up: redis-server or valkey-server program' })
    .option('network', {
      type: 'boolean',
      default: false,
      describe: 'up: proxies in all its links, so that they can be broken (always, where the profile breaks some)',
    })
    .option('set', { type: 'string', array: true, default: [] as string[], describe: 'up: override a value of the profile: path=value' })
    .example('$0 lab up sentinel-failover --name s', 'Start its lab and keep it')
    .example('$0 lab up failover --network', 'Its cluster, with links that kvbench inject can break')
    .example('$0 lab status', 'Addresses, roles, slots and what is in sync')
    .example('$0 lab down s', 'End its servers and remove its folder');
}

function injectOptions(command: Argv) {
  return command
    .positional('fault', { type: 'string', demandOption: true, describe: 'A kind of fault (kvbench list faults)' })
    .option('lab', { type: 'string', demandOption: true, describe: 'Name of the lab' })
    .option('node', { type: 'string', describe: 'Which node, e.g. "master[0]" or "sentinel[1]"' })
    .option('for', { type: 'string', describe: 'Heal it after this time, e.g. 5s' })
    .example('$0 inject kill --lab s --node "master[0]"', 'Until: kvbench heal --lab s')
    .example('$0 inject kill --lab s --node "replica[0]" --for 5s -- signal=TERM', 'Parameters of the fault after --')
    .example('$0 inject partition --lab s -- groups=[["master[0]"],[rest]]', 'In a lab that was started with --network');
}

function proxyOptions(command: Argv) {
  return command
    .option('host', { type: 'string', default: '127.0.0.1', describe: 'Address to listen on' })
    .option('port', { type: 'number', default: 8474, describe: 'Port of the API; 0: a free one' })
    .option('config', { type: 'string', describe: 'Proxies to begin with: Toxiproxy’s JSON array' })
    .option('metrics', { type: 'boolean', default: false, describe: 'Answer GET /metrics: bytes by proxy and direction' })
    .option('seed', { type: 'number', default: 0, describe: 'Seed of every random choice of the toxics' })
    .example('$0 proxy', 'Where Toxiproxy’s clients look for it: http://127.0.0.1:8474')
    .example('$0 proxy --port 0 --config toxiproxy.json', 'Prints its address; the proxies of the file stand');
}

function verifyOptions(command: Argv) {
  return command
    .positional('run', { type: 'string', demandOption: true, describe: 'The folder of a run with load.opsLog: true' })
    .example(
      '$0 verify reports/20261121-140000-split-brain',
      'Recount its lost writes; exit code 99 when there are any, or the summary says otherwise',
    );
}

function listOptions(command: Argv) {
  return command
    .positional('what', { choices: ['profiles', 'workloads', 'toxics', 'faults', 'runs'] as const, describe: 'What to list; everything without it' })
    .example('$0 list faults', 'What can be broken, and how it heals');
}

function runOptions(command: Argv) {
  return command
    .positional('profile', { type: 'string', describe: 'A profile file, or the name of a shipped profile' })
    .option('out', { type: 'string', describe: 'Result folder (default: reports/<time>-<name>)' })
    .option('set', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'Override a value of the profile: path=value, e.g. load.phases.1.rate=8000/s',
    })
    .option('seed', { type: 'number', describe: 'Seed of every random draw (default: the profile’s)' })
    .option('server', { type: 'string', describe: 'redis-server or valkey-server program of the lab' })
    .option('lab', { type: 'string', describe: 'Run on a lab that runs in the background (kvbench lab up), instead of the profile’s target' })
    .option('repeat', { type: 'number', describe: 'Rounds: the run, or each variant of the profile in turn, so many times, as one group' })
    .option('variant', {
      type: 'string',
      array: true,
      default: [] as string[],
      describe: 'Only this variant of the profile (several: give it again)',
    })
    .option('dry-run', { type: 'boolean', default: false, describe: 'Show the timeline and what it costs; start nothing' })
    .option('url', { type: 'string', describe: 'Quick run against a server that already runs: redis:// or rediss://' })
    .option('workload', { type: 'string', describe: 'Quick run: a workload file or shipped name' })
    .option('command', {
      type: 'string',
      array: true,
      describe:
        'Quick run: a custom command instead of a workload, e.g. "SETEX __key__ 60 __value__"; as often as you like. Keys are not written beforehand',
    })
    .option('command-ratio', { type: 'number', array: true, describe: 'Quick run: the weight of each --command, in their order (default: 1)' })
    .option('rate', { type: 'string', describe: 'Quick run: open loop at this rate, e.g. 2000/s' })
    .option('clients', { type: 'number', describe: 'Quick run: closed loop with this many clients' })
    .option('pipeline', { type: 'number', describe: 'Quick run: operations in flight per client' })
    .option('duration', { type: 'string', describe: 'Quick run: how long, e.g. 30s' })
    .option('threads', { type: 'number', describe: 'Quick run: load worker threads' })
    .option('connections', { type: 'number', describe: 'Quick run: connections per shard and worker' })
    .option('mode', {
      choices: ['standalone', 'cluster', 'sentinel', 'auto'] as const,
      describe: 'Quick run: what the server is (default: asked of it)',
    })
    .option('username', { type: 'string', describe: 'Quick run: ACL user' })
    .option('password-env', { type: 'string', describe: 'Quick run: environment variable that holds the password' })
    .option('tls-ca', { type: 'string', describe: 'Quick run: file of the certificate authority' })
    .example('$0 run profiles/failover.yaml --out my-run', 'Write the results to my-run')
    .example('$0 run failover --server valkey-server', 'The same on Valkey')
    .example('$0 run persistence --repeat 3', 'Its variants in turn, three times over, and one report that compares them')
    .example('$0 run steady --set load.threads=1 --seed 7', 'Another seed, one worker');
}

export type RunArguments = Awaited<ReturnType<typeof runOptions>['argv']>;
export type ValidateArguments = Awaited<ReturnType<typeof validateOptions>['argv']>;
export type ReportArguments = Awaited<ReturnType<typeof reportOptions>['argv']>;
export type HealArguments = Awaited<ReturnType<typeof healOptions>['argv']>;
export type LabArguments = Awaited<ReturnType<typeof labOptions>['argv']>;
export type InjectArguments = Awaited<ReturnType<typeof injectOptions>['argv']> & { '--'?: (string | number)[] };
export type ProxyArguments = Awaited<ReturnType<typeof proxyOptions>['argv']>;
export type VerifyArguments = Awaited<ReturnType<typeof verifyOptions>['argv']>;
export type ListArguments = Awaited<ReturnType<typeof listOptions>['argv']>;
