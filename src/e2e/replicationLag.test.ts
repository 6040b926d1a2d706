/** Replication lag and placement on a real cluster whose replication links are slow for a while. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import type { LatencyStats } from '../result/summary.js';
import { assertNothingLeft, readResults, runKvbench, temporaryFolder } from './harness.js';

const TOXIC_MS = 100;
const sets = [
  'load.phases.1.duration=6s',
  'chaos.0.at=2s',
  'chaos.0.for=3s',
  `chaos.0.toxics.0.attributes.latency=${TOXIC_MS}`,
  'chaos.1.at=5.5s',
  'chaos.1.for=300ms',
].flatMap((set) => ['--set', set]);

test('replication lag is what the toxic adds, on every replica, and markers leave nothing behind', {
  skip: process.platform !== 'linux',
  timeout: 120_000,
}, async () => {
  const [temp, cwd] = [temporaryFolder(), temporaryFolder()];
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', join(packageRoot, 'profiles/slow-replication.yaml'), ...sets, '--out', dir], { cwd, temp });
  const { summary, events } = readResults(dir);
  const lags = Object.entries(summary.replicationLagUs ?? {});
  assert.deepEqual(lags.map(([node]) => node).sort(), ['n4', 'n5', 'n6'], finished.stderr);
  for (const [node, lag] of lags) {
    const at = (name: string): LatencyStats => {
      const stats = lag.windows.find((window) => window.faultId === 1 && window.name === name)?.lag;
      assert.ok(stats, `${node} ${name}`);
      return stats;
    };
    // The busier the machine the later all is; the quickest of many are nearest to the truth.
    assert.ok(at('before').min < 20_000, `${node} before: ${JSON.stringify(at('before'))}`);
    const { p50, count } = at('inForce');
    assert.ok(count > 10, `${count}`);
    assert.ok(p50 > TOXIC_MS * 990 && p50 < TOXIC_MS * 2000, `${node} in force: ${JSON.stringify(at('inForce'))}`);
    assert.ok(lag.resolution && lag.resolution.p50 < 500_000, JSON.stringify(lag.resolution));
  }
  assert.ok(Object.keys(summary.clocks?.nodes ?? {}).length === 5);
  assert.match(finished.stdout, /REPLICATION LAG/);
  // Only the keys of the workload are counted.
  const final = events.find((event) => event.type === 'target');
  assert.ok(final?.type === 'target');
  assert.equal(
    Object.values(final.keysPerNode).reduce((sum, keys) => sum + keys, 0),
    3000,
  );

  // Nothing changed hands: one stretch, with every key and every operation that ended ok.
  const [whole, ...more] = summary.placement ?? [];
  assert.ok(whole && more.length === 0 && whole.name === 'whole');
  const sum = (values: readonly (number | null)[]): number => values.reduce<number>((total, value) => total + (value ?? 0), 0);
  assert.deepEqual(
    whole.nodes.map(({ node }) => node),
    ['n1', 'n2', 'n3'],
  );
  assert.equal(sum(whole.nodes.map(({ ops }) => ops)), summary.ops.ok + summary.warmUp.ok);
  assert.equal(sum(whole.ranges.map(({ ops }) => ops)), summary.ops.ok + summary.warmUp.ok);
  assert.deepEqual([sum(whole.nodes.map(({ keys }) => keys)), sum(whole.ranges.map(({ keys }) => keys))], [3000, 3000]);
  assert.ok(whole.hottest[0] && whole.hottest[0].ops > 0 && whole.opsVariation !== null && whole.opsVariation < 0.3);
  assert.equal(sum(Object.values(summary.target?.keysPerNodeBefore ?? {})), 3000);
  await assertNothingLeft(temp);
});
