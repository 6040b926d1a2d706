/**
 * Turns what zod found into what a person reads: what is wrong, on what value, what would be right. Used by loadProfile and
 * validateFile. Never repeats a secret.
 */
import type { z } from 'zod';
import { isLaterValue } from './notYet.js';
import type { ProblemList } from './problems.js';
import { isMap, type Path, type ProfileTree, showPath } from './profileTree.js';
import { expectation, keysAt, nodesAt, type SchemaNode, yamlText } from './schemaNode.js';
import { didYouMean } from './suggest.js';

type Issue = z.core.$ZodIssue;

export interface Explainer {
  tree: ProfileTree;
  /** The documented schema of the tree's root. */
  schema: SchemaNode;
  problems: ProblemList;
}

/** Adds every issue to the problems. `base` is where the checked value stands in the tree. */
export function explainIssues(explainer: Explainer, issues: readonly Issue[], base: Path = []): void {
  for (const issue of issues) explainIssue(explainer, issue, [...base, ...pathOf(issue)]);
}

function explainIssue(explainer: Explainer, issue: Issue, path: Path): void {
  const { tree, problems } = explainer;
  if (issue.code === 'unrecognized_keys') explainUnknownKeys(explainer, issue.keys, path);
  else if (issue.code === 'invalid_union' && issue.errors.length > 0) explainUnion(explainer, issue.errors, path);
  else if (issue.code === 'invalid_key')
    problems.add(tree.place(path, 'key'), `${nameOf(path)} is not a good key; ${issue.issues[0]?.message ?? issue.message}`);
  else if (issue.code === 'custom')
    problems.add(tree.place(path), `${tree.get(path) === undefined || path.length === 0 ? '' : `${nameOf(path)}: `}${issue.message}`);
  else if (tree.get(path) === undefined) explainMissing(explainer, path);
  else problems.add(tree.place(path), valueMessage(explainer, issue, path));
}

function valueMessage({ tree, schema }: Explainer, issue: Issue, path: Path): string {
  const value = tree.get(path);
  const nodes = nodesAt(schema, path, tree.root);
  const words = nodes.flatMap((node) => node.enum ?? (node.const !== undefined ? [node.const] : [])).map(String);
  const key = String(path.at(-1) ?? '');
  if (isLaterValue(key, value)) return `${key}: ${show(value, path)} is not in this version yet; available: ${words.join(', ')}`;
  if (key === 'password' && issue.code === 'invalid_type') {
    const remedy = 'name where it is: password: { env: REDIS_PASSWORD }, { file: redis.password } or { command: "pass show redis" }';
    return `password: a password as plain text is refused, it would end up in files and logs; ${remedy}`;
  }
  if (Array.isArray(value) && value.length === 0) return `${nameOf(path)}: the list is empty; it needs at least one entry`;
  const onlyWords = words.length > 0 && nodes.every((node) => node.enum !== undefined || node.const !== undefined);
  if (onlyWords && typeof value === 'string')
    return `${nameOf(path)}: ${show(value, path)} is unknown${didYouMean(value, words, 'it must be one of')}`;
  return `${nameOf(path)}: ${show(value, path)} ${whatIsWrong(issue, value)}; it must be ${expectation(nodes)}`.replace(':  ', ' ');
}

function whatIsWrong(issue: Issue, value: unknown): string {
  if (issue.code === 'too_small')
    return Array.isArray(value) || isMap(value) || value === '' ? 'is empty' : Number(value) < 0 ? 'is negative' : 'is too small';
  if (issue.code === 'too_big') return typeof value === 'string' || Array.isArray(value) ? 'is too long' : 'is too big';
  if (issue.code === 'invalid_type') {
    if (typeof value === 'number')
      return issue.expected === 'string' ? 'is a number without a unit' : Number.isInteger(value) ? 'is a number' : 'is not a whole number';
    return `is ${kindOf(value)}`;
  }
  return 'does not fit';
}

function explainMissing({ tree, schema, problems }: Explainer, path: Path): void {
  const parent = path.slice(0, -1);
  const nodes = nodesAt(schema, path, tree.root);
  const where = parent.length > 0 ? ` in ${showPath(parent)}` : '';
  const choices = nodes.flatMap((candidate) => (candidate.const === undefined ? [] : [String(candidate.const)]));
  if (choices.length > 1 && choices.length === nodes.length) {
    problems.add(tree.place(parent), `missing key "${String(path.at(-1))}"${where}; it must be one of: ${choices.join(', ')}`);
    return;
  }
  const node = nodes.find((candidate) => candidate.description) ?? parentsProperty(schema, path, tree);
  const what = node?.description ? `: ${node.description.replace(/\.$/, '')}` : '';
  const example = nodes.flatMap((candidate) => candidate.examples ?? candidate.enum ?? (candidate.const === undefined ? [] : [candidate.const]))[0];
  const eg = example === undefined ? '' : ` (e.g. ${String(path.at(-1))}: ${yamlText(example)})`;
  problems.add(tree.place(parent), `missing key "${String(path.at(-1))}"${where}${what}${eg}`);
}

/** A union's own description stands above its alternatives. */
function parentsProperty(schema: SchemaNode, path: Path, tree: ProfileTree): SchemaNode | undefined {
  const key = String(path.at(-1));
  return nodesAt(schema, path.slice(0, -1), tree.root)
    .map((node) => node.properties?.[key])
    .find((node) => node !== undefined);
}

function explainUnknownKeys({ tree, schema, problems }: Explainer, keys: readonly string[], path: Path): void {
  // Operations may be those of the commands beside them.
  const commands = path.at(-1) === 'operations' ? tree.get([...path.slice(0, -1), 'commands']) : undefined;
  const known = [...keysAt(schema, path, tree.root), ...(isMap(commands) ? Object.keys(commands) : [])];
  for (const key of keys) {
    const where = path.length > 0 ? ` in ${showPath(path)}` : '';
    problems.add(tree.place([...path, key], 'key'), `unknown key "${key}"${where}${didYouMean(key, known, 'the keys here are')}`);
  }
}

/** Of a union's branches, the one meant is the one whose kind of value was given. */
function explainUnion(explainer: Explainer, branches: readonly (readonly Issue[])[], path: Path): void {
  const meant = branches.find((issues) => !issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type'));
  const { tree, schema, problems } = explainer;
  const value = tree.get(path);
  if (meant) explainIssues(explainer, meant, path);
  else if (value === undefined) explainMissing(explainer, path);
  else {
    const nodes = nodesAt(schema, path, tree.root);
    const hasUnit = nodes.some((node) => node.type === 'string' && node['x-range'] !== undefined);
    const kind = typeof value === 'number' ? `is a number${hasUnit ? ' without a unit' : ''}` : `is ${kindOf(value)}`;
    problems.add(tree.place(path), `${nameOf(path)}: ${show(value, path)} ${kind}; it must be ${expectation(nodes)}`.replace(':  ', ' '));
  }
}

function pathOf(issue: Issue): Path {
  return issue.path.filter((segment) => typeof segment !== 'symbol') as Path;
}

/** The last name of a path, with its index: `rate`, `phases[1]`. */
export function nameOf(path: Path): string {
  const last = path.at(-1);
  if (typeof last !== 'number') return last ?? 'the file';
  return `${String(path.at(-2) ?? '')}[${last}]`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of keys';
  return typeof value === 'boolean' ? 'true or false' : 'a text';
}

/** A value as a message may show it: short, and never a secret. */
function show(value: unknown, path: Path): string {
  if (path.some((segment) => segment === 'password')) return '(hidden)';
  if (value === null || typeof value === 'object') return '';
  const text = JSON.stringify(typeof value === 'string' ? value.replace(/\/\/[^@/]*@/, '//(hidden)@') : value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
