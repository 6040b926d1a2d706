import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalCdf } from '../base/normal.js';
import { RandomStream, Stream } from '../base/random.js';
import type { KeyDistribution } from '../plan/plan.js';
import { fnv64Below } from './fnv.js';
import { makeKeyChooser } from './keys.js';
import { OPERATIONS_PER_PHASE, OperationMix } from './operations.js';
import { zeta } from './zeta.js';
import { ZipfianKeys } from './zipfianKeys.js';

const mixed = new OperationMix(42, { operations: { get: 70, set: 20, incr: 5, del: 5 }, readModifyWrite: 0 });

/** Chi-square of observed counts against expected ones, as standard deviations from its mean (Wilson–Hilferty). */
function chiSquareSigmas(observed: readonly number[], expected: readonly number[]): number {
  const degrees = observed.length - 1;
  const chi = observed.reduce((sum, count, i) => sum + (count - (expected[i] ?? 0)) ** 2 / (expected[i] ?? 1), 0);
  return (Math.cbrt(chi / degrees) - (1 - 2 / (9 * degrees))) / Math.sqrt(2 / (9 * degrees));
}

function countsOf(distribution: KeyDistribution, keyCount: number, draws: number): number[] {
  const keys = makeKeyChooser(42, distribution, keyCount, mixed);
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

test('gaussian keys follow the normal distribution, cut at the ends of the key space', () => {
  const draws = 500_000;
  for (const { mean, deviation } of [
    { mean: 0.5, deviation: 1 / 6 },
    { mean: 0.1, deviation: 0.3 },
    { mean: 1, deviation: 3 },
  ]) {
    const counts = countsOf({ kind: 'gaussian', mean, deviation }, 100, draws);
    const below = (key: number): number => normalCdf((key / 100 - mean) / deviation);
    const expected = counts.map((_, key) => (draws * (below(key + 1) - below(key))) / (below(100) - below(0)));
    // The thinnest cells of a chi-square must not be empty.
    assert.ok(Math.min(...expected) > 5);
    const sigmas = chiSquareSigmas(counts, expected);
    assert.ok(Math.abs(sigmas) < 4, `mean ${mean}, deviation ${deviation}: ${sigmas}`);
  }
});

test('latest: writes go through the keys in turn, and reads prefer what was written last, as zipfian as can be', () => {
  const keyCount = 1000;
  const draws = 400_000;
  const keys = makeKeyChooser(42, { kind: 'latest', theta: 0.99 }, keyCount, mixed);
  const counts = new Array<number>(keyCount).fill(0);
  let writes = 0;
  for (let i = 0; i < draws; i++) {
    const keyIndex = keys.keyIndexOf(i);
    if (mixed.isWrite(i)) assert.equal(keyIndex, writes++ % keyCount);
    else {
      const age = (writes - 1 - keyIndex + 2 * keyCount * draws) % keyCount;
      counts[age] = (counts[age] ?? 0) + 1;
    }
  }
  const reads = draws - writes;
  const zetaN = zeta(keyCount, 0.99);
  for (const age of [0, 1]) {
    const expected = (reads * (age + 1) ** -0.99) / zetaN;
    assert.ok(Math.abs((counts[age] ?? 0) - expected) < 4 * Math.sqrt(expected), `age ${age}: ${counts[age]} for ${expected}`);
  }
  const share = (from: number, to: number): number => counts.slice(from, to).reduce((sum, count) => sum + count, 0) / reads;
  for (const [from, to] of [
    [2, 10],
    [10, 100],
    [100, 1000],
  ] as const) {
    let expected = 0;
    for (let age = from; age < to; age++) expected += (age + 1) ** -0.99 / zetaN;
    assert.ok(Math.abs(share(from, to) / expected - 1) < 0.1, `ages ${from}–${to}: ${share(from, to)} for ${expected}`);
  }
});

test('latest: whoever asks for operation i, and whatever was asked before, the key is the same', () => {
  const fresh = (): ReturnType<typeof makeKeyChooser> => makeKeyChooser(42, { kind: 'latest', theta: 0.5 }, 50, mixed);
  const inOrder = fresh();
  const base = 3 * OPERATIONS_PER_PHASE;
  const indices = [0, 1, 2, 700, 701, 1500, base, base + 1, base + 900];
  const expected = indices.map((i) => inOrder.keyIndexOf(i));
  const backwards = fresh();
  assert.deepEqual(
    indices.toReversed().map((i) => backwards.keyIndexOf(i)),
    expected.toReversed(),
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
    fc
      .record({ mean: fc.double({ min: 0, max: 1, noNaN: true }), deviation: fc.double({ min: 1e-6, max: 10, noNaN: true }) })
      .map((shape): KeyDistribution => ({ kind: 'gaussian', ...shape })),
  );
  fc.assert(
    fc.property(
      distributions,
      fc.integer({ min: 1, max: 5000 }),
      fc.nat(2 ** 31),
      fc.maxSafeNat().map((n) => Math.floor(n / 4)),
      (distribution, keyCount, seed, i) => {
        const keys = makeKeyChooser(seed, distribution, keyCount, mixed);
        const keyIndex = keys.keyIndexOf(i);
        assert.ok(Number.isInteger(keyIndex) && keyIndex >= 0 && keyIndex < keyCount);
        assert.equal(keys.keyIndexOf(i), keyIndex, 'seekable');
      },
    ),
  );
});
