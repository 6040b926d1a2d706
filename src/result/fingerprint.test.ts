import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../plan/plan.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import { digest, fingerprintOf } from './fingerprint.js';

const { run } = syntheticRun({ chaos: [{ selector: { text: 'random master', by: 'randomMaster', draw: 0.25 } }] });
const of = (plan: Plan): ReturnType<typeof fingerprintOf> => fingerprintOf(plan, run.target, run.machine);
const base = of(run.plan);
const changed = (change: (plan: Plan) => void): (keyof typeof base)[] => {
  const plan = structuredClone(run.plan);
  change(plan);
  const other = of(plan);
  return (Object.keys(base) as (keyof typeof base)[]).filter((key) => base[key] !== other[key]);
};

test('digests are 16 hex digits and do not depend on the order of keys', () => {
  assert.match(base.profile, /^[0-9a-f]{16}$/);
  assert.equal(digest({ a: 1, b: [{ c: 2, d: null }] }), digest({ b: [{ d: null, c: 2 }], a: 1 }));
  assert.notEqual(digest({ a: 1 }), digest({ a: '1' }));
});

test('each part of a run changes its own digest and no other', () => {
  assert.deepEqual(
    changed((plan) => Object.assign(plan, { seed: 43 })),
    ['seed'],
  );
  assert.deepEqual(
    changed((plan) => Object.assign(plan.load.workload.keys, { count: 7 })),
    ['workload'],
  );
  assert.deepEqual(
    changed((plan) => Object.assign(plan.load, { connections: 9 })),
    ['profile'],
  );
  assert.deepEqual(
    changed((plan) => Object.assign(plan.chaos[0] ?? {}, { kind: 'pause' })),
    ['profile'],
  );
  assert.deepEqual(
    changed((plan) => Object.assign(plan.chaos[0]?.selector ?? {}, { draw: 0.75 })),
    [],
  );
  assert.deepEqual(
    changed((plan) => Object.assign(plan, { name: 'other', thresholds: [] })),
    [],
  );
  assert.deepEqual(
    changed((plan) => Object.assign(plan.target, { server: '/opt/redis/bin/redis-server' })),
    [],
  );
});

test('another server version or machine shows', () => {
  assert.ok(run.target);
  assert.notEqual(fingerprintOf(run.plan, { ...run.target, version: '7.2.0' }, run.machine).server, base.server);
  assert.notEqual(fingerprintOf(run.plan, run.target, { ...run.machine, cpus: 64 }).machine, base.machine);
});
