/** The YAML that kvbench ships, and what a name on the command line or in a profile means: a path first, then a shipped one. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { messageOf } from '../base/errors.js';
import { packageRoot } from '../base/packageRoot.js';
import { isMap } from './profileTree.js';
import { didYouMean } from './suggest.js';
import { readYamlFile } from './yamlFile.js';

export type ShippedKind = 'profiles' | 'workloads' | 'toxics';

export interface Shipped {
  name: string;
  /** Absolute. */
  path: string;
  /** Its `description`, else the first sentence of its opening comment. */
  description: string;
}

/** What is shipped of a kind, by name. */
export function listShipped(kind: ShippedKind): Shipped[] {
  return shippedNames(kind).map((name) => {
    const path = shippedPath(kind, name);
    return { name, path, description: describeFile(path) };
  });
}

function shippedNames(kind: ShippedKind): string[] {
  const folder = join(packageRoot, kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

function shippedPath(kind: ShippedKind, name: string): string {
  return join(packageRoot, kind, `${name}.yaml`);
}

function describeFile(path: string): string {
  try {
    const { value, comment } = readYamlFile(path, path);
    const described = isMap(value) ? value.description : undefined;
    return typeof described === 'string' ? described : (/^[^\n]+?(?=\.\s|\n|$)/.exec(comment.trim())?.[0] ?? '');
  } catch (error) {
    return messageOf(error);
  }
}

export interface FoundFile {
  /** Absolute. */
  path: string;
  /** As messages show it: the way the user wrote it. */
  label: string;
}

/**
 * A reference as written → the file. A path is taken from `folder`; what is not there may be the name of a shipped one.
 * @param labelFolder how the user knows `folder`; it goes before relative references in messages
 */
export function findFile(kind: ShippedKind, reference: string, folder: string, labelFolder: string): FoundFile | { problem: string } {
  const path = resolve(folder, reference);
  const label = isAbsolute(reference) ? reference : join(labelFolder, reference);
  const names = shippedNames(kind);
  const isShipped = names.includes(reference);
  // A folder that happens to have a shipped name (results of it, say) does not hide it.
  if (existsSync(path) && !(isShipped && statSync(path).isDirectory())) return { path, label };
  if (isShipped) return { path: shippedPath(kind, reference), label: `${kind}/${reference}.yaml` };
  const what = kind.slice(0, -1);
  // A path that leads nowhere may still carry the name of a neighbour.
  const neighbours = existsSync(dirname(path)) ? readdirSync(dirname(path)).filter((file) => file.endsWith('.yaml')) : [];
  const suggestions = [...names, ...neighbours.map((file) => join(dirname(reference), file))];
  return {
    problem: `there is no ${what} file ${label}, and no shipped ${what} of that name${didYouMean(reference, suggestions.length > 12 ? names : suggestions, `shipped ${kind} are`)}`,
  };
}
