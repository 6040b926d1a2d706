/**
 * What src/setup/bundle.mjs writes beside this in the output: chartjs-node-canvas with chart.js and the annotation plugin in one file.
 * Used by picture.ts only.
 */
import type { ChartConfiguration, Plugin } from 'chart.js';

export declare class ChartJSNodeCanvas {
  constructor(options: { width: number; height: number; backgroundColour?: string; plugins?: { modern: readonly Plugin[] } });
  /** A PNG. The configuration is changed: animation off, not responsive. */
  renderToBufferSync(configuration: ChartConfiguration<'line'>, mimeType?: 'image/png'): Buffer;
}
export declare const annotation: Plugin;
