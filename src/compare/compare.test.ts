import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syntheticLoadedRun, syntheticSide } from '../bench/syntheticRun.js';
import type { FaultSummary, Gap } from '../result/summary.js';
import { compareSides, defaultCompareOptions } from './compare.js';
import type { LoadedSide } from './loadSide.js';

const fault = (injectedAtMs: number, detectedMs: number, recoveredMs: number): FaultSummary => ({
  id: 1,
  kind: 'kill',
  status: 'healed',
  message: null,
  targets: [],
  plannedAtMs: injectedAtMs,
  injectedAtMs,
  processGoneMs: null,
  firstErrorMs: injectedAtMs,
  detectedMs,
  promotedMs: recoveredMs - 50,
  clientRecoveredMs: recoveredMs,
  p99RecoveredMs: recoveredMs,
  healedAtMs: recoveredMs,
  redundancyRestoredMs: null,
  rtoMs: recoveredMs - injectedAtMs,
});

/** Five failovers, detected and over after so many ms, a little different each time. */
function failovers(label: string, nodeTimeoutMs: number, detectionMs: number): LoadedSide {
  const runs = [0, 40, -60, 110, -25].map((jitterMs, r) =>
    syntheticLoadedRun({
      id: `${label}-${r}`,
      seed: r,
      seconds: 8,
      opsPerSlot: 200,
      latencyUs: (u) => 1000 * (1 + u),
      plan: { chaos: [{}] },
      changePlan: (plan) => {
        if (plan.target.kind === 'lab') plan.target.config = { 'cluster-node-timeout': String(nodeTimeoutMs) };
      },
      changeSummary: (summary) => {
        const detectedMs = 1000 + detectionMs + jitterMs;
        const recoveredMs = detectedMs + 900;
        const gap: Omit<Gap, 'shard'> = {
          kind: 'write',
          startMs: 1000,
          endMs: recoveredMs,
          durationMs: recoveredMs - 1000,
          faultId: 1,
          collateral: false,
        };
        summary.faults = [fault(1000, detectedMs, recoveredMs)];
        summary.availability.gaps = [
          { shard: 0, ...gap },
          { shard: 'any', ...gap },
        ];
        summary.windows = (['before', 'fault', 'after'] as const).map((name, i) => ({
          name,
          faultId: 1,
          startMs: [0, 1000, recoveredMs][i] as number,
          endMs: [1000, recoveredMs, 8000][i] as number,
          ops: summary.ops,
          latencyUs: {},
        }));
      },
    }),
  );
  return syntheticSide(label, runs);
}

test('twice the node timeout: the longer gap and detection are named, with intervals, like with like', () => {
  const { comparison } = compareSides(failovers('2s', 2000, 2100), failovers('4s', 4000, 4300), {
    ...defaultCompareOptions,
    resamples: 100,
    level: 'profile',
    noiseFloor: null,
  });
  const row = (id: string) => {
    const found = comparison.rows.find((each) => each.id === id);
    assert.ok(found, `${id} is not among ${comparison.rows.map((each) => each.id).join(', ')}`);
    return found;
  };
  for (const id of ['gap{shard:any} max', 'gap{shard:any,fault:1} max', 'rto{fault:1} max', 'detection{fault:1} max']) {
    const { verdict, interval, change } = row(id);
    assert.equal(verdict, 'slower', id);
    assert.equal(change.absolute, 2_200_000, id);
    assert.ok(interval && (interval.low ?? 0) > 2_000_000 && (interval.high ?? 9e9) < 2_400_000, id);
  }
  assert.equal(row('promotion{fault:1} max').verdict, '~');
  assert.equal(row('latency{during:before} p(50)').verdict, '~');
  assert.ok(!comparison.rows.some(({ id }) => id.startsWith('redundancy')), 'what no run reached is no row');
  assert.ok(comparison.warnings.some(({ text }) => text === 'target.config.cluster-node-timeout differs: 2000 → 4000'));
  assert.match(comparison.sentence, /longer/);
});
