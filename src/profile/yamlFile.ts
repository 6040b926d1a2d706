/**
 * Reads one YAML file into plain values and remembers where each was written. Used for profiles, workloads and toxics; it knows
 * nothing of what the keys mean, and whatever a file holds (binary, bombs, broken syntax) ends as a ProfileError, never as a crash.
 */
import { readFileSync, statSync } from 'node:fs';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, visit, type YAMLError } from 'yaml';
import { messageOf } from '../base/errors.js';
import { type Place, type Problem, ProfileError } from './problems.js';
import type { Origin, Path } from './profileTree.js';

/** A profile is written by a person: a bigger file is something else. */
const MAX_FILE_BYTES = 1_000_000;
/** Nodes that aliases may add up to; beyond it a small file could expand into gigabytes. */
const MAX_ALIAS_COUNT = 100;

export interface YamlFile {
  /** Maps, lists, strings, numbers, booleans and null; null for an empty file. */
  value: unknown;
  origin: Origin;
  /** The comment the file opens with, without `#`; empty when there is none. */
  comment: string;
}

/**
 * @param label the path as the user knows it; every place begins with it
 * @throws ProfileError when the file is not readable text or not one YAML document
 */
export function readYamlFile(path: string, label: string): YamlFile {
  return parseYaml(readText(path, label), label);
}

/** As `readYamlFile`, of a text. */
export function parseYaml(text: string, label: string): YamlFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' });
  const origin = new YamlOrigin(document, lineCounter, label);
  const broken = syntaxProblems(document, origin);
  if (broken.length > 0) throw new ProfileError(broken);
  try {
    const misused = misusedNodes(document, origin);
    if (misused.length > 0) throw new ProfileError(misused);
    return { value: toValues(document, origin), origin, comment: openingComment(text) };
  } catch (error) {
    // What the parser just managed can still be too deep to walk.
    if (error instanceof RangeError) throw new ProfileError([tooDeepAt(origin)]);
    throw error;
  }
}

function openingComment(text: string): string {
  const lines = text.split(/\r?\n/);
  const end = lines.findIndex((line) => !line.startsWith('#'));
  return (end < 0 ? lines : lines.slice(0, end)).map((line) => line.replace(/^# ?/, '')).join('\n');
}

function tooDeepAt(origin: YamlOrigin): Problem {
  return { place: origin.placeAt(0), message: 'YAML: nested too deeply to be read; a profile needs no more than a few levels' };
}

function readText(path: string, label: string): string {
  const fail = (message: string): never => {
    throw new ProfileError([{ place: { text: label, file: label, line: 0, column: 0 }, message }]);
  };
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return fail('is a folder; name a YAML file in it');
    if (stat.size > MAX_FILE_BYTES) return fail(`has ${stat.size} bytes; a YAML file of at most ${MAX_FILE_BYTES} bytes is expected`);
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof ProfileError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return fail(
      missing ? 'there is no such file' : `cannot be read (${(error as NodeJS.ErrnoException).code ?? messageOf(error)}); check its permissions`,
    );
  }
  const nulAt = bytes.indexOf(0);
  if (nulAt >= 0) return fail(`is not a text file (byte ${nulAt} is NUL); a YAML file in UTF-8 is expected`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fail('is not valid UTF-8 text; save it as UTF-8');
  }
}

function syntaxProblems(document: Document, origin: YamlOrigin): Problem[] {
  const found = [...document.errors, ...document.warnings];
  const tooDeep = found.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  if (tooDeep) return [tooDeepAt(origin)];
  // After the first broken structure the rest is guesswork of the parser: only what stands by itself is told beside it.
  const firstBroken = found.find((error) => !standsAlone.has(error.code));
  return found
    .filter((error) => standsAlone.has(error.code) || error === firstBroken)
    .map((error) => ({ place: origin.placeAt(error.pos[0]), message: `YAML: ${syntaxMessage(error)}` }));
}

const standsAlone: ReadonlySet<YAMLError['code']> = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED', 'BAD_DQ_ESCAPE']);

const syntaxRemedies: Partial<Record<YAMLError['code'], string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'a second ": " on this line; quote the text that holds it',
  DUPLICATE_KEY: 'this key stands twice in the same map; keep one of them',
  MULTIPLE_DOCS: 'a second document begins here (---); a file holds one',
  TAB_AS_INDENT: 'a tab as indentation; use spaces',
  MISSING_CHAR: 'a closing quote, bracket or brace is missing, or a key has no ":" after it',
  BAD_SCALAR_START: 'a plain text cannot begin with this character; put it in quotes',
  TAG_RESOLVE_FAILED: 'an unknown tag (!…); leave it away',
};

function syntaxMessage(error: YAMLError): string {
  const said = error.message.replace(/\.$/, '');
  const bracket = said.includes('flow-seq-start at node end');
  const remedy = bracket ? 'a plain text within { } cannot hold brackets; put it in quotes, like "master[0]"' : syntaxRemedies[error.code];
  return remedy ? `${remedy} (${said})` : said;
}

/** Aliases that lead nowhere or into themselves, and keys that are not plain. */
function misusedNodes(document: Document, origin: YamlOrigin): Problem[] {
  const problems: Problem[] = [];
  const report = (node: Node, message: string): void => {
    problems.push({ place: origin.placeAt(node.range?.[0] ?? 0), message: `YAML: ${message}` });
  };
  visit(document, {
    Alias(_key, alias, ancestors) {
      const target = alias.resolve(document);
      if (!target) report(alias, `the alias *${alias.source} has no anchor &${alias.source} before it; define it or write the value out`);
      else if (ancestors.includes(target)) report(alias, `the alias *${alias.source} stands inside what it stands for; write the value out`);
    },
    Pair(_key, pair) {
      if (!isScalar(pair.key) && !isAlias(pair.key)) report(pair.key as Node, 'a key must be a plain text, not a list or a map');
    },
  });
  return problems;
}

function toValues(document: Document, origin: YamlOrigin): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const message = `YAML: its aliases (*name) expand into far more than a profile can need (limit ${MAX_ALIAS_COUNT}); write the values out (${messageOf(error)})`;
    throw new ProfileError([{ place: origin.placeAt(0), message }]);
  }
}

class YamlOrigin implements Origin {
  readonly #document: Document;
  readonly #lineCounter: LineCounter;
  readonly #label: string;

  constructor(document: Document, lineCounter: LineCounter, label: string) {
    this.#document = document;
    this.#lineCounter = lineCounter;
    this.#label = label;
  }

  placeAt(offset: number): Place {
    const { line, col } = this.#lineCounter.linePos(offset);
    // An offset before the counter's first line start (an empty file) has line 0.
    const [shownLine, shownColumn] = line === 0 ? [1, 1] : [line, col];
    return { text: `${this.#label}:${shownLine}:${shownColumn}`, file: this.#label, line: shownLine, column: shownColumn };
  }

  /** The deepest node on the way to `path` that exists. */
  place(path: Path, at: 'key' | 'value'): Place {
    let node: unknown = this.#document.contents;
    let offset = this.#document.contents?.range?.[0] ?? 0;
    for (const [depth, segment] of path.entries()) {
      const wantKey = at === 'key' && depth === path.length - 1;
      const step = this.#step(node, segment);
      if (!step) break;
      offset = (wantKey ? step.keyOffset : (step.node?.range?.[0] ?? step.keyOffset)) ?? offset;
      node = step.node;
    }
    return this.placeAt(offset);
  }

  #step(from: unknown, segment: string | number): { node: Node | null; keyOffset: number | undefined } | undefined {
    const node = isAlias(from) ? from.resolve(this.#document) : from;
    if (isSeq(node)) {
      const item = node.items[Number(segment)] as Node | undefined;
      return item ? { node: item, keyOffset: item.range?.[0] } : undefined;
    }
    if (!isMap(node)) return undefined;
    const pair = node.items.find((candidate) => keyText(candidate) === String(segment));
    return pair ? { node: pair.value as Node | null, keyOffset: (pair.key as Node).range?.[0] } : undefined;
  }
}

function keyText(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}
