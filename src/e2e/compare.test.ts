/** diff, gate and baseline as a person and a pipeline meet them: exit codes, files, damaged folders. On made-up runs, so that the answer is known. */
import assert from 'node:assert/strict';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { writeSyntheticRun } from '../bench/syntheticRun.js';
import { type Comparison, comparisonSchema } from '../compare/comparison.js';
import { type Finished, runKvbench, temporaryFolder } from './harness.js';

const cwd = temporaryFolder();
const sample = join(packageRoot, 'reports', 'sample-failover');
const quiet = [1, 1.01, 0.99, 1.005, 0.995];
const noisy = [1, 1.2, 0.85, 1.1, 0.9];

function writeRuns(name: string, levels: readonly number[]): void {
  for (const [r, level] of levels.entries()) {
    const latencyUs = (u: number): number => 1000 * level * (1 - Math.log1p(-u));
    const changePlan = (plan: { gate?: { metric: string; expression: string }[] }): void => {
      plan.gate = [{ metric: 'latency', expression: 'p(99) +10%' }];
    };
    writeSyntheticRun(join(cwd, 'reports'), { id: `${name}-${r}`, seed: 10 + r, seconds: 2, opsPerSlot: 100, latencyUs, changePlan });
  }
}
writeRuns('main', quiet);
writeRuns('same', quiet);
writeRuns(
  'slow',
  quiet.map((level) => level * 1.4),
);
writeRuns('noisy', noisy);
writeRuns(
  'noisier',
  noisy.map((level) => level * 1.15),
);

const kvbench = (...args: string[]): Promise<Finished> => runKvbench(args, { cwd });
const clear = (finished: Finished): void => assert.doesNotMatch(finished.stderr + finished.stdout, /\n\s+at |internal error/);

test('gate: 0, 99, inconclusive either way, 104', async () => {
  const cases: [string[], number, RegExp][] = [
    [['reports/main-*', 'reports/same-*'], 0, /Gate passed: the rule held/],
    [['reports/main-*', 'reports/slow-*'], 99, /Gate failed: latency p\(99\) \+\d/],
    [['reports/noisy-*', 'reports/noisier-*'], 0, /undecided, which counts as passed[\s\S]*about\s+\d+\s+more\s+runs\s+of\s+each\s+side/],
    [['reports/noisy-*', 'reports/noisier-*', '--inconclusive', 'fail'], 99, /undecided, which counts as failed/],
    [['reports/main-0', 'reports/slow-0'], 0, /single run/],
    [['reports/main-*', 'reports/same-*', '--rule', 'throughput: -5%', '--rule', 'gap: +0'], 0, /all 2 rules held/],
  ];
  for (const [args, code, text] of cases) {
    const finished = await kvbench('gate', ...args);
    clear(finished);
    assert.equal(finished.code, code, `${args.join(' ')}\n${finished.stdout}${finished.stderr}`);
    assert.match(finished.stdout, text);
  }
  const refused: [string[], RegExp][] = [
    [['reports/main-*', sample, '--rule', 'throughput: -5%'], /cannot be compared as asked \(--compare machine\)/],
    [['reports/main-*', 'reports/same-*', '--rule', 'latency: p(99) -10%'], /begins with \+/],
    [['reports/main-*', 'reports/same-*', '--rule', 'lost_writes: +0'], /nothing to judge/],
    [['reports/main-*', 'reports/same-*', '--rules', 'nowhere.yaml'], /nowhere\.yaml cannot be read/],
    [['reports/main-0', 'reports/main-1', 'reports/main-2'], /quotes/],
    [['reports/main-*'], /two sides/],
    [[sample, sample], /has no gate/],
  ];
  for (const [args, text] of refused) {
    const finished = await kvbench('gate', ...args);
    clear(finished);
    assert.equal(finished.code, 104, `${args.join(' ')}\n${finished.stdout}${finished.stderr}`);
    assert.match(finished.stderr, text);
  }
});

test('diff: a table for people, files for pipelines, rules from a file', async () => {
  writeFileSync(join(cwd, 'gate.yaml'), 'gate:\n  "latency{phase:steady}": ["p(50) +10%", "p(99) +10%"]\n  throughput: "-5%"\n');
  const summary = join(cwd, 'step-summary.md');
  writeFileSync(summary, 'before\n');
  const args = ['diff', '--base', 'reports/main-*', '--candidate', 'reports/slow-0,reports/slow-1', '--candidate', 'reports/slow-[2-4]'];
  assert.equal((await kvbench(...args)).code, 104, 'brackets are no pattern of ours');
  args.pop();
  args.push(
    'reports/slow-2',
    '--candidate',
    'reports/slow-3,reports/slow-4',
    '--rules',
    'gate.yaml',
    '--json',
    'out/c.json',
    '--junit',
    'out/j.xml',
    '--markdown',
    summary,
  );
  const finished = await runKvbench(args, { cwd, env: { GITHUB_STEP_SUMMARY: summary } });
  clear(finished);
  assert.equal(finished.code, 99, finished.stderr);
  assert.match(finished.stdout, /latency p\(99\) .* slower/);
  const comparison: Comparison = comparisonSchema.parse(JSON.parse(readFileSync(join(cwd, 'out/c.json'), 'utf8')));
  assert.equal(comparison.candidate.runs.length, 5);
  assert.deepEqual(
    comparison.gate?.rules.map(({ outcome }) => outcome),
    ['fail', 'fail', 'pass'],
  );
  assert.match(readFileSync(summary, 'utf8'), /^before\n### ❌ kvbench gate/);
  assert.match(readFileSync(join(cwd, 'out/j.xml'), 'utf8'), /tests="3" failures="2"/);
});

test('a page and a picture of both sides, under the usual names or others; a gate that fails writes them too', async () => {
  const both = await kvbench('gate', 'reports/main-*', 'reports/slow-*', '--html', 'out/sides/page.html', '--png', '--rule', 'latency: p(99) +10%');
  clear(both);
  assert.equal(both.code, 99, both.stderr);
  assert.match(both.stdout, /Page: out\/sides\/page\.html\nPicture: comparison\.png/);
  const page = readFileSync(join(cwd, 'out/sides/page.html'), 'utf8');
  assert.match(page, /<h1>.*Failed.*latency p\(99\)/);
  const data = /id="comparison-data">(.*?)<\/script>/s.exec(page)?.[1] ?? '{}';
  const { sides } = JSON.parse(data) as { sides: Record<'base' | 'candidate', { runs: unknown[]; median: { throughput: number[] } }> };
  assert.equal(sides.base.runs.length, 5);
  assert.equal(sides.candidate.median.throughput.length, 10);
  const png = readFileSync(join(cwd, 'comparison.png'));
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1600, 1100]);
  assert.equal((await kvbench('diff', sample, sample, '--html')).code, 0);
  assert.match(readFileSync(join(cwd, 'comparison.html'), 'utf8'), /injection of fault 1 \(kill\)/);
  const folder = await kvbench('diff', sample, sample, '--html', 'reports');
  clear(folder);
  assert.equal(folder.code, 104);
  assert.match(folder.stderr, /reports cannot be written/);
});

test('baseline: kept apart from its runs, with a noise floor that judges single runs', async () => {
  writeRuns('kept', quiet);
  const saved = await kvbench('baseline', 'save', 'main', 'reports/kept-*');
  assert.equal(saved.code, 0, saved.stderr);
  for (const r of quiet.keys()) rmSync(join(cwd, 'reports', `kept-${r}`), { recursive: true });
  assert.match((await kvbench('baseline', 'list')).stdout, /main .* 5 runs of synthetic +with noise floor/);
  assert.match((await kvbench('baseline', 'show', 'main')).stdout, /latency p\(99\) +[\d.]+ % +[\d.]+ %/);
  assert.match(
    (await kvbench('baseline', 'show', 'main')).stdout,
    /deviation +widest\n[\s\S]*availability rate +[\d.]+ pp +[\d.]+ pp\n[\s\S]*gap\{shard:any\} max +[\d.]+(µs|ms|s)/,
  );
  const path = (await kvbench('baseline', 'path', 'main')).stdout.trim();
  assert.ok(existsSync(join(cwd, path, 'baseline.json')));
  assert.equal((await kvbench('baseline', 'save', 'main', 'reports/main-*')).code, 104, 'never over one that exists without --force');
  assert.equal((await kvbench('gate', 'main', 'reports/slow-*')).code, 99);
  assert.equal((await kvbench('gate', 'main', 'reports/slow-2')).code, 99, 'five runs judge one');
  const single = await kvbench('gate', 'reports/main-0', 'reports/slow-0');
  assert.equal(single.code, 99, `the stored floor judges a single pair\n${single.stdout}`);
  assert.match(single.stdout, /noise floor/);
  assert.match((await kvbench('gate', 'nothing', 'reports/slow-0')).stderr, /neither a folder nor a baseline/);
});

test('a committed run of format version 1 is read; damaged ones get one clear message and 104', async () => {
  const same = await kvbench('diff', sample, sample, '--all');
  assert.equal(same.code, 0, same.stderr);
  assert.match(same.stdout, /\n {4}during:fault\n[\s\S]*latency\{op:get\} p\(99\)/);
  assert.match(same.stdout, /\n {4}fault:1\n[\s\S]*detection max/);
  const damaged = (name: string, damage: (dir: string) => void): string => {
    const dir = join(cwd, name);
    mkdirSync(dir);
    for (const file of ['run.json', 'events.ndjson', 'intervals.ndjson', 'summary.json']) cpSync(join(sample, file), join(dir, file));
    damage(dir);
    return name;
  };
  const version = (file: string, from: string): ((dir: string) => void) => {
    return (dir) => writeFileSync(join(dir, file), readFileSync(join(dir, file), 'utf8').replace(from, from.replace('1', '9')));
  };
  const cases: [string, RegExp][] = [
    [damaged('newer', version('run.json', '"formatVersion": 1')), /formatVersion 9; this kvbench reads version 1/],
    [damaged('newer-intervals', version('intervals.ndjson', '"formatVersion":1')), /intervals\.ndjson has formatVersion 9/],
    [damaged('cut', (dir) => truncateSync(join(dir, 'intervals.ndjson'), 500_000)), /cut off/],
    [damaged('killed', (dir) => truncateSync(join(dir, 'events.ndjson'), 50_000)), /cut off/],
    [damaged('garbage', (dir) => appendFileSync(join(dir, 'intervals.ndjson'), '{"not": "an interval"}\n')), /intervals\.ndjson:\d+ is corrupt/],
    [damaged('no-summary-json', (dir) => writeFileSync(join(dir, 'summary.json'), '{"formatVersion":1}')), /summary\.json is corrupt/],
    [damaged('empty', (dir) => rmSync(join(dir, 'run.json'))), /no run\.json/],
  ];
  for (const [name, text] of cases) {
    const finished = await kvbench('diff', sample, name);
    clear(finished);
    assert.equal(finished.code, 104, `${name}\n${finished.stdout}${finished.stderr}`);
    assert.match(finished.stderr, text, name);
  }
});
