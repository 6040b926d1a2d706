import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testFaults } from '../profile/faults.test.support.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { makePlan } from './makePlan.js';
import { operationsOf } from './openShape.js';
import type { Plan } from './plan.js';

function plan(load: object, rest: object = {}): Plan {
  const profile = { target: { topology: 'cluster' }, load: { workload: 'counters', ...load }, ...rest };
  return makePlan(profileFromObject(profile, 'test', process.cwd(), { faults: testFaults, sets: [], env: {} }));
}

test('an open phase plans the floor of the integral of its rate', () => {
  const cases: [startPerSec: number, endPerSec: number, durationUs: number, count: number][] = [
    [2000, 2000, 3_000_000, 6000],
    [1000, 20_000, 10_000_000, 105_000],
    [0, 10, 1_000_000, 5],
    [1000 / 60, 1000 / 60, 60_000_000, 1000],
    [3, 3, 999_999, 2],
    [0.1, 0.1, 5_000_000, 0],
  ];
  for (const [start, end, durationUs, count] of cases)
    assert.equal(operationsOf(start, end, durationUs), count, `${start}..${end} for ${durationUs}`);
});

test('phases follow each other without a gap, and operations are numbered through', () => {
  const phase = fc.oneof(
    fc.record({
      duration: fc.integer({ min: 1, max: 5000 }).map((ms) => `${ms}ms`),
      rate: fc.integer({ min: 1, max: 9999 }).map((perSec) => `${perSec}/s`),
    }),
    fc.record({ duration: fc.integer({ min: 1, max: 5000 }).map((ms) => `${ms}ms`), clients: fc.integer({ min: 1, max: 50 }) }),
  );
  fc.assert(
    fc.property(fc.array(phase, { minLength: 1, maxLength: 6 }), (phases) => {
      let endUs = 0;
      let operations = 0;
      for (const planned of plan({ phases }).load.phases) {
        assert.equal(planned.startUs, endUs);
        endUs += planned.durationUs;
        if (planned.kind === 'closed') continue;
        assert.equal(planned.firstOperation, operations);
        operations += planned.operationCount;
        assert.equal(planned.operationCount, Math.floor((planned.rateStartPerSec * planned.durationUs) / 1_000_000 + 1e-6));
      }
    }),
    { numRuns: 50 },
  );
});

test('random nodes are drawn from the seed by the number of the fault', () => {
  const phases = [{ duration: '9s', rate: '1/s' }];
  const random = { at: '1s', fault: 'stop', node: 'random master' };
  const drawsOf = (seed: number, chaos: object[]): number[] =>
    plan({ phases }, { seed, chaos }).chaos.flatMap(({ selector }) => (selector && 'draw' in selector ? selector.draw : []));
  const draws = drawsOf(1, [random, random]);
  assert.equal(draws.length, 2);
  assert.ok(draws.every((draw) => draw >= 0 && draw < 1) && draws[0] !== draws[1]);
  assert.deepEqual(drawsOf(1, [random, random]), draws, 'the same seed draws the same');
  assert.notDeepEqual(drawsOf(2, [random, random]), draws);
  assert.deepEqual(drawsOf(1, [random, random, { ...random, node: 'random replica' }]).slice(0, 2), draws, 'a fault more changes none before it');
});

test('distributions get their defaults', () => {
  const phases = [{ duration: '1s', rate: '1/s' }];
  const workloadOf = (keys: object): Plan['load']['workload'] => plan({ phases, workload: { operations: { set: 1 }, ...keys } }).load.workload;
  assert.deepEqual(workloadOf({ keys: { distribution: 'zipfian' } }).keys.distribution, { kind: 'zipfian', theta: 0.99 });
  assert.deepEqual(workloadOf({ keys: { distribution: 'latest' } }).keys.distribution, { kind: 'latest', theta: 0.99 });
  assert.deepEqual(workloadOf({ keys: { distribution: 'gaussian', mean: 0.1 } }).keys.distribution, {
    kind: 'gaussian',
    mean: 0.1,
    deviation: 1 / 6,
  });
  assert.deepEqual(workloadOf({ keys: { distribution: 'hotspot', hotShare: 0.5 } }).keys.distribution, {
    kind: 'hotspot',
    hotFraction: 0.2,
    hotShare: 0.5,
  });
  assert.deepEqual(workloadOf({ values: { median: '200B' } }).values, { kind: 'lognormal', medianBytes: 200, sigma: 1, maxBytes: 20_000 });
  assert.deepEqual(workloadOf({ values: { min: '1B', max: '1KB' } }).values, { kind: 'uniform', minBytes: 1, maxBytes: 1000 });
  assert.deepEqual([workloadOf({}).values, workloadOf({ ttl: '1500us' }).ttlMs], [{ kind: 'fixed', bytes: 64 }, 2]);
});

test('a list of rates makes phases of equal length, with names of their own', () => {
  const { phases } = plan({
    phases: [
      { name: 'up', duration: '10s', rate: ['100/s', '200/s', '400/s..800/s'], record: false, arrivals: 'poisson' },
      { duration: '1s', rate: '5/s' },
    ],
  }).load;
  assert.deepEqual(
    phases.map((phase) => [
      phase.name,
      phase.startUs,
      phase.durationUs,
      phase.record,
      phase.kind === 'open' && [phase.operationCount, phase.arrivals],
    ]),
    [
      ['up-1', 0, 3_333_333, false, [333, 'poisson']],
      ['up-2', 3_333_333, 3_333_333, false, [666, 'poisson']],
      ['up-3', 6_666_666, 3_333_334, false, [2000, 'poisson']],
      ['phase-2', 10_000_000, 1_000_000, true, [5, 'constant']],
    ],
  );
});

test('a limit of operations shortens an open phase to the moment the next one would be due', () => {
  const shapes = (phase: object): unknown[] => {
    const [first, second] = plan({
      phases: [
        { duration: '10s', ...phase },
        { duration: '1s', rate: '1/s' },
      ],
    }).load.phases;
    assert.ok(first?.kind === 'open' && second?.kind === 'open');
    assert.deepEqual([second.startUs, second.firstOperation], [first.durationUs, first.operationCount]);
    return [first.operationCount, first.durationUs, Math.round(first.rateEndPerSec)];
  };
  assert.deepEqual(shapes({ rate: '1000/s', operations: 500 }), [500, 500_000, 1000]);
  assert.deepEqual(shapes({ rate: '1000/s', operations: 20_000 }), [10_000, 10_000_000, 1000]);
  assert.deepEqual(shapes({ rate: '0/s..1000/s', operations: 1250 }), [1250, 5_000_000, 500]);
  assert.deepEqual(shapes({ rate: '1000/s..0/s', operations: 3750 }), [3750, 5_000_000, 500]);
});

test('a limit of operations stays in the plan of a closed loop', () => {
  const limits = plan({
    phases: [
      { duration: '1s', clients: 1 },
      { duration: '1s', clients: 1, operations: 9 },
    ],
  }).load.phases;
  assert.deepEqual(
    limits.map((phase) => phase.kind === 'closed' && phase.operationLimit),
    [null, 9],
  );
});

test('pairs are weighted as what they send, so that thresholds and sizes see gets and sets', () => {
  const phases = [{ duration: '1s', rate: '1/s' }];
  const { workload } = plan(
    { phases, workload: { operations: { get: 50, readModifyWrite: 30 } } },
    { thresholds: { 'latency{op:set}': 'p(99)<1s' } },
  ).load;
  assert.deepEqual([workload.operations, workload.readModifyWrite], [{ get: 80, set: 30, incr: 0, del: 0 }, 30]);
});

test('auto pacing: a thread for open loops where there are more cores than workers, else the timer; what is named stays', () => {
  const profile = (load: object): Plan['load']['pacing'][] =>
    [1, 2, 8].map(
      (cores) =>
        makePlan(
          profileFromObject({ target: { topology: 'standalone' }, load: { workload: 'counters', ...load } }, 'test', process.cwd(), {
            faults: testFaults,
            sets: [],
            env: {},
          }),
          cores,
        ).load.pacing,
    );
  const closed = { duration: '1s', clients: 1 };
  const open = { duration: '1s', rate: '1/s' };
  assert.deepEqual(profile({ phases: [closed, open], threads: 1 }), ['timer', 'thread', 'thread']);
  assert.deepEqual(profile({ phases: [open], threads: 2 }), ['timer', 'timer', 'thread']);
  assert.deepEqual(profile({ phases: [closed] }), ['timer', 'timer', 'timer']);
  assert.deepEqual(profile({ phases: [open], pacing: 'auto', threads: 1 }), ['timer', 'thread', 'thread']);
  assert.deepEqual(profile({ phases: [closed], pacing: 'spin' }), ['spin', 'spin', 'spin']);
  assert.deepEqual(profile({ phases: [open], pacing: 'timer' }), ['timer', 'timer', 'timer']);
});
