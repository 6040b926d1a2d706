import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalQuantile } from '../base/normal.js';
import { RandomStream } from '../base/random.js';
import { boundOfLevel, crossingProbabilities, lookLevels, spentAlpha } from './sequential.js';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const equal = (looks: number): number[] => Array.from({ length: looks }, (_, i) => (i + 1) / looks);
const near = (actual: number, expected: number, within: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual} for ${expected}`);

test('the constants of Pocock (1977) and of O’Brien and Fleming (1979) cross with 5 %', () => {
  for (const [looks, constant] of [
    [2, 2.178],
    [3, 2.289],
    [5, 2.413],
    [10, 2.555],
  ] as const) {
    near(
      sum(
        crossingProbabilities(
          equal(looks),
          equal(looks).map(() => constant),
        ),
      ),
      0.05,
      0.0003,
      `Pocock, ${looks} looks`,
    );
  }
  const bounds = equal(5).map((fraction) => 2.04 / Math.sqrt(fraction));
  near(sum(crossingProbabilities(equal(5), bounds)), 0.05, 0.0003, 'O’Brien and Fleming, 5 looks');
});

test('levels spend what may be spent, look by look, and all of it at the end', () => {
  const fractions = [0.5, 0.6, 0.7, 0.8, 0.9, 1];
  const levels = lookLevels(fractions, 0.05);
  near(levels[0] as number, 0.0125, 1e-6, 'the first look has its share for itself');
  const crossed = crossingProbabilities(fractions, levels.map(boundOfLevel));
  let spent = 0;
  for (const [i, fraction] of fractions.entries()) {
    spent += crossed[i] as number;
    near(spent, spentAlpha(0.05, fraction), 1e-5, `after ${fraction}`);
  }
  assert.ok((levels.at(-1) as number) > 0.02 && (levels.at(-1) as number) < 0.05, 'the last look is stricter than a single one, and not by much');
  near(lookLevels([1], 0.05)[0] as number, 0.05, 1e-6, 'a single look');
});

test('looks that go on until p < 0.05 err far more often than these, in a simulation', () => {
  const fractions = equal(10).slice(4);
  const levels = lookLevels(fractions, 0.05);
  const draws = new RandomStream(11, 1000);
  let naive = 0;
  let spent = 0;
  const trials = 20_000;
  for (let trial = 0; trial < trials; trial++) {
    let total = 0;
    let isNaive = false;
    let isSpent = false;
    for (let pair = 1; pair <= 10; pair++) {
      total += normalQuantile(draws.unit(trial * 10 + pair));
      const look = pair - 5;
      if (look < 0) continue;
      const z = Math.abs(total) / Math.sqrt(pair);
      isNaive ||= z > 1.96;
      isSpent ||= z > boundOfLevel(levels[look] as number);
    }
    naive += Number(isNaive);
    spent += Number(isSpent);
  }
  near(spent / trials, 0.05, 0.006, 'error rate');
  assert.ok(naive / trials > 0.1, `${naive / trials}`);
});
