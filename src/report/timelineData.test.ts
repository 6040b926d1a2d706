/** The timeline says what the summary says: same counts, same bands, merged percentiles. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counts } from '../stats/hdr.js';
import { summarize } from '../stats/summarize.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import { failoverRun } from './failover.test.support.js';
import { bucketMsOf, buildTimelineData, type TimelineData } from './timelineData.js';

const countOf = (timeline: TimelineData, rates: readonly number[] | null): number =>
  Math.round((rates ?? []).reduce((sum, rate) => sum + rate, 0) * (timeline.bucketMs / 1000));

test('the buckets sum up to the counts of the summary, reasons included', () => {
  const data = failoverRun();
  const summary = summarize(data);
  const timeline = buildTimelineData(data, summary);
  assert.ok(summary.ops.fail > 0);
  for (const outcome of ['planned', 'ok', 'fail', 'info', 'dropped'] as const) {
    assert.equal(countOf(timeline, timeline.throughput[outcome]), (summary.ops[outcome] ?? 0) + (summary.warmUp[outcome] ?? 0), outcome);
  }
  const byReason = Object.fromEntries(Object.entries(timeline.reasons).map(([reason, rates]) => [reason, countOf(timeline, rates)]));
  assert.deepEqual(byReason, summary.ops.byReason);
});

test('sums hold in wide buckets too, and percentiles are those of the merged histogram', () => {
  const data = syntheticRun({
    phases: [{ name: 'long', durationUs: 150_000_000 }],
    shards: 1,
    ratePerShard: 60,
    slow: [{ startUs: 60_000_000, endUs: 60_400_000, addUs: 50_000 }],
  });
  const summary = summarize(data);
  const timeline = buildTimelineData(data, summary);
  assert.equal(timeline.bucketMs, 1000);
  assert.equal(countOf(timeline, timeline.throughput.ok), summary.ops.ok);
  const merged = new Counts();
  for (const interval of data.intervals()) {
    if (Math.floor(interval.startUs / 1_000_000) !== 60) continue;
    for (const { ops } of interval.cells) for (const cell of Object.values(ops)) merged.add(cell.response);
  }
  assert.ok(merged.total > 50);
  assert.equal(timeline.response.all?.p50[60], (merged.percentileUs(50) ?? 0) / 1000);
  assert.equal(timeline.response.all?.p99[60], (merged.percentileUs(99) ?? 0) / 1000);
  assert.ok((timeline.response.all?.max[60] ?? 0) > 50);
});

test('where nothing was answered there is no response time', () => {
  const data = syntheticRun({ shards: 1, outages: [{ shard: 0, startUs: 5_000_000, endUs: 7_000_000, mode: 'refuse' }] });
  const { response, throughput } = buildTimelineData(data, summarize(data));
  assert.equal(throughput.ok[60], 0);
  assert.ok((throughput.fail[60] ?? 0) > 0);
  assert.equal(response.all?.p50[60], null);
  assert.notEqual(response.all?.p50[80], null);
});

test('faults, gaps and marks carry their names and times', () => {
  const data = failoverRun();
  const { faults, gaps, marks } = buildTimelineData(data, summarize(data));
  assert.deepEqual(
    faults.map(({ label, color, startMs, endMs }) => [label, color, startMs, endMs]),
    [['kill 1: n1 (shard 0)', '#c0392b', 8000, 15_000]],
  );
  const own = gaps.find(({ shard, kind }) => shard === 0 && kind === 'write');
  assert.match(own?.label ?? '', /^shard 0 writes: no answer 4\.\d\d s$/);
  assert.equal(gaps.find(({ shard }) => shard === 1)?.collateral, true);
  assert.deepEqual(
    marks.map(({ kind }) => kind),
    ['kill', 'firstError', 'detected', 'promoted', 'clientRecovered', 'healed', 'redundancyRestored'],
  );
  assert.deepEqual(
    marks.slice(2, 4).map(({ label }) => label),
    ['FAIL agreed +2.60 s', 'promoted +3.90 s'],
  );
});

test('a run of any length has a bounded number of buckets', () => {
  assert.equal(bucketMsOf(33_000), 100);
  assert.equal(bucketMsOf(120_001), 1000);
  for (const hours of [1, 6, 24, 24 * 30]) assert.ok((hours * 3_600_000) / bucketMsOf(hours * 3_600_000) <= 2000, `${hours} h`);
});

test('a killed run has a timeline up to where it was cut off', () => {
  const data = syntheticRun({ killedAtUs: 9_000_000 });
  const timeline = buildTimelineData(data, summarize(data));
  assert.equal(timeline.endMs, 9000);
  assert.equal(timeline.throughput.tMs.length, 90);
});
