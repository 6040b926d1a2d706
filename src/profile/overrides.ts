/**
 * Values set from outside: `--set a.b.0.c=value` and `KVBENCH_SET_a__b__0__c=value`. Applied to the raw tree before it is checked, so
 * that a wrong value is told like any other, at the flag that set it. The command line wins over the environment.
 */

import { type Problem, type ProblemList, ProfileError } from './problems.js';
import { isMap, type Path, type ProfileTree, showPath } from './profileTree.js';
import { keysAt, type SchemaNode } from './schemaNode.js';
import { didYouMean } from './suggest.js';
import { VARIANTS_KEY } from './variants.js';
import { parseYaml } from './yamlFile.js';

export const ENV_PREFIX = 'KVBENCH_SET_';
const MAX_PATH_SEGMENTS = 20;

export interface OverrideOptions {
  sets: readonly string[];
  env: NodeJS.ProcessEnv;
  /** The documented schema, for matching the names of variables to keys. */
  schema: SchemaNode;
  /** `variants`: those that change what a variant says; `rest`: those that change the profile as the variant left it. */
  only: 'variants' | 'rest';
  /** Called before a step into a text: puts the file that it names in its place, where it names one. */
  expand(path: Path, next: string): void;
}

/** Adds a problem for each override that can't be applied, and goes on with the rest. */
export function applyOverrides(tree: ProfileTree, options: OverrideOptions, problems: ProblemList): void {
  const variables = Object.keys(options.env).filter((name) => name.startsWith(ENV_PREFIX));
  for (const name of variables.sort()) {
    const segments = name.slice(ENV_PREFIX.length).split('__');
    if (isOfVariants(segments[0]?.toLowerCase()) !== (options.only === 'variants')) continue;
    applyOne(tree, segments, options.env[name] ?? '', { flag: name, label: name, loose: true }, options, problems);
  }
  for (const set of options.sets) {
    const split = splitSet(set);
    if ('problem' in split) {
      problems.add(outside(`--set ${shorten(set)}`), split.problem);
      continue;
    }
    if (isOfVariants(split.segments[0]) !== (options.only === 'variants')) continue;
    applyOne(tree, split.segments, split.value, { flag: '--set', label: `--set ${split.path}=…`, loose: false }, options, problems);
  }
}

/** Inside a variant the keys are those of the profile. */
function documentedAt(path: Path): Path {
  return path[0] === VARIANTS_KEY && path.length > 2 ? path.slice(2) : path;
}

function isOfVariants(first: string | undefined): boolean {
  return first === VARIANTS_KEY;
}

interface Source {
  flag: string;
  label: string;
  /** Names of variables are matched to keys whatever their case, and `_` for `-`. */
  loose: boolean;
}

function applyOne(
  tree: ProfileTree,
  segments: readonly string[],
  text: string,
  source: Source,
  options: OverrideOptions,
  problems: ProblemList,
): void {
  const place = outside(source.label);
  const path = resolvePath(tree, segments, source, options);
  if ('problem' in path) {
    problems.add(place, path.problem);
    return;
  }
  try {
    tree.override(path.path, parseYaml(text, source.label).value, source.label);
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    const [first] = error.problems as readonly Problem[];
    problems.add(
      place,
      `the value is not YAML: ${first?.message ?? ''}; quote it, e.g. ${source.flag === '--set' ? `--set '${segments.join('.')}="…"'` : `${source.flag}='"…"'`}`,
    );
  }
}

/** Walks the tree along the segments: a number is an index in a list, anything else a key. */
function resolvePath(tree: ProfileTree, segments: readonly string[], source: Source, options: OverrideOptions): { path: Path } | { problem: string } {
  if (segments.length > MAX_PATH_SEGMENTS || segments.some((segment) => segment === '' || segment === '__proto__')) {
    return { problem: `${JSON.stringify(segments.join('.'))} is not a path; write it like load.phases.1.rate` };
  }
  const path: (string | number)[] = [];
  for (const segment of segments) {
    options.expand(path, segment);
    const here = tree.get(path);
    const name = path.length > 0 ? showPath(path) : 'the profile';
    if (Array.isArray(here)) {
      const index = Number(segment);
      if (!/^\d+$/.test(segment)) return { problem: `${name} is a list; after it comes a number from 0, not ${JSON.stringify(segment)}` };
      if (index > here.length)
        return {
          problem: `${name} has ${here.length} ${here.length === 1 ? 'entry' : 'entries'}, so there is no ${index}; ${listRange(here.length)}`,
        };
      path.push(index);
      continue;
    }
    if (here !== undefined && here !== null && !isMap(here)) {
      const known = keysAt(options.schema, path.slice(0, -1), tree.root);
      return {
        problem: `${name} is ${JSON.stringify(here)}, it has no keys inside${known.length > 0 && !known.includes(String(path.at(-1))) ? didYouMean(String(path.at(-1)), known) : ''}`,
      };
    }
    path.push(source.loose ? looseKey(segment, here, keysAt(options.schema, documentedAt(path), tree.root)) : segment);
  }
  return { path };
}

function listRange(length: number): string {
  return length === 0 ? '0 adds the first one' : `existing ones are 0 to ${length - 1}, and ${length} adds one`;
}

function looseKey(segment: string, here: unknown, schemaKeys: readonly string[]): string {
  const known = [...(isMap(here) ? Object.keys(here) : []), ...schemaKeys];
  const plain = (key: string): string => key.toLowerCase().replaceAll('-', '_');
  return known.find((key) => key === segment) ?? known.find((key) => plain(key) === plain(segment)) ?? segment;
}

/** `a.b[0]."c.d"=value` → its segments and the value; the first `=` outside quotes and braces divides them. */
function splitSet(set: string): { path: string; segments: string[]; value: string } | { problem: string } {
  const segments: string[] = [];
  let current = '';
  let quoted = false;
  for (let i = 0; i < set.length; i++) {
    const char = set[i] ?? '';
    if (char === '"') quoted = !quoted;
    else if (quoted) current += char;
    else if (char === '.' || char === '=') {
      const indexed = /^([^[\]]+)((?:\[\d+\])+)$/.exec(current);
      segments.push(...(indexed ? [indexed[1] ?? '', ...[...(indexed[2] ?? '').matchAll(/\d+/g)].map(([digits]) => digits)] : [current]));
      current = '';
      if (char === '=') return { path: set.slice(0, i), segments, value: set.slice(i + 1) };
    } else current += char;
  }
  return { problem: `has no "=" between path and value; write it like --set load.phases.1.rate=8000/s` };
}

function outside(text: string): Problem['place'] {
  return { text, file: null, line: 0, column: 0 };
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
