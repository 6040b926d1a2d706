/** The main job on real servers: the shipped failover profile, as `npm start` runs it. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { assertMilestones, assertNothingLeft, assertNothingUnaccounted, readResults, runKvbench, temporaryFolder } from './harness.js';

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
