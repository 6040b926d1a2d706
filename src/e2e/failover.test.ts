/** The main job on real servers: the shipped failover profile, and three kills one after the other. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import type { FaultSummary } from '../result/summary.js';
import { assertNoIncidents, assertNothingLeft, assertNothingUnaccounted, readResults, runKvbench, temporaryFolder, writeProfile } from './harness.js';

function assertMilestones(fault: FaultSummary): void {
  const at = (name: keyof FaultSummary): number => {
    const value = fault[name];
    assert.ok(typeof value === 'number', `${name} of fault ${fault.id} is ${String(value)}`);
    return value;
  };
  assert.ok(at('injectedAtMs') <= at('firstErrorMs'), 'injected ≤ first error');
  assert.ok(at('injectedAtMs') < at('detectedMs'), 'injected < detected');
  assert.ok(at('detectedMs') < at('promotedMs'), 'detected < promoted');
  assert.ok(at('promotedMs') < at('clientRecoveredMs'), 'promoted < client recovered');
  assert.ok(at('healedAtMs') < at('redundancyRestoredMs'), 'redundancy is restored after the restart');
  assert.equal(at('rtoMs'), Math.round((at('clientRecoveredMs') - at('injectedAtMs')) * 1000) / 1000);
}

test('the shipped failover profile loses a master, recovers and tells its story', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', join(packageRoot, 'profiles/failover.yaml'), '--out', dir], { cwd, temp });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary, events } = readResults(dir);
  assertNothingUnaccounted(summary);
  const fault = summary.faults[0];
  assert.ok(fault);
  assert.equal(fault.kind, 'kill');
  assert.equal(fault.status, 'healed');
  assertMilestones(fault);

  const { consistency } = summary;
  assert.ok(consistency && consistency.checkedKeys === 100_000 && consistency.unverifiedKeys === 0, 'every key was read back');
  assert.deepEqual([consistency.corruptValues, consistency.foreignValues, consistency.neverWrittenValues, consistency.resurrectedKeys], [0, 0, 0, 0]);

  const hit = fault.targets[0]?.shard;
  assert.equal(hit, 0);
  const gap = summary.availability.gaps.find((candidate) => candidate.shard === hit && candidate.kind === 'write' && !candidate.collateral);
  assert.ok(gap, 'a write gap on the hit shard');
  assert.equal(gap.faultId, fault.id);
  for (const shard of [1, 2]) {
    const own = summary.availability.gaps.filter((candidate) => candidate.shard === shard && candidate.kind === 'write');
    const longest = Math.max(0, ...own.map((candidate) => candidate.durationMs));
    assert.ok(longest < gap.durationMs / 2, `shard ${shard} goes on: its longest gap ${longest} ms against ${gap.durationMs} ms`);
    assert.ok(
      own.every((candidate) => candidate.collateral),
      `the gaps of shard ${shard} are collateral`,
    );
  }
  assert.ok(summary.thresholds.length > 0 && summary.thresholds.every((threshold) => threshold.ok));
  assert.match(summary.sentence, /Shard 0/);
  assert.equal(summary.servers?.length, 6, 'every node told of itself');
  assert.ok(summary.servers.every(({ cpuSecondsPerSec }) => (cpuSecondsPerSec.max ?? 0) > 0));
  assert.ok(events.some((event) => event.type === 'process' && event.state === 'exited' && event.byFault === 1));
  for (const file of [
    'run.json',
    'intervals.ndjson',
    'events.ndjson',
    'latency.hlog',
    'summary.json',
    'report.html',
    'timeline.png',
    'junit.xml',
    'nodes/n1.log',
  ]) {
    assert.ok(existsSync(join(dir, file)) && statSync(join(dir, file)).size > 0, file);
  }
  await assertNothingLeft(temp);
});

test('three masters killed one after the other: the load goes on, and each fault has its own gap and milestones', { timeout: 150_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const profile = writeProfile(
    cwd,
    'three.yaml',
    `
name: three-kills
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 1000, repl-diskless-sync-delay: 0 } }
load:
  threads: 1
  timeout: 3s
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 3000 }, values: { size: 32B }, preload: true }
  phases: [ { name: steady, duration: 36s, rate: 600/s } ]
chaos:
  - { at: 3s, for: 6s, fault: kill, node: "master of slot 0" }
  - { after: { fault: 1, state: redundancyRestored }, for: 6s, fault: kill, node: "master of slot 8000" }
  - { after: { fault: 2, state: redundancyRestored }, for: 6s, fault: kill, node: "master of slot 16000" }
`,
  );
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', profile, '--out', dir], { cwd, temp });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary } = readResults(dir);
  assertNothingUnaccounted(summary);
  assert.equal(summary.faults.length, 3);
  summary.faults.forEach((fault, index) => {
    assertMilestones(fault);
    assert.equal(fault.targets[0]?.shard, index);
    assert.ok(
      summary.availability.gaps.some((gap) => gap.shard === index && gap.kind === 'write' && gap.faultId === fault.id && !gap.collateral),
      `a gap of its own for fault ${fault.id}`,
    );
    const before = summary.faults[index - 1];
    if (before) assert.ok((fault.injectedAtMs ?? 0) >= (before.redundancyRestoredMs ?? Number.POSITIVE_INFINITY), 'waited for redundancy');
  });
  assertNoIncidents(summary);
  await assertNothingLeft(temp);
});
