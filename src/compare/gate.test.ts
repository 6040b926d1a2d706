import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SyntheticRunOptions, syntheticLoadedRun, syntheticSide } from '../bench/syntheticRun.js';
import { type GateRule, parseGateRule } from '../profile/gateRule.js';
import type { Gap } from '../result/summary.js';
import { type CompareOptions, compareSides, defaultCompareOptions } from './compare.js';
import type { Comparison } from './comparison.js';
import { judgeGate } from './gate.js';
import { renderComparisonJUnit } from './junitComparison.js';
import type { LoadedSide } from './loadSide.js';
import { renderMarkdown } from './markdown.js';
import { noiseRowsOf } from './noiseFloor.js';
import { renderTerminalComparison } from './terminalComparison.js';

/** Run r of a side is so much slower than the first one's level: a spread that is known to the last digit. */
function side(label: string, levels: readonly number[], more: Partial<SyntheticRunOptions> = {}): LoadedSide {
  const runs = levels.map((level, r) =>
    syntheticLoadedRun({
      id: `${label}-${r}`,
      seed: 100 + r,
      seconds: 3,
      opsPerSlot: 100,
      latencyUs: (u) => 1000 * level * (1 - Math.log1p(-u)),
      ...more,
    }),
  );
  return syntheticSide(label, runs);
}

const quiet = [1, 1.01, 0.99, 1.005, 0.995];
const rules = (...texts: string[]): GateRule[] =>
  texts.map((text) => {
    const rule = parseGateRule(text);
    assert.ok(!('problem' in rule), JSON.stringify(rule));
    return rule;
  });

function gate(
  base: LoadedSide,
  candidate: LoadedSide,
  texts: string[],
  inconclusiveIs: 'pass' | 'fail' = 'pass',
  more: Partial<CompareOptions> = {},
): Comparison & { gate: NonNullable<Comparison['gate']> } {
  const { comparison, pair } = compareSides(base, candidate, {
    ...defaultCompareOptions,
    resamples: 300,
    level: 'profile',
    noiseFloor: null,
    ...more,
  });
  const judged = judgeGate(comparison, pair, { rules: rules(...texts), inconclusiveIs });
  assert.ok(judged.gate);
  return { ...judged, gate: judged.gate };
}

const gapOf = (durationMs: number): Gap => ({
  shard: 'any',
  kind: 'write',
  startMs: 100,
  endMs: 100 + durationMs,
  durationMs,
  faultId: null,
  collateral: false,
});

const slower = (factor: number): number[] => quiet.map((level) => level * factor);

test('a change beyond its tolerance and beyond chance fails, with its interval', () => {
  const judged = gate(side('a', quiet), side('b', slower(1.3)), ['latency: p(99) +10%']);
  const [rule] = judged.gate.rules;
  assert.equal(judged.gate.outcome, 'fail');
  assert.equal(judged.gate.exitCode, 99);
  assert.ok(rule?.row?.interval);
  assert.ok((rule.row.interval.lowRelative ?? 0) > 0.1 && (rule.row.interval.highRelative ?? 1) < 0.5);
  assert.ok((rule.adjustedPValue ?? 1) < 0.001);
  assert.ok(Math.abs((rule.row.pRanks ?? 1) - 2 / 252) < 1e-9, 'the ranks of 5 and 5 cannot say more');
  assert.match(judged.sentence, /Gate failed: latency p\(99\) \+\d/);
});

test('a change within its tolerance passes, also one that is no chance; an improvement passes', () => {
  for (const factor of [1, 1.05, 0.7]) {
    const judged = gate(side('a', quiet), side('b', slower(factor)), ['latency: p(99) +15%', 'throughput: -5%']);
    assert.equal(judged.gate.outcome, 'pass', `${factor}: ${JSON.stringify(judged.gate.rules.map((rule) => rule.reason))}`);
    assert.equal(judged.gate.exitCode, 0);
  }
});

test('what the runs cannot tell is inconclusive, which counts as it was told to, and says how many more would decide', () => {
  const noisy = [1, 1.4, 0.75, 1.2, 0.8];
  for (const [inconclusiveIs, exitCode] of [
    ['pass', 0],
    ['fail', 99],
  ] as const) {
    const judged = gate(
      side('a', noisy),
      side(
        'b',
        noisy.map((level) => level * 1.15),
      ),
      ['latency: p(99) +10%'],
      inconclusiveIs,
    );
    assert.equal(judged.gate.outcome, 'inconclusive');
    assert.equal(judged.gate.exitCode, exitCode);
    const [rule] = judged.gate.rules;
    assert.equal(rule?.beyond, true);
    assert.match(rule?.reason ?? '', /chance can explain it/);
    assert.ok(rule?.moreRuns && (rule.moreRuns.pairs === null || rule.moreRuns.pairs >= 5), JSON.stringify(rule?.moreRuns));
    assert.ok(judged.warnings.some(({ kind }) => kind === 'noisy'));
    const junit = renderComparisonJUnit(judged);
    assert.match(junit, inconclusiveIs === 'fail' ? /failures="1"[\s\S]*<failure/ : /skipped="1"[\s\S]*<skipped/);
  }
});

test('more rules ask for more: what the ranks of 5 and 5 runs show is enough for six rules, not for seven', () => {
  const longer = (ms: number) => ({
    changeSummary: (summary: { availability: { gaps: Gap[] } }) => {
      summary.availability.gaps = [gapOf(ms)];
    },
  });
  const texts = [1, 2, 3, 4, 5, 6, 7].map((ms) => `gap: max +${ms}ms`);
  const [six, seven] = [texts.slice(1), texts].map((some) => gate(side('a', quiet, longer(1000)), side('b', quiet, longer(2000)), some).gate.outcome);
  assert.equal(six, 'fail');
  assert.equal(seven, 'inconclusive');
});

test('a single pair is inconclusive; beyond a stored noise floor it is not', () => {
  const single = gate(side('a', [1]), side('b', [1.5]), ['latency: p(99) +10%']);
  assert.equal(single.gate.outcome, 'inconclusive');
  assert.match(single.gate.rules[0]?.reason ?? '', /single run/);
  assert.ok((single.gate.rules[0]?.moreRuns?.pairs ?? 0) >= 3);
  const noiseFloor = { name: 'main', runs: 5, rows: noiseRowsOf(side('floor', quiet)) };
  const beyond = gate(side('a', [1]), side('b', [1.5]), ['latency: p(99) +10%'], 'pass', { noiseFloor });
  assert.equal(beyond.gate.outcome, 'fail');
  assert.equal(beyond.noiseFloor?.name, 'main');
  const within = gate(side('a', [1]), side('b', [1.005]), ['latency: med +20%'], 'pass', { noiseFloor });
  assert.equal(within.gate.outcome, 'pass', JSON.stringify(within.gate.rules[0]));
});

test('many runs of the base judge a single candidate', () => {
  assert.equal(gate(side('a', quiet), side('b', [1.5]), ['latency: p(99) +10%']).gate.outcome, 'fail');
});

test('gaps, lost writes and availability are compared by run', () => {
  const outage = (ms: number, lost: number) => ({
    changeSummary: (summary: { availability: { gaps: Gap[] }; consistency: unknown }) => {
      summary.availability.gaps = ms === 0 ? [] : [gapOf(ms)];
      summary.consistency = { lostWrites: lost, counters: { lost: 0 }, unverifiedKeys: 0 };
    },
  });
  const texts = ['gap{shard:any}: max +500ms', 'lost_writes: +0', 'availability: -0.1%'];
  const same = gate(side('a', quiet, outage(0, 0)), side('b', quiet, outage(0, 0)), texts);
  assert.equal(same.gate.outcome, 'pass', JSON.stringify(same.gate.rules.map((rule) => rule.reason)));
  const longer = gate(side('a', quiet, outage(1000, 0)), side('b', quiet, outage(2600, 3)), texts);
  assert.deepEqual(
    longer.gate.rules.map(({ outcome }) => outcome),
    ['fail', 'fail', 'pass'],
  );
  assert.match(longer.gate.rules[0]?.reason ?? '', /\+160\.0 %|\+160 %/);
});

test('a saturated generator decides nothing about times, and it is said', () => {
  const saturated = { changeSummary: (summary: { generator: { saturated: boolean } }) => void Object.assign(summary.generator, { saturated: true }) };
  const judged = gate(side('a', quiet), side('b', slower(1.5), saturated), ['latency: p(99) +10%', 'availability: -1%']);
  assert.deepEqual(
    judged.gate.rules.map(({ outcome }) => outcome),
    ['inconclusive', 'pass'],
  );
  assert.match(judged.gate.rules[0]?.reason ?? '', /saturated in 5 of 5 runs of the candidate/);
  assert.ok(judged.warnings.some(({ kind }) => kind === 'saturated'));
});

test('a rule that nothing can be judged by is refused, since it would pass for ever', () => {
  assert.throws(() => gate(side('a', quiet), side('b', quiet), ['latency{phase:stedy}: p(99) +10%']), /nothing to judge[\s\S]*no operations/);
  assert.throws(() => gate(side('a', quiet), side('b', quiet), ['lost_writes: +0']), /nothing to judge/);
});

test('a percentile without ten operations beyond it is none', () => {
  const judged = gate(side('a', quiet), side('b', slower(2)), ['latency: p(99.9) +10%']);
  assert.equal(judged.gate.outcome, 'inconclusive');
  assert.match(judged.gate.rules[0]?.reason ?? '', /only 3 operations of a run lie beyond it; 10 are needed/);
  assert.ok(!judged.rows.some(({ id }) => id === 'latency p(99.9)'));
});

test('what differs too much is refused, or named', () => {
  const other = side('b', quiet, { changePlan: (plan) => void (plan.load.phases[0] as { durationUs: number }).durationUs++ });
  assert.throws(() => gate(side('a', quiet), other, ['throughput: -5%']), /cannot be compared[\s\S]*load\.phases\.0\.durationUs: 3000000 → 3000001/);
  const named = gate(side('a', quiet), other, ['throughput: -5%'], 'pass', { level: 'any' });
  assert.ok(named.warnings.some(({ text }) => text.includes('durationUs')));
  const otherMachine = side('b', quiet, { changeRun: (run) => void Object.assign(run, { machine: { ...run.machine, cpus: 64 } }) });
  assert.equal(gate(side('a', quiet), otherMachine, ['throughput: -5%']).gate.outcome, 'pass');
  assert.throws(() => gate(side('a', quiet), otherMachine, ['throughput: -5%'], 'pass', { level: 'machine' }), /machine\.cpus: 2 → 64/);
});

test('all outputs say the verdict first, and each rule', () => {
  const judged = gate(side('main', quiet), side('my|branch', slower(1.3)), ['latency: p(99) +10%', 'throughput: -5%']);
  const markdown = renderMarkdown(judged);
  assert.match(markdown, /^### ❌ kvbench gate failed\n\n\*\*latency p/);
  assert.match(markdown, /\n\| `latency: p\(99\) \+10%` \|.*\| ❌\u00a0broken \|\n/);
  assert.match(markdown, /\n- `latency: p\(99\) \+10%`: .*beyond the tolerance\n/, 'why, below the table');
  assert.doesNotMatch(markdown, /\n- `throughput: -5%`/, 'nothing to explain of a rule that held');
  assert.match(markdown, /`my\\\|branch` \(5 runs\)/);
  for (const line of markdown.split('\n').filter((line) => line.startsWith('|'))) assert.equal(line.replaceAll('\\|', '').split('|').length, 7, line);
  const terminal = renderTerminalComparison(judged, { color: false, width: 120 });
  assert.match(
    terminal,
    /Gate failed[\s\S]*✗ latency: p\(99\) \+10% broken[\s\S]*✓ throughput: -5% held[\s\S]*COMPARED[\s\S]*latency p\(99\) .*slower/,
  );
  const junit = renderComparisonJUnit(judged);
  assert.match(junit, /tests="2" failures="1"/);
  assert.match(junit, /<failure message="[^"]*beyond the tolerance" type="fail">base [^<]*, candidate [^<]*<\/failure>/);
});
