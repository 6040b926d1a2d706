import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRecord, PlacementStretch } from '../result/records.js';
import { summarize } from '../stats/summarize.js';
import { renderPage } from './page.js';
import { failoverRun } from './reportRun.test.support.js';
import { renderTerminalSummary } from './terminalSummary.js';
import { buildTimelineData } from './timelineData.js';

const stretch = (name: PlacementStretch['name'], holder: string): PlacementStretch => ({
  name,
  startUs: name === 'before' ? 0 : 11_000_000,
  endUs: name === 'before' ? 11_000_000 : 20_000_000,
  nodes: [
    { node: holder, slots: 8192, ops: 7500 },
    { node: 'n2', slots: 8192, ops: 2500 },
  ],
  rangeOps: Array.from({ length: 64 }, (_, i) => (i < 32 ? 200 : 100)),
  rangeNodes: Array.from({ length: 64 }, (_, i) => (i < 32 ? holder : 'n2')),
  slotVariation: 0.9,
  hottest: [{ slot: 77, ops: 123, node: holder }],
});

test('the page draws who had which share, before and after slots changed hands; the terminal says it', () => {
  const data = failoverRun('placement');
  const keys = (tUs: number, perNode: Record<string, number>): EventRecord => ({ tUs, type: 'keys', perNode, perRange: null });
  const placement: EventRecord = { tUs: 20_000_000, type: 'placement', stretches: [stretch('before', 'n1'), stretch('after', 'n4')] };
  const run = { ...data, events: [keys(-100_000, { n1: 60, n2: 40 }), ...data.events, placement, keys(20_000_100, { n4: 60, n2: 40 })] };
  const summary = summarize(run);
  const page = renderPage(run, summary, buildTimelineData(run, summary));
  const section = /<section id="placement">.*?<\/section>/s.exec(page)?.[0] ?? '';
  const pictures = [...section.matchAll(/<svg.*?<\/svg>/gs)].map(([svg]) => svg);
  assert.equal(pictures.length, 2);
  for (const [i, holder] of ['n1', 'n4'].entries()) {
    const svg = pictures[i] ?? '';
    assert.match(svg, new RegExp(`<title>operations: ${holder} 75.0 %</title>`));
    assert.match(svg, new RegExp(`<title>keys: ${holder} 60.0 %</title>`));
    assert.equal([...svg.matchAll(/<title>slots /g)].length, 64);
    assert.match(svg, new RegExp(`slots 0 to 255, ${holder}: 200 operations`));
    // Colours go with nodes, heights with operations.
    const fills = [...svg.matchAll(/<rect[^>]*fill="(#\w+)"[^>]* height="([\d.]+)"/g)].map(([, fill, height]) => `${fill} ${height}`);
    assert.equal(new Set(fills.slice(-128).filter((_, k) => k % 2 === 0)).size, 2);
  }
  assert.match(section, /Hottest slot: 77 \(n4\)/);
  assert.match(page, /Keys before/);
  const text = renderTerminalSummary(summary, run.run, { color: false, width: 100 });
  assert.match(text, /before\.+: n1 75.00 %, n2 25.00 %, variation 0.500/);
  assert.match(text, /after\.+: n2 25.00 %, n4 75.00 %/);
  assert.match(text, /hottest slot\.+: 77 \(n4\), 123 operations/);
});
