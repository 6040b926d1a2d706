/**
 * Charts of a page as one thing: one visible range, one time that is read, one set of hidden series, whatever chart a hand is on.
 * Made by main.ts and comparison.ts. Charts are made anew when bands, scale or theme change; the state here outlives them.
 */
import { Chart, type ChartConfiguration } from 'chart.js';
import { LANE_AXIS, LANE_PX } from '../../chartAnnotations.js';
import type { ChartSpec } from '../../chartBase.js';
import type { ChartTheme } from '../../chartTheme.js';
import { crosshair } from './crosshair.js';
import type { Readings } from './readings.js';
import { element, type Readout } from './readout.js';

/** Of the x axis, in ms since its zero. */
export interface Range {
  min: number;
  max: number;
}

/** What is drawn and read. An axis that is no time counts in thousandths of its unit, as ms are of seconds. */
export interface ViewSource<Options> extends Range {
  bucketMs: number;
  charts(theme: ChartTheme, options: Options): ChartSpec[];
  /** Where a time is read: the middle of its bucket. */
  middleOf(timeMs: number): number;
  readings(theme: ChartTheme, timeMs: number, options: Options): Readings;
  /** For those who do not see the chart. */
  describe(spec: ChartSpec): string;
}

/** The narrowest range, in buckets. */
const MIN_BUCKETS = 5;
/** The x axis is in seconds. */
const AXIS_MS = 1000;
/** Of a chart without rows of bands. */
const PLOT_PX = 232;

export class TimelineView<Options> {
  #source: ViewSource<Options>;
  readonly #readout: Readout;
  readonly #onRange: (zoomed: boolean) => void;
  #full: Range;
  readonly #hidden = new Set<string>();
  #theme: ChartTheme;
  #options: Options;
  #charts: Chart[] = [];
  #range: Range;
  #timeMs: number | null = null;
  #following = false;

  constructor(source: ViewSource<Options>, readout: Readout, theme: ChartTheme, options: Options, onRange: (zoomed: boolean) => void) {
    this.#source = source;
    this.#readout = readout;
    this.#theme = theme;
    this.#options = options;
    this.#onRange = onRange;
    this.#full = { min: source.min, max: source.max };
    this.#range = this.#full;
  }

  get zoomed(): boolean {
    return this.#range.min > this.#full.min || this.#range.max < this.#full.max;
  }

  /** Draws into `places`, one per chart, in the order of the definition. */
  draw(place: HTMLElement, theme: ChartTheme = this.#theme, options: Options = this.#options): void {
    this.#theme = theme;
    this.#options = options;
    for (const chart of this.#charts) chart.destroy();
    const specs = this.#source.charts(theme, options);
    const figures = specs.map((spec) => {
      const figure = element('figure', 'chart');
      figure.id = `chart-${spec.id}`;
      const head = element('figcaption', 'chart-head');
      const legend = element('div', 'legend');
      head.append(heading(spec), legend);
      const plot = element('div', 'plot');
      plot.style.height = `${PLOT_PX + rowsPx(spec)}px`;
      const canvas = element('canvas');
      canvas.tabIndex = 0;
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', this.#source.describe(spec));
      plot.append(canvas);
      figure.append(head, plot);
      return { figure, canvas, legend, spec };
    });
    place.replaceChildren(...figures.map(({ figure }) => figure));
    this.#charts = figures.map(({ canvas, spec }) => new Chart(canvas, this.#interactive(spec.config as ChartConfiguration)) as Chart);
    for (const [i, { legend, spec }] of figures.entries()) {
      const chart = this.#charts[i];
      if (chart) this.#fillLegend(chart, spec, legend);
    }
  }

  reset(): void {
    this.setRange(this.#full);
  }

  /** Draws something else from now on; the range is all of it. */
  show(source: ViewSource<Options>): void {
    this.#source = source;
    this.#full = { min: source.min, max: source.max };
    this.#range = this.#full;
    this.#timeMs = null;
    this.#onRange(false);
  }

  /** Zooms by `factor` (> 1: in) around the time that is read, or the middle. */
  zoomBy(factor: number): void {
    const { min, max } = this.#range;
    const center = this.#timeMs !== null && this.#timeMs > min && this.#timeMs < max ? this.#timeMs : (min + max) / 2;
    this.setRange({ min: center - (center - min) / factor, max: center + (max - center) / factor });
  }

  /** Shows the range, within the run and not narrower than a few buckets, in all charts. */
  setRange({ min, max }: Range): void {
    const span = Math.min(Math.max(max - min, MIN_BUCKETS * this.#source.bucketMs), this.#full.max - this.#full.min);
    const from = Math.min(Math.max(min, this.#full.min), this.#full.max - span);
    this.#range = { min: from, max: from + span };
    this.#following = true;
    for (const chart of this.#charts) {
      const x = chart.options.scales?.x;
      if (!x) continue;
      x.min = this.#range.min / AXIS_MS;
      x.max = this.#range.max / AXIS_MS;
      chart.update('none');
    }
    this.#following = false;
    this.#onRange(this.zoomed);
  }

  /** Reads the time by so many buckets further; the box stands on the chart that has the focus. */
  step(buckets: number, canvas: HTMLCanvasElement): void {
    const from = this.#timeMs ?? (this.#range.min + this.#range.max) / 2;
    this.readAt(this.#source.middleOf(from + buckets * this.#source.bucketMs), canvas);
  }

  /** All values of a time, beside the line in the chart of `canvas`. Null: nothing is read any more. */
  readAt(timeMs: number | null, canvas?: HTMLCanvasElement, yPx?: number): void {
    this.#timeMs = timeMs;
    const chart = this.#charts.find((candidate) => candidate.canvas === canvas);
    const x = chart?.scales.x;
    if (timeMs === null || !chart || !x) {
      this.#readout.hide();
    } else {
      const box = chart.canvas.getBoundingClientRect();
      this.#readout.show(
        this.#source.readings(this.#theme, timeMs, this.#options),
        box.left + x.getPixelForValue(timeMs / AXIS_MS),
        yPx ?? box.top + box.height / 2,
      );
    }
    for (const each of this.#charts) each.draw();
  }

  /** The pointer, in pixels of the window. */
  readPointer(canvas: HTMLCanvasElement, xPx: number, yPx: number): void {
    const chart = this.#charts.find((candidate) => candidate.canvas === canvas);
    const x = chart?.scales.x;
    if (!chart || !x) return;
    const box = canvas.getBoundingClientRect();
    const insidePx = xPx - box.left;
    if (insidePx < chart.chartArea.left || insidePx > chart.chartArea.right) return this.readAt(null);
    this.readAt((x.getValueForPixel(insidePx) ?? 0) * AXIS_MS, canvas, yPx);
  }

  /** What the definition says, with the hands of the page on it: its own legend and tooltip give way to the page's. */
  #interactive(config: ChartConfiguration): ChartConfiguration {
    const follow = ({ chart }: { chart: Chart }): void => {
      const x = chart.scales.x;
      if (!this.#following && x) this.setRange({ min: x.min * AXIS_MS, max: x.max * AXIS_MS });
    };
    const { min, max } = this.#full;
    const options = config.options ?? {};
    return {
      ...config,
      plugins: [
        ...(config.plugins ?? []),
        { id: 'kvbench-range', afterUpdate: tellRange },
        crosshair(
          () => (this.#timeMs === null ? null : this.#timeMs / AXIS_MS),
          () => this.#theme.text,
        ),
      ],
      options: {
        ...options,
        responsive: true,
        maintainAspectRatio: false,
        animation: false,
        events: [],
        scales: { ...options.scales, x: { ...options.scales?.x, min: this.#range.min / AXIS_MS, max: this.#range.max / AXIS_MS } },
        plugins: {
          ...options.plugins,
          legend: { display: false },
          title: { display: false },
          tooltip: { enabled: false },
          zoom: {
            limits: { x: { min: min / AXIS_MS, max: max / AXIS_MS, minRange: (MIN_BUCKETS * this.#source.bucketMs) / AXIS_MS } },
            pan: { enabled: true, mode: 'x', modifierKey: 'shift', onPan: follow },
            zoom: {
              mode: 'x',
              wheel: { enabled: true, speed: 0.15 },
              pinch: { enabled: true },
              drag: { enabled: true, threshold: 6, backgroundColor: this.#theme.warmUp, borderColor: this.#theme.mutedText, borderWidth: 1 },
              onZoom: follow,
            },
          },
        },
      } as ChartConfiguration['options'] & object,
    };
  }

  #fillLegend(chart: Chart, spec: ChartSpec, legend: HTMLElement): void {
    legend.setAttribute('role', 'group');
    legend.setAttribute('aria-label', 'Series shown');
    for (const { name, color, datasets, dashed } of spec.legend ?? ownEntries(chart)) {
      const key = `${spec.id}/${name}`;
      const button = element('button');
      button.type = 'button';
      const swatch = element('span', 'swatch');
      // As the line is drawn.
      swatch.style.background = dashed === true ? `repeating-linear-gradient(90deg, ${color} 0 7px, transparent 7px 10px)` : color;
      if (dashed === true) swatch.classList.add('dashed');
      button.append(swatch, name);
      const apply = (): void => {
        const shown = !this.#hidden.has(key);
        button.setAttribute('aria-pressed', String(shown));
        for (const index of datasets) chart.setDatasetVisibility(index, shown);
      };
      button.addEventListener('click', () => {
        if (!this.#hidden.delete(key)) this.#hidden.add(key);
        apply();
        chart.update('none');
      });
      apply();
      legend.append(button);
    }
    chart.update('none');
  }
}

/** Each dataset by itself. */
function ownEntries(chart: Chart): NonNullable<ChartSpec['legend']> {
  return chart.data.datasets.map((dataset, index) => ({
    name: dataset.label ?? `series ${index + 1}`,
    color: String((dataset as { borderColor?: unknown }).borderColor ?? dataset.backgroundColor ?? 'currentColor'),
    datasets: [index],
  }));
}

function heading({ title, subtitle }: ChartSpec): HTMLElement {
  const made = element('h3', '', title);
  made.append(' ', element('span', 'sub', subtitle));
  return made;
}

/** The chart that has rows for bands above its curves needs room for them. */
function rowsPx({ config }: ChartSpec): number {
  const rows = (config.options?.scales as Record<string, { max?: unknown } | undefined> | undefined)?.[LANE_AXIS]?.max;
  return typeof rows === 'number' ? rows * LANE_PX : 0;
}

/** What the axis really shows, in seconds, where scripts and tests can read it. */
function tellRange({ canvas, scales }: Chart): void {
  const figure = canvas.closest('figure');
  if (figure && scales.x) figure.dataset.range = `${scales.x.min} ${scales.x.max}`;
}
