/** `kvbench baseline save|list|show|path`: runs kept under a name, with how much they differ, in a folder that a pipeline can cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { wallClockMs } from '../base/clock.js';
import { ExitCode, KvbenchError } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import { formatUs } from '../base/units.js';
import { BASELINE_VERSION, baselineNames, readBaseline, writeBaseline } from '../compare/baselineFolder.js';
import { assertComparable } from '../compare/comparability.js';
import { NOISE_RUNS } from '../compare/judge.js';
import { loadSide } from '../compare/loadSide.js';
import { noiseRowsOf } from '../compare/noiseFloor.js';
import { alignColumns } from '../report/textLayout.js';
import type { BaselineArguments } from './compareOptions.js';
import type { Terminal } from './terminal.js';

export async function baseline(args: BaselineArguments, terminal: Terminal): Promise<ExitCode> {
  switch (args.action) {
    case 'save':
      save(nameOf(args), args, terminal);
      break;
    case 'list':
      list(args.dir, terminal);
      break;
    case 'show':
      show(existing(args), terminal);
      break;
    case 'path':
      terminal.data(existing(args));
      break;
  }
  return ExitCode.passed;
}

function save(name: string, { runs = [], dir, force }: BaselineArguments, terminal: Terminal): void {
  if (runs.length === 0)
    throw new KvbenchError('INVALID_ARGUMENT', 'a baseline is made of runs', `For example: kvbench baseline save ${name} 'reports/*-steady'`);
  const folder = join(dir, name);
  if (existsSync(folder) && !force)
    throw new KvbenchError('INVALID_ARGUMENT', `${folder} exists`, 'Say --force to replace it, or take another name.');
  const side = loadSide(runs, dir);
  assertComparable(side, side, 'machine');
  const first = side.runs[0]?.data.run;
  if (first === undefined) throw new Error('bug in kvbench: a side without runs');
  const { profile, workload, machine } = first.fingerprint;
  const record = writeBaseline(
    folder,
    {
      formatVersion: BASELINE_VERSION,
      kind: 'baseline',
      name,
      savedAt: new Date(wallClockMs()).toISOString(),
      kvbenchVersion,
      profile: first.name,
      fingerprint: { profile, workload, machine },
      source: side.source,
      noise: noiseRowsOf(side),
    },
    side.runs.map(({ data }) => data.dir),
  );
  terminal.data(folder);
  if (record.noise.length === 0)
    terminal.talk(
      `${side.runs.length} run${side.runs.length === 1 ? '' : 's'}: no noise floor. From ${NOISE_RUNS} runs on it is kept too, and single runs can be judged by it.`,
    );
}

function list(dir: string, terminal: Terminal): void {
  const names = baselineNames(dir);
  if (names.length === 0) terminal.data(`none in ${dir}: kvbench baseline save NAME RUNS`);
  const rows = names.map((name) => {
    const { savedAt, runs, profile, noise } = readBaseline(join(dir, name));
    return [name, savedAt, `${runs.length} runs of ${profile}`, noise.length === 0 ? 'no noise floor' : 'with noise floor'];
  });
  for (const line of alignColumns(rows, ['left', 'left', 'left', 'left'])) terminal.data(line);
}

/** What it holds, and how far apart its runs are. */
function show(folder: string, terminal: Terminal): void {
  const { name, savedAt, profile, runs, noise, source, kvbenchVersion: version } = readBaseline(folder);
  terminal.data(`${name}: ${runs.length} runs of ${profile}, saved ${savedAt} by kvbench ${version} from ${source}`);
  for (const run of runs) terminal.data(`  ${join(folder, run)}`);
  if (noise.length === 0) return terminal.data('no noise floor: it takes three runs');
  terminal.data('\nHow much its runs differ: standard deviation, and the two furthest apart (pp: percentage points)');
  const rows = noise.map(({ id, scale, deviation, widest }) => {
    const shown = (value: number): string => (scale === 'log' ? `${((Math.exp(value) - 1) * 100).toFixed(1)} %` : amountText(id, value));
    return [`  ${id}`, shown(deviation), shown(widest)];
  });
  rows.unshift(['', 'deviation', 'widest']);
  for (const line of alignColumns(rows, ['left', 'right', 'right'])) terminal.data(line);
}

/** Of what is compared by its own unit: a share, a count or a time. */
function amountText(id: string, value: number): string {
  if (/^(availability|errors|generator_utilization)\b/.test(id)) return `${(value * 100).toFixed(2)} pp`;
  return / count$/.test(id) ? String(Math.round(value * 100) / 100) : formatUs(value);
}

function existing(args: BaselineArguments): string {
  const folder = join(args.dir, nameOf(args));
  readBaseline(folder);
  return folder;
}

function nameOf({ name, action }: BaselineArguments): string {
  if (name === undefined) throw new KvbenchError('INVALID_ARGUMENT', `baseline ${action} needs a name`, 'See kvbench baseline list.');
  if (/^[\w][\w.-]*$/.test(name)) return name;
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(name)} is not a name for a baseline`,
    'Use letters, digits, dots, dashes and underscores.',
  );
}
