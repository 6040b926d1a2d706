import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../plan/makePlan.js';
import type { Plan } from '../plan/plan.js';
import { testFaults } from './faults.test.support.js';
import { profileFromObject } from './loadProfile.js';

const load = { workload: { operations: { get: 1 } }, phases: [{ duration: '10s', rate: '10/s' }] };
const chaos = [{ at: '1s', for: '1s', fault: 'stop', node: 'master[0]' }];

function planOf(profile: object): Plan {
  return makePlan(profileFromObject({ load, ...profile }, 'test.yaml', '.', { sets: [], env: {}, faults: testFaults }));
}

test('the lag of replicas is measured where there are some, with chaos or by wish', () => {
  const cluster = { topology: 'cluster', masters: 3, replicasPerMaster: 1 };
  assert.deepEqual(planOf({ target: cluster, chaos }).replicationLag, { everyUs: 100_000 });
  assert.equal(planOf({ target: cluster }).replicationLag, undefined);
  assert.deepEqual(planOf({ target: cluster, observe: { replicationLag: 'on', lagInterval: '1s' } }).replicationLag, { everyUs: 1_000_000 });
  assert.equal(planOf({ target: cluster, chaos, observe: { replicationLag: 'off' } }).replicationLag, undefined);
  assert.equal(planOf({ target: { ...cluster, replicasPerMaster: 0 }, chaos }).replicationLag, undefined);
  assert.equal(planOf({ target: { topology: 'standalone' }, chaos }).replicationLag, undefined);
});

test('who asks for it without replicas is told', () => {
  const observe = { replicationLag: 'on' };
  assert.throws(() => planOf({ target: { topology: 'standalone' }, observe }), /replicationLag: this target has no replicas/);
  assert.throws(() => planOf({ target: { topology: 'replicated', replicas: 0 }, observe }), /replicationLag: this target has no replicas/);
});
