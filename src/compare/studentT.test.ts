import assert from 'node:assert/strict';
import { test } from 'node:test';
import { studentTCdf, studentTQuantile, studentTTwoSided } from './studentT.js';

test('quantiles are those of the tables', () => {
  const table: [df: number, p: number, t: number][] = [
    [1, 0.975, 12.7062],
    [2, 0.975, 4.30265],
    [4, 0.975, 2.77645],
    [8, 0.975, 2.306],
    [8, 0.995, 3.35539],
    [12, 0.95, 1.78229],
    [30, 0.975, 2.04227],
    [1e6, 0.975, 1.95997],
  ];
  for (const [df, p, t] of table) {
    assert.ok(Math.abs(studentTQuantile(p, df) / t - 1) < 2e-5, `${df} ${p}: ${studentTQuantile(p, df)}`);
    assert.ok(Math.abs(studentTCdf(studentTQuantile(p, df), df) - p) < 1e-9);
    assert.ok(Math.abs(studentTQuantile(1 - p, df) + studentTQuantile(p, df)) < 1e-6);
  }
});

test('the far tail keeps its digits', () => {
  assert.ok(Math.abs(studentTTwoSided(20, 8) / 4.1e-8 - 1) < 0.05);
  assert.equal(studentTTwoSided(Number.POSITIVE_INFINITY, 3), 0);
  assert.equal(studentTTwoSided(0, 3), 1);
});
