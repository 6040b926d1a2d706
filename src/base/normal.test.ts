import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalCdf, normalQuantile } from './normal.js';

test('the share below a point is that of the tables', () => {
  const table: [x: number, share: number][] = [
    [0, 0.5],
    [1, 0.841344746068543],
    [-1, 0.158655253931457],
    [1.959963984540054, 0.975],
    [2.9999, 0.998649658077058],
    [3.5, 0.999767370920964],
    [-5, 2.866515718791939e-7],
    [-10, 7.61985302416e-24],
  ];
  for (const [x, share] of table) assert.ok(Math.abs(normalCdf(x) / share - 1) < 1e-9, `${x}: ${normalCdf(x)}`);
});

test('the quantile undoes the share', () => {
  for (let p = 0.0005; p < 1; p += 0.0005) assert.ok(Math.abs(normalCdf(normalQuantile(p)) - p) < 1e-8, `${p}`);
  assert.ok(Math.abs(normalQuantile(1e-12) + 7.034484) < 1e-5);
});
