/** What the charts of a comparison say at one place, in words and figures. Used by comparison.ts; pure: no DOM, no chart. */
import { formatCount, formatUs } from '../../../base/units.js';
import type { ChartTheme } from '../../chartTheme.js';
import { percentileText, sideColor } from '../../comparisonCharts.js';
import type { ComparisonOverlay, OverlaySeries, SideName } from '../../comparisonOverlay.js';
import type { Reading, Readings } from './readings.js';

const SIDES: readonly SideName[] = ['base', 'candidate'];

/** Medians of both sides in the bucket of a time, and the range of their runs. */
export function overlayReadings(overlay: ComparisonOverlay, theme: ChartTheme, timeMs: number): Readings {
  const { tMs, bucketMs, anchor } = overlay;
  const last = tMs.length - 1;
  const i = Math.min(Math.max(0, Math.floor((timeMs - (tMs[0] ?? 0)) / bucketMs)), last);
  const atMs = tMs[i] ?? 0;
  const seconds = `${atMs < 0 ? '−' : '+'}${(Math.abs(atMs) / 1000).toFixed(bucketMs < 1000 ? 1 : 0)} s`;
  return {
    time: `${seconds} · since ${anchor.kind === 'fault' ? `the ${anchor.text}` : 't0'}`,
    parts: [
      { title: 'Operations per second', readings: sideReadings(overlay, theme, 'throughput', i, (value) => `${formatCount(value)} /s`) },
      { title: 'Response p99', readings: sideReadings(overlay, theme, 'p99Ms', i, (value) => formatUs(value * 1000)) },
    ],
    inForce: overlay.marks.filter((mark) => mark.tMs >= atMs && mark.tMs < atMs + bucketMs).map(({ label, side }) => `${label}, ${side}`),
  };
}

function sideReadings(
  overlay: ComparisonOverlay,
  theme: ChartTheme,
  key: keyof OverlaySeries,
  i: number,
  text: (value: number) => string,
): Reading[] {
  return SIDES.map((side) => {
    const { median, runs } = overlay.sides[side];
    const value = median[key][i] ?? null;
    const known = runs.map((run) => run[key][i] ?? null).filter((one) => one !== null);
    const range = known.length > 1 ? ` (${text(Math.min(...known))} to ${text(Math.max(...known))})` : '';
    return { name: side, value: value === null ? '–' : `${text(value)}${range}`, color: sideColor(theme, side) };
  });
}

/** @param x as in the spectrum */
export function spectrumReadings(overlay: ComparisonOverlay, theme: ChartTheme, operation: string, x: number): Readings {
  const spectrum = overlay.spectra[operation];
  if (spectrum === undefined) return { time: '', parts: [], inForce: [] };
  const step = (spectrum.x[1] ?? 0.1) - (spectrum.x[0] ?? 0);
  const i = Math.min(Math.max(0, Math.round(x / step)), spectrum.x.length - 1);
  const values = SIDES.map((side) => spectrum[side].mergedMs[i] ?? null);
  const readings = SIDES.map((side, at): Reading => {
    const value = values[at] ?? null;
    const [low, high] = [spectrum[side].lowMs[i] ?? null, spectrum[side].highMs[i] ?? null];
    const range = low === null || high === null ? '' : ` (${formatUs(low * 1000)} to ${formatUs(high * 1000)})`;
    return { name: side, value: value === null ? 'too few operations' : `${formatUs(value * 1000)}${range}`, color: sideColor(theme, side) };
  });
  const [before, after] = values;
  const change = before != null && after != null && before > 0 ? (after / before - 1) * 100 : null;
  const inForce = change === null ? [] : [`${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)} %`];
  return { time: percentileText(spectrum.x[i] ?? 0), parts: [{ title: 'Response time', readings }], inForce };
}
