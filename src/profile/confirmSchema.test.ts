import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../plan/makePlan.js';
import { testFaults } from './faults.test.support.js';
import { profileFromObject } from './loadProfile.js';

const target = { topology: 'cluster', masters: 3, replicasPerMaster: 1 };
const load = { workload: { operations: { set: 1 } }, phases: [{ duration: '1s', rate: '1/s' }] };
const resolve = (more: object, where: object = target) =>
  makePlan(profileFromObject({ target: where, load: { ...load, ...more } }, 'p', '.', { faults: testFaults, sets: [], env: {} }));

test('wait and waitAof become what is asked after a write; without them there is nothing', () => {
  assert.deepEqual(resolve({ wait: { replicas: 1 } }).load.confirm, { command: 'wait', local: 0, replicas: 1, timeoutMs: 100 });
  assert.deepEqual(resolve({ waitAof: { timeout: '1500us' } }).load.confirm, { command: 'waitaof', local: 1, replicas: 0, timeoutMs: 2 });
  assert.equal('confirm' in resolve({}).load, false);
});

test('what would fall short every time, wait for nothing or outlast the operation is refused', () => {
  for (const [more, says, where] of [
    [{ wait: { replicas: 2 } }, /wait\.replicas: replicas: 2, but a master of this lab has 1/, target],
    [{ wait: { replicas: 1 } }, /a master of this lab has 0/, { topology: 'standalone' }],
    [{ wait: { replicas: 1, timeout: '5s' } }, /wait\.timeout: timeout: it must be below load\.timeout/, target],
    [{ wait: { replicas: 1 }, waitAof: {} }, /wait and waitAof exclude each other/, target],
    [{ waitAof: { local: 0 } }, /waits for nothing/, target],
    [{ wait: {} }, /missing key "replicas" in load\.wait/, target],
  ] as const) {
    assert.throws(() => resolve(more, where), says);
  }
});
