/**
 * Variants of a profile: each is the profile with some values different, merged key by key (JSON Merge Patch, RFC 7386: maps merge, null
 * takes a key away, all else replaces), and a map with numbers for keys reaches into a list. Called by loadProfile before overrides are
 * applied; never changes what was written.
 */
import type { ProblemList } from './problems.js';
import { isMap, type Path, type ProfileTree, showPath } from './profileTree.js';
import { yamlText } from './schemaNode.js';
import { variantKeys } from './variantSchema.js';

export const VARIANTS_KEY = 'variants';

/** One value that a variant has for itself. */
export interface VariantChange {
  /** As `--set` takes it: `target.config.appendfsync`. */
  path: string;
  /** As YAML in one line; `null` takes the key away. */
  value: string;
}

/** Names of the variants of the raw tree, in their order; what is wrong with their shape is told by the schema. */
export function variantNames(tree: ProfileTree): string[] {
  const variants = tree.get([VARIANTS_KEY]);
  return isMap(variants) ? Object.keys(variants).filter((name) => isMap(variants[name])) : [];
}

/** What a variant says, leaf by leaf. */
export function variantChanges(tree: ProfileTree, name: string): VariantChange[] {
  const patch = tree.get([VARIANTS_KEY, name]);
  const changes: VariantChange[] = [];
  const collect = (value: unknown, path: string[]): void => {
    if (isMap(value) && Object.keys(value).length > 0) for (const [key, child] of Object.entries(value)) collect(child, [...path, key]);
    else changes.push({ path: path.map((key) => (key.includes('.') ? `"${key}"` : key)).join('.'), value: yamlText(value ?? null) });
  };
  for (const [key, value] of Object.entries(isMap(patch) ? patch : {})) if (variantKeys.includes(key)) collect(value, [key]);
  return changes;
}

/**
 * Merges a variant into the tree and takes `variants` away; places of its values stay where the variant says them.
 * @param expand called before a step into a text: puts the file that it names in its place
 */
export function mountVariant(tree: ProfileTree, name: string, expand: (path: Path, next: string) => void, problems: ProblemList): void {
  const patch = tree.get([VARIANTS_KEY, name]);
  if (isMap(patch)) {
    // What else stands there has been told by the schema.
    const known = Object.fromEntries(Object.entries(patch).filter(([key]) => variantKeys.includes(key)));
    merge({ tree, expand, problems, from: [VARIANTS_KEY, name] }, [], [], known);
  }
  tree.remove([VARIANTS_KEY]);
}

interface Merge {
  tree: ProfileTree;
  expand(path: Path, next: string): void;
  problems: ProblemList;
  /** Where the variant stands. */
  from: Path;
}

/** `within` is the place in the profile, `said` the same below the variant, where list indices are keys. */
function merge(context: Merge, within: Path, said: Path, patch: Record<string, unknown>): void {
  const { tree, expand, problems, from } = context;
  for (const [key, value] of Object.entries(patch)) {
    expand(within, key);
    const list = tree.get(within);
    const saidHere: Path = [...said, key];
    const at: Path = [...within, Array.isArray(list) ? Number(key) : key];
    if (Array.isArray(list) && Number(key) > list.length) {
      problems.add(tree.place([...from, ...saidHere], 'key'), `${showPath(within)} has ${list.length} entries, so there is no ${key}`);
      continue;
    }
    if (value === null) {
      if (Array.isArray(list))
        problems.add(tree.place([...from, ...saidHere]), `${showPath(at)}: an entry of a list cannot be taken away; write the list`);
      else tree.remove(at);
      continue;
    }
    if (isMap(value)) for (const next of Object.keys(value)) expand(at, next);
    const here = tree.get(at);
    if (isMap(value) && (isMap(here) || (Array.isArray(here) && isIndices(value)))) merge(context, at, saidHere, value);
    else tree.mount(at, withoutNulls(value), { place: (below, what) => tree.place([...from, ...saidHere, ...below], what) });
  }
}

function isIndices(value: Record<string, unknown>): boolean {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^\d+$/.test(key));
}

/** Where there was nothing before, there is nothing to take away. */
function withoutNulls(value: unknown): unknown {
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null)
      .map(([key, child]) => [key, withoutNulls(child)]),
  );
}
