/**
 * The script of report.html: draws the charts from the data embedded in the page and wires its controls. Bundled by src/setup/bundle.mjs and
 * put into the page by page.ts. Asks nothing of the network and stores nothing.
 */
import { Chart, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement } from 'chart.js';
import annotationPlugin from 'chartjs-plugin-annotation';
import zoomPlugin from 'chartjs-plugin-zoom';
import { darkTheme, lightTheme } from '../../chartDefinition.js';
import type { ServerMeasure } from '../../serverSeries.js';
import type { TimelineData } from '../../timelineData.js';
import { Readout } from './readout.js';
import { TimelineView } from './timelineView.js';

const STEP_BUCKETS = 1;
const BIG_STEP_BUCKETS = 10;
const ZOOM_FACTOR = 1.5;

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

  const view = new TimelineView(timeline, new Readout(byId('tooltip')), theme(), options(), (zoomed) => {
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

function wirePointer(place: HTMLElement, view: TimelineView): void {
  // A page that is being scrolled carries charts under the pointer: they take the wheel only from one who moved onto them.
  let meant = false;
  window.addEventListener('scroll', () => {
    meant = false;
    view.readAt(null);
  });
  const read = (event: PointerEvent): void => {
    meant = true;
    if (event.target instanceof HTMLCanvasElement) view.readPointer(event.target, event.clientX, event.clientY);
    else view.readAt(null);
  };
  place.addEventListener('pointermove', read);
  place.addEventListener('pointerdown', read);
  // A finger that is lifted leaves as well: what it pointed at stays to be read.
  place.addEventListener('pointerleave', (event) => {
    if (event.pointerType !== 'touch') view.readAt(null);
  });
  place.addEventListener('dblclick', (event) => {
    if (event.target instanceof HTMLCanvasElement) view.reset();
  });
  place.addEventListener(
    'wheel',
    (event) => {
      // With nothing left to zoom out of, the wheel is the page's.
      const zoomsOut = event.deltaY > 0;
      if (!event.ctrlKey && (!meant || (zoomsOut && !view.zoomed))) event.stopPropagation();
    },
    { capture: true, passive: true },
  );
}

function wireKeys(place: HTMLElement, view: TimelineView): void {
  place.addEventListener('keydown', (event) => {
    if (!(event.target instanceof HTMLCanvasElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? BIG_STEP_BUCKETS : STEP_BUCKETS;
    if (event.key === 'ArrowRight') view.step(step, event.target);
    else if (event.key === 'ArrowLeft') view.step(-step, event.target);
    else if (event.key === '+' || event.key === '=') view.zoomBy(ZOOM_FACTOR);
    else if (event.key === '-') view.zoomBy(1 / ZOOM_FACTOR);
    else if (event.key === '0') view.reset();
    else if (event.key === 'Escape') view.readAt(null);
    else return;
    event.preventDefault();
  });
  place.addEventListener('focusout', () => view.readAt(null));
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`bug in kvbench: the page has no #${id}`);
  return found;
}
