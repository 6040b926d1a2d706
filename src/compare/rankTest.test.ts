import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hodgesLehmann, mannWhitney, smallestP } from './rankTest.js';

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

test('p of the rank test is that of the exact tables', () => {
  // All of one side below the other: 2 / (n+m choose n).
  for (const [n, m, p] of [
    [3, 3, 0.1],
    [4, 4, 2 / 70],
    [5, 5, 2 / 252],
    [7, 7, 2 / 3432],
  ] as const) {
    assert.ok(Math.abs(mannWhitney(range(0, n), range(100, m)) - p) < 1e-12);
    assert.ok(Math.abs(smallestP(n, m) - p) < 1e-12);
  }
  // U = 2 of 5 and 5: 4 of 252 arrangements have U ≤ 2 (1 + 1 + 2), two-sided 8 / 252.
  assert.ok(Math.abs(mannWhitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10]) - 8 / 252) < 1e-12);
  assert.equal(mannWhitney([1, 4], [2, 3]), 1);
});

test('ties are counted exactly, and equal values are no difference', () => {
  assert.equal(mannWhitney([1, 1, 1, 1, 1], [1, 1, 1, 1, 1]), 1);
  // 0,0,0,1 against 1,1,1,1: of 70 arrangements of five ones, C(5,1) = 5 leave one 1 with the three 0s on the first side.
  assert.ok(Math.abs(mannWhitney([0, 0, 0, 1], [1, 1, 1, 1]) - (2 * 5) / 70) < 1e-12);
});

test('what never ended is the longest', () => {
  assert.equal(mannWhitney([1, 2, 3, 4], [Number.POSITIVE_INFINITY, 5, 6, Number.POSITIVE_INFINITY]), 2 / 70);
  assert.equal(hodgesLehmann([1, 2, 3, 4], [11, 12, 13, Number.POSITIVE_INFINITY], 0.95).estimate, 10);
});

test('beyond the exact limit the normal approximation takes over smoothly', () => {
  const a = range(0, 31).map((i) => i * 2);
  const b = range(0, 29).map((i) => i * 2 + 9);
  const exact = mannWhitney(a, b);
  const approximate = mannWhitney([...a, 62], [...b, 67]);
  assert.ok(Math.abs(exact - approximate) < 0.02, `${exact} ${approximate}`);
});

test('the interval of the shift leaves out 0 exactly where the test rejects', () => {
  const a = [1, 2, 3, 4, 7];
  for (let by = -10; by <= 10; by += 0.5) {
    const b = [1.1, 2.2, 3.3, 4.4, 7.7].map((value) => value + by);
    const { interval } = hodgesLehmann(a, b, 0.95);
    assert.ok(interval);
    const leavesOut = interval.low > 0 || interval.high < 0;
    assert.equal(leavesOut, mannWhitney(a, b) <= 0.05, String(by));
  }
  assert.equal(hodgesLehmann([1, 2, 3], [4, 5, 6], 0.95).interval, null, 'three against three have no such interval');
});
