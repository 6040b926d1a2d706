import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { packageRoot } from '../base/packageRoot.js';
import type { ServerSummary, Summary, WorkerSummary } from '../result/summary.js';
import { countsModel, faultModel, gapModel, runModel, statsModel, summaryModel, windowModel } from './reportModel.test.support.js';
import { renderTerminalSummary } from './terminalSummary.js';

const target = {
  topology: 'cluster',
  server: 'redis',
  version: '7.0.15',
  nodes: runModel(2).target?.nodes ?? [],
  nodesAfter: [],
  keysPerNode: {},
};

const failover: Summary = summaryModel({
  sentence: 'Shard 0 refused writes for 4.35 s: 3.19 detection + 1.09 election + 0.07 client; the others 1.21 s of CLUSTERDOWN, full coverage',
  advice:
    'Detection took 73 % of it: cluster-node-timeout 2000 ms. Try: kvbench run profiles/failover.yaml --set target.config.cluster-node-timeout=1000',
  durationMs: 33_000,
  ops: countsModel(55_094, { fail: 4904, info: 2, byReason: { reset: 2, refused: 2650, CLUSTERDOWN: 2254 } }),
  warmUp: countsModel(3000),
  throughputOpsPerSec: 1836.467,
  availability: {
    rate: 0.9182333,
    resolutionMs: 100,
    degradedMs: 4600,
    gaps: [
      gapModel(0, 'write', 8002.512, 12_348.088),
      gapModel(0, 'read', 8003.399, 12_326.987),
      gapModel(1, 'write', 11_166.985, 12_372.072, { collateral: true }),
      gapModel('any', 'write', 8002.512, 12_372.072),
      gapModel('all', 'write', 11_168.283, 12_347.45),
    ],
  },
  windows: [
    windowModel('before', 3000, 8005.79, countsModel(10_000), 675),
    windowModel('fault', 8005.79, 12_372.072, countsModel(3894, { fail: 4904, info: 2 }), 1005),
    windowModel('recovery', 12_372.072, 18_968.766, countsModel(13_200), 698),
    windowModel('after', 18_968.766, 33_000, countsModel(28_000), 691),
  ],
  faults: [
    faultModel({
      processGoneMs: 8008.398,
      firstErrorMs: 8006.382,
      detectedMs: 11_191.012,
      promotedMs: 12_278.03,
      clientRecoveredMs: 12_348.088,
      p99RecoveredMs: 12_400,
      redundancyRestoredMs: 18_968.766,
      rtoMs: 4342.298,
    }),
  ],
  client: { attempts: 62_602, retries: 2252, reconnects: 0, slotRefreshes: 822 },
  thresholds: [
    { metric: 'latency{op:get,during:before}', expression: 'p(99)<50ms', observed: 3131, ok: true },
    { metric: 'gap{shard:any}', expression: 'max<15s', observed: 4_369_560, ok: true },
    { metric: 'availability', expression: 'rate>0.70', observed: 0.9182333, ok: true },
    { metric: 'throughput', expression: 'rate>1000', observed: 1836.467, ok: true },
    { metric: 'gap{shard:0}', expression: 'count<=2', observed: 2, ok: true },
  ],
  servers: [serverModel('n1', 0.61), serverModel('n2', null), serverModel('n3', 0.2, { evicted: 12, expired: 3400, lastForkUs: 412 })],
  target,
});

const clean: Summary = summaryModel();

const interrupted: Summary = summaryModel({
  verdict: 'interrupted',
  exitCode: 105,
  sentence: 'Interrupted after 9.40 s: shard 0 refused writes for 1.39 s, to the end of the run',
  durationMs: 9400,
  ops: countsModel(12_400, { fail: 300, info: 0, dropped: 100, byReason: { refused: 300, unsent: 100 } }),
  availability: { rate: 0.96875, resolutionMs: 100, degradedMs: 1400, gaps: [gapModel(0, 'write', 8006.1, 9400)] },
  faults: [
    faultModel({ processGoneMs: 8008.398, firstErrorMs: 8006.382, healedAtMs: 9450.1 }),
    faultModel({ id: 2, kind: 'toxic', status: 'skipped', message: 'the run was interrupted', targets: [], injectedAtMs: null, healedAtMs: null }),
  ],
});

const withoutSamples: Summary = summaryModel({
  verdict: 'failed',
  exitCode: 99,
  sentence: 'Nobody scheduled it: n1 left at 5.00 s; shard 0 refused reads for 2.10 s',
  thresholds: [
    { metric: 'latency{op:get,during:before}', expression: 'p(99)<50ms', observed: null, ok: false, note: 'no operations during before' },
    { metric: 'service', expression: 'avg<1ms', observed: null, ok: false },
    { metric: 'rto', expression: 'max<5s', observed: null, ok: false, note: 'clients never recovered from fault 1' },
    { metric: 'gap', expression: 'max<1s', observed: 2_100_000, ok: false, note: 'a gap was still open at the end' },
    { metric: 'errors', expression: 'rate<0.5', observed: 0.00001, ok: true },
  ],
  latencyUs: { get: statsModel(640, 20_000), all: statsModel(640, 20_000) },
  availability: { rate: 0.99995, resolutionMs: 100, degradedMs: 0, gaps: [gapModel(0, 'read', 5001, 7101, { faultId: null })] },
  incidents: [
    faultModel({
      kind: 'process exit',
      status: 'observed',
      plannedAtMs: null,
      injectedAtMs: 5001,
      processGoneMs: 5001,
      promotedMs: 7050,
      healedAtMs: null,
    }),
  ],
});

const saturated: Summary = summaryModel({
  sentence: 'Nothing went wrong: 20,000 operations. The load generator was saturated: these are its figures, not the store’s',
  ops: { ...countsModel(20_000), planned: null },
  generator: {
    ...clean.generator,
    saturated: true,
    eventLoopUtilization: 1,
    dispatchLagP99Us: 48_000,
    remedies: ['the lean client, which takes a fraction of the CPU: --set load.client=wire', 'a lower rate'],
    workers: [workerModel(0, 1), workerModel(1, 0.62, null)],
    reasons: ['the event loop of worker 0 was more than 95 % busy for 9 s on end', 'operations left 48.0ms late (p99); more than 20.0ms is too much'],
  },
  phases: [closedPhase('ten clients', 10, 9.94), closedPhase('fifty clients', 50, 41.2)],
});

function workerModel(worker: number, eventLoopUtilization: number, gcCount: number | null = 312): WorkerSummary {
  const gcPauseUs = gcCount === null ? null : 45_000;
  const times = { eventLoopDelayP99Us: 12_300, dispatchLagP99Us: 48_000, cpuSeconds: 5.48 };
  return { worker, eventLoopUtilization, ...times, gcCount, gcPauseUs, gcPauseWorstSecondUs: gcCount === null ? null : 3200 };
}

function serverModel(node: string, cpuMax: number | null, more: Partial<ServerSummary> = {}): ServerSummary {
  return {
    node,
    cpuSecondsPerSec: { mean: cpuMax === null ? null : cpuMax * 0.75, max: cpuMax },
    memoryBytesMax: cpuMax === null ? null : 12_300_000,
    opsPerSecMax: cpuMax === null ? null : 1204,
    networkBytes: { in: 5e6, out: 9e6 },
    hits: cpuMax === null ? null : 9000,
    misses: cpuMax === null ? null : 100,
    evicted: 0,
    expired: 0,
    lastForkUs: 0,
    ...more,
  };
}

function closedPhase(name: string, inFlightExpected: number, inFlightMeasured: number): Summary['phases'][number] {
  return {
    name,
    record: true,
    startMs: 0,
    endMs: 5000,
    ops: { ...countsModel(10_000), planned: null },
    throughputOpsPerSec: 2000,
    latencyUs: { all: statsModel(640, 10_000) },
    littlesLaw: { inFlightExpected, inFlightMeasured },
  };
}

const runs: Record<string, { summary: Summary; width: number; shards: number }> = {
  failover: { summary: failover, width: 100, shards: 2 },
  clean: { summary: clean, width: 130, shards: 2 },
  interrupted: { summary: interrupted, width: 80, shards: 1 },
  'no-samples': { summary: withoutSamples, width: 100, shards: 2 },
  saturated: { summary: saturated, width: 100, shards: 2 },
};

for (const [name, { summary, width, shards }] of Object.entries(runs)) {
  test(`the summary of a run: ${name}`, () => {
    const text = renderTerminalSummary(summary, runModel(shards), { color: false, width });
    const golden = join(packageRoot, `src/report/terminalSummary.${name}.golden.txt`);
    if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, 'utf8'));
    assert.ok(!text.includes('\u001b'), 'plain without colour');
    for (const line of text.split('\n')) {
      assert.equal(line, line.trimEnd());
      assert.ok([...line].length <= width || line.includes('kvbench run'), `${[...line].length} columns: ${line}`);
    }
  });

  test(`colour changes no text: ${name}`, () => {
    const plain = renderTerminalSummary(summary, runModel(shards), { color: false, width });
    const colored = renderTerminalSummary(summary, runModel(shards), { color: true, width });
    assert.ok(colored.includes('\u001b['));
    assert.equal(stripVTControlCharacters(colored), plain);
  });
}

test('the command of the advice can be copied in one piece from a narrow terminal', () => {
  const text = renderTerminalSummary(failover, runModel(2), { color: false, width: 60 });
  assert.match(text, /^ {4}kvbench run profiles\/failover\.yaml --set target\.config\.cluster-node-timeout=1000$/m);
});

test('many gaps show the longest ones and say that there are more', () => {
  const gaps = Array.from({ length: 30 }, (_, i) => gapModel(0, 'write', i * 1000, i * 1000 + 100 + i));
  const summary = summaryModel({ availability: { ...clean.availability, gaps } });
  const text = renderTerminalSummary(summary, runModel(2), { color: false, width: 100 });
  assert.equal(text.match(/shard 0 {2}write/g)?.length, 20);
  assert.ok(text.includes('for 129ms') && !text.includes('for 109ms'));
  assert.ok(text.includes('… and 10 shorter ones'));
});

test('a fault whose outage did not end says so', () => {
  const text = renderTerminalSummary(interrupted, runModel(1), { color: false, width: 100 });
  assert.match(text, /client recovered\.*: not within the run/);
});
