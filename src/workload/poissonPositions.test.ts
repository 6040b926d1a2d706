import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PoissonPositions } from './poissonPositions.js';

/** Kolmogorov–Smirnov distance of a sample from a distribution, times √n: above 1.95 once in a thousand. */
function ksOf(sample: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  let distance = 0;
  for (const [i, x] of sorted.entries()) {
    const expected = cdf(x);
    distance = Math.max(distance, Math.abs(expected - i / sorted.length), Math.abs(expected - (i + 1) / sorted.length));
  }
  return distance * Math.sqrt(sorted.length);
}

function positions(count: number, seed = 42, first = 0): number[] {
  const process = new PoissonPositions(seed, first, count);
  return Array.from({ length: count }, (_, i) => process.positionOf(i));
}

test('the points are uniform', () => {
  for (const seed of [1, 2, 3]) assert.ok(ksOf(positions(50_000, seed), (x) => x) < 1.95);
});

test('gaps are exponential, also those across the borders of blocks, and do not depend on the one before', () => {
  const count = 100_000;
  const points = positions(count);
  const gaps = points.slice(1).map((point, i) => (point - (points[i] ?? 0)) * (count + 1));
  const exponential = (x: number): number => 1 - Math.exp(-x);
  assert.ok(ksOf(gaps, exponential) < 1.95);
  const borders = gaps.filter((_, i) => (i + 2) % 256 === 0 || (i + 1) % 256 === 0);
  assert.ok(borders.length > 700 && ksOf(borders, exponential) < 1.95);
  let product = 0;
  for (let i = 1; i < gaps.length; i++) product += ((gaps[i] ?? 0) - 1) * ((gaps[i - 1] ?? 0) - 1);
  assert.ok(Math.abs(product / Math.sqrt(gaps.length)) < 4, `correlation of neighbours ${product / gaps.length}`);
});

test('counts in equal windows vary as those of a Poisson process of fixed length: binomially', () => {
  const count = 200_000;
  const windows = 1000;
  const counts = new Array<number>(windows).fill(0);
  for (const point of positions(count)) counts[Math.floor(point * windows)] = (counts[Math.floor(point * windows)] ?? 0) + 1;
  const mean = count / windows;
  const chi = counts.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
  const sigmas = (chi - (windows - 1)) / Math.sqrt(2 * (windows - 1));
  assert.ok(Math.abs(sigmas) < 4, `dispersion is ${sigmas} standard deviations off`);
});

test('the i-th point does not depend on what was asked before', () => {
  const inOrder = positions(3000);
  const jumper = new PoissonPositions(42, 0, 3000);
  for (const i of [2999, 0, 255, 256, 254, 1700, 511, 1]) assert.equal(jumper.positionOf(i), inOrder[i]);
});

test('few points, and very many, are in order and in range', () => {
  for (const count of [1, 2, 254, 255, 256, 257, 511, 512, 513]) {
    const points = positions(count);
    assert.ok(
      points.every((point, i) => point >= 0 && point < 1 && point > (points[i - 1] ?? -1)),
      `${count}`,
    );
  }
  const huge = new PoissonPositions(1, 0, 4_000_000_000);
  const far = [0, 1_999_999_999, 3_999_999_999].map((i) => huge.positionOf(i));
  for (const [i, at] of [0, 0.5, 1].entries()) assert.ok(Math.abs((far[i] ?? 0) - at) < 1e-4, `${far[i]}`);
});
