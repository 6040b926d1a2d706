/** Sides of a cut network and groups of clients in a profile: what is wrong with them is told at its place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultRegistry } from '../chaos/registry.js';
import { makePlan } from '../plan/makePlan.js';
import { clientGroupOf, type Plan } from '../plan/plan.js';
import { profileFromObject } from './loadProfile.js';

const cluster = { topology: 'cluster', masters: 3, replicasPerMaster: 1 };
const clientGroups = { near: 1, far: 2 };
const load = { clientGroups, workload: { operations: { get: 1 } }, phases: [{ duration: '10s', rate: '1/s' }] };

function planWith(fault: Record<string, unknown>, changes: Record<string, unknown> = {}): Plan {
  const profile = { target: cluster, load, chaos: [{ at: '1s', ...fault }], ...changes };
  return makePlan(profileFromObject(profile, 'test', '.', { faults: faultRegistry, sets: [], env: {} }));
}

const external = { topology: 'external', url: 'redis://127.0.0.1:6379', mode: 'cluster' };
const sides = { fault: 'partition', groups: [['master[0]'], ['rest']] };
const wrong: [what: string, fault: Record<string, unknown>, changes: Record<string, unknown>, message: RegExp][] = [
  ['an unknown group', { ...sides, groups: [['master[0]', 'clients of nea'], ['rest']] }, {}, /groups: unknown client group "nea".*near/],
  [
    'a group in a plan without any',
    { ...sides, groups: [['clients of x'], ['rest']] },
    { load: { ...load, clientGroups: undefined } },
    /no client group "x"; name it/,
  ],
  ['a selector of nothing', { ...sides, groups: [['master 0'], ['rest']] }, {}, /groups: "master 0" selects no node/],
  ['a node that can never be', { ...sides, groups: [['master[7]'], ['rest']] }, {}, /groups: "master\[7\]" can never be hit/],
  ['one side only', { ...sides, groups: [['master[0]']] }, {}, /groups/],
  ['a node beside the sides', { ...sides, node: 'master[0]' }, {}, /node: partition has no node/],
  ['an external target', sides, { target: external, allow: ['partition'] }, /partition acts here on the links between nodes.*use a lab/],
  [
    'replication of an external target',
    { fault: 'toxic', link: 'replication', toxics: [{ type: 'noop' }] },
    { target: external, allow: ['toxic'] },
    /toxic acts here on the links between nodes.*or link: client/,
  ],
  ['threads that do not add up', sides, { load: { ...load, threads: 2 } }, /threads: the clientGroups have 3 threads together, not 2/],
  ['a group named like a node', sides, { load: { ...load, clientGroups: { n1: 1 } } }, /n1/],
];
for (const [what, fault, changes, message] of wrong) {
  test(`${what} is told`, () => assert.throws(() => planWith(fault, changes), message));
}

test('groups have their threads in order; selectors of the sides are in the plan, drawn', () => {
  const plan = planWith({
    fault: 'partition',
    groups: [
      ['random master', 'clients of near'],
      ['rest', 'clients'],
    ],
  });
  assert.equal(plan.load.threads, 3);
  assert.deepEqual(
    [0, 1, 2].map((worker) => clientGroupOf(plan, worker)),
    ['near', 'far', 'far'],
  );
  const [selector] = plan.chaos[0]?.selectors ?? [];
  assert.ok(selector?.by === 'randomMaster' && selector.draw >= 0 && selector.draw < 1);
  assert.deepEqual([plan.chaos[0]?.needsMesh, plan.chaos[0]?.needsProxy, plan.mesh], [true, true, true]);
});
