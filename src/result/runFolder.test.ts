import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { sleepUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import type { EventRecord, IntervalRecord, RunRecord } from './records.js';
import { RunFolder } from './runFolder.js';

let parent: string;
const open: RunFolder[] = [];
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'kvbench-folder-'));
});
afterEach(() => {
  for (const folder of open.splice(0)) folder.discard();
  rmSync(parent, { recursive: true, force: true });
});

const create = (name: string): RunFolder => track(RunFolder.create(parent, name));
const track = (folder: RunFolder): RunFolder => {
  open.push(folder);
  return folder;
};
const interval = (index: number): IntervalRecord => ({
  index,
  startUs: index * 100_000,
  endUs: (index + 1) * 100_000,
  cells: [],
  shards: [],
  inFlight: 0,
  queued: 0,
});
const event = (tUs: number, text: string): EventRecord => ({ tUs, type: 'message', level: 'info', text });
const linesOf = (folder: RunFolder, file: string): unknown[] =>
  readFileSync(join(folder.dir, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const isNotWritable = (pattern: RegExp) => (error: unknown) =>
  error instanceof KvbenchError && error.code === 'RESULT_NOT_WRITABLE' && error.exitCode === 104 && pattern.test(error.message);

test('two runs of one name in the same second get a folder each', () => {
  const dirs = Array.from({ length: 5 }, () => create('fail over/../x').dir);
  assert.equal(new Set(dirs).size, 5);
  for (const dir of dirs) assert.match(basename(dir), /^\d{8}-\d{6}-fail-over-..-x(-\d)?$/);
  assert.equal(readdirSync(parent).length, 5);
});

test('records are appended in order below a header, each line whole', () => {
  const folder = create('order');
  for (let i = 0; i < 50; i++) {
    folder.interval(interval(i));
    folder.event(event(i, `line\n${i}`));
  }
  folder.close();
  folder.close();
  assert.deepEqual(linesOf(folder, 'intervals.ndjson')[0], { formatVersion: 1, type: 'intervals' });
  assert.deepEqual(linesOf(folder, 'events.ndjson')[0], { formatVersion: 1, type: 'events' });
  const indices = linesOf(folder, 'intervals.ndjson').slice(1) as IntervalRecord[];
  assert.deepEqual(
    indices.map((record) => record.index),
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.deepEqual(linesOf(folder, 'events.ndjson')[7], event(6, 'line\n6'));
});

test('a record reaches the disk within a second without a close', async () => {
  const folder = create('killed');
  folder.event(event(1, 'before the kill'));
  for (let waitedMs = 0; readFileSync(join(folder.dir, 'events.ndjson'), 'utf8').split('\n').length < 3; waitedMs += 20) {
    assert.ok(waitedMs < 1500, 'the record is still in memory');
    await sleepUs(20_000);
  }
  assert.deepEqual(linesOf(folder, 'events.ndjson')[1], event(1, 'before the kill'));
});

test('run.json is replaced whole, and nested files are made', () => {
  const folder = create('atomic');
  folder.writeRun({ formatVersion: 1, name: 'first' } as RunRecord);
  folder.writeRun({ formatVersion: 1, name: 'second' } as RunRecord);
  assert.equal(JSON.parse(readFileSync(join(folder.dir, 'run.json'), 'utf8')).name, 'second');
  assert.equal(readFileSync(folder.writeText('nodes/n1.log', 'log'), 'utf8'), 'log');
  folder.writeBytes('a.png', new Uint8Array([1, 2]));
  assert.deepEqual(readdirSync(folder.dir).sort(), ['a.png', 'events.ndjson', 'intervals.ndjson', 'nodes', 'run.json']);
  assert.throws(() => folder.writeText('../outside', ''), isNotWritable(/outside the result folder/));
});

test('--out takes a new or an empty folder and refuses every other', () => {
  mkdirSync(join(parent, 'empty'));
  track(RunFolder.createAt(join(parent, 'empty')));
  track(RunFolder.createAt(join(parent, 'new', 'deep')));
  assert.throws(() => RunFolder.createAt(join(parent, 'empty')), isNotWritable(/is not empty/));
  writeFileSync(join(parent, 'file'), '');
  assert.throws(() => RunFolder.createAt(join(parent, 'file')), isNotWritable(/cannot be written/));
  assert.throws(() => RunFolder.create(join(parent, 'file'), 'x'), isNotWritable(/cannot be written/));
});

test('a file that cannot be written is a clear error and leaves no part of itself', () => {
  const folder = create('broken');
  mkdirSync(join(folder.dir, 'run.json', 'in-the-way'), { recursive: true });
  assert.throws(() => folder.writeRun({ formatVersion: 1 } as RunRecord), isNotWritable(/run\.json cannot be written/));
  assert.ok(!existsSync(join(folder.dir, 'run.json.partial')));
});

test('a discarded folder is gone', () => {
  const folder = create('never-started');
  folder.event(event(1, 'x'));
  folder.discard();
  assert.ok(!existsSync(folder.dir));
  folder.event(event(2, 'late records are no error'));
  folder.close();
});
