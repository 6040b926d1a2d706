import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarize } from '../stats/summarize.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import { failoverRun } from './reportRun.test.support.js';
import { bucketMsOf, buildTimelineData } from './timelineData.js';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test('the series hold exactly the operations of the summary', () => {
  const data = failoverRun();
  const summary = summarize(data);
  const { throughput, reasons, bucketMs } = buildTimelineData(data, summary);
  const seconds = bucketMs / 1000;
  for (const outcome of ['ok', 'fail', 'info', 'dropped'] as const) {
    const expected = summary.ops[outcome] + summary.warmUp[outcome];
    assert.ok(Math.abs(sum(throughput[outcome]) * seconds - expected) < 0.5, `${outcome}: ${sum(throughput[outcome]) * seconds} of ${expected}`);
  }
  const notOk = summary.ops.fail + summary.ops.info + summary.ops.dropped;
  assert.ok(notOk > 0);
  assert.ok(Math.abs(sum(Object.values(reasons).flat()) * seconds - notOk) < 0.5);
});

test('fault, gaps and marks stand where they happened', () => {
  const data = failoverRun();
  const { faults, gaps, marks, endMs } = buildTimelineData(data, summarize(data));
  assert.equal(faults.length, 1);
  assert.equal(faults[0]?.startMs, 8000);
  assert.equal(faults[0]?.endMs, 15_000);
  assert.match(faults[0]?.label ?? '', /kill 1: n1/);
  const own = gaps.find((gap) => gap.shard === 0 && gap.kind === 'write');
  assert.ok(own && !own.collateral && own.faultId === 1);
  assert.match(own.label, /shard 0 writes: no answer 3\.4\d s/);
  assert.ok(gaps.some((gap) => gap.shard === 1 && gap.collateral));
  for (const kind of ['kill', 'detected', 'promoted', 'clientRecovered', 'healed', 'redundancyRestored'] as const) {
    assert.ok(
      marks.some((mark) => mark.kind === kind && mark.tMs >= 8000 && mark.tMs <= endMs),
      kind,
    );
  }
});

test('percentiles of a bucket come from merged histograms: the highest is the maximum of the run', () => {
  const data = syntheticRun();
  const summary = summarize(data);
  const { response } = buildTimelineData(data, summary);
  const highest = Math.max(...(response.all?.max ?? []).map((value) => value ?? 0));
  assert.ok(Math.abs(highest - (summary.latencyUs.all?.max ?? 0) / 1000) <= highest * 0.001 + 0.001);
});

test('a long run has a bounded number of buckets', () => {
  assert.equal(bucketMsOf(33_000), 100);
  for (const durationMs of [121_000, 600_000, 86_400_000]) {
    const buckets = durationMs / bucketMsOf(durationMs);
    assert.ok(buckets <= 2000 && buckets > 50, `${durationMs}: ${buckets}`);
  }
});
