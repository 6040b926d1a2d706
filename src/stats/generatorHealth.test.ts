import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GeneratorSample } from '../result/records.js';
import { DISPATCH_LAG_LIMIT_US, EVENT_LOOP_DELAY_LIMIT_US, GeneratorHealth, SATURATED_SECONDS, UTILIZATION_LIMIT } from './generatorHealth.js';
import { syntheticPlan } from './syntheticPlan.test.support.js';

const calm: GeneratorSample = { worker: 0, eventLoopUtilization: 0.4, eventLoopDelayP99Us: 3000, dispatchLagP99Us: 1000, cpuUs: 10, rssBytes: 5e7 };
const busy = { ...calm, eventLoopUtilization: UTILIZATION_LIMIT + 0.01 };
const late = { ...calm, eventLoopDelayP99Us: EVENT_LOOP_DELAY_LIMIT_US + 1 };
const setting = { load: syntheticPlan({}).load, cpus: 8, sharesMachine: true };
const of = (samples: GeneratorSample[], lagUs = 1000, recorded = true): ReturnType<GeneratorHealth['summary']> => {
  const health = new GeneratorHealth();
  for (const sample of samples) health.sample(sample, recorded);
  return health.summary(lagUs, setting);
};
const times = (sample: GeneratorSample, count: number): GeneratorSample[] => Array.from({ length: count }, () => sample);

const cases: [string, ReturnType<typeof of>, RegExp | null][] = [
  ['a calm generator', of(times(calm, 20)), null],
  ['a busy moment', of([...times(busy, SATURATED_SECONDS - 1), calm, ...times(busy, SATURATED_SECONDS - 1)]), null],
  ['busy for seconds', of(times(busy, SATURATED_SECONDS)), /worker 0 was more than 95 % busy for 3 s/],
  ['late for seconds', of(times(late, SATURATED_SECONDS + 1)), /worker 0 was more than 100ms late \(p99\) for 4 s/],
  ['two workers busy in turns', of([busy, { ...busy, worker: 1 }, calm, busy, busy]), null],
  ['a pace not kept', of(times(calm, 3), DISPATCH_LAG_LIMIT_US + 1), /operations left 20\.0ms late/],
  ['warm-up', of(times(busy, 20), 1000, false), null],
];
for (const [name, summary, reason] of cases) {
  test(`${name} is ${reason ? '' : 'not '}saturated`, () => {
    assert.equal(summary.saturated, reason !== null);
    if (reason) assert.match(summary.reasons.join('; '), reason);
    else assert.deepEqual(summary.reasons, []);
  });
}

test('CPU is the sum of the workers’ own totals, memory the highest seen', () => {
  const health = new GeneratorHealth();
  health.sample({ ...calm, cpuUs: 2_000_000 }, true);
  health.sample({ ...calm, worker: 1, cpuUs: 1_000_000, rssBytes: 7e7 }, false);
  health.event({ type: 'thread', worker: 0, cpuUs: 2_500_000, rssBytesMax: 9e7, tUs: 1 });
  const { cpuSeconds, rssBytesMax } = health.summary(0, setting);
  assert.deepEqual([cpuSeconds, rssBytesMax], [3.5, 9e7]);
});

test('each worker has its worst seconds of recorded phases and its garbage collections of the whole run', () => {
  const health = new GeneratorHealth();
  health.sample({ ...calm, worker: 1, gcCount: 5, gcPauseUs: 900, eventLoopUtilization: 0.99 }, false);
  health.sample({ ...calm, worker: 1, gcCount: 3, gcPauseUs: 400, cpuUs: 1_500_000 }, true);
  health.sample({ ...calm, worker: 1, gcCount: 2, gcPauseUs: 600, dispatchLagP99Us: 2000 }, true);
  health.sample(calm, true);
  const { workers, remedies } = health.summary(0, setting);
  assert.deepEqual(
    workers?.map(({ worker }) => worker),
    [0, 1],
  );
  assert.deepEqual([workers?.[0]?.gcCount, workers?.[0]?.gcPauseUs, workers?.[0]?.gcPauseWorstSecondUs], [null, null, null]);
  assert.deepEqual(workers?.[1], {
    worker: 1,
    eventLoopUtilization: 0.4,
    eventLoopDelayP99Us: 3000,
    dispatchLagP99Us: 2000,
    cpuSeconds: 1.5,
    gcCount: 10,
    gcPauseUs: 1900,
    gcPauseWorstSecondUs: 600,
  });
  assert.deepEqual(remedies, [], 'nothing to change when not saturated');
});

test('saturation comes with what to change', () => {
  assert.ok((of(times(busy, SATURATED_SECONDS)).remedies ?? []).length >= 2);
});
