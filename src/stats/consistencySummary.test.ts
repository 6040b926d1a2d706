import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderTerminalSummary } from '../report/terminalSummary.js';
import type { ConsistencyRecord } from '../result/consistency.js';
import type { EventRecord } from '../result/records.js';
import { summarize } from './summarize.js';
import { threshold } from './syntheticPlan.test.support.js';
import { syntheticRun } from './syntheticRun.test.support.js';

const clean: ConsistencyRecord = {
  keyCount: 1000,
  keyStride: 1,
  checkedKeys: 1000,
  unverifiedKeys: 0,
  ackedWrites: 5000,
  unstampedWrites: 0,
  indeterminateWrites: 3,
  lostWrites: 0,
  lostKeys: 0,
  isLowerBound: false,
  resurrectedKeys: 0,
  values: { corrupt: 0, foreign: 0, neverWritten: 0 },
  reads: { checked: 4000, stale: 0, nonMonotonic: 0, corrupt: 0, foreign: 0, neverWritten: 0, unjudged: 0 },
  explained: { overwrittenByIndeterminate: 0, deletedByIndeterminate: 0, expired: 0, evicted: 0 },
  counters: null,
  evictedKeys: 0,
  expiredKeys: 0,
  lost: [],
  lostSpan: null,
};
const lossy: ConsistencyRecord = {
  ...clean,
  lostWrites: 12,
  lostKeys: 9,
  counters: { acked: 100, indeterminate: 0, final: 99, lost: 2, doubleApplied: 1, resent: 1 },
  lost: [
    { shard: 0, startUs: 8_000_000, count: 10, faultId: 1 },
    { shard: 1, startUs: 9_000_000, count: 4, faultId: null },
  ],
  lostSpan: { firstUs: 8_010_000, lastUs: 9_050_000 },
};

const limits = [
  threshold('lost_writes', 'count', '==', 0),
  threshold('lost_writes{shard:0}', 'value', '<=', 10),
  threshold('lost_writes{fault:1}', 'count', '<', 10),
  threshold('lost_writes{shard:2}', 'count', '==', 0),
];

function summaryOf(record: ConsistencyRecord | null) {
  const events: EventRecord[] = record === null ? [] : [{ type: 'consistency', tUs: 21_000_000, ...record }];
  return summarize(syntheticRun({ events, thresholds: limits }));
}

test('lost_writes counts what is gone, increments too, by shard and fault', () => {
  assert.deepEqual(
    summaryOf(lossy).thresholds.map(({ observed, ok }) => [observed, ok]),
    [
      [14, false],
      [10, true],
      [10, false],
      [0, true],
    ],
  );
  assert.ok(summaryOf(clean).thresholds.every(({ observed, ok }) => observed === 0 && ok));
});

test('silence is no pass: not when nothing was read back, and not when a part of it was not', () => {
  assert.ok(summaryOf(null).thresholds.every(({ observed, ok, note }) => observed === null && !ok && note === 'nothing was read back in this run'));
  assert.equal(summaryOf(null).consistency, null);
  const partial = summaryOf({ ...clean, unverifiedKeys: 7 });
  assert.ok(partial.thresholds.every(({ observed, ok, note }) => observed === 0 && !ok && note === '7 keys could not be read back'));
});

test('the sentence tells of losses, and of nothing else', () => {
  assert.match(
    summaryOf(lossy).sentence,
    /12 of 5,000 acknowledged writes are lost \(acknowledged within 1\.04 s\), 2 acknowledged increments are lost, 1 increment was applied twice by the client, which sent them again$/,
  );
  assert.doesNotMatch(summaryOf(lossy).sentence, /Nothing went wrong/);
  assert.match(summaryOf(clean).sentence, /^Nothing went wrong/);
  assert.match(summaryOf({ ...lossy, lostWrites: 5000, isLowerBound: true }).sentence, /\. All 5,000 acknowledged writes are lost/);
});

test('the recovery point is what was lost and the time it spans', () => {
  assert.deepEqual(summaryOf(lossy).consistency?.rpo, { writes: 14, firstMs: 8010, lastMs: 9050, spanMs: 1040 });
  assert.equal(summaryOf(clean).consistency?.rpo, null);
});

test('the terminal has a section of it, with what is wrong first', () => {
  const { run } = syntheticRun({});
  const section = (record: ConsistencyRecord): string => {
    const text = stripVTControlCharacters(renderTerminalSummary(summaryOf(record), run, { color: false, width: 120 }));
    return /CONSISTENCY[^█]*/.exec(text)?.[0] ?? '';
  };
  const reads = { ...clean.reads, stale: 6 };
  const found = section({ ...lossy, reads, keyStride: 3, values: { corrupt: 1, foreign: 0, neverWritten: 0 } });
  for (const expected of [
    /one key of 3 tracked/,
    /lost writes\.+: 12 of 5,000 acknowledged, of 9 keys; 3 more of unknown outcome/,
    /recovery point\.+: 14 writes within 1\.04 ?s, acknowledged from 8\.01 ?s to 9\.05 ?s/,
    /violations\.+: 1 corrupt values/,
    /counters\.+: 2 lost, 1 applied twice, 1 of them sent again by the client; 100 acknowledged, 99 in the end/,
    /reads\.+: 6 stale, of 4,000/,
  ])
    assert.match(found, expected);
  assert.match(section(clean), /lost writes\.+: none of 5,000 acknowledged[\s\S]*reads\.+: none stale of 4,000/);
});
