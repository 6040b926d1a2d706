/** Repetitions and drawn faults: what a profile's entries become in the plan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultRegistry } from '../chaos/registry.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { makePlan } from './makePlan.js';
import type { FaultPlan } from './plan.js';

function planned(chaos: unknown[], seed = 1, target: unknown = { topology: 'cluster' }): FaultPlan[] {
  const load = { workload: { operations: { get: 1 } }, phases: [{ duration: '30s', rate: '10/s' }] };
  return makePlan(profileFromObject({ name: 'p', seed, target, load, chaos }, 'p', '.', { faults: faultRegistry, sets: [], env: {} })).chaos;
}

const at = (fault: FaultPlan): number => (fault.trigger.kind === 'at' ? fault.trigger.atUs / 1_000_000 : Number.NaN);

test('every: a fault comes again until the end of the load, each time with an id after those of the entries', () => {
  const chaos = planned([
    { at: '10s', for: '1s', every: '8s', fault: 'pause', node: 'random master' },
    { at: '1s', fault: 'restart', node: 'master[0]' },
    { after: { fault: 2, state: 'healed' }, every: '2s', times: 3, fault: 'client-kill', node: 'master[1]' },
  ]);
  assert.deepEqual(
    chaos.map(({ id, kind }) => [id, kind]),
    [
      [1, 'pause'],
      [2, 'restart'],
      [3, 'client-kill'],
      [4, 'pause'],
      [5, 'pause'],
      [6, 'client-kill'],
      [7, 'client-kill'],
    ],
  );
  assert.deepEqual(
    [chaos[0], chaos[3], chaos[4]].map((fault) => fault && at(fault)),
    [10, 18, 26],
  );
  assert.deepEqual(
    [chaos[2], chaos[5], chaos[6]].map((fault) => fault?.trigger.kind === 'after' && [fault.trigger.faultId, fault.trigger.delayUs]),
    [
      [2, 0],
      [2, 2_000_000],
      [2, 4_000_000],
    ],
  );
  const draws = [chaos[0], chaos[3], chaos[4]].map((fault) => fault?.selector?.by === 'randomMaster' && fault.selector.draw);
  assert.equal(new Set(draws).size, 3, 'each repetition has a draw of its own');
});

test('random: one seed draws the same faults, targets and times; another one others', () => {
  const entry = { fault: 'random', at: '2s', every: '1s..3s', last: '500ms..1s' };
  assert.deepEqual(planned([entry], 7), planned([entry], 7));
  assert.notDeepEqual(planned([entry], 7), planned([entry], 8));
});

test('random: faults keep to their times, kinds and limits, over many seeds', () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const chaos = planned([{ fault: 'random', at: '2s', for: '20s', every: '1s..3s', last: '1s..4s', maxDown: 1 }], seed);
    assert.ok(chaos.length >= 6 && chaos.length <= 21, `${chaos.length} faults`);
    const down: FaultPlan[] = [];
    for (const [i, fault] of chaos.entries()) {
      kinds.add(fault.kind);
      assert.equal(fault.id, i + 1);
      assert.ok(at(fault) >= 2 && at(fault) < 22);
      assert.ok((fault.forUs ?? 0) >= 1_000_000 && (fault.forUs ?? 0) <= 4_000_000);
      const sincePrevious = i === 0 ? 1 : at(fault) - at(chaos[i - 1] as FaultPlan);
      assert.ok(sincePrevious >= 0.999, `${sincePrevious} s after the one before`);
      assert.deepEqual(fault.limits, { maxNodesDown: 1, keepInSyncCopy: true });
      if (faultRegistry.find(({ kind }) => kind === fault.kind)?.takesDown) down.push(fault);
    }
    for (const [i, fault] of down.entries()) {
      const before = down[i - 1];
      if (before) assert.ok(at(before) + (before.forUs ?? 0) / 1_000_000 <= at(fault), 'never two nodes down at once');
    }
  }
  for (const kind of ['kill', 'pause', 'restart', 'throttle', 'failover', 'client-pause', 'client-kill', 'slow-command'])
    assert.ok(kinds.has(kind), kind);
  for (const kind of ['wipe', 'toxic', 'config']) assert.ok(!kinds.has(kind), `${kind} must be named`);
});

test('random: draws from what it is given, with the node that stands there, and from replicas only where there are some', () => {
  const from = ['kill', { fault: 'toxic', node: 'all masters', toxics: [{ type: 'latency', attributes: { latency: 5 } }] }];
  const chaos = planned([{ fault: 'random', every: '1s', last: '500ms', from }], 3);
  assert.deepEqual(new Set(chaos.map(({ kind }) => kind)), new Set(['kill', 'toxic']));
  for (const fault of chaos.filter(({ kind }) => kind === 'toxic')) assert.deepEqual([fault.selector?.by, fault.needsProxy], ['allMasters', true]);
  const single = planned([{ fault: 'random', every: '1s', last: '100ms' }], 3, { topology: 'standalone' });
  assert.deepEqual(new Set(single.map((fault) => fault.selector?.by)), new Set(['randomMaster']));
  assert.ok(!single.some(({ kind }) => kind === 'failover'));
});

test('without `for` the last fault is healed two seconds before the end of the load', () => {
  for (let seed = 1; seed <= 20; seed++) {
    for (const fault of planned([{ fault: 'random', every: '1s', last: '3s' }], seed)) assert.ok(at(fault) + 3 <= 28.001);
  }
});
