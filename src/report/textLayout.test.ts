import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignColumns, timeText, wrapWords } from './textLayout.js';

test('lines break between words, not between a number and its unit, and never inside a word', () => {
  const cases: [string, number, string[]][] = [
    ['', 10, []],
    ['one two three', 7, ['one two', 'three']],
    ['one  two\nthree', 100, ['one two three']],
    ['refused for 4.35 s: long', 13, ['refused for', '4.35 s: long']],
    ['took 73 % of it', 8, ['took', '73 % of', 'it']],
    ['see /a/very/long/path now', 8, ['see', '/a/very/long/path', 'now']],
    ['5 servers', 3, ['5', 'servers']],
  ];
  for (const [text, width, expected] of cases) assert.deepEqual(wrapWords(text, width), expected, text);
});

test('control characters do not reach the terminal', () => {
  assert.deepEqual(wrapWords('ERR \u001b[2Jgone\u0007', 80), ['ERR [2Jgone']);
});

test('columns are as wide as their widest cell', () => {
  const rows = [
    ['a', '1µs', 'x'],
    ['long', '100ms', ''],
  ];
  assert.deepEqual(alignColumns(rows, ['left', 'right', 'left']), ['a       1µs  x', 'long  100ms']);
});

test('times keep one unit', () => {
  assert.deepEqual([0, 999, 8_006_000, -376_088, 7_200_000_000].map(timeText), ['0.000s', '0.001s', '8.006s', '-0.376s', '7200.000s']);
});
