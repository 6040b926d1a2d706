/** The search for the capacity, against a server whose capacity is known: found, told and written, and left well when interrupted. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KnownServer } from '../bench/knownServer.js';
import type { CapacitySummary } from '../result/group.js';
import { runKvbench, startKvbench, temporaryFolder, writeProfile } from './harness.js';

const CAPACITY_OPS_PER_SEC = 2000;

/** Above its capacity the queue of the server grows without end, and every answer waits; what a busy machine delays is a few, not half of them. */
const profile = (rate: string): string => `
name: known-capacity
target: { topology: external, url: "redis://127.0.0.1:1" }
load:
  client: wire
  threads: 1
  connections: 4
  maxInFlight: 500
  workload: { name: reads, operations: { get: 1 }, keys: { count: 100, prefix: "kvbench:" }, preload: false }
capacity: { objective: { latency: "med<60ms" }, rate: ${rate}, trial: 1s, settle: 300ms, precision: 20%, confirm: 1 }
`;

async function knownServer(): Promise<string> {
  const server = await KnownServer.start({ kind: 'capacity', opsPerSec: CAPACITY_OPS_PER_SEC });
  after(() => server.close());
  return `redis://127.0.0.1:${server.port}`;
}

function summaryOf(dir: string): CapacitySummary {
  return JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as CapacitySummary;
}

test('the known capacity of a limited server is found, in one report over its trials that can be made again', { timeout: 120_000 }, async () => {
  const url = await knownServer();
  const cwd = temporaryFolder();
  const file = writeProfile(cwd, 'known-capacity.yaml', profile('{ min: 1500/s, max: 6000/s }'));
  const finished = await runKvbench(['run', file, '--url', url], { cwd });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const [listed] = (await runKvbench(['list', 'runs'], { cwd })).stdout.trim().split('\n');
  assert.match(listed ?? '', /known-capacity: passed, \d+ trials\. The server holds med<60ms/);
  const dir = join(cwd, (listed ?? '').trim().split(/\s/)[0] ?? '');

  const summary = summaryOf(dir);
  const { rateOpsPerSec, bracket, confirmed, limitedBy } = summary.capacity;
  assert.ok(Math.abs((rateOpsPerSec ?? 0) / CAPACITY_OPS_PER_SEC - 1) <= 0.25, `${rateOpsPerSec} for ${CAPACITY_OPS_PER_SEC}: ${finished.stderr}`);
  assert.ok((bracket.failsOpsPerSec ?? 0) > (bracket.holdsOpsPerSec ?? 0));
  // A machine that starves the generator makes it the limit, and that is told.
  const isStarved = limitedBy === 'generator' && summary.trials.some(({ verdict }) => verdict === 'generator');
  assert.deepEqual([summary.kind, confirmed], ['capacity', true]);
  assert.ok(isStarved || limitedBy === 'server', limitedBy);
  if (!isStarved) assert.match(finished.stdout, /The server holds med<60ms up to [\d,]+ ops\/s; at [\d,]+ ops\/s it was /);
  for (const trial of summary.trials) assert.ok(existsSync(join(dir, trial.run, 'report.html')), trial.run);

  const page = readFileSync(join(dir, 'report.html'), 'utf8');
  assert.ok(page.includes('<svg class="curve"') && page.includes(`${summary.sentence}.`.replaceAll('<', '&lt;')));
  assert.equal((page.match(/<circle class="p99[ "]/g) ?? []).length, summary.trials.length);
  assert.equal(readFileSync(join(dir, 'capacity.png')).subarray(1, 4).toString(), 'PNG');
  const again = await runKvbench(['report', dir], { cwd });
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(summaryOf(dir), summary);
  assert.equal(readFileSync(join(dir, 'report.html'), 'utf8'), page);
});

test('an interrupted search writes what it has and ends with 105', { timeout: 120_000 }, async () => {
  const url = await knownServer();
  const cwd = temporaryFolder();
  const dir = join(cwd, 'out');
  const running = startKvbench(['run', writeProfile(cwd, 'p.yaml', profile('{ min: 1000/s, max: 8000/s }')), '--url', url, '--out', dir], { cwd });
  await running.said(/trial {2}1 /);
  running.child.kill('SIGINT');
  const finished = await running.finished;
  assert.equal(finished.code, 105, finished.stderr + finished.stdout);
  const { verdict, sentence, trials, capacity } = summaryOf(dir);
  assert.equal(verdict, 'interrupted');
  assert.ok(trials.length >= 1 && !capacity.confirmed);
  assert.match(sentence, /^Interrupted \(SIGINT\): /);
  assert.ok(existsSync(join(dir, 'report.html')));
});
