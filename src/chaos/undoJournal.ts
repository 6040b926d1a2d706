/**
 * What has to be undone should this process be killed: written to disk before a fault acts, crossed out once it has healed. Faults and
 * proxies append to it, `kvbench heal` reads it (undo.ts). It must never hold a secret: of passwords it knows only where they are read.
 */
import { type FileHandle, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '../base/assert.js';
import { identityOf, type ProcessIdentity } from '../base/processIdentity.js';
import type { ExternalPlan } from '../plan/plan.js';

/** One step that undoes something. Pure data, and safe to carry out twice, or when what it undoes never came about. */
export type UndoStep =
  /** A command for a server, e.g. CONFIG SET of the value before, CLIENT UNPAUSE. `address`: host:port; the login is the journal's. */
  | { kind: 'command'; node: string; address: string; args: string[] }
  /** Removes a toxic, or without one the whole proxy with all that is on it. */
  | { kind: 'toxiproxy'; url: string; proxy: string; toxic?: string }
  /** Lets connections through a proxy again that was disabled. */
  | { kind: 'openProxy'; url: string; proxy: string }
  /** A program without a shell, with variables added to the environment of `kvbench heal`. */
  | { kind: 'exec'; argv: string[]; env?: Record<string, string>; limitMs?: number };

export interface UndoEntry {
  /** Crosses the step out: it is not needed any more. Safe to call twice. */
  done(): Promise<void>;
}

/** What faults see of it. */
export interface UndoLog {
  /** Resolves once the step is on disk; only then may the thing it undoes be done. */
  add(step: UndoStep): Promise<UndoEntry>;
}

/** How the servers of `command` steps are logged into: named, not held, as in the plan. */
export type JournalAccess = Pick<ExternalPlan, 'url' | 'username' | 'password' | 'tls'>;

export interface JournalHead {
  formatVersion: 1;
  owner: ProcessIdentity;
  /** The plan's name. */
  run: string;
  /** Of the run whose faults these are; what `kvbench heal DIR` looks for. */
  folder: string;
  access: JournalAccess | null;
  /** The lab in the background that its steps are about; absent: none. */
  lab?: string;
  /** In a few words, what was done. */
  what?: string;
}

/** A journal as it was found on disk. */
export interface FoundJournal {
  file: string;
  head: JournalHead;
  /** Not crossed out, in the order they were written. */
  open: { id: number; step: UndoStep }[];
}

type Line = { head: JournalHead } | { id: number; step: UndoStep } | { done: number };

const SUFFIX = '.undo.ndjson';
/** Directives whose values are secrets: their old values must not be written down. */
const SECRET_DIRECTIVES = /^(requirepass|masterauth|primaryauth|masteruser|primaryuser|tls-key-file-pass|tls-client-key-file-pass|user|aclfile)$/i;

/** For runs that leave nothing behind whatever happens: labs, whose supervisor ends everything. */
export const noJournal: UndoLog = { add: async () => ({ done: async () => undefined }) };

export class UndoJournal implements UndoLog {
  readonly file: string;
  readonly #head: JournalHead;
  #handle: Promise<FileHandle> | null = null;
  #nextId = 1;
  readonly #open = new Set<number>();

  /** @param folder where journals lie; the file is made by the first step */
  constructor(folder: string, head: Omit<JournalHead, 'formatVersion' | 'owner'>) {
    const owner = identityOf(process.pid);
    assert(owner !== null, 'this process does not know itself');
    this.#head = { formatVersion: 1, owner, ...head };
    this.file = join(folder, `${process.pid}-${head.run.replace(/[^\w.-]+/g, '-')}${SUFFIX}`);
  }

  async add(step: UndoStep): Promise<UndoEntry> {
    assert(!holdsSecret(step), 'a secret was about to be written to the undo journal');
    const id = this.#nextId++;
    this.#open.add(id);
    await this.#write({ id, step });
    return {
      done: async () => {
        if (!this.#open.delete(id)) return;
        await this.#write({ done: id });
      },
    };
  }

  /** How many steps are not crossed out. */
  get openSteps(): number {
    return this.#open.size;
  }

  /** Removes the file when nothing is left to undo; else leaves it to `kvbench heal`. */
  async close(): Promise<void> {
    const handle = await this.#handle;
    this.#handle = null;
    await handle?.close();
    if (this.#open.size === 0) await rm(this.file, { force: true });
  }

  async #write(line: Line): Promise<void> {
    this.#handle ??= this.#begin();
    const handle = await this.#handle;
    // One write per line: lines of faults that act at the same time do not mix.
    await handle.appendFile(`${JSON.stringify(line)}\n`);
    await handle.datasync();
  }

  async #begin(): Promise<FileHandle> {
    // A journal of an earlier process with this number stays: its name is taken, and the next one is used.
    const handle = await open(this.file, 'ax', 0o600).catch(() => open(`${this.file.slice(0, -SUFFIX.length)}-2${SUFFIX}`, 'a', 0o600));
    await handle.appendFile(`${JSON.stringify({ head: this.#head } satisfies Line)}\n`);
    return handle;
  }
}

/** All journals below a folder, oldest name first; what is not readable as one is left alone. */
export async function findJournals(folder: string): Promise<FoundJournal[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(names.filter((name) => name.endsWith(SUFFIX)).map((name) => readJournal(join(folder, name))));
  return found.filter((journal) => journal !== null);
}

async function readJournal(file: string): Promise<FoundJournal | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  let head: JournalHead | null = null;
  const open = new Map<number, UndoStep>();
  for (const line of text.split('\n')) {
    const record = parseLine(line);
    if (record === null) continue;
    if ('head' in record) head = record.head;
    else if ('done' in record) open.delete(record.done);
    else open.set(record.id, record.step);
  }
  if (head === null || head.formatVersion !== 1) return null;
  return { file, head, open: [...open].map(([id, step]) => ({ id, step })) };
}

/** The last line may have been cut off by the end of its writer: the thing it would undo was never done. */
function parseLine(line: string): Line | null {
  try {
    return line === '' ? null : (JSON.parse(line) as Line);
  } catch {
    return null;
  }
}

function holdsSecret(step: UndoStep): boolean {
  if (step.kind !== 'command') return false;
  const [name = '', verb = '', ...rest] = step.args;
  if (/^auth$/i.test(name)) return true;
  return /^config$/i.test(name) && /^set$/i.test(verb) && rest.some((word, i) => i % 2 === 0 && SECRET_DIRECTIVES.test(word));
}
