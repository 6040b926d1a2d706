import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { KvbenchError } from '../base/errors.js';
import { summarize } from '../stats/summarize.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import { readRun } from './readRun.js';
import { RunFolder } from './runFolder.js';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'kvbench-read-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const made = syntheticRun({ phases: [{ name: 'steady', durationUs: 2_000_000 }] });

function folderOf(): string {
  const folder = RunFolder.createAt(join(parent, 'run'));
  folder.writeRun(made.run);
  for (const event of made.events) folder.event(event);
  for (const interval of made.intervals()) folder.interval(interval);
  folder.close();
  return folder.dir;
}

const refuses = (dir: string, pattern: RegExp): void =>
  assert.throws(
    () => [...readRun(dir).intervals()],
    (error) => {
      assert.ok(error instanceof KvbenchError, String(error));
      assert.equal(error.code, 'RESULT_NOT_READABLE');
      assert.match(error.message, pattern);
      assert.ok(error.hint);
      return true;
    },
  );
const edit = (file: string, change: (text: string) => string): void => writeFileSync(file, change(readFileSync(file, 'utf8')));

test('a folder reads back as it was written, as often as wanted', () => {
  const data = readRun(folderOf());
  assert.deepEqual(data.run, made.run);
  assert.deepEqual(data.events, made.events);
  assert.deepEqual([...data.intervals()], [...made.intervals()]);
  assert.deepEqual([...data.intervals()], [...made.intervals()]);
  assert.equal(data.summary, null);
  assert.equal(data.truncated, false);
});

test('a summary that was written comes along', () => {
  const dir = folderOf();
  const summary = summarize(readRun(dir));
  writeFileSync(join(dir, 'summary.json'), JSON.stringify(summary));
  assert.deepEqual(readRun(dir).summary, JSON.parse(JSON.stringify(summary)));
});

test('a last line that was cut off is left out, and told', () => {
  for (const file of ['intervals.ndjson', 'events.ndjson']) {
    const dir = folderOf();
    const path = join(dir, file);
    truncateSync(path, readFileSync(path).length - 10);
    const data = readRun(dir);
    const count = file === 'events.ndjson' ? data.events.length : [...data.intervals()].length;
    assert.equal(count, (file === 'events.ndjson' ? made.events.length : [...made.intervals()].length) - 1);
    assert.equal(data.truncated, true);
    rmSync(dir, { recursive: true });
  }
});

test('a run without an end was cut off, though its lines are whole', () => {
  const dir = folderOf();
  edit(join(dir, 'events.ndjson'), (text) => text.replace(/^.*"state":"end".*\n/m, ''));
  assert.equal(readRun(dir).truncated, true);
});

test('files of records that never came to be are a cut off run, not an error', () => {
  const dir = folderOf();
  rmSync(join(dir, 'intervals.ndjson'));
  writeFileSync(join(dir, 'events.ndjson'), '');
  const data = readRun(dir);
  assert.equal(data.truncated, true);
  assert.equal(summarize(data).verdict, 'interrupted');
});

test('what is missing or no run is refused with its name', () => {
  refuses(join(parent, 'nowhere'), /nowhere is not a folder/);
  refuses(parent, /has no run\.json/);
});

const corruptions: [string, string, (text: string) => string, RegExp][] = [
  ['run.json that is no JSON', 'run.json', () => '{"formatVersion": 1', /run\.json is corrupt/],
  ['run.json without a plan', 'run.json', (text) => text.replace('"plan"', '"plane"'), /run\.json is corrupt: plan/],
  ['a newer format', 'run.json', (text) => text.replace('"formatVersion": 1', '"formatVersion": 2'), /formatVersion 2; this kvbench reads version 1/],
  [
    'a format nobody ever wrote',
    'run.json',
    (text) => text.replace('"formatVersion": 1', '"formatVersion": "x"'),
    /no known formatVersion \(found "x"\)/,
  ],
  ['newer records', 'events.ndjson', (text) => text.replace('"formatVersion":1', '"formatVersion":3'), /formatVersion 3/],
  ['records without a header', 'intervals.ndjson', (text) => text.slice(text.indexOf('\n') + 1), /no known formatVersion/],
  ['a line broken in the middle', 'events.ndjson', (text) => text.replace(/\n\{/, '\n{{'), /events\.ndjson:2 is corrupt/],
  [
    'a line of another kind',
    'intervals.ndjson',
    (text) => text.replace('"cells"', '"sells"'),
    /intervals\.ndjson:2 is corrupt: not one of the intervals/,
  ],
  ['files that were swapped', 'intervals.ndjson', (text) => text.replace('"type":"intervals"', '"type":"events"'), /it says it holds "events"/],
];
for (const [name, file, change, message] of corruptions) {
  test(`${name} is refused with file and reason`, () => {
    const dir = folderOf();
    edit(join(dir, file), change);
    refuses(dir, message);
  });
}

test('a corrupt summary is refused, an unknown event type is not', () => {
  const dir = folderOf();
  appendFileSync(join(dir, 'events.ndjson'), '{"tUs":5,"type":"of-a-later-version"}\n');
  assert.equal(readRun(dir).events.at(-1)?.tUs, 5);
  assert.doesNotThrow(() => summarize(readRun(dir)));
  writeFileSync(join(dir, 'summary.json'), '{"formatVersion":1,"verdict":"good"}');
  refuses(dir, /summary\.json is corrupt: verdict/);
});

test('lines of any length and letters of several bytes are read whole, wherever a reading of the file ends', () => {
  const dir = folderOf();
  // Over what is read at once (256 KiB), a little under it, and so that its ends fall into letters.
  const texts = [700_000, 3, 131_070, 131_071, 262_143, 0, 87_381, 87_382].map((length) => '€é😀'.repeat(length / 3 + 1).slice(0, length * 2));
  for (const text of texts) appendFileSync(join(dir, 'events.ndjson'), `${JSON.stringify({ tUs: 1, type: 'message', level: 'info', text })}\n`);
  const read = readRun(dir).events.slice(made.events.length);
  assert.equal(read.length, texts.length);
  read.forEach((event, i) => {
    assert.ok(event.type === 'message' && event.text === texts[i], `line ${i}`);
  });
});
