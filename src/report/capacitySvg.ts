/** The latency-against-rate curve as SVG, for the page of a search for the capacity. Colours come from its style sheet. Pure. */
import { formatCount, formatUs } from '../base/units.js';
import { type CapacityCurve, lastRateOf, latencyRangeMs, type Percentile, percentileNames, percentiles } from './capacityCurve.js';
import { verdictMarks } from './capacityText.js';
import { compact } from './chartScales.js';
import { darkTheme, lightTheme } from './chartTheme.js';
import { type Html, html } from './pageHtml.js';

const WIDTH = 1100;
const HEIGHT = 430;
const PLOT = { left: 64, right: 1076, top: 34, bottom: 380 };
const RATE_TICKS = 8;

export const curveStyle = `
.curve { width: 100%; height: auto; display: block; font: 12px var(--sans); }
.curve text { fill: var(--soft); }
.curve .grid { stroke: var(--line); stroke-width: 1; }
.curve .p50 { stroke: ${lightTheme.p50}; fill: ${lightTheme.p50}; } .curve .p99 { stroke: ${lightTheme.p99}; fill: ${lightTheme.p99}; }
.curve .p999 { stroke: ${lightTheme.max}; fill: ${lightTheme.max}; }
.curve polyline { fill: none !important; stroke-width: 2; stroke-linejoin: round; }
.curve circle { stroke: var(--paper) !important; stroke-width: 1.5; }
.curve circle.off { fill: var(--paper); stroke-width: 2; }
.curve circle.off.p50 { stroke: ${lightTheme.p50} !important; } .curve circle.off.p99 { stroke: ${lightTheme.p99} !important; } .curve circle.off.p999 { stroke: ${lightTheme.max} !important; }
.curve .limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 6 4; } .curve .limit-text { fill: var(--bad); }
.curve .capacity { stroke: var(--good); stroke-width: 2; } .curve .capacity-text { fill: var(--good); font-weight: 620; }
.curve .over { fill: var(--bad-fill); opacity: 0.55; }
.curve .key { stroke-width: 0; }
@media (prefers-color-scheme: dark) {
  .curve .p50 { stroke: ${darkTheme.p50}; fill: ${darkTheme.p50}; } .curve .p99 { stroke: ${darkTheme.p99}; fill: ${darkTheme.p99}; }
  .curve .p999 { stroke: ${darkTheme.max}; fill: ${darkTheme.max}; }
  .curve circle.off { fill: var(--paper); }
  .curve circle.off.p50 { stroke: ${darkTheme.p50} !important; } .curve circle.off.p99 { stroke: ${darkTheme.p99} !important; } .curve circle.off.p999 { stroke: ${darkTheme.max} !important; }
}
`;

/** Rates to the right, response times on a logarithmic scale upwards. Nothing when no trial was answered. */
export function capacitySvg(curve: CapacityCurve): Html {
  const range = latencyRangeMs(curve);
  if (range === null) return html`<p class="none">No trial was answered, so there is no curve.</p>`;
  const lastRate = lastRateOf(curve);
  const x = (rate: number): number => round(PLOT.left + (rate / lastRate) * (PLOT.right - PLOT.left));
  const decades = Math.log10(range.maxMs / range.minMs);
  const y = (ms: number): number => round(PLOT.bottom - (Math.log10(Math.max(ms, range.minMs) / range.minMs) / decades) * (PLOT.bottom - PLOT.top));
  const title = `Response time against rate${curve.capacityOpsPerSec === null ? '' : `; the capacity is ${formatCount(curve.capacityOpsPerSec)} operations per second`}`;
  return html`<svg class="curve" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${overRegion(curve, x)}
${latencyAxis(range, y)}
${rateAxis(lastRate, x)}
${curve.limits.map(
  ({ text, ms }) =>
    html`<line class="limit" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(ms)}" y2="${y(ms)}"/><text class="limit-text" x="${PLOT.left + 8}" y="${y(ms) - 6}">${text}</text>`,
)}
${capacityMark(curve, x)}
${[...percentiles].reverse().map((percentile) => series(curve, percentile, x, y))}
${legend()}
</svg>`;
}

type Scale = (value: number) => number;

function series(curve: CapacityCurve, percentile: Percentile, x: Scale, y: Scale): Html {
  const path = curve.line.map(({ rateOpsPerSec, latencyMs }) => `${x(rateOpsPerSec)},${y(latencyMs[percentile])}`).join(' ');
  const points = curve.trials.map(({ rateOpsPerSec, latencyMs, trial }) => {
    const text = `trial ${trial.number}, ${formatCount(rateOpsPerSec)} ops/s: ${percentileNames[percentile]} ${formatUs(latencyMs[percentile] * 1000)}, ${verdictMarks[trial.verdict]}`;
    const off = trial.verdict === 'holds' ? '' : ' off';
    return html`<circle class="${percentile}${off}" cx="${x(rateOpsPerSec)}" cy="${y(latencyMs[percentile])}" r="4"><title>${text}</title></circle>`;
  });
  return html`<g><polyline class="${percentile}" points="${path}"/>${points}</g>`;
}

/** Where the objective did not hold. */
function overRegion({ failsOpsPerSec }: CapacityCurve, x: Scale): Html {
  if (failsOpsPerSec === null) return html``;
  const from = x(failsOpsPerSec);
  return html`<rect class="over" x="${from}" y="${PLOT.top}" width="${round(PLOT.right - from)}" height="${PLOT.bottom - PLOT.top}"/>`;
}

function capacityMark({ capacityOpsPerSec, confirmed }: CapacityCurve, x: Scale): Html {
  if (capacityOpsPerSec === null) return html``;
  const at = x(capacityOpsPerSec);
  const isRight = at > (PLOT.left + PLOT.right) / 2;
  return html`<line class="capacity" x1="${at}" x2="${at}" y1="${PLOT.top}" y2="${PLOT.bottom}"/><text class="capacity-text" x="${isRight ? at - 8 : at + 8}" y="${PLOT.top + 16}" text-anchor="${isRight ? 'end' : 'start'}">${confirmed ? 'capacity' : 'held so far:'} ${formatCount(capacityOpsPerSec)} ops/s</text>`;
}

function latencyAxis({ minMs, maxMs }: { minMs: number; maxMs: number }, y: Scale): Html[] {
  const ticks: number[] = [];
  for (let ms = minMs; ms <= maxMs * 1.001; ms *= 10) ticks.push(ms);
  return ticks.map(
    (ms) =>
      html`<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(ms)}" y2="${y(ms)}"/><text x="${PLOT.left - 8}" y="${y(ms) + 4}" text-anchor="end">${compact(Number(ms.toPrecision(3)))} ms</text>`,
  );
}

function rateAxis(lastRate: number, x: Scale): Html[] {
  const step = roundStep(lastRate / RATE_TICKS);
  const ticks: number[] = [];
  for (let rate = 0; rate <= lastRate; rate += step) ticks.push(rate);
  return [
    ...ticks.map((rate) => html`<text x="${x(rate)}" y="${PLOT.bottom + 20}" text-anchor="middle">${compact(rate)}</text>`),
    html`<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 42}" text-anchor="middle">operations per second offered</text>`,
  ];
}

function legend(): Html[] {
  return percentiles.map(
    (percentile, i) =>
      html`<rect class="${percentile} key" x="${PLOT.left + i * 74}" y="9" width="14" height="10" rx="2"/><text x="${PLOT.left + 20 + i * 74}" y="18">${percentileNames[percentile]}</text>`,
  );
}

/** The next 1, 2 or 5 times a power of ten. */
function roundStep(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  return decade * (value <= decade ? 1 : value <= 2 * decade ? 2 : value <= 5 * decade ? 5 : 10);
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}
