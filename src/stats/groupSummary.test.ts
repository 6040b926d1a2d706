import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runsGroupSchema, runsGroupSummarySchema } from '../result/groupSchemas.js';
import type { GroupRunSummary, RunsGroupRecord } from '../result/runsGroup.js';
import { spreadOf, summarizeGroup, summarizeGroupRun } from './groupSummary.js';
import { summarize } from './summarize.js';
import { failoverEvents, syntheticRun } from './syntheticRun.test.support.js';

const data = syntheticRun({
  chaos: [{}],
  outages: [{ shard: 0, startUs: 8_000_000, endUs: 10_000_000, mode: 'refuse' }],
  events: failoverEvents({ injectedUs: 8_000_000, detectedUs: 9_000_000, promotedUs: 9_900_000, healedUs: 12_000_000, restoredUs: 13_000_000 }),
});
const summary = summarize(data);

const place = (number: number, variant: string) => ({ number, round: 1, variant, run: `runs/0${number}-${variant}` });
const group: RunsGroupRecord = {
  formatVersion: 1,
  kind: 'variants',
  kvbenchVersion: '0.0.0',
  id: 'g',
  name: 'g',
  description: '',
  startedAt: '2026-11-21T15:00:00.000Z',
  argv: [],
  seed: 1,
  repeat: 2,
  variants: ['a', 'b'].map((name) => ({ name, description: '', changes: [], plan: data.run.plan })),
  runs: [place(1, 'a'), place(2, 'b'), place(3, 'b'), place(4, 'a')],
  machine: data.run.machine,
  interruptedBy: null,
};

const run = (number: number, variant: string, changes: Partial<GroupRunSummary> = {}): GroupRunSummary => ({
  ...summarizeGroupRun(place(number, variant), summary),
  ...changes,
});
const p99 = (us: number) => ({ p50: 100, p99: us, p999: 2 * us });

test('of a run are kept its figures, and of its slowest fault what the recovery went into', () => {
  const kept = summarizeGroupRun(place(1, 'a'), summary);
  const [fault] = summary.faults;
  assert.ok(fault?.rtoMs);
  assert.equal(kept.rtoMs, fault.rtoMs);
  assert.deepEqual([kept.detectionMs, kept.electionMs], [1000, 900]);
  assert.ok(Math.abs((kept.detectionMs ?? 0) + (kept.electionMs ?? 0) + (kept.clientMs ?? 0) - fault.rtoMs) < 0.01, 'the parts add up to the whole');
  assert.equal(kept.longestGapMs, Math.max(...summary.availability.gaps.map((gap) => gap.durationMs)));
  assert.equal(kept.errors, summary.ops.total - summary.ops.ok);
  assert.ok(kept.errors > 0 && kept.longestGapMs > 1900);
  assert.equal(kept.lostWrites, null, 'not checked is not none');
});

test('variants have medians and ranges; a failed threshold fails the group, and its run still counts', () => {
  const runs = [
    run(1, 'a', { latencyUs: p99(1000), verdict: 'passed', lostWrites: 0 }),
    run(2, 'b', { latencyUs: p99(5000), verdict: 'failed', lostWrites: 7 }),
    run(3, 'b', { latencyUs: p99(3000), verdict: 'passed', lostWrites: 9 }),
    run(4, 'a', { latencyUs: p99(2000), verdict: 'passed', lostWrites: 0 }),
  ];
  const result = summarizeGroup(group, runs);
  assert.deepEqual([result.verdict, result.exitCode], ['failed', 99]);
  const [a, b] = result.variants;
  assert.deepEqual(a?.latencyUs.p99, { median: 1500, min: 1000, max: 2000, count: 2 });
  assert.deepEqual(b?.latencyUs.p99, { median: 4000, min: 3000, max: 5000, count: 2 });
  assert.deepEqual([a?.failedRuns, b?.failedRuns, b?.lostWrites?.median], [0, 1, 8]);
  assert.match(
    result.sentence,
    /^2 variants, 4 runs: response p99 1\.50ms \(a\) to 4\.00ms \(b\); longest gap .* in all; lost writes 0 \(a\) to 8 \(b\); thresholds failed in 1 of 4$/,
  );
  runsGroupSchema.parse(JSON.parse(JSON.stringify(group)));
  runsGroupSummarySchema.parse(JSON.parse(JSON.stringify(result)));
});

test('a run that was cut short is listed and in no median; the group then ends with 105', () => {
  const runs = [run(1, 'a', { latencyUs: p99(1000), verdict: 'passed' }), run(2, 'b', { latencyUs: p99(9000), verdict: 'interrupted' })];
  const result = summarizeGroup({ ...group, interruptedBy: 'SIGINT' }, runs);
  assert.deepEqual([result.verdict, result.exitCode, result.runs.length], ['interrupted', 105, 2]);
  assert.equal(result.variants[1]?.latencyUs.p99, null);
  assert.match(result.sentence, /^Interrupted \(SIGINT\) after 1 of 4 runs: /);
  assert.match(summarizeGroup(group, runs.slice(0, 1)).sentence, /^Cut off after 1 of 4 runs: /);
});

test('a spread is over the values there are', () => {
  assert.equal(spreadOf([null, undefined]), null);
  assert.deepEqual(spreadOf([3, null, 1, 2]), { median: 2, min: 1, max: 3, count: 3 });
  assert.deepEqual(spreadOf([4, 1]), { median: 2.5, min: 1, max: 4, count: 2 });
});
