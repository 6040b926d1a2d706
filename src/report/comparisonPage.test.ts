/** The page of a comparison in a real browser, without network: what it says, what it draws, what a hand can do with it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { packageRoot } from '../base/packageRoot.js';
import type { Comparison, RuleResult } from '../compare/comparison.js';
import { comparisonOf, failoverSides } from './comparison.test.support.js';
import { comparedFaults } from './comparisonFaults.js';
import { buildComparisonOverlay, type ComparisonOverlay } from './comparisonOverlay.js';
import { renderComparisonPage } from './comparisonPage.js';

const EVIL = `</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'">&'"`;
const folder = mkdtempSync(join(tmpdir(), 'kvbench-comparison-'));
const { base, candidate } = failoverSides();
const comparison = comparisonOf({ base, candidate });
const overlay = buildComparisonOverlay(base, candidate);
const faults = comparedFaults(base, candidate);
let browser: Browser;

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.KVBENCH_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
  });
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

function pageOf(of: Comparison = comparison, drawn: ComparisonOverlay = overlay): string {
  return renderComparisonPage(of, { overlay: drawn, faults, reports: new Map([['reports/after-1', './after-1/report.html']]) });
}

/** Opens the page from disk, without network; whatever it complains of or asks for besides itself fails the test. */
async function withPage(text: string, use: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
  const file = join(folder, 'comparison.html');
  writeFileSync(file, text);
  const url = pathToFileURL(file).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, ...options });
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:')) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    await use(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** Per chart: pixels near the colour of the base (blue) and of the candidate (orange), in either theme. */
function inkOf(page: Page): Promise<{ blue: number; orange: number }[]> {
  return page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const ink = { blue: 0, orange: 0 };
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] < 200) continue;
      if (data[i + 2] > data[i] + 60) ink.blue++;
      if (data[i] > data[i + 2] + 60) ink.orange++;
    }
    return ink;
  })`);
}

const openAll = (page: Page): Promise<void> => page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`);
/** The page hears of the scroll that a focus brings with the next frame; it takes what was read away. */
async function focusOn(page: Page, chart: string): Promise<void> {
  await page.locator(`${chart} canvas`).focus();
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
}

const picturesOf = (page: Page): Promise<string[]> => page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())`);
const rangesOf = (page: Page): Promise<(string | null)[]> =>
  page.locator('figure.chart').evaluateAll((charts) => charts.map((chart) => chart.getAttribute('data-range')));

function withGate(): Comparison {
  const row = comparison.rows.find(({ id }) => id === 'latency p(99)');
  assert.ok(row);
  const rule = (outcome: RuleResult['outcome'], more: Partial<RuleResult> = {}): RuleResult => ({
    rule: `latency: p(99) +10% ${outcome}`,
    row,
    tolerance: { kind: 'relative', value: 0.1 },
    outcome,
    adjustedPValue: 0.0079,
    beyond: outcome === 'fail',
    moreRuns: null,
    reason: `because ${outcome}`,
    ...more,
  });
  const rules = [rule('pass'), rule('fail'), rule('inconclusive', { row: null, adjustedPValue: null, moreRuns: { pairs: 4, minutes: 3.2 } })];
  return {
    ...comparison,
    gate: { outcome: 'fail', inconclusiveIs: 'pass', exitCode: 99, rules },
    warnings: [
      { kind: 'saturated', text: '2 of 3 runs were at their limit' },
      { kind: 'noisy', text: 'a change below 40 % cannot be seen' },
      { kind: 'not comparable', text: 'machine.cpus differs: 2 → 4' },
    ],
    comparable: { level: 'any', differences: [{ area: 'machine', what: 'machine.cpus', base: '2', candidate: '4' }] },
  };
}

/** A few rows whose statistics are given, so that what is said of them is the page's own doing. */
function plainFigures(of: Comparison): Comparison {
  const ids = [
    'throughput rate',
    'latency p(99)',
    'latency{op:get} p(99)',
    'latency{during:fault} p(50)',
    'gap{shard:any} max',
    'detection{fault:1} max',
  ];
  const interval = { low: -500, high: 800, lowRelative: -0.05, highRelative: 0.08, confidence: 0.95 };
  const given = [
    { verdict: 'slower', pValue: 0.0079, reason: 'more than chance', interval },
    { verdict: '~', pValue: 0.5, reason: 'nothing that matters', interval },
    { verdict: 'inconclusive', pValue: null, reason: 'too few runs', interval: null },
    { verdict: 'faster', pValue: 0.0001, reason: 'more than chance', interval },
  ] as const;
  const rows = ids.map((id, i): Comparison['rows'][number] => {
    const row = of.rows.find((one) => one.id === id);
    assert.ok(row, id);
    return { ...row, ...(given[i % given.length] as (typeof given)[number]) };
  });
  const rules = of.gate?.rules.map((rule) => ({ ...rule, row: rule.row === null ? null : (rows[1] ?? null) })) ?? [];
  return { ...of, sentence: 'Something is slower', rows, gate: of.gate && { ...of.gate, rules } };
}

test('the page is one file that refers to nothing outside of it', () => {
  const text = pageOf();
  assert.match(
    text,
    /http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:/,
  );
  assert.doesNotMatch(text, /<(?:script|img|iframe|audio|video)[^>]*\ssrc=|<link[^>]*href="(?!data:)|@import|url\(/);
  assert.equal(text.match(/<script/g)?.length, 2);
  assert.equal(text, pageOf(), 'the same comparison gives the same page');
  assert.doesNotMatch(text.replace(/<script[\s\S]*?<\/script>/g, ''), /undefined|NaN|\[object/);
});

test('its words, as they are read (UPDATE_GOLDEN=1 writes them)', async () => {
  await withPage(pageOf(plainFigures(withGate())), async (page) => {
    await openAll(page);
    const text = await page.locator('main').innerText();
    const words = text
      .replaceAll('\u00a0', ' ')
      .replace(/[\t ]+\n/g, '\n')
      .replace(/\n{2,}/g, '\n\n');
    const file = join(packageRoot, 'src', 'report', 'comparisonPage.golden.txt');
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, `${words.trim()}\n`);
    assert.equal(`${words.trim()}\n`, readFileSync(file, 'utf8'));
  });
});

test('a person reads the verdict first, then the rules, both sides over time, the faults, every figure', async () => {
  await withPage(pageOf(withGate()), async (page) => {
    assert.match(await page.locator('h1').innerText(), /Failed/);
    assert.ok((await page.locator('h1').innerText()).includes(comparison.sentence));
    assert.match(await page.locator('header').innerText(), /saturated[\s\S]*noisy runs[\s\S]*Different conditions[\s\S]*Exit code 99/i);
    const sections = ['rules', 'overlay', 'spectra', 'faults', 'figures', 'compared'];
    assert.deepEqual(await page.locator('main > section').evaluateAll((all) => all.map(({ id }) => id)), sections);
    const rules = await page.locator('#rules tbody tr').allInnerTexts();
    assert.match(rules[0] ?? '', /✓\s*held/);
    assert.match(rules[1] ?? '', /✗\s*broken[\s\S]*because fail/);
    assert.match(rules[2] ?? '', /\?\s*undecided[\s\S]*about 4 more runs of each side \(4 min\)/);
    const sides = (await page.locator('#faults tbody tr:not(.group)').allInnerTexts()).map((text) => text.replaceAll('\u00a0', ' '));
    assert.match(sides[0] ?? '', /^base before\s+1\.55 s\s+\(1\.50 s to 1\.60 s\)\s+600 ms/);
    assert.match(sides[1] ?? '', /^candidate after\s+3\.05 s\s+\(3\.00 s to 3\.10 s\)\s+600 ms/);
    const widths = await page.locator('#faults .parts .detection').evaluateAll((all) => all.map((one) => Number(one.getAttribute('width'))));
    assert.ok(Math.abs((widths[1] ?? 0) / (widths[0] ?? 1) - 3050 / 1550) < 0.05, `bars are as long as their times: ${widths}`);
    assert.equal(await page.locator('#figures tbody tr:not(.group)').count(), comparison.rows.length, 'no figure is left out');
    await openAll(page);
    const verdicts = await page.locator('#figures .verdict').allInnerTexts();
    for (const verdict of verdicts) assert.match(verdict, /^(▲\s*(slower|longer|worse)|▼\s*(faster|shorter|better)|≈\s*same|\?\s*inconclusive)$/);
    assert.equal(await page.locator('th:not([scope])').count(), 0, 'every heading says what it is the heading of');
    const links = await page.locator('#compared a').evaluateAll((all) => all.map((one) => [one.textContent, one.getAttribute('href')]));
    assert.deepEqual(links, [['reports/after-1', './after-1/report.html']]);
    assert.match(await page.locator('#compared').innerText(), /machine\.cpus\s+machine\s+2\s+4/);
  });
});

test('text of runs is shown as text, whatever it holds', async () => {
  const evilSide = (side: Comparison['base']): Comparison['base'] => ({
    ...side,
    label: EVIL,
    source: EVIL,
    profile: EVIL,
    runs: side.runs.map((run) => ({ ...run, dir: EVIL, server: EVIL, fingerprint: { ...run.fingerprint, machine: EVIL } })),
  });
  const gated = withGate();
  const evil: Comparison = {
    ...gated,
    sentence: EVIL,
    base: evilSide(gated.base),
    candidate: evilSide(gated.candidate),
    rows: gated.rows.map((row) => ({ ...row, metric: EVIL, aggregate: EVIL, tags: { [EVIL]: EVIL }, reason: EVIL })),
    gate: gated.gate && { ...gated.gate, rules: gated.gate.rules.map((rule) => ({ ...rule, rule: EVIL, reason: EVIL })) },
    warnings: [{ kind: 'run', text: EVIL }],
    comparable: { level: 'any', differences: [{ area: 'load', what: EVIL, base: EVIL, candidate: EVIL }] },
    noiseFloor: { name: EVIL, runs: 3 },
  };
  const { sides, spectra } = overlay;
  const evilOverlay: ComparisonOverlay = {
    ...overlay,
    anchor: { kind: 'fault', text: EVIL },
    marks: [{ label: EVIL, side: 'base', tMs: 0 }],
    sides: { base: { ...sides.base, label: EVIL }, candidate: { ...sides.candidate, label: EVIL } },
    spectra: { ...spectra, [EVIL]: spectra.all as NonNullable<typeof spectra.all> },
  };
  const text = renderComparisonPage(evil, {
    overlay: evilOverlay,
    faults: [{ ...(faults[0] as (typeof faults)[number]), kind: EVIL }],
    reports: new Map([[EVIL, EVIL]]),
  });
  await withPage(text, async (page) => {
    await page.locator('#charts canvas').first().hover();
    assert.equal(await page.locator('script').count(), 2);
    assert.equal(await page.locator('img').count(), 0);
    assert.notEqual(await page.title(), 'owned');
    assert.ok((await page.locator('h1').innerText()).includes(EVIL.slice(0, 30)));
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`three charts show both sides, ${colorScheme}, and say what they are`, async () => {
    await withPage(
      pageOf(),
      async (page) => {
        const ink = await inkOf(page);
        assert.equal(ink.length, 3);
        for (const [i, { blue, orange }] of ink.entries()) assert.ok(blue > 200 && orange > 200, `chart ${i}: ${blue} blue, ${orange} orange`);
        const labels = await page.locator('canvas').evaluateAll((all) => all.map((canvas) => canvas.getAttribute('aria-label') ?? ''));
        assert.match(labels.join('\n'), /Throughput of both sides.*\n.*Response p99 of both sides.*\n.*Percentile spectrum of both sides/);
        for (const side of ['base: before, median of 3 runs', 'candidate: after, median of 3 runs'])
          assert.equal(await page.locator('#charts .legend button', { hasText: side }).count(), 2);
      },
      { colorScheme },
    );
  });
}

test('zoom, reading, switches and the choice of an operation work', async () => {
  await withPage(pageOf(), async (page) => {
    const full = await rangesOf(page);
    assert.equal(full[0], full[1], 'both time axes are the same');
    await focusOn(page, '#chart-overlay-p99');
    await page.keyboard.press('+');
    const zoomed = await rangesOf(page);
    assert.notEqual(zoomed[0], full[0]);
    assert.equal(zoomed[0], zoomed[1]);
    assert.equal(zoomed[2], full[2], 'the spectrum has an axis of its own');
    await page.keyboard.press('ArrowRight');
    const readout = await page.locator('#tooltip').innerText();
    assert.match(readout, /since the injection of fault 1 \(kill\)[\s\S]*base[\s\S]*\/s[\s\S]*candidate[\s\S]*p99[\s\S]*ms/);
    await page.locator('#reset-zoom').click();
    assert.deepEqual(await rangesOf(page), full);

    const before = await picturesOf(page);
    await page.locator('#chart-overlay-throughput .legend button', { hasText: 'base: before' }).click();
    const hidden = await picturesOf(page);
    assert.notEqual(hidden[0], before[0]);
    assert.equal(hidden[1], before[1], 'only its own chart changes');
    await page.locator('#chart-overlay-throughput .legend button', { hasText: 'base: before' }).click();
    assert.deepEqual(await picturesOf(page), before);
    await page.locator('#show-runs').uncheck();
    const medians = await picturesOf(page);
    for (const [i, picture] of medians.entries()) assert.notEqual(picture, before[i]);
    assert.equal(
      await page
        .locator('.legend button', { hasText: 'runs' })
        .filter({ hasText: /^(base|candidate) runs$/ })
        .count(),
      0,
    );
    await page.locator('#show-runs').check();
    await page.locator('#operation').selectOption('set');
    assert.match(await page.locator('#spectrum-chart h3').innerText(), /of set/);
    await focusOn(page, '#spectrum-chart');
    await page.keyboard.press('ArrowRight');
    assert.match(
      await page.locator('#tooltip').innerText(),
      /^p\d+(\.\d+)?\s+Response time\s+base\s+[\d.]+(ms|s|µs) \([\s\S]*candidate[\s\S]*[+−][\d.]+ %/,
    );
  });
});

test('one run of each, without a fault and with one operation, has its page too', async () => {
  const one = (side: typeof base) => ({ ...side, runs: side.runs.slice(0, 1).map((run) => ({ ...run, summary: { ...run.summary, faults: [] } })) });
  const sides = { base: one(base), candidate: one(candidate) };
  const bare = { ...buildComparisonOverlay(sides.base, sides.candidate), marks: [] };
  const { all } = bare.spectra;
  assert.ok(all);
  const text = renderComparisonPage(comparisonOf(sides), {
    overlay: { ...bare, spectra: { all, get: all } },
    faults: comparedFaults(sides.base, sides.candidate),
    reports: new Map(),
  });
  await withPage(text, async (page) => {
    assert.equal(await page.locator('#faults').count(), 0);
    assert.match(await page.locator('#overlay .note').innerText(), /aligned at t0/);
    assert.ok(await page.locator('label', { has: page.locator('#operation') }).isHidden());
    for (const { blue, orange } of await inkOf(page)) assert.ok(blue > 200 && orange > 200);
    assert.match(await page.locator('header').innerText(), /Few runs/);
  });
});

test('a narrow screen scrolls tables, not the page', async () => {
  await withPage(
    pageOf(withGate()),
    async (page) => {
      await openAll(page);
      const { width, overflowing } = await page.evaluate<{ width: number; overflowing: string[] }>(`({
        width: document.documentElement.scrollWidth,
        overflowing: [...document.querySelectorAll('main *')]
          .filter((one) => !one.closest('.scroll, svg, .visually-hidden') && one.getBoundingClientRect().right > 421)
          .map((one) => one.tagName + '.' + one.className + ' ' + one.textContent.slice(0, 40)),
      })`);
      assert.equal(width, 420, overflowing.join('\n'));
      assert.deepEqual(overflowing, []);
    },
    { viewport: { width: 420, height: 800 } },
  );
});

test('on a narrow screen the name of a row stays in sight while its figures are scrolled', async () => {
  await withPage(
    pageOf(withGate()),
    async (page) => {
      await openAll(page);
      const left = await page.evaluate<
        number[]
      >(`[...document.querySelectorAll('#rules .scroll, #figures .scroll, #faults .scroll')].map((scroll) => {
        scroll.scrollLeft = 200;
        return scroll.scrollLeft < 200 ? 0 : scroll.querySelector('tbody tr:not(.group) > th').getBoundingClientRect().left;
      })`);
      assert.ok(left.length >= 3);
      for (const x of left) assert.ok(x >= 0 && x < 20, `${left}`);
    },
    { viewport: { width: 420, height: 800 } },
  );
});

test('on paper nothing is cut off at the right', async () => {
  await withPage(
    pageOf(withGate()),
    async (page) => {
      await openAll(page);
      await page.emulateMedia({ media: 'print' });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 760);
    },
    { viewport: { width: 760, height: 1000 } },
  );
});

test('the base is dashed in the legend as it is in the charts, and the p of a figure is that of both tests', async () => {
  const row = comparison.rows.find(({ id }) => id === 'throughput rate');
  assert.ok(row);
  const told: Comparison = { ...comparison, rows: [{ ...row, verdict: 'slower', pValue: 0.004, pRanks: 0.029 }] };
  await withPage(pageOf(told), async (page) => {
    assert.equal(await page.locator('.legend button', { hasText: 'base: before' }).locator('.swatch.dashed').count(), 3);
    assert.equal(await page.locator('.legend button', { hasText: 'candidate: after' }).locator('.swatch.dashed').count(), 0);
    assert.match(await page.locator('#figures tbody').first().innerText(), /0\.029/);
  });
});
