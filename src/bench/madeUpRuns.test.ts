import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalQuantile } from '../base/normal.js';
import { RandomStream } from '../base/random.js';
import { sparseFromValues } from '../result/sparseHistogram.js';
import { deviationOf, MadeUpRuns } from './madeUpRuns.js';
import type { RecordedRun, RecordedSlot } from './recordedRuns.js';

const same = { latencyFactor: 1, throughputFactor: 1 };

/** Runs whose levels differ by what is said, each of 40 intervals of about 100 operations. */
function recorded(count: number, spread: { latency: number; throughput: number }): RecordedRun[] {
  const normals = Array.from({ length: count }, (_, i) => normalQuantile((i + 0.5) / count));
  const scale = 1 / deviationOf(normals);
  return normals.map((normal, run) => {
    const draws = new RandomStream(run, 3000);
    const level = 1000 * Math.exp(spread.latency * scale * normal);
    const ops = Math.round(100 * Math.exp(-spread.throughput * scale * normal));
    const slots = Array.from({ length: 40 }, (_, slot): RecordedSlot => {
      const values = Array.from({ length: ops }, (_, i) => Math.round(level * (1 + draws.unit(slot * 1000 + i))));
      return [ops, sparseFromValues(values)];
    });
    return { load: 'open', startedAt: '2026-01-01T00:00:00.000Z', saturated: false, slots };
  });
}

function made(source: MadeUpRuns, count: number, how = same): { p99: number[]; pace: number[] } {
  const summaries = Array.from({ length: count }, (_, i) => source.make(i, how).summary);
  return {
    p99: summaries.map(({ latencyUs }) => Math.log(latencyUs.all?.p99 ?? Number.NaN)),
    pace: summaries.map(({ throughputOpsPerSec }) => Math.log(throughputOpsPerSec)),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('made-up runs differ as the recorded ones did, in levels that were not recorded too', () => {
  const source = new MadeUpRuns(recorded(12, { latency: 0.06, throughput: 0.04 }));
  assert.ok(Math.abs((source.recorded?.latency ?? 0) - 0.06) < 0.002);
  assert.ok(Math.abs((source.recorded?.throughput ?? 0) - 0.04) < 0.003);
  const { p99, pace } = made(source, 150);
  assert.ok(Math.abs(deviationOf(p99) - 0.06) < 0.012, `${deviationOf(p99)}`);
  assert.ok(Math.abs(deviationOf(pace) - 0.04) < 0.008, `${deviationOf(pace)}`);
  assert.ok(new Set(p99).size > 60, 'levels are not only the twelve recorded ones');
});

test('a spread can be asked for, and what is slower is slower by just that', () => {
  const source = new MadeUpRuns(recorded(12, { latency: 0.06, throughput: 0.01 }), 0.03);
  const base = made(source, 100);
  assert.ok(Math.abs(deviationOf(base.p99) - 0.03) < 0.007, `${deviationOf(base.p99)}`);
  const slower = made(source, 100, { latencyFactor: 1.2, throughputFactor: 0.95 });
  assert.ok(Math.abs(mean(slower.p99) - mean(base.p99) - Math.log(1.2)) < 0.003);
  assert.ok(Math.abs(mean(slower.pace) - mean(base.pace) - Math.log(0.95)) < 0.003);
});

test('one recorded run is given the usual differences; two cannot show how runs differ', () => {
  const one = new MadeUpRuns(recorded(12, { latency: 0.06, throughput: 0.01 }).slice(0, 1));
  assert.equal(one.recorded, null);
  assert.ok(deviationOf(made(one, 60).p99) > 0.03);
  assert.throws(() => new MadeUpRuns(recorded(2, { latency: 0.06, throughput: 0.01 })), /2 recorded runs of a kind are too few/);
});
