import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRecord, PlacementStretch } from '../result/records.js';
import { placementSummary, variationOf } from './placementSummary.js';

function stretch(name: PlacementStretch['name'], nodes: PlacementStretch['nodes']): PlacementStretch {
  const rangeNodes = Array.from({ length: 64 }, () => 'n1');
  return { name, startUs: 0, endUs: 2_000_000, nodes, rangeOps: rangeNodes.map(() => 2), rangeNodes, slotVariation: 1.23456, hottest: [] };
}

test('how uneven: standard deviation over mean', () => {
  assert.equal(variationOf([5, 5, 5]), 0);
  assert.equal(variationOf([0, 10]), 1);
  assert.equal(variationOf([2, 4, 6]), 0.4082);
  assert.equal(variationOf([1, null]), null);
  assert.equal(variationOf([0, 0]), null);
});

test('each stretch has the keys of its time: counted before t0, or in the end, or not known', () => {
  assert.equal(placementSummary([]), null);
  const perRange = (keys: number): number[] => Array.from({ length: 64 }, () => keys);
  const events: EventRecord[] = [
    { tUs: -400_000, type: 'keys', perNode: { n1: 640, n2: 0 }, perRange: perRange(10) },
    {
      tUs: 9,
      type: 'placement',
      stretches: [
        stretch('before', [
          { node: 'n10', slots: 1, ops: 10 },
          { node: 'n2', slots: 16_383, ops: 10 },
        ]),
        stretch('between', [{ node: 'n1', slots: 16_384, ops: 1 }]),
        stretch('after', [
          { node: 'n1', slots: 16_384, ops: 90 },
          { node: 'n2', slots: 0, ops: 5 },
        ]),
      ],
    },
    { tUs: 10, type: 'keys', perNode: { n1: 630, n2: -1 }, perRange: null },
  ];
  const [before, between, after] = placementSummary(events) ?? [];
  assert.deepEqual(before?.nodes, [
    { node: 'n2', slots: 16_383, keys: 0, ops: 10 },
    { node: 'n10', slots: 1, keys: null, ops: 10 },
  ]);
  assert.deepEqual([before?.keysVariation, before?.opsVariation, before?.slotOpsVariation], [null, 0, 1.2346]);
  assert.deepEqual(before?.ranges[0], { node: 'n1', ops: 2, keys: 10 });
  assert.deepEqual([between?.nodes[0]?.keys, between?.ranges[0]?.keys], [null, null]);
  assert.deepEqual([after?.nodes[0]?.keys, after?.nodes[1]?.keys, after?.ranges[0]?.keys], [630, null, null]);
  assert.equal(after?.opsVariation, 0, 'only nodes that hold slots are compared');
});
