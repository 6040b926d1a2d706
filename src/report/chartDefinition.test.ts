/** The charts of page and picture: one time axis, readable scales, every band in place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chart } from 'chart.js';
import { summarize } from '../stats/summarize.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import type { BoxAnnotation, LabelAnnotation, LineAnnotation } from './chartAnnotationTypes.js';
import { buildCharts, type ChartSpec, darkTheme, lightTheme } from './chartDefinition.js';
import { failoverRun } from './failover.test.support.js';
import { serverEvents } from './serverEvents.test.support.js';
import { buildTimelineData, type TimelineData } from './timelineData.js';

function timelineOf(data = failoverRun()): TimelineData {
  return buildTimelineData(data, summarize(data));
}

type Annotation = BoxAnnotation | LabelAnnotation | LineAnnotation;
const annotationsOf = (spec: ChartSpec | undefined): Annotation[] =>
  Object.values(
    (spec?.config.options?.plugins as { annotation?: { annotations: Record<string, Annotation> } } | undefined)?.annotation?.annotations ?? {},
  );
const textsOf = (spec: ChartSpec | undefined): string[] => annotationsOf(spec).flatMap((one) => (one.type === 'label' ? [one.content] : []));

test('all charts have the same time axis', () => {
  const timeline = timelineOf();
  const specs = buildCharts(timeline, lightTheme, { bands: true, logScale: true });
  assert.deepEqual(
    specs.map(({ id }) => id),
    ['throughput', 'response', 'errors'],
  );
  for (const { config } of specs) {
    const x = config.options?.scales?.x;
    assert.deepEqual([x?.min, x?.max], [0, timeline.endMs / 1000]);
  }
});

test('servers have a chart of their own, as the lowest, with a line each that breaks where a server was silent', () => {
  const data = failoverRun();
  const events = [...data.events, ...serverEvents('n1', 500, 7500), ...serverEvents('n1', 15_500, 19_500), ...serverEvents('n2', 500, 19_500)];
  const timeline = timelineOf({ ...data, events });
  assert.equal(buildCharts(timeline, lightTheme, { bands: true, logScale: true }).length, 3, 'not unless it is asked for');
  const specs = buildCharts(timeline, lightTheme, { bands: true, logScale: true, servers: 'ops' });
  const [, , errors, servers] = specs;
  assert.equal(servers?.id, 'servers');
  const axisOf = (spec: ChartSpec | undefined) =>
    spec?.config.options?.scales?.x as { min?: number; max?: number; title?: { display: boolean } } | undefined;
  assert.deepEqual([axisOf(servers)?.min, axisOf(servers)?.max, axisOf(servers)?.title?.display], [0, timeline.endMs / 1000, true]);
  assert.equal(axisOf(errors)?.title?.display, false, 'only the lowest names the axis');
  const [n1, n2] = servers?.config.data.datasets ?? [];
  assert.deepEqual([n1?.label, n2?.label], ['n1', 'n2']);
  assert.equal(n1?.data.length, 13);
  assert.deepEqual(n2?.data[2], { x: 2.5, y: 1000 });
  assert.ok((n1?.spanGaps as number) >= 2 && (n1?.spanGaps as number) < 8);
  assert.equal(buildCharts(timelineOf(data), lightTheme, { bands: true, logScale: true, servers: 'ops' }).length, 3, 'no server said anything');
});

test('faults, events and silent shards are named in the first chart, faults in all, nothing when bands are off', () => {
  const timeline = timelineOf();
  const [throughput, response, errors] = buildCharts(timeline, darkTheme, { bands: true, logScale: true });
  const texts = textsOf(throughput);
  assert.ok(texts.includes('kill 1: n1 (shard 0)'));
  assert.ok(texts.includes('FAIL agreed +2.60 s'));
  assert.ok(
    texts.some((text) => /^no answer 4\.\d\d s$/.test(text)),
    texts.join(' | '),
  );
  assert.ok(texts.some((text) => text.endsWith('(collateral)')));
  for (const spec of [response, errors]) assert.deepEqual(textsOf(spec), ['kill 1: n1 (shard 0)']);
  assert.ok(annotationsOf(response).some((one) => one.type === 'box' && one.xMin === 8 && one.xMax === 15));
  for (const spec of buildCharts(timeline, lightTheme, { bands: false, logScale: true })) assert.deepEqual(annotationsOf(spec), []);
});

test('every chart has a line at the injection and at each event that followed', () => {
  for (const spec of buildCharts(timelineOf(), lightTheme, { bands: true, logScale: true })) {
    const times = annotationsOf(spec).flatMap((one) => (one.type === 'line' ? [one.xMin] : []));
    assert.equal(times.length, 6, spec.id);
    for (const seconds of [8, 10.6, 11.9, 15, 16]) assert.ok(times.includes(seconds), `${spec.id}: no line at ${seconds} s`);
  }
});

test('bars of different shards lie in different lanes', () => {
  const [throughput] = buildCharts(timelineOf(), lightTheme, { bands: true, logScale: true });
  const gapBars = annotationsOf(throughput).filter((one): one is BoxAnnotation => one.type === 'box' && one.borderWidth > 0);
  const lanes = gapBars.map(({ yMin }) => yMin);
  assert.equal(gapBars.length, 3);
  assert.equal(new Set(lanes).size, 3);
});

test('the log scale has a tick per decade', () => {
  const [, response] = buildCharts(timelineOf(), lightTheme, { bands: true, logScale: true });
  const y = response?.config.options?.scales?.y as unknown as {
    type: string;
    min: number;
    max: number;
    afterBuildTicks(scale: { ticks: { value: number }[] }): void;
  };
  assert.equal(y.type, 'logarithmic');
  const scale = { ticks: [] as { value: number }[] };
  y.afterBuildTicks(scale);
  assert.ok(scale.ticks.some(({ value }) => value === 1));
  assert.ok(scale.ticks.every(({ value }) => value >= y.min && value <= y.max * 1.001));
  const [, linear] = buildCharts(timelineOf(), lightTheme, { bands: true, logScale: false });
  assert.equal(linear?.config.options?.scales?.y?.type, 'linear');
});

test('a run in which nothing happened has neither lanes nor errors', () => {
  const [throughput, , errors] = buildCharts(timelineOf(syntheticRun()), lightTheme, { bands: true, logScale: true });
  assert.equal(throughput?.config.options?.scales?.lanes, undefined);
  assert.deepEqual(errors?.config.data.datasets, []);
});

test('labels ask for their place before the first layout without failing', () => {
  const [throughput] = buildCharts(timelineOf(), lightTheme, { bands: true, logScale: true });
  const context = { save: () => {}, restore: () => {}, measureText: () => ({ width: 50 }), font: '' };
  const chart = { scales: {}, ctx: context } as unknown as Chart;
  for (const one of annotationsOf(throughput)) if (one.type === 'label') assert.equal(typeof one.display({ chart }), 'boolean');
});
