/** The check before the first fault and the limits, on views with known answers; and that the controller heeds them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { monotonicUs } from '../base/clock.js';
import type { SafetyPlan } from '../plan/plan.js';
import { ChaosController } from './controller.js';
import type { FaultKind } from './fault.js';
import { brokenLimit, notReadyBecause } from './limits.js';
import { proveWhole } from './proof.js';
import { environment, faultPlan, nodeView, planOf, RememberingSink, selectNode, viewOf, waitFor } from './testDoubles.test.support.js';

const safety: SafetyPlan = {
  replicasInSync: true,
  maxErrorRate: 0.05,
  limits: { maxNodesDown: 1, keepInSyncCopy: true },
  stop: [],
  timeToLiveUs: null,
};
const n1 = nodeView('n1', { slots: [[0, 8191]] });
const n2 = nodeView('n2', { shard: 1, slots: [[8192, 16383]] });
const n3 = nodeView('n3', { role: 'replica', masterId: 'n1', inSync: true });
const n4 = nodeView('n4', { role: 'replica', shard: 1, masterId: 'n2', inSync: true });
const whole = viewOf([n1, n2, n3, n4]);
const behind = viewOf([n1, n2, n3, { ...n4, inSync: false }]);
const none = new Set<string>();

test('ready: replicas in sync where there are any, and errors below the limit', () => {
  assert.equal(notReadyBecause(safety, whole, 0), null);
  assert.equal(notReadyBecause(safety, whole, null), null);
  assert.equal(notReadyBecause(safety, viewOf([n1, n2]), 0), null, 'a target without replicas');
  assert.match(notReadyBecause(safety, behind, 0) ?? '', /shard 1 has no replica in sync/);
  assert.match(notReadyBecause(safety, whole, 0.123) ?? '', /12\.3 % of the operations .* allows 5 %/);
  assert.equal(notReadyBecause({ ...safety, replicasInSync: false }, behind, 0), null);
});

test('limits: nodes down at once, and the last copy in sync of a shard', () => {
  assert.equal(brokenLimit(safety.limits, [n1], whole, none), null);
  assert.match(brokenLimit(safety.limits, [n1], whole, new Set(['n2'])) ?? '', /2 nodes would be down \(n2, n1\), and the limit is 1/);
  const copies = { maxNodesDown: null, keepInSyncCopy: true };
  assert.equal(brokenLimit(copies, [n1], behind, none), null);
  assert.match(brokenLimit(copies, [n2], behind, none) ?? '', /shard 1 would have no copy in sync left/);
  assert.equal(brokenLimit(copies, [n4], behind, none), null, 'its master still has everything');
  assert.match(brokenLimit(copies, [n4], whole, new Set(['n2'])) ?? '', /shard 1/);
  assert.equal(brokenLimit({ maxNodesDown: null, keepInSyncCopy: false }, [n1, n2, n3, n4], whole, none), null);
});

test('proof: what is whole is said, and what is not is named', async () => {
  const where = { mode: 'cluster', view: whole, processes: null, proxies: null, removed: none, shortfalls: ['fault 1 (reshard): S.'] };
  const good = await proveWhole({ ...where, shortfalls: [] });
  assert.deepEqual(good, { holds: ['every node answers', 'replicas in sync', 'all slots covered'], missing: [] });
  const bad = viewOf([{ ...n1, reachable: false }, n2, n3, { ...n4, inSync: false }]);
  assert.deepEqual((await proveWhole({ ...where, view: bad })).missing, [
    'n1 (127.0.0.1:1) does not answer',
    'n4 is not in sync with its master',
    '8192 of 16384 slots are served by nobody, the first is 0',
    'fault 1 (reshard): S.',
  ]);
});

function kindThat(healed: number[], takesDown: boolean): FaultKind {
  return {
    kind: 'fake',
    summary: 'S.',
    healSummary: 'H.',
    params: z.unknown(),
    needs: 'none',
    takesDown,
    selector: 'optional',
    shading: { color: '#000', label: 'fake' },
    example: '',
    async inject({ faultId }) {
      return { injectedAtUs: monotonicUs(), heal: async () => void healed.push(faultId), isHealed: async () => healed.includes(faultId) };
    },
  };
}

test('the controller skips a fault that would go beyond a limit, and one that comes before the target is well', async () => {
  const sink = new RememberingSink();
  const healed: number[] = [];
  let view = whole;
  let errorRate = 0.5;
  const chaos = new ChaosController({
    plan: planOf([], 60_000_000, { safety }),
    context: environment({ view: () => view }),
    sink,
    t0Us: monotonicUs(),
    states: null,
    errorRate: () => errorRate,
    kinds: [kindThat(healed, true)],
  });
  const inject = async (id: number, node: number): Promise<void> => {
    chaos.submit({ type: 'inject', fault: faultPlan(id, { selector: selectNode(node) }), plannedAtUs: 0 });
    await waitFor(`fault ${id} has come`, () => sink.states(id).some((state) => state === 'injected' || state === 'skipped'));
  };
  await inject(1, 0);
  assert.match(sink.first(1, 'skipped').message ?? '', /the check before the first fault: 50 % of the operations/);
  errorRate = 0;
  await inject(2, 0);
  assert.deepEqual(sink.states(2), ['injecting', 'injected']);
  errorRate = 1;
  await inject(3, 1);
  assert.match(sink.first(3, 'skipped').message ?? '', /2 nodes would be down \(n1, n2\)/);
  chaos.submit({ type: 'heal', faultId: 2, plannedAtUs: null });
  await waitFor('fault 2 is healed', () => healed.includes(2));
  await waitFor('it is told', () => sink.states(2).includes('healed'));
  view = behind;
  await inject(4, 1);
  assert.match(sink.first(4, 'skipped').message ?? '', /shard 1 would have no copy in sync left/);
  view = whole;
  await inject(5, 1);
  assert.deepEqual(sink.states(5), ['injecting', 'injected'], 'errors of a fault do not keep later ones from coming');
  assert.deepEqual(await chaos.healAll('end'), []);
});

test('a fault is healed when its time to live is over, whatever the schedule does', async () => {
  const sink = new RememberingSink();
  const healed: number[] = [];
  const context = environment();
  const chaos = new ChaosController({
    plan: planOf([], 60_000_000, { safety: { ...safety, replicasInSync: false, timeToLiveUs: 50_000 } }),
    context,
    sink,
    t0Us: monotonicUs(),
    states: null,
    kinds: [kindThat(healed, false)],
  });
  chaos.submit({ type: 'inject', fault: faultPlan(1), plannedAtUs: 0 });
  await waitFor('it is healed', () => sink.states(1).includes('healed'));
  assert.match(context.notes.join(), /fault 1 has outlived its 0\.05 s/);
  assert.deepEqual(await chaos.healAll('end'), []);
});
