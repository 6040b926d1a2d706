import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCanvas, loadImage } from 'canvas';
import type { GroupRunSummary, RunsGroupRecord } from '../result/runsGroup.js';
import { summarizeGroup } from '../stats/groupSummary.js';
import { groupDrawing } from './groupDrawing.js';
import { renderGroupPage } from './groupPage.js';
import { renderGroupPicture } from './groupPicture.js';
import { renderGroupClosing } from './groupText.js';
import { planModel, runModel } from './reportModel.test.support.js';

const names = ['<b>none</b>', 'always'];
const group: RunsGroupRecord = {
  formatVersion: 1,
  kind: 'variants',
  kvbenchVersion: '0.0.0',
  id: 'g',
  name: '<group>',
  description: 'Two & more',
  startedAt: '2026-11-21T15:00:00.000Z',
  argv: ['run', 'p.yaml', '--repeat', '2'],
  seed: 42,
  repeat: 2,
  variants: names.map((name) => ({ name, description: '', changes: [{ path: 'target.config.x', value: '"<i>"' }], plan: planModel({}) })),
  runs: [0, 1, 1, 0].map((variant, i) => ({ number: i + 1, round: 1 + (i >> 1), variant: names[variant] as string, run: `runs/0${i + 1}-v` })),
  machine: runModel(1).machine,
  interruptedBy: null,
};

const run = (i: number, changes: Partial<GroupRunSummary>): GroupRunSummary => ({
  ...(group.runs[i] as RunsGroupRecord['runs'][number]),
  verdict: 'passed',
  sentence: 'All <well>',
  throughputOpsPerSec: 1000,
  latencyUs: { p50: 100, p99: 900 + 50 * i, p999: 2000 },
  availability: 1,
  errors: 0,
  longestGapMs: 0,
  rtoMs: null,
  detectionMs: null,
  electionMs: null,
  clientMs: null,
  lostWrites: null,
  waitShort: null,
  saturated: false,
  ...changes,
});
const slow = { latencyUs: { p50: 3000, p99: 90_000, p999: 100_000 }, longestGapMs: 400, rtoMs: 500, detectionMs: 300, electionMs: 150, clientMs: 50 };
const runs = [run(0, {}), run(1, { ...slow, verdict: 'failed', lostWrites: 3 }), run(2, slow), run(3, { saturated: true })];
const summary = summarizeGroup(group, runs);

test('the page has a column per variant, a dot per run and measure, a link per run, and nothing from outside or unescaped', () => {
  const page = renderGroupPage(group, summary);
  for (const { run: folder } of runs) assert.ok(page.includes(`href="${folder}/report.html"`));
  // Throughput, p50, p99, p99.9 and gap have a dot for each run, RTO for two, lost writes for one.
  assert.equal((page.match(/<circle /g) ?? []).length, 5 * 4 + 2 + 1);
  assert.equal((page.match(/<circle class="failed"/g) ?? []).length, 7);
  assert.ok(page.includes('not checked') && page.includes('<code>target.config.x = &quot;&lt;i&gt;&quot;</code>'));
  assert.ok(page.includes('1 failed') && page.includes('Detection') && page.includes('300\u00a0ms'));
  const variants = /<section id="variants">[\s\S]*?<\/section>/.exec(page)?.[0] ?? '';
  assert.equal((variants.match(/<th scope="col"/g) ?? []).length, 1 + names.length, 'figures are rows: as columns they are wider than a screen');
  assert.match(variants, /<th scope="row">(<span[^>]*>)?Detection[\s\S]*?300\u00a0ms/);
  assert.match(page, /role="alert"><strong>The generator was saturated<\/strong> in &lt;b&gt;none/);
  assert.doesNotMatch(page, /<script|https?:\/\/(?!127)|undefined|NaN|<group>|<b>none|<well>/);
});

test('the closing table names every variant, its median and range, the parts of the recovery, and what was not checked', () => {
  const text = renderGroupClosing(summary);
  for (const part of ['<b>none</b>', 'always', '975µs', '(900µs to 1.05ms)', '300ms', '150ms', 'not checked', '2, 1 failed', 'SATURATED'])
    assert.ok(text.includes(part), part);
  assert.doesNotMatch(text, /Lost writes were not checked/);
  const unchecked = summarizeGroup(group, [run(0, {}), run(1, {})]);
  assert.match(renderGroupClosing(unchecked), /Lost writes were not checked/);
  assert.doesNotMatch(renderGroupClosing(unchecked), /RTO|longest gap/);
});

test('dots stand where their values are: on a linear scale from 0, on a logarithmic one where values are far apart', () => {
  const drawing = groupDrawing(summary);
  assert.ok(drawing);
  const dots = (measure: string) =>
    drawing.shapes.flatMap((shape) => (shape.shape === 'circle' && shape.title.includes(`: ${measure} `) ? [shape.x] : []));
  const [a = 0, , b = 0] = dots('p99');
  assert.ok(a > 0 && Math.abs(b - a) > 200, 'a hundred times slower stands far to the right');
  const titles = drawing.shapes.flatMap((shape) => (shape.shape === 'text' && shape.kind === 'note' ? [shape.text] : []));
  assert.equal(titles.filter((text) => text.endsWith('logarithmic')).length, 3);
  for (const shape of drawing.shapes) {
    const xs = shape.shape === 'line' ? [shape.x1, shape.x2] : [shape.x];
    for (const x of xs) assert.ok(x >= 0 && x <= drawing.widthPx, JSON.stringify(shape));
  }
});

test('the picture has the dots in their colours; without a finished run there is a page and no picture', async () => {
  const drawing = groupDrawing(summary);
  assert.ok(drawing);
  const image = await loadImage(renderGroupPicture(drawing, { name: 'g', verdict: 'failed', sentence: summary.sentence }));
  assert.equal(image.width, 1600);
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 250, image.width, image.height - 250);
  let blue = 0;
  let red = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i] as number, data[i + 1] as number, data[i + 2] as number];
    if (b > r + 60 && b > g + 30) blue++;
    if (r > b + 60 && r > g + 60) red++;
  }
  assert.ok(blue > 300 && red > 60, `${blue} blue and ${red} red pixels`);
  const none = summarizeGroup({ ...group, interruptedBy: 'SIGINT' }, []);
  assert.equal(groupDrawing(none), null);
  assert.ok(renderGroupPage(group, none).includes('nothing to plot'));
});
