/**
 * The folder of a run while it is being made: records are appended in order as they happen, at most a second late, so that a
 * killed run can be read. Made by `run`; the record stream writes into it. Its record methods never throw: a full disk is
 * remembered, told to the listener and thrown by `close`.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { wallClockMs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { type EventRecord, FORMAT_VERSION, type IntervalRecord, type RunRecord, type RunSink } from './records.js';

/** How long a record may wait in memory. */
const FLUSH_EVERY_MS = 500;
/** Records beyond this are written at once. */
const BUFFER_LIMIT_CHARS = 1_000_000;
/** Runs of one name in one second in one checkout. */
const SAME_SECOND_LIMIT = 1000;

export class RunFolder implements RunSink {
  /** Absolute path. */
  readonly dir: string;
  readonly #intervals: RecordFile;
  readonly #events: RecordFile;
  #timer: NodeJS.Timeout | null = null;
  #failure: KvbenchError | null = null;
  #onFailure: ((error: KvbenchError) => void) | null = null;
  #closed = false;

  private constructor(dir: string) {
    this.dir = dir;
    try {
      this.#intervals = new RecordFile(join(dir, 'intervals.ndjson'), 'intervals');
      this.#events = new RecordFile(join(dir, 'events.ndjson'), 'events');
    } catch (error) {
      throw notWritable(dir, error);
    }
  }

  /**
   * Makes `<parent>/<time>-<name>/`, never one that exists: a second run in the same second gets `-2` and so on.
   * Throws RESULT_NOT_WRITABLE.
   */
  static create(parent: string, name: string): RunFolder {
    return new RunFolder(makeResultFolder(parent, name));
  }

  /** Uses exactly `dir`, which must not exist or be empty. Throws RESULT_NOT_WRITABLE. */
  static createAt(dir: string): RunFolder {
    return new RunFolder(useEmptyFolder(dir));
  }

  interval(record: IntervalRecord): void {
    this.#append(this.#intervals, record);
  }

  event(record: EventRecord): void {
    this.#append(this.#events, record);
  }

  /** Writes `run.json` whole or not at all, over the one before. Throws RESULT_NOT_WRITABLE. */
  writeRun(record: RunRecord): void {
    this.writeText('run.json', `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Writes a file of the folder whole or not at all; `name` may have folders (`nodes/n1.log`). Returns its path. Throws RESULT_NOT_WRITABLE. */
  writeText(name: string, text: string): string {
    return this.writeBytes(name, Buffer.from(text, 'utf8'));
  }

  /** As `writeText`, for bytes. */
  writeBytes(name: string, bytes: Uint8Array): string {
    const file = join(this.dir, name);
    if (relative(this.dir, file).startsWith('..')) throw new KvbenchError('RESULT_NOT_WRITABLE', `${name} is outside the result folder`);
    const partial = `${file}.partial`;
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(partial, bytes);
      renameSync(partial, file);
    } catch (error) {
      rmSync(partial, { force: true });
      throw notWritable(file, error);
    }
    return file;
  }

  /** Told once when records can't be written any more; the run goes on without them. */
  onFailure(listener: (error: KvbenchError) => void): void {
    this.#onFailure = listener;
    if (this.#failure) listener(this.#failure);
  }

  /** Writes what waits in memory. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed || this.#failure) return;
    try {
      this.#intervals.flush();
      this.#events.flush();
    } catch (error) {
      this.#failure = notWritable(this.dir, error);
      this.#onFailure?.(this.#failure);
    }
  }

  /** Everything is on disk after this. Safe to call twice. Throws RESULT_NOT_WRITABLE when records were lost. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#intervals.close();
    this.#events.close();
    if (this.#failure) throw this.#failure;
  }

  /** Removes the folder: a run that never started leaves none. */
  discard(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#closed) {
      this.#closed = true;
      this.#intervals.close();
      this.#events.close();
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  #append(file: RecordFile, record: unknown): void {
    if (this.#closed || this.#failure) return;
    file.add(record);
    if (file.waitingChars > BUFFER_LIMIT_CHARS) this.flush();
    else if (this.#timer === null) this.#timer = setTimeout(() => this.flush(), FLUSH_EVERY_MS).unref();
  }
}

/** `<parent>/<time>-<name>/` as `RunFolder.create` makes it; its absolute path. Also for a group of runs. Throws RESULT_NOT_WRITABLE. */
export function makeResultFolder(parent: string, name: string): string {
  const base = join(resolve(parent), `${timeLabel(wallClockMs())}-${safeName(name)}`);
  try {
    mkdirSync(dirname(base), { recursive: true });
    for (let n = 1; n <= SAME_SECOND_LIMIT; n++) {
      const dir = n === 1 ? base : `${base}-${n}`;
      if (tryMakeDirectory(dir)) return dir;
    }
  } catch (error) {
    throw notWritable(base, error);
  }
  throw new KvbenchError('RESULT_NOT_WRITABLE', `${base} and ${SAME_SECOND_LIMIT - 1} more of its name exist`, 'Name a folder with --out.');
}

/** Makes `dir` where it is not; its absolute path. Throws RESULT_NOT_WRITABLE, also when something is in it. */
export function useEmptyFolder(dir: string): string {
  const absolute = resolve(dir);
  let entries: string[];
  try {
    mkdirSync(absolute, { recursive: true });
    entries = readdirSync(absolute);
  } catch (error) {
    throw notWritable(dir, error);
  }
  if (entries.length > 0) {
    throw new KvbenchError(
      'RESULT_NOT_WRITABLE',
      `${dir} is not empty: a result never goes over another one`,
      'Name a folder that does not exist yet.',
    );
  }
  return absolute;
}

/** One file of lines; whole lines go out together, so a reader meets at most one broken line, the last. */
class RecordFile {
  readonly #descriptor: number;
  #lines: string[] = [];
  waitingChars = 0;
  #open = true;

  constructor(file: string, type: 'intervals' | 'events') {
    this.#descriptor = openSync(file, 'wx');
    this.add({ formatVersion: FORMAT_VERSION, type });
    this.flush();
  }

  add(record: unknown): void {
    const line = JSON.stringify(record);
    this.#lines.push(line);
    this.waitingChars += line.length + 1;
  }

  flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`, 'utf8');
    this.#lines = [];
    this.waitingChars = 0;
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written, bytes.length - written);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      fsyncSync(this.#descriptor);
    } catch {
      // Not every file system can; the lines were handed to it, which is what survives our own end.
    }
    closeSync(this.#descriptor);
  }
}

/** False when it exists; other errors are thrown. */
function tryMakeDirectory(dir: string): boolean {
  try {
    mkdirSync(dir);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(dir, { throwIfNoEntry: false })) return false;
    throw error;
  }
}

/** Local time, sortable: `20260730-101530`. */
function timeLabel(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return safe.slice(0, 80) || 'run';
}

function notWritable(path: string, cause: unknown): KvbenchError {
  const code = (cause as NodeJS.ErrnoException).code;
  const hint = code === 'ENOSPC' ? 'Free some disk space and run again.' : 'Check its permissions, or name another folder with --out.';
  return new KvbenchError('RESULT_NOT_WRITABLE', `${path} cannot be written: ${messageOf(cause)}`, hint, cause);
}
