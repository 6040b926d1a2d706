/** Every way out of a run heals, writes and leaves nothing: kill -9, Ctrl-C, an aborting threshold, a worker's target gone; two runs at once. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  assertNoIncidents,
  assertNothingLeft,
  assertNothingUnaccounted,
  readResults,
  runKvbench,
  startKvbench,
  temporaryFolder,
  writeProfile,
} from './harness.js';

const pausedCluster = (durationS: number): string => `
name: paused
target: { topology: cluster, masters: 3, replicasPerMaster: 0, config: { cluster-node-timeout: 2000 } }
load:
  threads: 2
  timeout: 2s
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 1000 }, values: { size: 32B }, preload: true }
  phases: [ { name: steady, duration: ${durationS}s, rate: 500/s } ]
chaos:
  - { at: 1s, fault: pause, node: "master[1]" }
`;

test('kill -9 in mid-run, with a server stopped: no server and no folder is left, and the folder still makes a report', {
  timeout: 120_000,
}, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const dir = join(cwd, 'out');
  const running = startKvbench(['run', writeProfile(cwd, 'p.yaml', pausedCluster(60)), '--out', dir], { cwd, temp });
  await running.said(/pause\b/);
  running.child.kill('SIGKILL');
  const finished = await running.finished;
  assert.equal(finished.signal, 'SIGKILL');
  await assertNothingLeft(temp, 5000);
  assert.ok(!existsSync(join(dir, 'summary.json')));
  const report = await runKvbench(['report', dir], { cwd });
  assert.equal(report.code, 0, report.stderr);
  for (const file of ['summary.json', 'report.html', 'timeline.png']) assert.ok(existsSync(join(dir, file)), file);
  const { summary } = readResults(dir);
  assert.equal(summary.verdict, 'interrupted');
  assert.ok(summary.ops.ok > 0);
});

test('Ctrl-C heals, writes the results and ends with 105', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const dir = join(cwd, 'out');
  const running = startKvbench(['run', writeProfile(cwd, 'p.yaml', pausedCluster(60)), '--out', dir], { cwd, temp });
  await running.said(/pause\b/);
  running.child.kill('SIGINT');
  const finished = await running.finished;
  assert.equal(finished.code, 105, finished.stderr);
  const { summary, events } = readResults(dir);
  assert.equal(summary.verdict, 'interrupted');
  assert.equal(summary.exitCode, 105);
  assertNothingUnaccounted(summary);
  assert.ok(events.some((event) => event.type === 'fault' && event.state === 'healed'));
  assert.ok(existsSync(join(dir, 'report.html')));
  await assertNothingLeft(temp);
});

test('Ctrl-C while the lab is starting ends with 105 and leaves nothing, not even a result folder', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const dir = join(cwd, 'out');
  const running = startKvbench(['run', writeProfile(cwd, 'p.yaml', pausedCluster(60)), '--out', dir], { cwd, temp });
  await running.said(/[Ss]tarting/);
  running.child.kill('SIGINT');
  const finished = await running.finished;
  assert.equal(finished.code, 105, finished.stderr);
  assert.ok(!existsSync(dir));
  await assertNothingLeft(temp);
});

test('a second Ctrl-C ends at once', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const running = startKvbench(['run', writeProfile(cwd, 'p.yaml', pausedCluster(60)), '--out', join(cwd, 'out')], { cwd, temp });
  await running.said(/pause\b/);
  running.child.kill('SIGINT');
  running.child.kill('SIGTERM');
  assert.equal((await running.finished).code, 105);
  await assertNothingLeft(temp, 5000);
});

test('a threshold with abortOnFail ends the run early with 99', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const dir = join(cwd, 'out');
  const profile = writeProfile(
    cwd,
    'p.yaml',
    `${pausedCluster(60)}thresholds:\n  errors: [ { threshold: "rate<0.05", abortOnFail: true, delayAbortEval: 1s } ]\n`,
  );
  const finished = await runKvbench(['run', profile, '--out', dir], { cwd, temp });
  assert.equal(finished.code, 99, finished.stderr);
  const { summary } = readResults(dir);
  assert.equal(summary.verdict, 'aborted');
  assert.ok(summary.durationMs < 30_000, String(summary.durationMs));
  assertNothingUnaccounted(summary);
  await assertNothingLeft(temp);
});

test('two runs at once in one folder, one with each client, both pass, each with its own results', { timeout: 150_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const profile = writeProfile(
    cwd,
    'short.yaml',
    `
name: short
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 1500, repl-diskless-sync-delay: 0 } }
load:
  threads: 1
  workload: { name: mix, operations: { get: 80, set: 10, incr: 5, del: 5 }, keys: { count: 2000 }, values: { size: 32B }, preload: true }
  phases: [ { name: steady, duration: 12s, rate: 400/s } ]
chaos:
  - { at: 2s, for: 3s, fault: kill, node: "master of slot 0" }
thresholds:
  "rto": ["max<10s"]
`,
  );
  const both = await Promise.all([
    runKvbench(['run', profile], { cwd, temp }),
    runKvbench(['run', profile, '--set', 'load.client=wire'], { cwd, temp }),
  ]);
  const dirs = both.map((finished) => {
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    const dir = /Report: (.*)\/report\.html/.exec(finished.stdout)?.[1];
    assert.ok(dir, finished.stdout);
    return join(cwd, dir);
  });
  assert.notEqual(dirs[0], dirs[1]);
  for (const dir of dirs) {
    const { summary } = readResults(dir);
    assertNothingUnaccounted(summary);
    assert.equal(summary.ops.planned, 4800);
    assertNoIncidents(summary);
    const fault = summary.faults[0];
    assert.ok(fault?.injectedAtMs && fault.detectedMs && fault.promotedMs && fault.clientRecoveredMs, JSON.stringify(fault));
    assert.ok(fault.injectedAtMs < fault.detectedMs && fault.detectedMs < fault.promotedMs && fault.promotedMs < fault.clientRecoveredMs);
  }
  rmSync(join(cwd, 'reports'), { recursive: true });
  await assertNothingLeft(temp);
});
