/** What a comparison says in words, figures and columns, whoever shows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { syntheticLoadedRun, syntheticSide } from '../bench/syntheticRun.js';
import { compareSides, defaultCompareOptions } from './compare.js';
import type { Comparison } from './comparison.js';
import type { LoadedSide } from './loadSide.js';
import { renderMarkdown } from './markdown.js';
import { changeText, decidingP, foundText, intervalText } from './rowText.js';
import { renderTerminalComparison } from './terminalComparison.js';

function side(label: string, levels: readonly number[]): LoadedSide {
  const runs = levels.map((level, r) =>
    syntheticLoadedRun({ id: `${label}-${r}`, seed: 100 + r, seconds: 3, opsPerSlot: 100, latencyUs: (u) => 1000 * level * (1 - Math.log1p(-u)) }),
  );
  return syntheticSide(label, runs);
}

const quiet = [1, 1.01, 0.99, 1.005, 0.995];
const slower = (factor: number): number[] => quiet.map((level) => level * factor);

function compareOf(base: LoadedSide, candidate: LoadedSide): Comparison {
  return compareSides(base, candidate, { ...defaultCompareOptions, resamples: 200, level: 'profile', noiseFloor: null }).comparison;
}

test('a terminal of 80 columns has every figure on one line, without p, by the part of the run', () => {
  const row = compareOf(side('main', quiet), side('next', slower(1.3))).rows.find(({ id }) => id === 'latency p(99)');
  assert.ok(row);
  const during = { ...row, id: 'latency{op:get,during:recovery} p(99)', tags: { op: 'get', during: 'recovery' } };
  const comparison = { ...compareOf(side('main', quiet), side('next', slower(1.3))), rows: [during, row] };
  const narrow = renderTerminalComparison(comparison, { color: false, width: 80, all: true });
  for (const line of narrow.split('\n')) assert.ok([...line].length <= 80, line);
  assert.match(narrow, /candidate\s+change\s+interval\n\s+▲ latency p\(99\)[\s\S]*\n {4}during:recovery\n {4}▲ latency\{op:get\} p\(99\)/);
  assert.match(
    renderTerminalComparison(comparison, { color: false, width: 120, all: true }),
    /interval\s+p\s+verdict\n\s+latency p\(99\).* slower\n/,
  );
});

test('shares change in percentage points, nothing has no sign, and the p is of both tests', () => {
  const row = compareOf(side('main', quiet), side('next', quiet)).rows.find(({ id }) => id === 'availability rate');
  assert.ok(row);
  const interval = { low: -0.0913, high: 0, lowRelative: -0.1, highRelative: 0, confidence: 0.95 };
  assert.equal(changeText({ ...row, change: { absolute: 0.0521, relative: 0.133 } }), '+5.21 pp');
  assert.equal(intervalText({ ...row, interval }), '[−9.13 pp, 0 pp]');
  assert.equal(changeText({ ...row, unit: 'us', change: { absolute: 0, relative: -0.0001 } }), '0 %');
  assert.equal(foundText({ ...row, metric: 'rto', unit: 'us', verdict: 'faster', change: { absolute: -9, relative: -0.501 } }), '50.1 % shorter');
  assert.equal(decidingP({ pValue: 0.004, pRanks: 0.029 }), 0.029);
});

test('too few runs are said first, and where nothing was found the main figures stand in the open', () => {
  const comparison = compareOf(side('main', [1]), side('next', [1]));
  assert.match(comparison.sentence, /^Nothing can be told yet: it takes 4 runs or more of each side to tell change from chance, these are 1 and 1$/);
  const [open, folded] = renderMarkdown(comparison).split('<details>');
  assert.match(open ?? '', /^### 🟡 kvbench: no change could be told\n[\s\S]*\n#### The main figures\n[\s\S]*`latency p\(99\)`/);
  assert.match(folded ?? '', /more figures without a change[\s\S]*`latency p\(90\)`/);
});
