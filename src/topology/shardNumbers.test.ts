/** Shard numbers follow the slots, through failovers and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ShardNumbers, SLOT_COUNT, type SlotHolder } from './shardNumbers.js';

const master = (id: string, ...slots: [number, number][]): SlotHolder => ({ id, slots, masterId: null });
const replica = (id: string, masterId: string | null): SlotHolder => ({ id, slots: [], masterId });

const atT0 = [master('c', [10_923, 16_383]), master('a', [0, 5460]), replica('a2', 'a'), master('b', [5461, 10_922]), replica('b2', 'b')];

function numbers(shards: ShardNumbers, nodes: SlotHolder[]): Record<string, number | null> {
  return Object.fromEntries(shards.shardsOf(nodes));
}

test('masters are numbered by lowest slot, replicas as their masters', () => {
  const shards = new ShardNumbers(atT0);
  assert.deepEqual(numbers(shards, atT0), { a: 0, a2: 0, b: 1, b2: 1, c: 2 });
  assert.equal(shards.shardCount, 3);
  assert.deepEqual([shards.shardOfSlot[0], shards.shardOfSlot[5460], shards.shardOfSlot[5461], shards.shardOfSlot[16_383]], [0, 0, 1, 2]);
});

test('a promoted replica has the number, the dead master keeps it, and comes back with it', () => {
  const shards = new ShardNumbers(atT0);
  const others = [master('b', [5461, 10_922]), master('c', [10_923, 16_383])];
  assert.deepEqual(numbers(shards, [master('a'), master('a2', [0, 5460]), ...others]), { a: 0, a2: 0, b: 1, c: 2 });
  assert.deepEqual(numbers(shards, [replica('a', 'a2'), master('a2', [0, 5460]), ...others]), { a: 0, a2: 0, b: 1, c: 2 });
});

test('a replica that moves to another master takes its number; one without a master keeps its last', () => {
  const shards = new ShardNumbers(atT0);
  const masters = atT0.filter((node) => node.masterId === null);
  assert.equal(numbers(shards, [...masters, replica('a2', 'b')]).a2, 1);
  assert.equal(numbers(shards, [...masters, replica('a2', null)]).a2, 1);
  assert.equal(numbers(shards, [...masters, replica('new', null)]).new, null);
});

test('slots that move decide by majority', () => {
  const shards = new ShardNumbers(atT0);
  assert.equal(numbers(shards, [master('b', [5000, 10_922])]).b, 1);
  assert.equal(numbers(shards, [master('b', [0, 5460], [10_900, 10_922])]).b, 0);
});

test('property: any division of all slots gives every slot the number of its owner', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: SLOT_COUNT - 1 }), { maxLength: 20 }), (cuts) => {
      const starts = [0, ...cuts.sort((a, b) => a - b)];
      const nodes = starts.map((start, i) => master(`m${i}`, [start, (starts[i + 1] ?? SLOT_COUNT) - 1]));
      const shards = new ShardNumbers([...nodes].reverse());
      const byNode = shards.shardsOf(nodes);
      nodes.forEach((node, i) => {
        assert.equal(byNode.get(node.id), i);
        const [first, last] = node.slots[0] ?? [0, 0];
        assert.equal(shards.shardOfSlot[first], i);
        assert.equal(shards.shardOfSlot[last], i);
      });
    }),
  );
});
