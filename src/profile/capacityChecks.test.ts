import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePlan } from '../plan/makePlan.js';
import { trialPlan } from '../plan/trialPlan.js';
import { testFaults } from './faults.test.support.js';
import { profileFromObject, type ResolvedProfile } from './loadProfile.js';
import { ProfileError } from './problems.js';

const load = { workload: { operations: { get: 1 } } };
const target = { topology: 'standalone' };
const resolve = (object: unknown, sets: string[] = []): ResolvedProfile => profileFromObject(object, 'p', '.', { faults: testFaults, sets, env: {} });

function problemsOf(object: unknown, sets: string[] = []): string {
  try {
    resolve(object, sets);
  } catch (error) {
    if (error instanceof ProfileError) return error.message;
    throw error;
  }
  return assert.fail('it is valid');
}

test('an objective is all that has to be said; the phases are those of a trial', () => {
  const plan = makePlan(resolve({ target, load, capacity: { objective: { latency: 'p(99)<2ms' } } }));
  const { objective, ...rest } = plan.capacity ?? assert.fail('no capacity');
  assert.deepEqual(
    objective.map(({ metric, expression, limit }) => [metric, expression, limit]),
    [['latency', 'p(99)<2ms', 2000]],
  );
  assert.deepEqual(rest, { minRatePerSec: 1000, maxRatePerSec: 200_000, trialUs: 5_000_000, settleUs: 1_000_000, precision: 0.05, confirm: 2 });
  const phases = (of: typeof plan): unknown =>
    of.load.phases.map((phase) => [phase.name, phase.durationUs, phase.record, phase.kind === 'open' && phase.rateStartPerSec]);
  assert.deepEqual(phases(plan), [
    ['settle', 1_000_000, false, 1000],
    ['trial', 5_000_000, true, 1000],
  ]);
  const trial = trialPlan(plan, 12_345);
  assert.deepEqual(phases(trial), [
    ['settle', 1_000_000, false, 12_345],
    ['trial', 5_000_000, true, 12_345],
  ]);
  assert.deepEqual(
    trial.load.phases.map((phase) => phase.kind === 'open' && [phase.firstOperation, phase.operationCount]),
    [
      [0, 12_345],
      [12_345, 61_725],
    ],
  );
  assert.deepEqual(
    trial.thresholds.map(({ metric, expression }) => `${metric} ${expression}`),
    ['latency p(99)<2ms', 'availability rate>=99.9%'],
  );
  assert.equal(trial.capacity, undefined);
});

test('overrides reach it, and without settling there is one phase', () => {
  const sets = ['capacity.settle=0s', 'capacity.trial=2s', 'capacity.rate.min=500/s', 'capacity.precision=10%'];
  const plan = makePlan(resolve({ target, load, capacity: { objective: { latency: 'p(99)<2ms' } } }, sets));
  assert.deepEqual(
    plan.load.phases.map(({ name, durationUs }) => [name, durationUs]),
    [['trial', 2_000_000]],
  );
  assert.equal(plan.capacity?.precision, 0.1);
});

test('what a search for the capacity cannot have is refused with what to do', () => {
  const objective = { latency: 'p(99)<2ms' };
  const wrong: [object: unknown, message: RegExp][] = [
    [{ target, load, chaos: [{ at: '1s', fault: 'stop', node: 'master[0]' }], capacity: { objective } }, /can have no faults in this version/],
    [{ target, load, thresholds: { availability: 'rate>0.9' }, capacity: { objective } }, /what must hold is capacity\.objective/],
    [{ target, load: { ...load, phases: [{ duration: '1s', rate: '1/s' }] }, capacity: { objective } }, /leave load\.phases out/],
    [{ target, load, capacity: {} }, /missing key "objective"/],
    [{ target, load, capacity: { objective: {} } }, /it is empty/],
    [{ target, load, capacity: { objective: { throughput: 'rate>10' } } }, /throughput can be no objective of a capacity/],
    [{ target, load, capacity: { objective: { rto: 'max<1s' } } }, /rto can be no objective/],
    [{ target, load, capacity: { objective: { 'latency{op:set}': 'p(99)<2ms' } } }, /has no set/],
    [{ target, load, capacity: { objective: { latency: 'p(99)<2parsecs' } } }, /is not a time/],
    [{ target, load, capacity: { objective, rate: { min: '2000/s', max: '1000/s' } } }, /below min/],
    [{ target, load, capacity: { objective, rate: { min: '1/s' } } }, /out of range; it must be from 10\/s/],
    [{ target, load, capacity: { objective, precision: '0.05' } }, /write it like 5%/],
    [{ target, load, capacity: { objective, trail: '5s' } }, /did you mean "trial"/],
  ];
  for (const [object, message] of wrong) assert.match(problemsOf(object), message);
  assert.match(problemsOf({ target, load }), /missing key "phases"/, 'without capacity phases are required as ever');
});
