import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLOT_COUNT } from '../topology/shardNumbers.js';
import type { NodeView } from '../topology/target.js';
import { PlacementWatch } from './placementWatch.js';

function holders(...ranges: [id: string, first: number, last: number][]): NodeView[] {
  return ranges.map(([id, first, last]) => ({
    id,
    address: id,
    role: 'master',
    shard: 0,
    slots: [[first, last]],
    masterId: null,
    reachable: true,
    inSync: false,
  }));
}

/** Answers to one slot, by one worker. */
function answered(counts: Uint32Array, slot: number, ops: number): void {
  counts[slot] = (counts[slot] as number) + ops;
}

test('operations of all workers go to the node that holds their slot then; a run in which nothing changes is one stretch', () => {
  const workers = [new Uint32Array(SLOT_COUNT), new Uint32Array(SLOT_COUNT)] as const;
  const watch = new PlacementWatch(workers);
  const view = holders(['n1', 0, 8191], ['n2', 8192, 16_383]);
  watch.tick(0, view);
  answered(workers[0], 5, 10);
  answered(workers[1], 5, 20);
  answered(workers[1], 16_383, 7);
  watch.tick(500_000, view);
  answered(workers[0], 300, 3);
  watch.tick(1_000_000, view);
  const [whole, ...more] = watch.stretches();
  assert.ok(whole && more.length === 0);
  assert.deepEqual([whole.name, whole.startUs, whole.endUs], ['whole', 0, 1_000_000]);
  assert.deepEqual(whole.nodes, [
    { node: 'n1', slots: 8192, ops: 33 },
    { node: 'n2', slots: 8192, ops: 7 },
  ]);
  assert.deepEqual([whole.rangeOps[0], whole.rangeOps[1], whole.rangeOps[63]], [30, 3, 7]);
  assert.deepEqual([whole.rangeNodes[0], whole.rangeNodes[31], whole.rangeNodes[32]], ['n1', 'n1', 'n2']);
  assert.deepEqual(whole.hottest[0], { slot: 5, ops: 30, node: 'n1' });
  assert.equal(whole.hottest.length, 3, 'slots without operations are not hot');
});

test('slots that change hands part the run: before the first change, between, and after the last', () => {
  const counts = new Uint32Array(SLOT_COUNT);
  const watch = new PlacementWatch([counts]);
  const tick = (atUs: number, view: NodeView[]): void => {
    answered(counts, 100, 1);
    watch.tick(atUs, view);
  };
  tick(0, holders(['n1', 0, 16_383]));
  tick(1, holders(['n1', 0, 16_383]));
  tick(2, holders(['n1', 50, 16_383], ['n2', 0, 49]));
  tick(3, holders(['n1', 90, 16_383], ['n2', 0, 89]));
  tick(4, holders(['n1', 200, 16_383], ['n2', 0, 199]));
  tick(5, holders(['n1', 200, 16_383], ['n2', 0, 199]));
  tick(6, holders(['n1', 200, 16_383], ['n2', 0, 199]));
  assert.deepEqual(
    watch.stretches().map(({ name, startUs, endUs, nodes }) => [name, startUs, endUs, nodes.map(({ node, ops }) => `${node} ${ops}`).sort()]),
    [
      ['before', 0, 1, ['n1 2']],
      ['between', 1, 3, ['n1 2', 'n2 0']],
      ['after', 3, 6, ['n1 0', 'n2 3']],
    ],
  );
});

test('a failover moves the operations to the replica; while nobody holds the slots nothing has changed hands', () => {
  const counts = new Uint32Array(SLOT_COUNT);
  const watch = new PlacementWatch([counts]);
  watch.tick(0, holders(['n1', 0, 16_383]));
  answered(counts, 1, 4);
  watch.tick(1, []);
  assert.deepEqual(
    watch.stretches().map(({ name }) => name),
    ['whole'],
  );
  watch.tick(2, holders(['n4', 0, 16_383]));
  answered(counts, 1, 6);
  watch.tick(3, holders(['n4', 0, 16_383]));
  const [before, after] = watch.stretches();
  assert.deepEqual([before?.name, before?.nodes], ['before', [{ node: 'n1', slots: SLOT_COUNT, ops: 4 }]]);
  assert.deepEqual([after?.name, after?.nodes], ['after', [{ node: 'n4', slots: SLOT_COUNT, ops: 6 }]]);
});
