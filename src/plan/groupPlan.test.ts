import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOrder } from './groupPlan.js';

const rounds = (names: string[], count: number, seed: number): string[][] => {
  const runs = groupOrder(names, count, seed);
  return Array.from({ length: count }, (_, round) => runs.filter((run) => run.round === round + 1).map((run) => run.variant));
};

test('each round has each variant once, and each variant stands at each place equally often', () => {
  const names = ['a', 'b', 'c'];
  const played = rounds(names, 6, 7);
  for (const round of played) assert.deepEqual([...round].sort(), names);
  for (let place = 0; place < 3; place++) {
    for (const name of names) assert.equal(played.filter((round) => round[place] === name).length, 2, `${name} at ${place}`);
  }
});

test('two variants alternate as AB BA', () => {
  const [first, second] = rounds(['a', 'b'], 2, 1);
  assert.deepEqual(second, [...(first ?? [])].reverse());
});

test('the order comes from the seed, and folders are numbered in it', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  assert.deepEqual(groupOrder(names, 2, 5), groupOrder(names, 2, 5));
  const orders = new Set(Array.from({ length: 20 }, (_, seed) => rounds(names, 1, seed).join()));
  assert.ok(orders.size > 10, 'seeds give different orders');
  const runs = groupOrder(names, 3, 5);
  assert.deepEqual([runs[0]?.run, runs[14]?.run], [`runs/01-${runs[0]?.variant}`, `runs/15-${runs[14]?.variant}`]);
});
