/**
 * What every chart of kvbench is made of, whatever it shows: font, grid, interaction, legend. Used by chartDefinition.ts (one run) and
 * comparisonCharts.ts (two sides). Runs in Node and in the browser: imports types of chart.js only, nothing of Node.
 */
import type { ChartConfiguration, ChartDataset, LegendItem, TooltipItem } from 'chart.js';
import type { BoxAnnotation, LabelAnnotation, LineAnnotation } from './chartAnnotationTypes.js';
import type { ChartTheme } from './chartTheme.js';

export interface ChartSpec {
  /** Unique among the charts of a page. */
  id: string;
  title: string;
  subtitle: string;
  config: ChartConfiguration<'line'>;
  /** What a reader can switch on and off together; absent: each dataset is its own. */
  legend?: { name: string; color: string; datasets: number[]; dashed?: boolean }[];
}

export type Point = { x: number; y: number };
export type Series = ChartDataset<'line', Point[]>;
export type ChartAnnotations = Record<string, BoxAnnotation | LineAnnotation | LabelAnnotation>;

export interface BaseParts {
  datasets: Series[];
  scales: Record<string, unknown>;
  annotations: ChartAnnotations;
  /** Of one value. */
  tooltip: (item: TooltipItem<'line'>) => string;
  /** Of a place on the x axis. */
  title: (x: number) => string;
  animation?: boolean;
  /** Of the drawn legend; absent: every dataset. */
  inLegend?: (label: string) => boolean;
}

export function baseChart(theme: ChartTheme, parts: BaseParts): ChartConfiguration<'line'> {
  const font = { family: theme.fontFamily, size: 11 };
  const filter = parts.inLegend === undefined ? {} : { filter: ({ text }: LegendItem) => parts.inLegend?.(text) === true };
  return {
    type: 'line',
    data: { datasets: parts.datasets },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: parts.animation === true ? { duration: 300 } : false,
      parsing: false,
      normalized: true,
      font,
      color: theme.text,
      layout: { padding: { right: 16, top: 2 } },
      elements: { point: { radius: 0, hitRadius: 4, hoverRadius: 3 }, line: { tension: 0 } },
      interaction: { mode: 'index', axis: 'x', intersect: false },
      scales: parts.scales as NonNullable<ChartConfiguration<'line'>['options']>['scales'] & object,
      plugins: withAnnotations(parts.annotations, {
        legend: {
          position: 'top',
          align: 'end',
          labels: { color: theme.text, font, usePointStyle: true, pointStyleWidth: 18, boxHeight: 8, padding: 12, ...filter },
        },
        tooltip: { callbacks: { title: (items) => parts.title(items[0]?.parsed.x ?? 0), label: parts.tooltip } },
      }),
    },
  };
}

/** `200 ms`, `5 s`, `1 min`. */
export function bucketText(bucketMs: number): string {
  return bucketMs < 1000 ? `${bucketMs} ms` : bucketMs < 60_000 ? `${bucketMs / 1000} s` : `${bucketMs / 60_000} min`;
}

type PluginOptions = NonNullable<NonNullable<ChartConfiguration<'line'>['options']>['plugins']>;

/** The plugin's key is unknown to the types of chart.js as long as the plugin is not imported, which must not happen here. */
function withAnnotations(annotations: ChartAnnotations, plugins: PluginOptions): PluginOptions {
  return Object.assign(plugins, { annotation: { annotations } });
}
