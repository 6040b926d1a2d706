import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatSeconds, formatUs, parseDurationUs, parseRatePerSec, parseSizeBytes } from './units.js';

test('durations carry units and come out in whole microseconds', () => {
  const cases: [string, number | undefined][] = [
    ['500ms', 500_000],
    ['2.5s', 2_500_000],
    ['1m30s', 90_000_000],
    ['250us', 250],
    ['1h', 3_600_000_000],
    ['0s', 0],
    ['5', undefined],
    ['5 s', undefined],
    ['-1s', undefined],
    ['s', undefined],
    ['1s2', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseDurationUs(text), expected, text);
});

test('sizes tell decimal from binary units', () => {
  const cases: [string, number | undefined][] = [
    ['64B', 64],
    ['1.5KB', 1500],
    ['4KiB', 4096],
    ['1MB', 1_000_000],
    ['1MiB', 1_048_576],
    ['64', undefined],
    ['64b', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseSizeBytes(text), expected, text);
});

test('rates are per second, whatever they are written in', () => {
  const cases: [string, number | undefined][] = [
    ['5000/s', 5000],
    ['20k/s', 20_000],
    ['300/m', 5],
    ['0.5/s', 0.5],
    ['-5/s', undefined],
    ['5000', undefined],
    ['5000/d', undefined],
  ];
  for (const [text, expected] of cases) {
    const parsed = parseRatePerSec(text);
    if (expected === undefined) assert.equal(parsed, undefined, text);
    else assert.ok(parsed !== undefined && Math.abs(parsed - expected) < 1e-9, text);
  }
});

test('what is shown has three significant digits and a unit', () => {
  assert.equal(formatUs(999), '999µs');
  assert.equal(formatUs(1234), '1.23ms');
  assert.equal(formatUs(45_678), '45.7ms');
  assert.equal(formatUs(3_456_789), '3.46s');
  assert.equal(formatUs(150_000_000), '2m30s');
  assert.equal(formatUs(null), '–');
  assert.equal(formatSeconds(3457), '3.46 s');
  assert.equal(formatCount(1234567), '1,234,567');
  assert.equal(formatBytes(1_536_000), '1.54 MB');
});
