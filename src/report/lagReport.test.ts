import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRecord } from '../result/records.js';
import { summarize } from '../stats/summarize.js';
import { buildCharts, lightTheme } from './chartDefinition.js';
import { renderPage } from './page.js';
import { failoverRun } from './reportRun.test.support.js';
import { renderTerminalSummary } from './terminalSummary.js';
import { buildTimelineData } from './timelineData.js';

function lagRun() {
  const data = failoverRun('lag');
  const lag = (node: string, shard: number, second: number, lagUs: number | null): EventRecord => ({
    tUs: (second + 1) * 1_000_000,
    type: 'lag',
    node,
    shard,
    master: 'n1',
    written: 10,
    unseen: lagUs === null ? 10 : 0,
    markers: lagUs === null ? [] : Array.from({ length: 10 }, (_, i) => [second * 1_000_000 + i * 100_000, lagUs + i, 200]),
    waitingUs: null,
    behindBytes: 4096,
  });
  const seconds = Array.from({ length: 20 }, (_, second) => second);
  const events = seconds.flatMap((second) => [lag('n4', 0, second, second === 12 ? null : 500), lag('n5', 1, second, second === 9 ? 150_000 : 700)]);
  const clock = (node: string, wallAtT0Us: number): EventRecord => ({ tUs: 0, type: 'clock', node, wallAtT0Us, uncertaintyUs: 40 });
  data.run.plan.replicationLag = { everyUs: 100_000 };
  const all = [...data.events, ...events, clock('n1', 1_000_000), clock('n4', 998_000)].sort((a, b) => a.tUs - b.tUs);
  return { ...data, events: all };
}

test('lag has a chart of its own: what is not known breaks the line', () => {
  const data = lagRun();
  const summary = summarize(data);
  const timeline = buildTimelineData(data, summary);
  const n4 = timeline.lag?.nodes.find(({ node }) => node === 'n4');
  assert.equal(n4?.tMs.length, 190);
  assert.ok(n4.tMs.every((tMs) => tMs < 12_000 || tMs >= 13_000));
  const chart = buildCharts(timeline, lightTheme, { bands: true, logScale: true }).find(({ id }) => id === 'lag');
  const [first, second] = chart?.config.data.datasets ?? [];
  assert.deepEqual([first?.label, second?.label], ['n4', 'n5']);
  assert.ok(Number(first?.spanGaps) < 1, 'the second without a marker is no line');
  const { lag, ...without } = timeline;
  assert.ok(lag && !buildCharts(without, lightTheme, { bands: true, logScale: true }).some(({ id }) => id === 'lag'));
});

test('page and terminal say who lagged, when, and how far the clocks are apart', () => {
  const data = lagRun();
  const summary = summarize(data);
  assert.deepEqual([summary.replicationLagUs?.n5?.lag?.max, summary.replicationLagUs?.n4?.unseen], [150_015, 10]);
  const page = renderPage(data, summary, buildTimelineData(data, summary));
  const section = /<section id="replication-lag">.*?<\/section>/s.exec(page)?.[0].replaceAll('\u00a0', ' ') ?? '';
  assert.match(section, /n5 \(shard 1\).*150 ms/s);
  assert.match(section, /fault 1 \(kill\) in force/);
  assert.match(section, /against that of n1: n4 −2.00 ms ± 80 µs/);
  const text = renderTerminalSummary(summary, data.run, { color: false, width: 100 });
  assert.match(text, /REPLICATION LAG/);
  assert.match(text, /n4 \(shard 0\).*10\s+writes\s+not seen/s);
  assert.match(text, /clocks\.+: up to 2.00ms from n1 \(± 80µs\)/);
  const plain = failoverRun();
  assert.doesNotMatch(renderTerminalSummary(summarize(plain), plain.run, { color: false, width: 100 }), /REPLICATION LAG/);
});
