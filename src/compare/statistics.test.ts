/** The method on runs whose truth is known: how often its intervals hold, how often it calls what is not there, and what it finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalQuantile } from '../base/normal.js';
import { RandomStream } from '../base/random.js';
import { syntheticLoadedRun, syntheticSide } from '../bench/syntheticRun.js';
import { blockLength } from './blockLength.js';
import { defaultCompareOptions, Pair } from './compare.js';
import type { ComparisonRow } from './comparison.js';
import type { LoadedSide } from './loadSide.js';
import { measureOf } from './measures.js';

const p99 = measureOf({ metric: 'latency', tags: {}, aggregate: 'p(99)' });
const draws = new RandomStream(11, 2100);
const TRIALS = 40;

/** Runs of a side: each has a level of its own, and each second within it another, so that neighbours hang together. */
function side(label: string, seed: number, runs: number, factor: number): LoadedSide {
  return syntheticSide(
    label,
    Array.from({ length: runs }, (_, r) => {
      const run = seed * 1000 + r;
      const level = factor * Math.exp(0.05 * normalQuantile(draws.unit(run)));
      const second = (s: number): number => Math.exp(0.1 * normalQuantile(draws.unit(1e9 + run * 100 + s)));
      const latencyUs = (u: number, slot: number): number => 500 * level * second(Math.floor(slot / 10)) * (1 - Math.log1p(-u));
      return syntheticLoadedRun({ seed: run, seconds: 5, opsPerSlot: 40, latencyUs });
    }),
  );
}

function compareP99(trial: number, runs: number, factor: number): ComparisonRow & { interval: NonNullable<ComparisonRow['interval']> } {
  const options = { ...defaultCompareOptions, resamples: 200, level: 'any', noiseFloor: null } as const;
  const row = new Pair(side('a', 2 * trial, runs, 1), side('b', 2 * trial + 1, runs, factor), options).row(p99);
  assert.ok(row?.interval);
  return { ...row, interval: row.interval };
}

test('the 95 % interval of a change of p99 holds the truth as often as it says, and is not much wider than it must be', () => {
  const rows = Array.from({ length: TRIALS }, (_, trial) => compareP99(trial, 5, 1.1));
  const held = rows.filter(({ interval }) => (interval.lowRelative ?? 1) <= 0.1 && 0.1 <= (interval.highRelative ?? 0)).length;
  // 38 of 40 expected; 3 standard errors less would be 34.
  assert.ok(held >= 34, `${held} of ${TRIALS}`);
  const width = rows.reduce((sum, { interval }) => sum + ((interval.highRelative ?? 1) - (interval.lowRelative ?? 0)), 0) / TRIALS;
  // Between runs 5 %, 4.5 % from seconds and 5 % from sampling the tail: 8.4 % in all, over 5 and 5 runs ± 2.31 × 5.3 % of 1.1.
  assert.ok(width < 0.34, String(width));
  assert.ok(width > 0.18, String(width));
});

test('nothing is called where nothing changed, and +30 % is found', () => {
  const called = Array.from({ length: TRIALS }, (_, i) => compareP99(1000 + i, 5, 1)).filter(
    ({ verdict }) => verdict === 'slower' || verdict === 'faster',
  );
  assert.ok(called.length <= 3, `${called.length} of ${TRIALS}`);
  const found = Array.from({ length: 12 }, (_, i) => compareP99(2000 + i, 5, 1.3)).filter(({ verdict }) => verdict === 'slower');
  assert.ok(found.length >= 10, `${found.length} of 12`);
});

test('the same folders give the same answer', () => {
  assert.deepEqual(compareP99(1, 4, 1.1), compareP99(1, 4, 1.1));
});

test('blocks are longer where neighbours hang together', () => {
  const independent = Array.from({ length: 300 }, (_, i) => normalQuantile(draws.unit(5e9 + i)));
  const persistent: number[] = [];
  for (const value of independent) persistent.push(0.9 * (persistent.at(-1) ?? 0) + value);
  assert.ok(blockLength(independent) <= 12, String(blockLength(independent)));
  assert.ok(blockLength(persistent) >= 20, String(blockLength(persistent)));
  assert.equal(blockLength([1, 1, 1, 1, 1, 1, 1, 1]), 2);
  assert.equal(blockLength([5]), 1);
});
