/**
 * One side of a comparison from what was named: a run, several (list, glob, repeated), a group, a variant of a group, or a baseline. Called by
 * diff, gate and baseline. Reads folders only; a folder that cannot be compared is refused with what to do about it.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { KvbenchError } from '../base/errors.js';
import { isGroupFolder, runsOfGroup } from '../result/group.js';
import { type RunData, readRun } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { summarize } from '../stats/summarize.js';
import { isBaselineFolder, runsOfBaseline } from './baselineFolder.js';
import { globPaths, isGlob } from './globPaths.js';

export interface LoadedRun {
  data: RunData;
  summary: Summary;
}

export interface LoadedSide {
  /** Short, for tables: the name of the run, group, variant or baseline. */
  label: string;
  /** As it was given. */
  source: string;
  /** In the order they began; at least one. */
  runs: LoadedRun[];
  /** Group folder that all runs came from; null: several places. */
  group: string | null;
  /** Folder of the baseline that was named; null: none was. */
  baseline: string | null;
}

/** Runs of one side are compared at once; more than this is a mistake in the pattern. */
const RUN_LIMIT = 500;

/**
 * @param specs folders, `a,b,c`, globs, `GROUP`, `GROUP#variant`, names of baselines @param baselinesDir where named baselines are
 * Throws RESULT_NOT_READABLE: missing, not a run, corrupt, cut off, of an unknown version, or a group whose variant is not named.
 */
export function loadSide(specs: readonly string[], baselinesDir: string): LoadedSide {
  const places = specs.flatMap((spec) => placesOf(spec, baselinesDir));
  const dirs = [...new Set(places.flatMap((place) => place.dirs).map((dir) => resolve(dir)))];
  if (dirs.length === 0) throw notReadable(`${specs.join(', ')} names no run`);
  if (dirs.length > RUN_LIMIT) throw notReadable(`${specs.join(', ')} names ${dirs.length} runs; a side has at most ${RUN_LIMIT}`);
  const given = new Map(places.flatMap((place) => place.dirs).map((dir) => [resolve(dir), dir]));
  const runs = dirs.map((dir) => loadRun(given.get(dir) ?? dir));
  runs.sort((a, b) => (a.data.run.startedAt < b.data.run.startedAt ? -1 : 1));
  const [first] = places;
  const isOne = places.length === 1 && first !== undefined;
  return {
    label: isOne ? first.label : `${runs.length} runs of ${[...new Set(runs.map(({ data }) => data.run.name))].join(', ')}`,
    source: specs.join(' '),
    runs,
    group: isOne ? first.group : null,
    baseline: isOne ? first.baseline : null,
  };
}

interface Place {
  label: string;
  dirs: string[];
  group: string | null;
  baseline: string | null;
}

function placesOf(spec: string, baselinesDir: string): Place[] {
  if (existsSync(spec)) return [placeOf(spec, baselinesDir)];
  return spec
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part): Place[] => {
      if (!isGlob(part)) return [placeOf(part, baselinesDir)];
      const found = globPaths(part).filter((path) => statSync(path).isDirectory());
      if (found.length === 0) throw notReadable(`no folder matches ${part}`, 'Put patterns in quotes, and look with kvbench list runs.');
      return found.map((path) => placeOf(path, baselinesDir));
    });
}

function placeOf(text: string, baselinesDir: string): Place {
  const plain = { group: null, baseline: null };
  if (existsSync(text)) {
    if (isBaselineFolder(text)) return { ...plain, label: basename(resolve(text)), dirs: runsOfBaseline(text), baseline: text };
    if (isGroupFolder(text)) return groupPlace(text, null);
    return { ...plain, label: basename(resolve(text)), dirs: [text] };
  }
  const hash = text.lastIndexOf('#');
  if (hash > 0 && isGroupFolder(text.slice(0, hash))) return groupPlace(text.slice(0, hash), text.slice(hash + 1));
  const named = join(baselinesDir, text);
  if (isBaselineFolder(named)) return { ...plain, label: text, dirs: runsOfBaseline(named), baseline: named };
  throw notReadable(
    `${text} is neither a folder nor a baseline below ${baselinesDir}`,
    'Give the folder of a run or group, GROUP#variant, a list with commas, a pattern in quotes, or see kvbench baseline list.',
  );
}

/** Variants of a group's runs, in the order they first ran: what follows the number in the name of a run's folder. */
export function variantsOf(group: string): Map<string, string[]> {
  const variants = new Map<string, string[]>();
  for (const run of runsOfGroup(group)) {
    const variant = basename(run).replace(/^\d+-/, '');
    const dirs = variants.get(variant);
    if (dirs) dirs.push(join(group, run));
    else variants.set(variant, [join(group, run)]);
  }
  return variants;
}

function groupPlace(group: string, variant: string | null): Place {
  const variants = variantsOf(group);
  const names = [...variants.keys()];
  const name = basename(resolve(group));
  if (names.length === 0) throw notReadable(`the group ${group} has no run`);
  const known = `It has ${names.map((each) => `${group}#${each}`).join(', ')}.`;
  if (variant === null && names.length > 1) throw notReadable(`the group ${group} has ${names.length} variants; name one as the side`, known);
  const chosen = variant ?? (names[0] as string);
  const dirs = variants.get(chosen);
  if (dirs === undefined) throw notReadable(`the group ${group} has no variant ${JSON.stringify(chosen)}`, known);
  return { label: names.length === 1 ? name : chosen, dirs, group: resolve(group), baseline: null };
}

/** A run that is whole. Throws RESULT_NOT_READABLE. */
function loadRun(dir: string): LoadedRun {
  const data = readRun(dir);
  const summary = data.truncated ? null : (data.summary ?? summarize(data));
  if (summary === null || summary.verdict === 'interrupted') {
    throw notReadable(
      `${dir} ${data.truncated ? 'was cut off: its last records are missing' : 'was interrupted'}, so it cannot be compared with a whole run`,
      'Leave it out, or run it again; kvbench report shows what it has.',
    );
  }
  return { data, summary };
}

function notReadable(message: string, hint = 'See kvbench list runs.'): KvbenchError {
  return new KvbenchError('RESULT_NOT_READABLE', message, hint);
}
