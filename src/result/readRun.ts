/**
 * Reads a result folder, also one that a killed run left. Used by `report`, the summary and (later) comparisons. Never writes, never
 * holds all intervals in memory: each call of `intervals()` reads the file again, line by line.
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { KvbenchError, messageOf } from '../base/errors.js';
import { runSchema } from './recordSchemas.js';
import { type EventRecord, FORMAT_VERSION, type IntervalRecord, type RunRecord } from './records.js';
import type { Summary } from './summary.js';
import { summarySchema } from './summarySchema.js';

export interface RunData {
  dir: string;
  run: RunRecord;
  events: EventRecord[];
  /** In the order written. Reads the file again at every call. */
  intervals(): Iterable<IntervalRecord>;
  /** Null: a killed run, or one not summed up yet. */
  summary: Summary | null;
  /** The run was killed: it has no end, or the last line of a file was cut off, or a file of records is missing. */
  truncated: boolean;
}

const CHUNK_BYTES = 1 << 18;
/** A line longer than this is no record of ours. */
const LINE_LIMIT_BYTES = 64_000_000;
const NEWLINE = 0x0a;

/** Reads a run. Throws RESULT_NOT_READABLE: missing, not a run, corrupt (with file and line) or of an unknown format version. */
export function readRun(dir: string): RunData {
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new KvbenchError('RESULT_NOT_READABLE', `${dir} is not a folder`, 'Give the folder of a run, e.g. one below reports/.');
  }
  const runFile = join(dir, 'run.json');
  if (!existsSync(runFile)) {
    throw new KvbenchError(
      'RESULT_NOT_READABLE',
      `${dir} has no run.json: it is not the folder of a run that started`,
      'Give a folder below reports/.',
    );
  }
  const run = readJson(runFile, runSchema) as RunRecord;
  const state = { truncated: false };
  const onTruncated = (): void => {
    state.truncated = true;
  };
  const events = [...records<EventRecord>(join(dir, 'events.ndjson'), 'events', isEvent, onTruncated)];
  const intervalsFile = join(dir, 'intervals.ndjson');
  const ended = events.some((event) => event.type === 'run' && event.state === 'end');
  if (!ended || !endsWithNewline(intervalsFile)) state.truncated = true;
  return {
    dir,
    run,
    events,
    intervals: () => records<IntervalRecord>(intervalsFile, 'intervals', isInterval, onTruncated),
    summary: existsSync(join(dir, 'summary.json')) ? (readJson(join(dir, 'summary.json'), summarySchema) as Summary) : null,
    get truncated() {
      return state.truncated;
    },
  };
}

function readJson(file: string, schema: z.ZodType): unknown {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw corrupt(file, messageOf(error));
  }
  checkVersion(file, value);
  const result = schema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw corrupt(file, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong shape'}`);
  }
  return value;
}

/** Every format that was ever written can be told by its number. */
function checkVersion(file: string, value: unknown): void {
  const version = typeof value === 'object' && value !== null ? (value as { formatVersion?: unknown }).formatVersion : undefined;
  if (version === FORMAT_VERSION) return;
  if (typeof version === 'number' && version > FORMAT_VERSION) {
    throw new KvbenchError(
      'RESULT_NOT_READABLE',
      `${file} has formatVersion ${version}; this kvbench reads version ${FORMAT_VERSION}`,
      'Use the kvbench that wrote it, or a newer one.',
    );
  }
  throw new KvbenchError(
    'RESULT_NOT_READABLE',
    `${file} has no known formatVersion (found ${JSON.stringify(version) ?? 'none'})`,
    'Is it the file of another tool?',
  );
}

function* records<T>(file: string, type: string, isRecord: (value: unknown) => boolean, onTruncated: () => void): Generator<T> {
  if (!existsSync(file)) return onTruncated();
  let lineNumber = 0;
  for (const line of lines(file)) {
    lineNumber++;
    let value: unknown;
    try {
      value = JSON.parse(line.text);
    } catch (error) {
      if (!line.complete) return onTruncated();
      throw corrupt(`${file}:${lineNumber}`, messageOf(error));
    }
    if (lineNumber === 1) {
      checkVersion(file, value);
      if ((value as { type?: unknown }).type !== type)
        throw corrupt(`${file}:1`, `it says it holds ${JSON.stringify((value as { type?: unknown }).type)}, not ${type}`);
      continue;
    }
    if (!isRecord(value)) throw corrupt(`${file}:${lineNumber}`, `not one of the ${type}: ${line.text.slice(0, 80)}`);
    yield value as T;
  }
  if (lineNumber === 0) onTruncated();
}

/**
 * Lines without their end; the last is incomplete when the file does not end in a newline. Bytes become text line by line: text of a whole
 * chunk would live as long as the last of its lines.
 */
function* lines(file: string): Generator<{ text: string; complete: boolean }> {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw new KvbenchError('RESULT_NOT_READABLE', `${file} cannot be read: ${messageOf(error)}`, 'Check its permissions.', error);
  }
  try {
    let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    /** Bytes of a line whose end has not been read yet, at the start of the chunk. */
    let restBytes = 0;
    for (;;) {
      if (restBytes === chunk.length) {
        if (restBytes > LINE_LIMIT_BYTES) throw corrupt(file, 'a line is too long to be a record');
        const longer = Buffer.allocUnsafeSlow(chunk.length * 2);
        chunk.copy(longer, 0, 0, restBytes);
        chunk = longer;
      }
      const read = readSync(descriptor, chunk, restBytes, chunk.length - restBytes, null);
      if (read === 0) break;
      const filled = chunk.subarray(0, restBytes + read);
      let start = 0;
      for (let end = filled.indexOf(NEWLINE, restBytes); end >= 0; end = filled.indexOf(NEWLINE, start)) {
        yield { text: filled.toString('utf8', start, end), complete: true };
        start = end + 1;
      }
      chunk.copyWithin(0, start, filled.length);
      restBytes = filled.length - start;
    }
    if (restBytes > 0) yield { text: chunk.toString('utf8', 0, restBytes), complete: false };
  } finally {
    closeSync(descriptor);
  }
}

function endsWithNewline(file: string): boolean {
  if (!existsSync(file)) return false;
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] === NEWLINE;
  } finally {
    closeSync(descriptor);
  }
}

/** Cheap checks: every line of a long run passes here at every reading. */
function isEvent(value: unknown): boolean {
  const event = value as { tUs?: unknown; type?: unknown } | null;
  return typeof event === 'object' && event !== null && typeof event.tUs === 'number' && typeof event.type === 'string';
}

function isInterval(value: unknown): boolean {
  const interval = value as Partial<IntervalRecord> | null;
  return (
    typeof interval === 'object' &&
    interval !== null &&
    typeof interval.index === 'number' &&
    typeof interval.startUs === 'number' &&
    typeof interval.endUs === 'number' &&
    Array.isArray(interval.cells) &&
    Array.isArray(interval.shards)
  );
}

function corrupt(where: string, why: string): KvbenchError {
  return new KvbenchError(
    'RESULT_NOT_READABLE',
    `${where} is corrupt: ${why}`,
    'The file was changed or damaged after the run; restore it or run again.',
  );
}
