import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lostBands, lostLanes } from './lostLanes.js';

test('lost writes that follow each other are one bar of their shard, and what was written before t0 stands at t0', () => {
  const bands = lostBands([
    { shard: 1, startMs: -100, count: 3 },
    { shard: 0, startMs: 2000, count: 1 },
    { shard: 1, startMs: 2000, count: 5 },
    { shard: 0, startMs: 2300, count: 2 },
    { shard: 0, startMs: 4000, count: 7 },
  ]);
  assert.deepEqual(bands, [
    { shard: 1, startMs: 0, endMs: 100, count: 3 },
    { shard: 0, startMs: 2000, endMs: 2400, count: 3 },
    { shard: 1, startMs: 2000, endMs: 2100, count: 5 },
    { shard: 0, startMs: 4000, endMs: 4100, count: 7 },
  ]);
  const { titles, bars } = lostLanes(bands, 4);
  assert.deepEqual(titles, ['lost', '']);
  assert.deepEqual(
    bars.map(({ lane, text }) => `${lane} ${text}`),
    ['5 shard 1: 3 lost', '4 shard 0: 3 lost', '5 shard 1: 5 lost', '4 shard 0: 7 lost'],
  );
});

test('nothing lost, no row', () => {
  assert.deepEqual(lostLanes(lostBands([]), 2), { titles: [], bars: [] });
});
