/** Pause and toxic with known answers, and an outage that nobody scheduled. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  assertNothingLeft,
  assertNothingUnaccounted,
  commandLineOf,
  processesNaming,
  readResults,
  runKvbench,
  startKvbench,
  temporaryFolder,
  writeProfile,
} from './harness.js';

test('a server stopped for one second: response time shows the whole stall, service time does not, the queue explains the rest', {
  timeout: 120_000,
}, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const profile = writeProfile(
    cwd,
    'pause.yaml',
    `
name: pause
target: { topology: standalone }
load:
  threads: 1
  connections: 50
  maxInFlight: 50
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 10000 }, values: { size: 64B }, preload: true }
  phases: [ { name: steady, duration: 10s, rate: 2000/s } ]
chaos:
  - { at: 4s, for: 1s, fault: pause, node: "master[0]" }
`,
  );
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', profile, '--out', dir], { cwd, temp });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary } = readResults(dir);
  assertNothingUnaccounted(summary);
  assert.equal(summary.ops.planned, 20_000);
  assert.equal(summary.ops.ok, 20_000, 'nothing is missing');
  const p99 = (statistics: { p99: number } | undefined): number => statistics?.p99 ?? Number.NaN;
  // One operation in ten waits: the 99th percentile is that of the worst tenth's worst tenth, 0.9 of the stall. Wide, for busy machines.
  assert.ok(p99(summary.latencyUs.all) > 800_000 && p99(summary.latencyUs.all) < 1_100_000, `response p99 ${p99(summary.latencyUs.all)}`);
  assert.ok(p99(summary.serviceUs.all) < p99(summary.latencyUs.all) / 4, `service p99 ${p99(summary.serviceUs.all)}`);
  assert.ok(p99(summary.queueUs.all) > 700_000, `queue p99 ${p99(summary.queueUs.all)}`);
  const fault = summary.faults[0];
  assert.equal(fault?.status, 'healed');
  const gap = summary.availability.gaps.find(({ shard, kind, faultId }) => shard === 0 && kind === 'read' && faultId === 1);
  assert.ok(gap && gap.faultId === 1 && gap.durationMs > 800, JSON.stringify(summary.availability.gaps));
  await assertNothingLeft(temp);
});

test('a latency toxic adds its delay to the service time while it is in force, and only then', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const profile = writeProfile(
    cwd,
    'toxic.yaml',
    `
name: toxic
target: { topology: standalone }
load:
  threads: 1
  workload: { name: reads, operations: { get: 100 }, keys: { count: 1000 }, values: { size: 64B }, preload: true }
  phases: [ { name: steady, duration: 9s, rate: 200/s } ]
chaos:
  - { at: 3s, for: 3s, fault: toxic, node: "master[0]", toxics: [ { type: latency, attributes: { latency: 100 } } ] }
`,
  );
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', profile, '--out', dir], { cwd, temp });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary } = readResults(dir);
  assertNothingUnaccounted(summary);
  assert.equal(summary.ops.ok, 1800);
  const p50 = (name: string): number => summary.windows.find((window) => window.name === name)?.latencyUs.all?.p50 ?? Number.NaN;
  assert.ok(p50('fault') > 100_000 && p50('fault') < 130_000, `in force: ${p50('fault')}`);
  assert.ok(p50('before') < 50_000, `before: ${p50('before')}`);
  assert.ok(p50('after') < 50_000, `after: ${p50('after')}`);
  await assertNothingLeft(temp);
});

test('a server that somebody stops by hand is an incident with milestones', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const profile = writeProfile(
    cwd,
    'incident.yaml',
    `
name: incident
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 1000, repl-diskless-sync-delay: 0 } }
load:
  threads: 1
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 3000 }, values: { size: 32B }, preload: true }
  phases: [ { name: steady, duration: 14s, rate: 600/s } ]
`,
  );
  const dir = join(cwd, 'out');
  const running = startKvbench(['run', profile, '--out', dir], { cwd, temp });
  await running.said(/steady/);
  // The first server started is the master of slot 0.
  const first = processesNaming(temp)
    .filter((pid) => /(redis|valkey)-server/.test(commandLineOf(pid)))
    .sort((a, b) => a - b)[0];
  assert.ok(first, 'a server process of the run');
  process.kill(first, 'SIGTERM');
  const finished = await running.finished;
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary } = readResults(dir);
  assertNothingUnaccounted(summary);
  assert.deepEqual(summary.faults, []);
  const incident = summary.incidents[0];
  assert.ok(incident, 'an incident');
  assert.equal(incident.status, 'observed');
  for (const name of ['processGoneMs', 'detectedMs', 'promotedMs', 'clientRecoveredMs'] as const) {
    assert.ok(typeof incident[name] === 'number', `${name} is ${String(incident[name])}`);
  }
  await assertNothingLeft(temp);
});
