/** Stop conditions on intervals with known counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StopPlan } from '../plan/plan.js';
import { parseStop } from '../profile/safetyChecks.js';
import { INTERVAL_US, type IntervalRecord } from '../result/records.js';
import { StopConditions } from './stopConditions.js';
import { syntheticPlan } from './syntheticPlan.test.support.js';

function conditions(...texts: string[]): StopConditions {
  const stop = texts.map((text) => parseStop(text)).filter((parsed): parsed is StopPlan => !('problem' in parsed));
  assert.equal(stop.length, texts.length);
  const safety = { replicasInSync: true, maxErrorRate: 1, limits: { maxNodesDown: null, keepInSyncCopy: false }, stop, timeToLiveUs: null };
  return new StopConditions({ ...syntheticPlan({ phases: [{ name: 'steady', durationUs: 60_000_000 }] }), safety });
}

function interval(index: number, ok: number, fail: number): IntervalRecord {
  const startUs = index * INTERVAL_US;
  const get = { planned: ok + fail, ok, fail, info: 0, dropped: 0, response: [] };
  const cells = ok + fail === 0 ? [] : [{ phase: 0, slot: index, ops: { get } }];
  return { index, startUs, endUs: startUs + INTERVAL_US, cells, shards: [], inFlight: 0, queued: 0 };
}

test('errors must be beyond the limit over the whole time', () => {
  const stops = conditions('errors: rate>0.5 for 2s');
  let index = 0;
  const feed = (count: number, ok: number, fail: number): void => {
    for (let i = 0; i < count; i++) stops.interval(interval(index++, ok, fail));
  };
  feed(19, 0, 10);
  assert.equal(stops.reached(), null, 'not yet two seconds');
  feed(1, 0, 10);
  assert.equal(stops.reached()?.text, 'errors: rate>0.5 for 2s');
  feed(10, 10, 0);
  assert.equal(stops.reached(), null, 'half of it was good');
  assert.equal(stops.errorRate(), 0);
  feed(5, 4, 6);
  assert.equal(Math.round((stops.errorRate() ?? 0) * 100), 30);
});

test('nothing answered is a throughput of zero, and no error rate', () => {
  const stops = conditions('throughput: rate<5 for 1s', 'errors: rate>0.1 for 1s');
  for (let i = 0; i < 10; i++) stops.interval(interval(i, 0, 0));
  assert.equal(stops.reached()?.threshold.name, 'throughput');
  assert.equal(stops.errorRate(), null);
});

test('what is no stop condition is refused with what would be one', () => {
  for (const [text, problem] of [
    ['errors: rate>0.5', /is no stop condition; write it like/],
    ['errors: rate>0.5 for 10', /must be a duration from 1s to 10m/],
    ['errors: rate>0.5 for 100ms', /must be a duration from 1s to 10m/],
    ['gap: max>1s for 5s', /gap cannot stop a run/],
    ['errors{phase:a}: rate>0.5 for 5s', /its only tag is op/],
    ['errors: p(99)>0.5 for 5s', /errors has no/],
  ] as const) {
    const parsed = parseStop(text);
    assert.match('problem' in parsed ? parsed.problem : 'accepted', problem, text);
  }
});
