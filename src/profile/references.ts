/**
 * Files that a profile names: its workload, and toxics of chaos entries (`use`). Each is read, checked as far as it can be by itself, and
 * put in the place of its name, so that the plan has no file reference. Places in such a file carry that file's name.
 */
import { basename, extname } from 'node:path';
import type { FaultSchema } from '../chaos/fault.js';
import { faultShape, takesToxicFile, toxicFileSchema } from './chaosSchema.js';
import { explainIssues } from './explain.js';
import { type ProblemList, ProfileError } from './problems.js';
import { isMap, type Path, ProfileTree } from './profileTree.js';
import { schemaNodeOf } from './schemaNode.js';
import { findFile } from './shipped.js';
import { NAME_PATTERN } from './workloadSchema.js';
import { readYamlFile, type YamlFile } from './yamlFile.js';

const WORKLOAD_PATH: Path = ['load', 'workload'];

export class References {
  readonly #tree: ProfileTree;
  readonly #folder: string;
  readonly #labelFolder: string;
  readonly #faults: readonly FaultSchema[];
  readonly #problems: ProblemList;
  /** Places whose file is wrong: told already, so their absence is not told again. */
  readonly #broken: Path[] = [];

  /** @param folder what relative references start from; `labelFolder`: how the user knows it */
  constructor(tree: ProfileTree, folder: string, labelFolder: string, faults: readonly FaultSchema[], problems: ProblemList) {
    this.#tree = tree;
    this.#folder = folder;
    this.#labelFolder = labelFolder;
    this.#faults = faults;
    this.#problems = problems;
  }

  /** Puts every file in its place. */
  expandAll(): void {
    this.#expandWorkload();
    const chaos = this.#tree.get(['chaos']);
    if (!Array.isArray(chaos)) return;
    for (const [index, entry] of chaos.entries()) {
      this.#expandToxic(['chaos', index]);
      // `fault: random` draws from faults of its own.
      if (isMap(entry) && Array.isArray(entry.from)) for (const i of entry.from.keys()) this.#expandToxic(['chaos', index, 'from', i]);
    }
  }

  /** Before an override steps from `path` to `next`: what it wants to change may still be a file's name. */
  expandFor(path: Path, next: string): void {
    if (path.join('.') === WORKLOAD_PATH.join('.')) this.#expandWorkload();
    const inEntry = path.length === 2 && path[0] === 'chaos';
    if (inEntry && ['toxics', 'steps', 'dropConnections'].includes(next)) this.#expandToxic(path);
  }

  /** Whether the value at a path is missing because its file was wrong. */
  isBroken(path: Path): boolean {
    return this.#broken.some((broken) => broken.join('.') === path.join('.'));
  }

  #expandWorkload(): void {
    const reference = this.#tree.get(WORKLOAD_PATH);
    if (typeof reference !== 'string' || this.isBroken(WORKLOAD_PATH)) return;
    const file = this.#read('workloads', reference, WORKLOAD_PATH);
    if (file && !isMap(file.yaml.value)) this.#problems.add(file.yaml.origin.place([], 'value'), notAMap('workload', file.yaml.value));
    if (!file || !isMap(file.yaml.value)) {
      this.#broken.push(WORKLOAD_PATH);
      return;
    }
    this.#tree.mount(WORKLOAD_PATH, { name: nameFrom(file.path), ...file.yaml.value }, file.yaml.origin);
  }

  #expandToxic(path: Path): void {
    const entry = this.#tree.get(path);
    if (!isMap(entry) || !Object.hasOwn(entry, 'use') || this.isBroken(path)) return;
    const fault = this.#faults.find((candidate) => candidate.kind === entry.fault);
    // Another fault, or none: `use` is then an unknown key like any other.
    if (!fault || !takesToxicFile(fault)) return;
    const usePath = [...path, 'use'];
    const file = this.#readToxic(entry, usePath);
    if (!file) {
      this.#broken.push(path);
      return;
    }
    this.#tree.remove(usePath);
    // What the entry says itself (e.g. other steps) goes over what the file says.
    for (const [key, value] of Object.entries(file.value)) {
      if (!Object.hasOwn(entry, key)) this.#tree.mount([...path, key], value, { place: (below, at) => file.origin.place([key, ...below], at) });
    }
  }

  #readToxic(entry: Record<string, unknown>, usePath: Path): { value: Record<string, unknown>; origin: YamlFile['origin'] } | undefined {
    if (typeof entry.use !== 'string') {
      this.#problems.add(this.#tree.place(usePath), 'use: it must be a toxic file, relative to the profile, or the name of a shipped one');
      return undefined;
    }
    if (Object.hasOwn(entry, 'toxics')) {
      this.#problems.add(
        this.#tree.place([...usePath.slice(0, -1), 'toxics'], 'key'),
        'use and toxics exclude each other; take the file or write the list',
      );
      return undefined;
    }
    const file = this.#read('toxics', entry.use, usePath);
    const value = file && checkToxicFile(file.yaml, this.#faults, this.#problems);
    return value && { value: { name: nameFrom(file.path), ...value }, origin: file.yaml.origin };
  }

  #read(kind: 'workloads' | 'toxics', reference: string, at: Path): { path: string; yaml: YamlFile } | undefined {
    const found = findFile(kind, reference, this.#folder, this.#labelFolder);
    if ('problem' in found) {
      this.#problems.add(this.#tree.place(at), found.problem);
      return undefined;
    }
    try {
      return { path: found.path, yaml: readYamlFile(found.path, found.label) };
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error;
      for (const problem of error.problems) this.#problems.add(problem.place, problem.message);
      return undefined;
    }
  }
}

/** Checks a toxic file by itself; its keys as written, or undefined when anything is wrong with it. */
export function checkToxicFile(yaml: YamlFile, faults: readonly FaultSchema[], problems: ProblemList): Record<string, unknown> | undefined {
  const schema = toxicFileSchema(faults);
  if (!isMap(yaml.value)) {
    problems.add(yaml.origin.place([], 'value'), notAMap('toxic', yaml.value));
    return undefined;
  }
  if (!schema) return yaml.value;
  const result = schema.safeParse(yaml.value);
  // The fault's own schema has rules over several keys, too; it must not see keys that are ours.
  const fault = faults.find(takesToxicFile);
  const own = fault ? Object.fromEntries(Object.entries(yaml.value).filter(([key]) => Object.hasOwn(faultShape(fault), key))) : {};
  const issues = result.success ? fault?.params.safeParse(own).error?.issues : result.error.issues;
  if (!issues) return yaml.value;
  const explainer = {
    tree: new ProfileTree(yaml.value, yaml.origin),
    schema: schemaNodeOf(schema),
    problems,
  };
  explainIssues(explainer, issues);
  return undefined;
}

function notAMap(what: string, value: unknown): string {
  if (value === null) return `the ${what} file is empty; see docs/profile-reference.md for its keys`;
  return `a ${what} file is a map of keys, this is ${Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 60)}`;
}

/** `../workloads/session-cache.yaml` → `session-cache`; characters that names can't have become `-`. */
export function nameFrom(path: string): string {
  const stem = basename(path, extname(path))
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64);
  return NAME_PATTERN.test(stem) ? stem : 'unnamed';
}
