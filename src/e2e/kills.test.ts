/** Kills one after the other, each with its own gap and milestones. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  assertMilestones,
  assertNoIncidents,
  assertNothingLeft,
  assertNothingUnaccounted,
  readResults,
  runKvbench,
  temporaryFolder,
  writeProfile,
} from './harness.js';

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
