/**
 * The script of a comparison's page: draws both sides from the data embedded in the page and wires its controls. Bundled by
 * src/setup/bundle.mjs and put into the page by comparisonPage.ts. Asks nothing of the network and stores nothing.
 */
import { Chart, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement } from 'chart.js';
import annotationPlugin from 'chartjs-plugin-annotation';
import zoomPlugin from 'chartjs-plugin-zoom';
import { darkTheme, lightTheme } from '../../chartTheme.js';
import { buildOverlayCharts, buildSpectrumChart, type ComparisonChartOptions } from '../../comparisonCharts.js';
import type { ComparisonOverlay } from '../../comparisonOverlay.js';
import { overlayReadings, spectrumReadings } from './comparisonReadings.js';
import { byId, wireKeys, wirePointer } from './hands.js';
import { Readout } from './readout.js';
import { TimelineView, type ViewSource } from './timelineView.js';

/** The spectrum's axis is in decades; views count in thousandths. */
const DECADE = 1000;

Chart.register(Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, annotationPlugin, zoomPlugin);
start();

function start(): void {
  const overlay = JSON.parse(byId('comparison-data').textContent) as ComparisonOverlay;
  const runs = byId('show-runs') as HTMLInputElement;
  const logScale = byId('log-scale') as HTMLInputElement;
  const operation = byId('operation') as HTMLSelectElement;
  const reset = byId('reset-zoom') as HTMLButtonElement;
  const places = [byId('charts'), byId('spectrum-chart')] as const;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  let printing = false;
  const theme = () => (dark.matches && !printing ? darkTheme : lightTheme);
  const options = (): ComparisonChartOptions => ({ runs: runs.checked, logScale: logScale.checked });

  const readout = new Readout(byId('tooltip'));
  const tellZoom = (): void => {
    reset.disabled = !times.zoomed && !spectrum.zoomed;
  };
  const times: TimelineView<ComparisonChartOptions> = new TimelineView(timesOf(overlay), readout, theme(), options(), tellZoom);
  const spectrum: TimelineView<ComparisonChartOptions> = new TimelineView(
    spectrumOf(overlay, operation.value),
    readout,
    theme(),
    options(),
    tellZoom,
  );
  const draw = (): void => {
    times.draw(places[0], theme(), options());
    if (Object.keys(overlay.spectra).length > 0) spectrum.draw(places[1], theme(), options());
  };
  draw();

  for (const control of [runs, logScale, dark]) control.addEventListener('change', draw);
  operation.addEventListener('change', () => {
    spectrum.show(spectrumOf(overlay, operation.value));
    draw();
  });
  reset.addEventListener('click', () => {
    times.reset();
    spectrum.reset();
  });
  for (const [event, on] of [['beforeprint', true] as const, ['afterprint', false] as const]) {
    window.addEventListener(event, () => {
      printing = on;
      draw();
    });
  }
  for (const [i, view] of [times, spectrum].entries()) {
    const place = places[i] as HTMLElement;
    wirePointer(place, view);
    wireKeys(place, view);
  }
}

function timesOf(overlay: ComparisonOverlay): ViewSource<ComparisonChartOptions> {
  const { startMs, endMs, bucketMs } = overlay;
  return {
    min: startMs,
    max: endMs,
    bucketMs,
    charts: (theme, options) => buildOverlayCharts(overlay, theme, options),
    middleOf: (timeMs) => Math.floor(Math.min(Math.max(timeMs, startMs), endMs - bucketMs) / bucketMs) * bucketMs + bucketMs / 2,
    readings: (theme, timeMs) => overlayReadings(overlay, theme, timeMs),
    describe: ({ title, subtitle }) => `${title} of both sides, ${subtitle}. Figures and intervals are in the tables below.`,
  };
}

function spectrumOf(overlay: ComparisonOverlay, operation: string): ViewSource<ComparisonChartOptions> {
  const x = overlay.spectra[operation]?.x ?? [];
  const max = Math.max(1, x.at(-1) ?? 1) * DECADE;
  const step = DECADE * ((x[1] ?? 0.1) - (x[0] ?? 0));
  return {
    min: 0,
    max,
    bucketMs: step,
    charts: (theme, options) => [buildSpectrumChart(overlay, theme, options, operation)],
    middleOf: (at) => Math.round(Math.min(Math.max(at, 0), max) / step) * step,
    readings: (theme, at) => spectrumReadings(overlay, theme, operation, at / DECADE),
    describe: ({ title, subtitle }) => `${title} of both sides, ${subtitle}. Percentiles are in the tables below.`,
  };
}
