import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { LogTail, type TailedLines } from './logTail.js';
import { until } from './servers.test.support.js';

async function follow(t: TestContext, content: string | null): Promise<{ file: string; lines: string[]; passes: TailedLines[]; tail: LogTail }> {
  const folder = await mkdtemp(join(tmpdir(), 'kvbench-tail-'));
  const file = join(folder, 'server.log');
  if (content !== null) await writeFile(file, content);
  const tail = await LogTail.open(file);
  t.after(async () => {
    await tail.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const lines: string[] = [];
  const passes: TailedLines[] = [];
  tail.listen((pass) => {
    passes.push(pass);
    lines.push(...pass.lines);
  });
  return { file, lines, passes, tail };
}

test('lines come from the end at the opening on, whole, with the times of their reading', async (t) => {
  const { file, lines, passes } = await follow(t, 'old\n');
  const beforeUs = monotonicUs();
  await appendFile(file, 'first\nsec');
  await until('the first line', () => lines.length === 1);
  await appendFile(file, 'ond ü\n');
  await until('the second line', () => lines.length === 2);
  assert.deepEqual(lines, ['first', 'second ü']);
  for (const pass of passes) assert.ok(pass.unseenAtUs <= pass.readAtUs);
  assert.ok((passes[0]?.readAtUs ?? 0) >= beforeUs);
  assert.ok((passes[1]?.unseenAtUs ?? 0) >= (passes[0]?.unseenAtUs ?? 0));
});

test('a line is there within 25 ms, most of the time', async (t) => {
  const { file, lines, passes } = await follow(t, '');
  await appendFile(file, 'first\n');
  await until('the first line', () => lines.length === 1); // The notification is set up by now.
  const delaysUs: number[] = [];
  for (let i = 2; i <= 12; i++) {
    const writtenUs = monotonicUs();
    await appendFile(file, `line ${i}\n`);
    await until(`line ${i}`, () => lines.length === i);
    delaysUs.push((passes.at(-1)?.readAtUs ?? 0) - writtenUs);
  }
  const medianUs = delaysUs.sort((a, b) => a - b)[5] ?? Number.POSITIVE_INFINITY;
  assert.ok(medianUs <= 25_000, `median ${medianUs} µs`);
});

test('a log that is truncated is read from its start', async (t) => {
  const { file, lines } = await follow(t, 'a long line of a server that has gone\n');
  await appendFile(file, 'one\n');
  await until('the line before', () => lines.length === 1);
  await truncate(file, 0);
  await until('the truncation to be seen and the line after it', async () => {
    if (lines.length === 1) await appendFile(file, 'two\n');
    return lines.includes('two');
  });
});

test('a log that is rotated is finished, then followed under its name', async (t) => {
  const { file, lines } = await follow(t, '');
  await appendFile(file, 'one\n');
  await until('the first line', () => lines.length === 1);
  await rename(file, `${file}.1`);
  await appendFile(`${file}.1`, 'two\n');
  await writeFile(file, 'three\n');
  await until('both lines', () => lines.length === 3);
  await appendFile(file, 'four\n');
  await until('the line after the rotation', () => lines.length === 4);
  assert.deepEqual(lines, ['one', 'two', 'three', 'four']);
});

test('a log that is not there yet is followed once it is', async (t) => {
  const { file, lines } = await follow(t, null);
  await writeFile(file, 'one\n');
  await until('the first line', () => lines.length === 1);
});

test('more than one read fits comes whole, a line without an end is given up, and stopping delivers the rest', async (t) => {
  const { file, lines, tail } = await follow(t, '');
  const many = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
  await appendFile(file, `${many.join('\n')}\n${'x'.repeat(200_000)}\nlast\n`);
  await tail.stop();
  assert.deepEqual(lines.slice(0, many.length), many);
  assert.equal(lines.at(-1), 'last');
  assert.ok(lines.every((line) => line.length < 80_000));
});
