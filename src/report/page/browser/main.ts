/**
 * The script of report.html: draws the charts from the data embedded in the page and wires its controls. Bundled by src/setup/bundle.mjs and
 * put into the page by page.ts. Asks nothing of the network and stores nothing.
 */
import { Chart, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement } from 'chart.js';
import annotationPlugin from 'chartjs-plugin-annotation';
import zoomPlugin from 'chartjs-plugin-zoom';
import { buildCharts, darkTheme, lightTheme } from '../../chartDefinition.js';
import type { ServerMeasure } from '../../serverSeries.js';
import type { TimelineData } from '../../timelineData.js';
import { byId, wireKeys, wirePointer } from './hands.js';
import { bucketAt, readingsAt } from './readings.js';
import { Readout } from './readout.js';
import { TimelineView, type ViewSource } from './timelineView.js';

interface TimelineOptions {
  bands: boolean;
  logScale: boolean;
  servers: ServerMeasure;
}

Chart.register(Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, annotationPlugin, zoomPlugin);
start();

function start(): void {
  const timeline = JSON.parse(byId('timeline-data').textContent) as TimelineData;
  const place = byId('charts');
  const bands = byId('show-bands') as HTMLInputElement;
  const logScale = byId('log-scale') as HTMLInputElement;
  const measure = byId('server-measure') as HTMLSelectElement;
  const reset = byId('reset-zoom') as HTMLButtonElement;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const theme = () => (dark.matches && !printing ? darkTheme : lightTheme);
  const options = () => ({ bands: bands.checked, logScale: logScale.checked, servers: measure.value as ServerMeasure });
  let printing = false;

  const view = new TimelineView(sourceOf(timeline), new Readout(byId('tooltip')), theme(), options(), (zoomed) => {
    reset.disabled = !zoomed;
  });
  const draw = (): void => view.draw(place, theme(), options());
  draw();

  bands.addEventListener('change', draw);
  logScale.addEventListener('change', draw);
  measure.addEventListener('change', draw);
  dark.addEventListener('change', draw);
  reset.addEventListener('click', () => view.reset());
  window.addEventListener('beforeprint', () => {
    printing = true;
    draw();
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    draw();
  });
  wirePointer(place, view);
  wireKeys(place, view);
}

function sourceOf(timeline: TimelineData): ViewSource<TimelineOptions> {
  return {
    min: timeline.startMs,
    max: timeline.endMs,
    bucketMs: timeline.bucketMs,
    charts: (theme, options) => buildCharts(timeline, theme, { ...options, animation: false }),
    middleOf: (timeMs) => (bucketAt(timeline, timeMs) + 0.5) * timeline.bucketMs,
    readings: (theme, timeMs, { servers }) => readingsAt(timeline, theme, timeMs, servers),
    describe: ({ title, subtitle }) => `${title}, ${subtitle}, over the time of the run. Its events are in the tables below.`,
  };
}
