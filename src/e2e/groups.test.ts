/** Groups of runs end to end: variants in turn with one report over them, one that fails its thresholds, and one that is interrupted. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunRecord } from '../result/records.js';
import type { RunsGroupSummary } from '../result/runsGroup.js';
import { assertNothingLeft, runKvbench, startKvbench, temporaryFolder, writeProfile } from './harness.js';

const profile = `
name: settings
target: { topology: standalone, config: { appendonly: "no" } }
load:
  client: wire
  threads: 1
  workload: { operations: { get: 1, set: 1 }, keys: { count: 200 }, preload: false }
  phases: [{ name: steady, duration: 700ms, rate: 500/s }]
thresholds: { availability: "rate>0.5" }
variants:
  plain: { description: as it is }
  aof: { target: { config: { appendonly: "yes" } }, load: { phases: { 0: { rate: 800/s } } } }
  impossible: { thresholds: { availability: "rate>1" } }
`;

function summaryOf(dir: string): RunsGroupSummary {
  return JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as RunsGroupSummary;
}

test('variants alternate, all are played though one fails, and report makes the same group again', { timeout: 150_000 }, async () => {
  const cwd = temporaryFolder();
  const temp = temporaryFolder();
  const file = writeProfile(cwd, 'settings.yaml', profile);
  const finished = await runKvbench(['run', file, '--variant', 'aof', '--variant', 'impossible', '--repeat', '2'], { cwd, temp });
  assert.equal(finished.code, 99, finished.stderr + finished.stdout);
  await assertNothingLeft(temp);
  const [listed] = (await runKvbench(['list', 'runs'], { cwd })).stdout.trim().split('\n');
  assert.match(listed ?? '', /settings: failed, 4 runs\. 2 variants, 4 runs: .*thresholds failed in 2 of 4/);
  const dir = join(cwd, (listed ?? '').trim().split(/\s/)[0] ?? '');

  const summary = summaryOf(dir);
  const order = summary.runs.map((run) => run.variant);
  assert.deepEqual([order[0], order[1]], [order[3], order[2]], 'AB BA');
  assert.deepEqual(
    summary.variants.map(({ name, runs, failedRuns }) => [name, runs, failedRuns]),
    [
      ['aof', 2, 0],
      ['impossible', 2, 2],
    ],
  );
  for (const run of summary.runs) {
    const record = JSON.parse(readFileSync(join(dir, run.run, 'run.json'), 'utf8')) as RunRecord;
    assert.equal(record.plan.variant, run.variant);
    assert.equal(record.target?.settings.appendonly, run.variant === 'aof' ? 'yes' : 'no', 'the server had the setting of its variant');
    assert.ok(existsSync(join(dir, run.run, 'report.html')));
  }
  const [aof] = summary.variants;
  assert.ok(Math.abs((aof?.throughputOpsPerSec?.median ?? 0) / 800 - 1) < 0.1);
  assert.match(finished.stdout, /impossible/);
  assert.equal(readFileSync(join(dir, 'variants.png')).subarray(1, 4).toString(), 'PNG');

  const page = readFileSync(join(dir, 'report.html'), 'utf8');
  rmSync(join(dir, 'report.html'));
  rmSync(join(dir, 'summary.json'));
  const again = await runKvbench(['report', dir], { cwd });
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(summaryOf(dir), summary);
  assert.equal(readFileSync(join(dir, 'report.html'), 'utf8'), page);
});

test('an interrupted group writes what it has and ends with 105; a server that does not start ends it with 100 and leaves no folder', {
  timeout: 120_000,
}, async () => {
  const cwd = temporaryFolder();
  const temp = temporaryFolder();
  const file = writeProfile(cwd, 'settings.yaml', profile);
  const dir = join(cwd, 'out');
  const running = startKvbench(['run', file, '--variant', 'plain', '--repeat', '3', '--out', dir], { cwd, temp });
  await running.said(/run 2\/3/);
  running.child.kill('SIGINT');
  const finished = await running.finished;
  assert.equal(finished.code, 105, finished.stderr + finished.stdout);
  const { verdict, sentence, variants } = summaryOf(dir);
  assert.deepEqual([verdict, variants[0]?.runs], ['interrupted', 1]);
  assert.match(sentence, /^Interrupted \(SIGINT\) after 1 of 3 runs: /);
  assert.ok(existsSync(join(dir, 'report.html')));

  const broken = await runKvbench(['run', file, '--set', 'target.server=/no/such/server', '--out', join(cwd, 'never')], { cwd, temp });
  assert.equal(broken.code, 100, broken.stderr);
  assert.equal(existsSync(join(cwd, 'never')), false);
  await assertNothingLeft(temp);
});

test('what a group cannot be is said before anything starts; --dry-run shows every variant', { timeout: 90_000 }, async () => {
  const cwd = temporaryFolder();
  const file = writeProfile(cwd, 'settings.yaml', profile);
  const dry = await runKvbench(['run', file, '--repeat', '2', '--dry-run'], { cwd });
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /3 variants × 2 rounds/);
  assert.equal((dry.stdout.match(/^variant /gm) ?? []).length, 3);
  assert.match(dry.stdout, /800\/s, 560 operations/);
  for (const [args, says] of [
    [['--variant', 'aoff'], /has no variant "aoff"[\s\S]*plain, aof, impossible/],
    [['--repeat', '0'], /--repeat 0 is not a number of rounds/],
  ] as const) {
    const refused = await runKvbench(['run', file, ...args], { cwd });
    assert.equal(refused.code, 104);
    assert.match(refused.stderr, says);
  }
});
