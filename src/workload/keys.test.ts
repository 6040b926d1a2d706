import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream, Stream } from '../base/random.js';
import type { KeyDistribution } from '../plan/plan.js';
import { fnv64Below } from './fnv.js';
import { makeKeyChooser, ZipfianKeys } from './keys.js';
import { zeta } from './zeta.js';

/** Chi-square of observed counts against expected ones, as standard deviations from its mean (Wilson–Hilferty). */
function chiSquareSigmas(observed: readonly number[], expected: readonly number[]): number {
  const degrees = observed.length - 1;
  const chi = observed.reduce((sum, count, i) => sum + (count - (expected[i] ?? 0)) ** 2 / (expected[i] ?? 1), 0);
  return (Math.cbrt(chi / degrees) - (1 - 2 / (9 * degrees))) / Math.sqrt(2 / (9 * degrees));
}

function countsOf(distribution: KeyDistribution, keyCount: number, draws: number): number[] {
  const keys = makeKeyChooser(42, distribution, keyCount);
  const counts = new Array<number>(keyCount).fill(0);
  for (let i = 0; i < draws; i++) {
    const keyIndex = keys.keyIndexOf(i);
    counts[keyIndex] = (counts[keyIndex] ?? 0) + 1;
  }
  return counts;
}

test('uniform keys are uniform', () => {
  const counts = countsOf({ kind: 'uniform' }, 1000, 500_000);
  assert.ok(Math.abs(chiSquareSigmas(counts, new Array(1000).fill(500))) < 4);
});

test('sequential keys go round', () => {
  assert.deepEqual(countsOf({ kind: 'sequential' }, 7, 15), [3, 2, 2, 2, 2, 2, 2]);
});

test('hotspot: the share goes to the fraction, uniformly inside and outside', () => {
  const counts = countsOf({ kind: 'hotspot', hotFraction: 0.2, hotShare: 0.8 }, 100, 200_000);
  const expected = counts.map((_, key) => (key < 20 ? 8000 : 500));
  assert.ok(Math.abs(chiSquareSigmas(counts, expected)) < 4);
});

test('zipfian ranks 0 and 1 have exactly their probability, the others follow the formula', () => {
  const keyCount = 1000;
  const draws = 1_000_000;
  for (const theta of [0.5, 0.99]) {
    const keys = new ZipfianKeys(new RandomStream(42, Stream.key), keyCount, theta);
    const counts = new Array<number>(keyCount).fill(0);
    for (let i = 0; i < draws; i++) counts[keys.rankOf(i)] = (counts[keys.rankOf(i)] ?? 0) + 1;
    const zetaN = zeta(keyCount, theta);
    const expectedOf = (rank: number): number => (draws * (rank + 1) ** -theta) / zetaN;
    for (const rank of [0, 1]) {
      const sigma = Math.sqrt(expectedOf(rank));
      assert.ok(Math.abs((counts[rank] ?? 0) - expectedOf(rank)) < 4 * sigma, `rank ${rank}: ${counts[rank]} for ${expectedOf(rank)}`);
    }
    // Gray's inversion is an approximation for the others: decades of ranks are within 10 %.
    for (const [from, to] of [
      [2, 10],
      [10, 100],
      [100, 1000],
    ] as const) {
      let observed = 0;
      let expected = 0;
      for (let rank = from; rank < to; rank++) {
        observed += counts[rank] ?? 0;
        expected += expectedOf(rank);
      }
      assert.ok(Math.abs(observed / expected - 1) < 0.1, `theta ${theta}, ranks ${from}–${to}: ${observed} for ${expected}`);
    }
  }
});

test('zipfian keys are scrambled, and the hottest key has the share of rank 0', () => {
  const counts = countsOf({ kind: 'zipfian', theta: 0.99 }, 1000, 200_000);
  const hottest = counts.indexOf(Math.max(...counts));
  assert.equal(hottest, fnv64Below(0, 1000));
  assert.notEqual(hottest, 0);
  assert.ok((counts[hottest] ?? 0) >= 200_000 / zeta(1000, 0.99) - 500);
});

test('the scramble is the FNV hash of YCSB', () => {
  const reference = (value: number): bigint => {
    let hash = 0xcbf29ce484222325n;
    for (let octet = 0n; octet < 8n; octet++) hash = BigInt.asUintN(64, (hash ^ ((BigInt(value) >> (8n * octet)) & 0xffn)) * 1099511628211n);
    const signed = BigInt.asIntN(64, hash);
    return signed < 0n ? -signed : signed;
  };
  fc.assert(
    fc.property(fc.nat(0xffffffff), fc.integer({ min: 1, max: 2 ** 31 }), (value, bound) => {
      assert.equal(fnv64Below(value, bound), Number(reference(value) % BigInt(bound)));
    }),
  );
});

test('zeta of many terms agrees with the sum', () => {
  let sum = 0;
  for (let k = 1; k <= 3_000_000; k++) sum += k ** -0.99;
  assert.ok(Math.abs(zeta(3_000_000, 0.99) - sum) < 1e-7);
});

test('every key is in range, for any distribution, count and index', () => {
  const distributions = fc.oneof(
    fc.constant<KeyDistribution>({ kind: 'uniform' }),
    fc.constant<KeyDistribution>({ kind: 'sequential' }),
    fc.double({ min: 0.01, max: 0.999, noNaN: true }).map((theta): KeyDistribution => ({ kind: 'zipfian', theta })),
    fc
      .record({ hotFraction: fc.double({ min: 0, max: 1, noNaN: true }), hotShare: fc.double({ min: 0, max: 1, noNaN: true }) })
      .map((shape): KeyDistribution => ({ kind: 'hotspot', ...shape })),
  );
  fc.assert(
    fc.property(
      distributions,
      fc.integer({ min: 1, max: 5000 }),
      fc.nat(2 ** 31),
      fc.maxSafeNat().map((n) => Math.floor(n / 4)),
      (distribution, keyCount, seed, i) => {
        const keys = makeKeyChooser(seed, distribution, keyCount);
        const keyIndex = keys.keyIndexOf(i);
        assert.ok(Number.isInteger(keyIndex) && keyIndex >= 0 && keyIndex < keyCount);
        assert.equal(keys.keyIndexOf(i), keyIndex, 'seekable');
      },
    ),
  );
});
