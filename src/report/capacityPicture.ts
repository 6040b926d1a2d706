/** capacity.png: the latency-against-rate curve under its sentence, drawn with chartjs-node-canvas in the light theme. Called by writeCapacityReport. */

import { createCanvas, loadImage } from 'canvas';
import type { ChartConfiguration } from 'chart.js';
import { formatCount } from '../base/units.js';
import { type CapacityCurve, lastRateOf, latencyRangeMs, type Percentile, percentileNames, percentiles } from './capacityCurve.js';
import { compact } from './chartScales.js';
import { lightTheme } from './chartTheme.js';
import { drawHeading, FAMILY, PICTURE_WIDTH_PX, type PictureTitle, registerFonts, SCALE } from './picture.js';
import { annotation, ChartJSNodeCanvas } from './vendor/chartjs-node-canvas.js';

export const CAPACITY_PICTURE_HEIGHT_PX = 900;
const MARGIN_PX = 16;
const colors: Record<Percentile, string> = { p50: lightTheme.p50, p99: lightTheme.p99, p999: lightTheme.max };

/** A PNG of `PICTURE_WIDTH_PX` × `CAPACITY_PICTURE_HEIGHT_PX`. */
export async function renderCapacityPicture(curve: CapacityCurve, title: PictureTitle): Promise<Buffer> {
  registerFonts();
  const canvas = createCanvas(PICTURE_WIDTH_PX, CAPACITY_PICTURE_HEIGHT_PX);
  const context = canvas.getContext('2d');
  context.fillStyle = lightTheme.background;
  context.fillRect(0, 0, PICTURE_WIDTH_PX, CAPACITY_PICTURE_HEIGHT_PX);
  const topPx = drawHeading(context, title);
  const widthPx = PICTURE_WIDTH_PX - 2 * MARGIN_PX;
  const heightPx = CAPACITY_PICTURE_HEIGHT_PX - topPx - MARGIN_PX;
  const renderer = new ChartJSNodeCanvas({
    width: Math.floor(widthPx / SCALE),
    height: Math.floor(heightPx / SCALE),
    plugins: { modern: [annotation] },
  });
  const image = await loadImage(renderer.renderToBufferSync(chartOf(curve), 'image/png'));
  context.drawImage(image, MARGIN_PX, topPx, widthPx, heightPx);
  return canvas.toBuffer('image/png');
}

function chartOf(curve: CapacityCurve): ChartConfiguration<'line'> {
  const range = latencyRangeMs(curve) ?? { minMs: 0.1, maxMs: 10 };
  const font = { family: FAMILY, size: 12 };
  const axis = { grid: { color: lightTheme.grid }, border: { display: false } };
  const titled = (text: string) => ({ display: true, text, color: lightTheme.mutedText, font });
  const datasets = percentiles.map((percentile) => ({
    label: percentileNames[percentile],
    data: curve.line.map(({ rateOpsPerSec, latencyMs }) => ({ x: rateOpsPerSec, y: latencyMs[percentile] })),
    borderColor: colors[percentile],
    backgroundColor: colors[percentile],
    borderWidth: 2,
    pointRadius: 3,
  }));
  return {
    type: 'line',
    data: { datasets },
    options: {
      // One pixel of the chart becomes SCALE pixels of the picture.
      devicePixelRatio: SCALE,
      scales: {
        x: {
          ...axis,
          type: 'linear',
          min: 0,
          max: lastRateOf(curve),
          title: titled('operations per second offered'),
          ticks: { color: lightTheme.mutedText, font, includeBounds: false, callback: (value: number | string) => compact(Number(value)) },
        },
        y: {
          ...axis,
          type: 'logarithmic',
          min: range.minMs,
          max: range.maxMs,
          title: titled('response time, ms'),
          afterBuildTicks: (scale: { ticks: { value: number }[] }) => {
            scale.ticks = decades(range).map((value) => ({ value }));
          },
          ticks: { color: lightTheme.mutedText, font, callback: (value: number | string) => compact(Number(Number(value).toPrecision(3))) },
        },
      },
      plugins: {
        legend: { align: 'end', labels: { color: lightTheme.text, font, boxWidth: 14, boxHeight: 8 } },
        annotation: { annotations: marks(curve) },
      } as never,
    },
  };
}

function marks(curve: CapacityCurve): Record<string, unknown> {
  const label = (content: string, color: string, position: string) => ({
    display: true,
    content,
    position,
    backgroundColor: color,
    color: '#ffffff',
    font: { family: FAMILY, size: 12 },
    padding: 4,
  });
  const entries: [string, unknown][] = curve.limits.map(({ text, ms }, i) => [
    `limit${i}`,
    {
      type: 'line',
      scaleID: 'y',
      value: ms,
      borderColor: lightTheme.fail,
      borderWidth: 1.5,
      borderDash: [6, 4],
      label: label(text, lightTheme.fail, 'start'),
    },
  ]);
  if (curve.failsOpsPerSec !== null) {
    entries.push([
      'over',
      {
        type: 'box',
        xScaleID: 'x',
        xMin: curve.failsOpsPerSec,
        backgroundColor: 'rgba(214, 69, 69, 0.07)',
        borderWidth: 0,
        drawTime: 'beforeDatasetsDraw',
      },
    ]);
  }
  if (curve.capacityOpsPerSec !== null) {
    const text = `${curve.confirmed ? 'capacity' : 'held so far:'} ${formatCount(curve.capacityOpsPerSec)} ops/s`;
    entries.push([
      'capacity',
      {
        type: 'line',
        scaleID: 'x',
        value: curve.capacityOpsPerSec,
        borderColor: lightTheme.ok,
        borderWidth: 2,
        label: label(text, lightTheme.ok, 'end'),
      },
    ]);
  }
  return Object.fromEntries(entries);
}

function decades({ minMs, maxMs }: { minMs: number; maxMs: number }): number[] {
  const values: number[] = [];
  for (let ms = minMs; ms <= maxMs * 1.001; ms *= 10) values.push(Number(ms.toPrecision(3)));
  return values;
}
