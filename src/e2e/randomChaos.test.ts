/** Drawn chaos, short: one seed twice is the same; another one heals too; and a stop condition ends a run that has nothing left to show. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runSeed } from './chaosSeeds.js';
import { assertNothingLeft, readResults, runKvbench, temporaryFolder, writeProfile } from './harness.js';

test('one seed twice: the same faults at the same planned times, healed both times with nothing left', { timeout: 150_000 }, async () => {
  const [first, second] = await Promise.all([runSeed(11, '9s'), runSeed(11, '9s')]);
  assert.ok(first.faults.length >= 1, first.faults.join());
  assert.deepEqual(second.faults, first.faults);
});

test('a stop condition ends the run with 108, heals what is in force and writes the results', { timeout: 120_000 }, async () => {
  const temp = temporaryFolder();
  const cwd = temporaryFolder();
  const profile = writeProfile(
    cwd,
    'stop.yaml',
    `
name: stop
target: { topology: standalone }
load:
  threads: 1
  timeout: 500ms
  workload: { name: reads, operations: { get: 1 }, keys: { count: 10 } }
  phases: [ { name: steady, duration: 30s, rate: 200/s } ]
chaos:
  - { at: 1s, fault: kill, node: "master[0]" }
  - { at: 1500ms, fault: kill, node: "master[0]" }
safety: { limits: { maxNodesDown: 1 }, stop: ["errors: rate>0.9 for 1s"] }
`,
  );
  const dir = join(cwd, 'out');
  const { code, stderr, stdout } = await runKvbench(['run', profile, '--out', dir], { cwd, temp });
  assert.equal(code, 108, stderr + stdout);
  const { summary } = readResults(dir);
  assert.deepEqual([summary.verdict, summary.exitCode], ['aborted', 108]);
  assert.match(summary.sentence, /^Stopped after .* by errors: rate>0\.9 for 1s/);
  assert.ok(summary.durationMs < 15_000, `it went on for ${summary.durationMs} ms`);
  assert.deepEqual([summary.faults[0]?.status, summary.healing?.whole], ['healed', true]);
  await assertNothingLeft(temp);
});
