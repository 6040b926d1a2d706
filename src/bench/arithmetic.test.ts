/** The bench's own arithmetic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { combineEvenly, figureOf, median, orderOfRound, ratioOf, type WindowResult } from './arithmetic.js';

const window = (opsPerSec: number, more: Partial<WindowResult> = {}): WindowResult => ({
  opsPerSec,
  cpuUsPerOp: 1,
  peakRssBytes: 1000,
  serverCores: 1,
  otherCores: 0,
  ...more,
});

test('a median is the middle, or the mean of the two in the middle', () => {
  const cases: [number[], number][] = [
    [[3], 3],
    [[9, 1, 5], 5],
    [[4, 1, 2, 3], 2.5],
    [[10, 10, 1], 10],
  ];
  for (const [values, expected] of cases) assert.equal(median(values), expected, String(values));
  assert.ok(Number.isNaN(median([])));
});

test('a median does not change the values it is given', () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
  assert.deepEqual(figureOf(values), { median: 2, min: 1, max: 3, values: [3, 1, 2] });
  assert.equal(figureOf([]), null);
});

test('ratios are taken round by round, and a failed round is no ratio', () => {
  // The second round was slow for both: the ratio of medians would not see that, the median of ratios does.
  assert.deepEqual(ratioOf([120, 60, null, 110], [100, 50, 100, null]), { median: 1.2, min: 1.2, max: 1.2, values: [1.2, 1.2] });
  assert.equal(ratioOf([null], [100]), null);
  assert.equal(ratioOf([100], [0]), null);
});

test('SETs and GETs combine to the rate of doing one of each in turn', () => {
  const mixed = combineEvenly([window(50_000, { cpuUsPerOp: 12 }), window(100_000, { cpuUsPerOp: 8 })]);
  // 1 s of SETs at 50,000/s and half a second of GETs at 100,000/s: 100,000 operations in 1.5 s.
  assert.ok(Math.abs(mixed.opsPerSec - 100_000 / 1.5) < 1e-6);
  assert.equal(mixed.cpuUsPerOp, 10);
});

test('shares of time combine by how long each part takes', () => {
  const mixed = combineEvenly([window(50_000, { serverCores: 0.9 }), window(100_000, { serverCores: 0.6 })]);
  assert.ok(Math.abs((mixed.serverCores ?? 0) - 0.8) < 1e-9);
});

test('one window alone stays as it is, and what is unknown stays unknown', () => {
  const only = window(70_000, { cpuUsPerOp: null, peakRssBytes: null, otherCores: null, serverCores: 0.5 });
  const combined = combineEvenly([only]);
  assert.ok(Math.abs(combined.opsPerSec - 70_000) < 1e-6);
  assert.deepEqual({ ...combined, opsPerSec: 70_000 }, only);
  assert.equal(combineEvenly([window(1), only]).cpuUsPerOp, null);
});

test('a combined rate lies between the slowest and the fastest part', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 5 }), (rates) => {
      const { opsPerSec } = combineEvenly(rates.map((rate) => window(rate)));
      return opsPerSec >= Math.min(...rates) * (1 - 1e-9) && opsPerSec <= Math.max(...rates) * (1 + 1e-9);
    }),
  );
});

test('the order alternates, each round has everybody once, and nobody is always first', () => {
  const items = ['a', 'b', 'c'];
  const rounds = Array.from({ length: 6 }, (_, round) => orderOfRound(items, round));
  for (const order of rounds) assert.deepEqual([...order].sort(), items);
  assert.equal(new Set(rounds.map((order) => order[0])).size, 3);
  assert.deepEqual(orderOfRound(['direct', 'proxied'], 0), ['direct', 'proxied']);
  assert.notDeepEqual(rounds[0], rounds[1]);
  assert.deepEqual(orderOfRound([], 3), []);
});
