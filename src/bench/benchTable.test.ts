/** The tables of the bench, whole, as a golden file; and what of the promises they call met. `UPDATE_GOLDEN=1` writes the file anew. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { type Figure, figureOf, type WindowResult } from './arithmetic.js';
import { BENCH_FORMAT_VERSION, type BenchFile, type ContenderResult, type SectionHead } from './benchResult.js';
import { renderBench } from './benchTable.js';
import { requirementsOf } from './requirements.js';

const goldenFile = join(packageRoot, 'src', 'bench', 'benchTable.golden.md');

const head: SectionHead = {
  date: '2026-03-01T12:00:00.000Z',
  kvbench: '1.2.3',
  machine: { cpu: 'Example CPU', cores: 2, memoryBytes: 8_000_000_000, system: 'Linux 6.1', node: 'v20.19.0', loadBefore: 0.05 },
  server: 'redis 7.0.15',
  rounds: 3,
  seconds: 5,
  notes: ['A note.'],
};

function rounds(rates: readonly (number | null)[], cpuUsPerOp: number): (WindowResult | null)[] {
  return rates.map((opsPerSec) =>
    opsPerSec === null ? null : { opsPerSec, cpuUsPerOp, peakRssBytes: 150_000_000, serverCores: 0.85, otherCores: 0.02 },
  );
}

function contender(id: string, more: Partial<ContenderResult>): ContenderResult {
  return { id, label: id, version: '1.0', rounds: [], ownOpsPerSec: [], unaccounted: [], failures: [], ...more };
}

const figure = (...values: number[]): Figure => figureOf(values) as Figure;

const bench: BenchFile = {
  benchFormatVersion: BENCH_FORMAT_VERSION,
  sections: {
    throughput: {
      ...head,
      cases: [
        {
          id: 'standalone',
          title: 'standalone, unpipelined',
          contenders: [
            contender('wire', {
              label: 'kvbench, client: wire',
              rounds: rounds([120_000, 126_000, 118_000], 8),
              ownOpsPerSec: [120_100, 126_000, 118_000],
              unaccounted: [0, 0, 0],
            }),
            contender('ioredis', { rounds: rounds([60_000, 61_000, 62_000], 14), ownOpsPerSec: [66_000, 67_000, 68_000], unaccounted: [0, -3, 0] }),
            contender('bare-ioredis', { rounds: rounds([75_000, 76_000, 77_000], 13) }),
            contender('redis-benchmark', { rounds: rounds([100_000, null, 100_000], 10), failures: ['round 2: it ended with 1'] }),
          ],
        },
      ],
    },
    startUp: {
      ...head,
      rounds: 15,
      seconds: 0,
      server: null,
      notes: [],
      helpMs: figure(160, 150),
      bareNodeMs: figure(60, 61),
      ratio: figure(2.6, 2.5),
    },
    proxy: {
      ...head,
      cases: [{ id: 'standalone', title: 'unpipelined', direct: rounds([100_000, 90_000], 10), proxied: rounds([50_000, 45_000], 10), failures: [] }],
    },
    pacing: {
      ...head,
      ratePerSec: 20_000,
      chosen: 'thread',
      ways: [
        { pacing: 'timer', dispatchLagP99Us: figure(1600), opsPerSec: figure(20_000), cores: null, cpuUsPerOp: null, otherCores: null },
        {
          pacing: 'thread',
          dispatchLagP99Us: figure(620, 600, 640),
          opsPerSec: figure(19_990, 20_000, 20_010),
          cores: figure(0.4),
          cpuUsPerOp: figure(20),
          otherCores: figure(0.3, 0.02, 0.2),
        },
        { pacing: 'spin', dispatchLagP99Us: null, opsPerSec: null, cores: null, cpuUsPerOp: null, otherCores: null },
      ],
    },
    memory: {
      ...head,
      rounds: 1,
      ratePerSec: 20_000,
      threads: 2,
      runs: [
        { durationSec: 60, opsPerSec: 20_000, peakRssLoadBytes: 150_000_000, peakRssBytes: 170_000_000 },
        { durationSec: 600, opsPerSec: 20_000, peakRssLoadBytes: 151_000_000, peakRssBytes: 180_000_000 },
      ],
    },
    accuracy: {
      ...head,
      rounds: 1,
      cases: [
        {
          id: 'delay-1ms',
          title: 'fixed delay of 1 ms',
          client: 'wire',
          rows: [
            { what: 'p50', expected: 1000, observed: 1080, delivered: 1001, tolerance: 150, unit: 'us', ok: true, okOfDelivered: true },
            { what: 'p99.9', expected: 1000, observed: 1300, delivered: 1200, tolerance: 150, unit: 'us', ok: false, okOfDelivered: true },
          ],
          serverLatenessUs: { p50: 1, p99: 20, p999: 200 },
          dispatchLagUs: { p50: 5, p99: 60, p999: 120 },
          waitsMs: { generator: 120, server: 15, steal: 0 },
          probeUs: { p50: 1050, p99: 1090 },
          otherCores: 0.5,
          failure: null,
        },
      ],
    },
  },
};

test('the tables of a run read like this', () => {
  const text = renderBench(bench);
  if (process.env.UPDATE_GOLDEN) writeFileSync(goldenFile, text);
  assert.equal(text, readFileSync(goldenFile, 'utf8'));
});

test('a promise is met, missed or not measured, and never guessed', () => {
  const byName = new Map(requirementsOf(bench.sections).map((requirement) => [requirement.what, requirement.ok]));
  assert.equal(byName.get('standalone: throughput of wire / redis-benchmark'), false, 'the median of 1.20 and 1.18');
  assert.equal(byName.get('standalone: throughput of ioredis / bare-ioredis'), false);
  assert.equal(byName.get('standalone: CPU per operation of wire / redis-benchmark'), true);
  assert.equal(byName.get('standalone: throughput of wire / memtier'), null);
  assert.equal(byName.get('open loop at 20,000/s from one worker: dispatch lag p99'), false);
  assert.equal(byName.get('peak memory at 20,000/s, two workers: 10 minutes against 1'), true);
  assert.equal(byName.get('start-up: kvbench --help / node -e 0'), true);
  assert.equal(byName.get('known delay of 1, 5, 20 ms at 2,000/s'), false);
  assert.ok(requirementsOf({}).every(({ ok, observed }) => ok === null && observed === null));
});
