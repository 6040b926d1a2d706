import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOf, EventRecord, LagMarker } from '../result/records.js';
import { clockDifferences, replicationLag } from './lagSummary.js';

const recorded = { startUs: 1_000_000, endUs: 10_000_000 };

function lagEvent(node: string, tUs: number, markers: LagMarker[], more: Partial<EventOf<'lag'>> = {}): EventRecord {
  return { tUs, type: 'lag', node, shard: 0, master: 'n1', written: markers.length, unseen: 0, markers, waitingUs: null, behindBytes: null, ...more };
}

test('without markers there is no lag to tell, which is not a lag of zero', () => {
  assert.equal(replicationLag([], recorded, []), null);
  const unseen = replicationLag([lagEvent('n2', 2_000_000, [], { written: 10, unseen: 10 })], recorded, []);
  assert.equal(unseen?.n2?.lag, null);
  assert.equal(unseen?.n2?.resolution, null);
  assert.equal(unseen?.n2?.unseen, 10);
});

test('by replica, over what is recorded, and apart while a fault was in force', () => {
  const events = [
    lagEvent('n2', 900_000, [[500_000, 999, 999]], { unseen: 3 }),
    lagEvent('n2', 3_000_000, [
      [1_500_000, 200, 100],
      [2_900_000, 300, 150],
    ]),
    lagEvent('n2', 5_000_000, [[4_200_000, 100_000, 2000]], { behindBytes: 700 }),
    lagEvent('n2', 8_000_000, [[7_000_000, 400, 400]], { behindBytes: 5, unseen: 2 }),
    lagEvent('n2', 11_000_000, [[10_500_000, 1, 1]]),
  ];
  const fault = {
    faultId: 1,
    kind: 'toxic',
    beganUs: 3_900_000,
    injectedAtUs: 4_000_000,
    healedAtUs: 6_000_000,
    targets: [],
    shards: new Set<number>(),
  };
  const lag = replicationLag(events, recorded, [fault])?.n2;
  assert.deepEqual([lag?.lag?.count, lag?.lag?.min, lag?.resolution], [4, 200, { p50: 150, max: 2000 }]);
  assert.deepEqual([lag?.unseen, lag?.behindBytesMax, lag?.shard], [2, 700, 0]);
  assert.deepEqual(
    lag?.windows.map(({ name, faultId, lag: stats }) => [name, faultId, stats?.count, stats?.min]),
    [
      ['before', 1, 2, 200],
      ['inForce', 1, 1, 99_968],
      ['after', 1, 1, 400],
    ],
  );
});

test('a fault that begins while another is in force has no time before it', () => {
  const base = { kind: 'toxic', targets: [], shards: new Set<number>() };
  const faults = [
    { ...base, faultId: 1, beganUs: 2_000_000, injectedAtUs: 2_000_000, healedAtUs: 6_000_000 },
    { ...base, faultId: 2, beganUs: 3_000_000, injectedAtUs: 3_000_000, healedAtUs: null },
  ];
  const lag = replicationLag([lagEvent('n2', 2_000_000, [])], recorded, faults)?.n2;
  assert.deepEqual(
    lag?.windows.map(({ name, faultId }) => `${name} ${faultId}`),
    ['before 1', 'inForce 1', 'inForce 2'],
  );
});

test('clocks are compared by the reading of each node with the shortest round trip', () => {
  const clock = (node: string, wallAtT0Us: number, uncertaintyUs: number): EventRecord => ({
    tUs: 0,
    type: 'clock',
    node,
    wallAtT0Us,
    uncertaintyUs,
  });
  assert.equal(clockDifferences([]), null);
  const found = clockDifferences([
    clock('n10', 5_000_400, 30),
    clock('n2', 5_000_900, 900),
    clock('n2', 5_000_000, 20),
    clock('n10', 5_100_000, 500),
  ]);
  assert.deepEqual(found, { reference: 'n2', nodes: { n10: { differenceUs: 400, uncertaintyUs: 50 } } });
});
