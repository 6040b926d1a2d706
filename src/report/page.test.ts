import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import type { RunData } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { summarize } from '../stats/summarize.js';
import { threshold } from '../stats/syntheticPlan.test.support.js';
import { failoverEvents, syntheticRun } from '../stats/syntheticRun.test.support.js';
import { renderPage } from './page.js';
import { serverEvents } from './serverEvents.test.support.js';
import { buildTimelineData } from './timelineData.js';

const EVIL = `</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'">&'"`;

const folder = mkdtempSync(join(tmpdir(), 'kvbench-page-'));
const run = failoverRun();
const summary = summarize(run);
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

function failoverRun(): RunData {
  const clusterDown = [1, 2].map((shard) => ({
    shard,
    startUs: 10_600_000,
    endUs: 11_360_000,
    mode: 'refuse' as const,
    reason: 'CLUSTERDOWN' as const,
  }));
  return syntheticRun({
    ratePerShard: 100,
    chaos: [{ forUs: 7_000_000 }],
    outages: [{ shard: 0, startUs: 8_000_500, endUs: 11_460_000, mode: 'refuse', reason: 'closed' }, ...clusterDown],
    events: [
      ...failoverEvents({ injectedUs: 8_000_000, detectedUs: 10_610_000, promotedUs: 11_370_000, healedUs: 15_000_000, restoredUs: 16_200_000 }),
      ...serverEvents('n1', -500, 7500),
      ...serverEvents('n1', 15_500, 19_500),
      ...serverEvents('n2', -500, 19_500),
    ],
    thresholds: [threshold('latency{op:get,during:before}', 99, '<', 50_000), threshold('gap{shard:any}', 'max', '<', 3_000_000)],
  });
}

function pageOf(data: RunData, of: Summary): string {
  return renderPage(data, of, buildTimelineData(data, of));
}

/** Opens the page from disk, without network; whatever it complains of or asks for besides itself fails the test. */
async function withPage(text: string, use: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
  const file = join(folder, 'report.html');
  writeFileSync(file, text);
  const url = pathToFileURL(file).href;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  try {
    await context.setOffline(true);
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

/** As it is laid out, with a break between blocks. */
async function textOf(locator: Locator): Promise<string> {
  return (await locator.allInnerTexts()).join('\n');
}

/** Number of pixels that are not of the ground, per chart. */
function inkOf(page: Page): Promise<number[]> {
  return page.evaluate(`[...document.querySelectorAll('#charts canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let ink = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) ink++;
    return ink;
  })`);
}

/** What each chart looks like, as text to compare. */
function picturesOf(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('#charts canvas')].map((canvas) => canvas.toDataURL())`);
}

/** The visible range of each chart, in seconds. */
async function rangesOf(page: Page): Promise<[number, number][]> {
  const texts = await page.locator('#charts .chart').evaluateAll((charts) => charts.map((chart) => chart.getAttribute('data-range') ?? ''));
  return texts.map((text) => text.split(' ').map(Number) as [number, number]);
}

function assertSameRange(ranges: [number, number][]): [number, number] {
  const first = ranges[0] as [number, number];
  assert.equal(ranges.length, 4);
  for (const range of ranges) assert.deepEqual(range, first, 'all charts show the same time');
  return first;
}

async function boxOf(page: Page, id: string): Promise<{ x: number; y: number; width: number; height: number }> {
  const canvas = page.locator(`#chart-${id} canvas`);
  await canvas.scrollIntoViewIfNeeded();
  // The page hears of a scroll with the next frame.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  const box = await canvas.boundingBox();
  assert.ok(box);
  return box;
}

test('the page is one file that refers to nothing outside of it', () => {
  const text = pageOf(run, summary);
  assert.match(
    text,
    /http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:/,
  );
  assert.doesNotMatch(text, /<(?:script|img|iframe|audio|video)[^>]*\ssrc=|<link[^>]*href="(?!data:)|@import|url\(/);
  assert.equal(text.match(/<script/g)?.length, 2);
  assert.equal(text.match(/<\/script/g)?.length, 2);
  assert.equal(text, pageOf(run, summary), 'the same run gives the same page');
});

test('a person reads verdict and sentence first, then sees every table of the run', async () => {
  await withPage(pageOf(run, summary), async (page) => {
    const head = await textOf(page.locator('h1'));
    assert.match(head, /Failed/);
    assert.ok(head.includes(summary.sentence));
    const sections = [
      'thresholds',
      'timeline',
      'faults',
      'incidents',
      'gaps',
      'windows',
      'latency',
      'outcomes',
      'phases',
      'generator',
      'servers',
      'topology',
      'profile',
      'metadata',
    ];
    assert.deepEqual(await page.locator('main > section').evaluateAll((all) => all.map(({ id }) => id)), sections);
    const milestones = await textOf(page.locator('#faults table'));
    assert.match(milestones, /detected\s+10\.610\s+s\s+\+2\.61\s+s/);
    assert.match(milestones, /promoted\s+11\.370\s+s\s+\+3\.37\s+s/);
    const gaps = await page.locator('#gaps tbody tr').allInnerTexts();
    assert.equal(gaps.length, summary.availability.gaps.length);
    assert.ok(
      gaps.some((row) => /^1\s+write.*fault 1 \(kill\)\s+yes$/s.test(row)),
      'the gap of another shard is collateral',
    );
    const thresholds = await page.locator('#thresholds tbody tr').allInnerTexts();
    assert.match(thresholds[0] ?? '', /holds/);
    assert.match(thresholds[1] ?? '', /✗ failed gap.*3\.48\s+s/s);
    assert.equal(await page.locator('th:not([scope])').count(), 0, 'every heading says what it is the heading of');
  });
});

test('a milestone that did not come to pass is a dash that says so', () => {
  const fault = summary.faults[0];
  assert.ok(fault);
  const text = pageOf(run, { ...summary, faults: [{ ...fault, promotedMs: null }] });
  assert.match(text, /promoted<\/span><\/th><td class="num"><span class="missing" title="did not happen or cannot be seen"/);
});

test('saturation, a cut-off run and Little’s law are told', () => {
  const phase = summary.phases[0];
  assert.ok(phase);
  const text = pageOf(
    { ...run, truncated: true },
    {
      ...summary,
      generator: { ...summary.generator, saturated: true, reasons: ['event loop 99 % busy'], remedies: ['more threads'] },
      phases: [{ ...phase, littlesLaw: { inFlightExpected: 50, inFlightMeasured: 48.5 } }],
    },
  );
  assert.equal(text.match(/event loop 99 % busy/g)?.length, 2, 'on top and with the generator');
  assert.match(text, /try more threads/);
  assert.match(text, /records stop in mid-run/);
  assert.match(text, /<td class="num">50\.0<\/td><td class="num">48\.5<\/td><td class="num">-3\.00/);
});

test('names and messages are shown as text, whatever they hold', async () => {
  const fault = summary.faults[0];
  assert.ok(fault);
  const evilRun = { ...run, run: { ...run.run, argv: [EVIL], plan: { ...run.run.plan, name: EVIL, description: EVIL } } };
  const evil: Summary = { ...summary, sentence: EVIL, advice: EVIL, faults: [{ ...fault, kind: EVIL, message: EVIL }] };
  await withPage(pageOf(evilRun, evil), async (page) => {
    assert.equal(await page.locator('.run .name').textContent(), EVIL);
    assert.equal(await page.locator('#faults .message').textContent(), EVIL);
    assert.equal(await page.locator('script').count(), 2);
    assert.equal(await page.locator('img').count(), 0);
    assert.notEqual(await page.title(), 'owned');
    for (const ink of await inkOf(page)) assert.ok(ink > 1000, 'charts are drawn all the same');
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`four charts are drawn, ${colorScheme}, and say what they are`, async () => {
    await withPage(
      pageOf(run, summary),
      async (page) => {
        const ink = await inkOf(page);
        assert.equal(ink.length, 4);
        for (const pixels of ink) assert.ok(pixels > 1000, `${pixels} pixels drawn`);
        const labels = await page.locator('#charts canvas').evaluateAll((all) => all.map((canvas) => canvas.getAttribute('aria-label') ?? ''));
        assert.match(labels.join('\n'), /Throughput.*\n.*Response time.*\n.*Errors.*\n.*Servers: CPU/);
      },
      { colorScheme },
    );
  });
}

test('zooming one chart moves all; moving, double click and the button work', async () => {
  await withPage(pageOf(run, summary), async (page) => {
    const reset = page.locator('#reset-zoom');
    const full = assertSameRange(await rangesOf(page));
    assert.ok(await reset.isDisabled());

    const box = await boxOf(page, 'response');
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.4, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, y, { steps: 6 });
    await page.mouse.up();
    await page.waitForFunction(`!document.querySelector('#reset-zoom').disabled`);
    const dragged = assertSameRange(await rangesOf(page));
    assert.ok(dragged[0] > full[0] + 3 && dragged[1] < full[1] - 3, `${dragged} within ${full}`);

    await page.keyboard.down('Shift');
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, y, { steps: 6 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    const moved = assertSameRange(await rangesOf(page));
    assert.ok(moved[0] > dragged[0] + 0.5, `${moved} is later than ${dragged}`);
    assert.ok(Math.abs(moved[1] - moved[0] - (dragged[1] - dragged[0])) < 0.01, 'moving does not zoom');

    await reset.click();
    assert.deepEqual(assertSameRange(await rangesOf(page)), full);
    assert.ok(await reset.isDisabled());

    const throughput = await boxOf(page, 'throughput');
    await page.mouse.move(throughput.x + throughput.width / 2, throughput.y + throughput.height - 60);
    await page.mouse.wheel(0, -300);
    await page.waitForFunction(`!document.querySelector('#reset-zoom').disabled`);
    const wheeled = assertSameRange(await rangesOf(page));
    assert.ok(wheeled[1] - wheeled[0] < full[1] - full[0]);
    await page.locator('#chart-throughput canvas').dblclick();
    assert.deepEqual(assertSameRange(await rangesOf(page)), full);
  });
});

test('the pointer reads all values of its time, in every chart', async () => {
  await withPage(pageOf(run, summary), async (page) => {
    const before = await picturesOf(page);
    const box = await boxOf(page, 'errors');
    await page.mouse.move(box.x + box.width * 0.54, box.y + 90);
    const tooltip = page.locator('#tooltip');
    await tooltip.waitFor({ state: 'visible', timeout: 5000 });
    const text = await textOf(tooltip);
    for (const expected of [/s · steady/, /ok\s+[\d,]+\s\/s/, /p99\s+[\d.]+\s(µs|ms|s)/, /closed\s+\d+/, /kill/, /n1\s+–/, /n2\s+0\.50 cores/])
      assert.match(text, expected);
    const crossed = await picturesOf(page);
    for (const [i, picture] of crossed.entries()) assert.notEqual(picture, before[i], `chart ${i} has the line`);
    await page.mouse.move(5, 5);
    await tooltip.waitFor({ state: 'hidden', timeout: 5000 });
    assert.deepEqual(await picturesOf(page), before);
  });
});

test('series, bands and the scale can be switched, and a zoom survives it', async () => {
  await withPage(pageOf(run, summary), async (page) => {
    const first = await picturesOf(page);
    const p99 = page.locator('#chart-response .legend button', { hasText: 'p99' });
    await p99.click();
    assert.equal(await p99.getAttribute('aria-pressed'), 'false');
    const withoutP99 = await picturesOf(page);
    assert.notEqual(withoutP99[1], first[1]);
    assert.equal(withoutP99[0], first[0], 'only its own chart changes');

    await page.locator('#show-bands').uncheck();
    const plain = await picturesOf(page);
    assert.notEqual(plain[0], withoutP99[0]);
    assert.equal(await p99.getAttribute('aria-pressed'), 'false', 'a hidden series stays hidden');
    await page.locator('#show-bands').check();
    assert.deepEqual(await picturesOf(page), withoutP99);
    await p99.click();
    assert.deepEqual(await picturesOf(page), first);

    await page.locator('#chart-errors canvas').focus();
    await page.keyboard.press('+');
    const zoomed = assertSameRange(await rangesOf(page));
    await page.locator('#log-scale').uncheck();
    assert.deepEqual(assertSameRange(await rangesOf(page)), zoomed);
    assert.notEqual((await picturesOf(page))[1], first[1]);
  });
});

test('the chart of the servers shows another figure, and is not there when no server said anything', async () => {
  await withPage(pageOf(run, summary), async (page) => {
    const servers = page.locator('#chart-servers');
    const before = await picturesOf(page);
    await page.locator('#server-measure').selectOption('memory');
    assert.match(await textOf(servers.locator('h3')), /Servers: Memory/);
    const after = await picturesOf(page);
    assert.notEqual(after[3], before[3]);
    assert.deepEqual(after.slice(0, 3), before.slice(0, 3), 'only its own chart changes');
    assert.deepEqual(await servers.locator('.legend button').allInnerTexts(), ['n1', 'n2']);
    const rows = await page.locator('#servers tbody tr').allInnerTexts();
    assert.match(rows[1] ?? '', /^n2\s+0\.50\s+0\.50\s+2\.00\sMB\s+1,000\s\/s/);
    assert.match(rows[1] ?? '', /90\.00\s%/);
  });
  const silent = { ...run, events: run.events.filter(({ type }) => type !== 'server') };
  await withPage(pageOf(silent, summarize(silent)), async (page) => {
    assert.equal((await inkOf(page)).length, 3);
    assert.equal(await page.locator('#servers').count(), 0);
    assert.equal(await page.locator('#server-measure').isVisible(), false);
  });
});

test('a narrow screen scrolls tables, not the page', async () => {
  await withPage(
    pageOf(run, summary),
    async (page) => {
      const [wanted, has] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [number, number];
      assert.ok(wanted <= has, `${wanted} px on a screen of ${has}`);
    },
    { viewport: { width: 420, height: 800 } },
  );
});
