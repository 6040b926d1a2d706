import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicaMap } from './replicaMap.js';

test('replicas of a range take turns; slots without any have none; a new map takes the place of the old', () => {
  const map = new ReplicaMap();
  assert.equal(map.countOf(0), 0);
  map.replace([
    { from: 0, to: 100, nodes: [3, 5] },
    { from: 101, to: 16_383, nodes: [] },
  ]);
  assert.deepEqual([map.countOf(100), map.countOf(101)], [2, 0]);
  assert.deepEqual([map.next(0), map.next(100), map.next(50)].sort(), [3, 5, 5].sort());
  map.replace([{ from: 101, to: 16_383, nodes: [4] }]);
  assert.deepEqual([map.countOf(0), map.countOf(101), map.next(16_383)], [0, 1, 4]);
});
