import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RandomStream, Stream } from './random.js';

test('a draw is a function of seed, stream and index alone', () => {
  const forwards = Array.from({ length: 100 }, (_, i) => new RandomStream(42, Stream.key).unit(i));
  const stream = new RandomStream(42, Stream.key);
  const backwards = Array.from({ length: 100 }, (_, i) => stream.unit(99 - i)).reverse();
  assert.deepEqual(forwards, backwards);
});

test('seeds, streams and indices above 2^32 give other draws', () => {
  const draws = new Set([
    new RandomStream(1, Stream.key).u32(7),
    new RandomStream(2, Stream.key).u32(7),
    new RandomStream(1, Stream.value).u32(7),
    new RandomStream(1 + 2 ** 40, Stream.key).u32(7),
    new RandomStream(1, Stream.key).u32(7 + 2 ** 33),
  ]);
  assert.equal(draws.size, 5);
});

test('draws are uniform: chi-square over 100 bins stays below the 0.1 % point', () => {
  const draws = 200_000;
  for (const [seed, stride] of [
    [1, 1],
    [42, 2],
    [7, 1024],
  ] as const) {
    const bins = new Uint32Array(100);
    const stream = new RandomStream(seed, Stream.operation);
    for (let i = 0; i < draws; i++) {
      const bin = stream.below(i * stride, 100);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const expected = draws / 100;
    const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 99 degrees of freedom: 148.2 is exceeded by chance once in a thousand.
    assert.ok(chiSquare < 148.2, `seed ${seed}, stride ${stride}: ${chiSquare}`);
  }
});

test('neighbouring draws are uncorrelated', () => {
  const stream = new RandomStream(3, Stream.value);
  let sum = 0;
  const draws = 100_000;
  for (let i = 0; i < draws; i++) sum += (stream.unit(i) - 0.5) * (stream.unit(i + 1) - 0.5);
  // The variance of the product is 1/144 each: five standard errors.
  assert.ok(Math.abs(sum / draws) < (5 / 12) * Math.sqrt(1 / draws), String(sum / draws));
});
