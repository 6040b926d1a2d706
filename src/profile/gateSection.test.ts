import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../plan/makePlan.js';
import { profileFromObject } from './loadProfile.js';
import { ProfileError } from './problems.js';

const profile = (gate: unknown) =>
  profileFromObject(
    {
      target: { topology: 'standalone' },
      load: { workload: { operations: { get: 1 } }, phases: [{ name: 'steady', duration: '1s', rate: '10/s' }] },
      gate,
    },
    'profile',
    '.',
    { faults: [], sets: [], env: {} },
  );

test('the rules of a profile stand in the plan as written', () => {
  const plan = makePlan(profile({ 'latency{op:get,phase:steady}': ['p(50) +5%', 'p(99) +10%'], throughput: '-5%' }));
  assert.deepEqual(plan.gate, [
    { metric: 'latency{op:get,phase:steady}', expression: 'p(50) +5%' },
    { metric: 'latency{op:get,phase:steady}', expression: 'p(99) +10%' },
    { metric: 'throughput', expression: '-5%' },
  ]);
  assert.equal('gate' in makePlan(profile({})), false);
});

test('a rule that cannot be judged is told with its place', () => {
  const cases: [unknown, RegExp][] = [
    [{ throughput: '+5%' }, /profile: gate\.throughput.*begins with -/],
    [{ 'latency{phase:stedy}': 'p(99) +5%' }, /unknown phase "stedy"/],
    [{ 'latency{op:set}': 'p(99) +5%' }, /no set/],
    [{ 'gap{fault:1}': '+1s' }, /no faults/],
    [{ latency: ['p(99) +5%', 'p(99)<5ms'] }, /gate\.latency\.1|gate\.latency\[1\]/],
    [{ latency: 5 }, /gate\.latency/],
  ];
  for (const [gate, expected] of cases) {
    assert.throws(
      () => profile(gate),
      (error) => error instanceof ProfileError && expected.test(error.message),
      JSON.stringify(gate),
    );
  }
});
