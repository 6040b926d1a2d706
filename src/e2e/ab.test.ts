/** Base against candidate end to end: a candidate that is worse is found. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KnownServer } from '../bench/knownServer.js';
import type { RunsGroupRecord, RunsGroupSummary } from '../result/runsGroup.js';
import { runKvbench, temporaryFolder, writeProfile } from './harness.js';

const profile = `
name: reads
target: { topology: external, url: "redis://127.0.0.1:1" }
load:
  client: wire
  threads: 1
  connections: 4
  workload: { name: reads, operations: { get: 1 }, keys: { count: 100, prefix: "kvbench:" }, preload: false }
  phases: [{ name: steady, duration: 500ms, rate: 400/s }]
`;

const DELAY_US = 60_000;

test('a candidate that gives up before the server answers fails the rule at the first look that can tell', {
  timeout: 150_000,
}, async () => {
  const server = await KnownServer.start({ kind: 'delay', delayUs: DELAY_US });
  after(() => server.close());
  const cwd = temporaryFolder();
  const file = writeProfile(cwd, 'reads.yaml', profile);
  const dir = join(cwd, 'out');
  const sides = ['--set', `target.url=redis://127.0.0.1:${server.port}`, '--candidate', 'load.timeout=20ms'];
  // What a busy machine delays is a few operations, not all; and a rule of availability does not mind how late the generator is.
  const asked = ['--rule', 'availability: -20%', '--max-pairs', '4'];
  const finished = await runKvbench(['ab', file, ...sides, ...asked, '--out', dir], { cwd, env: { KVBENCH_RUNTIME_DIR: temporaryFolder() } });
  assert.equal(finished.code, 99, finished.stderr + finished.stdout);
  assert.match(finished.stdout, /Gate failed: availability rate .*, after 4 pairs/);
  assert.match(finished.stderr, /look after 4 pairs, at p ≤ 0\.0500: availability: -20%: .*, fail/);

  const group = JSON.parse(readFileSync(join(dir, 'group.json'), 'utf8')) as RunsGroupRecord;
  assert.deepEqual([group.kind, group.ab?.endedBy, group.ab?.looks.length, group.runs.length], ['ab', 'decided', 1, 8]);
  const order = group.runs.map((run) => run.variant);
  assert.deepEqual([order[0], order[1]], [order[3], order[2]], 'AB BA');
  const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as RunsGroupSummary;
  assert.deepEqual([summary.verdict, summary.exitCode, summary.decision?.outcome, summary.decision?.pairs], ['failed', 99, 'fail', 4]);
  for (const file of ['comparison.json', 'comparison.html', 'comparison.png', 'variants.png']) assert.ok(existsSync(join(dir, file)), file);
  const page = readFileSync(join(dir, 'report.html'), 'utf8');
  assert.match(page, /<h2>Decision<\/h2>[\s\S]*availability: -20%[\s\S]*✗ fail/);
});
