/** A chart.js plugin: the line of the time that is read, in all charts at once. Used by main.ts, which owns the time. */
import type { Chart, Plugin } from 'chart.js';

/** @param time in units of the x axis; null: nothing is read */
export function crosshair(time: () => number | null, color: () => string): Plugin {
  return {
    id: 'kvbench-crosshair',
    afterDatasetsDraw(chart: Chart): void {
      const at = time();
      const x = chart.scales.x;
      if (at === null || x === undefined || at < x.min || at > x.max) return;
      const { ctx, chartArea } = chart;
      const xPx = Math.round(x.getPixelForValue(at)) + 0.5;
      ctx.save();
      ctx.strokeStyle = color();
      ctx.lineWidth = 1;
      ctx.setLineDash([3, 3]);
      ctx.beginPath();
      ctx.moveTo(xPx, chartArea.top);
      ctx.lineTo(xPx, chartArea.bottom);
      ctx.stroke();
      ctx.restore();
    },
  };
}
