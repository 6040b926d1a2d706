/** Values of a comparison as text, for the terminal, Markdown and JUnit alike. Pure. */
import { formatUs } from '../base/units.js';
import type { ComparisonRow, RowUnit } from './comparison.js';
import { percentText } from './judge.js';

/** `1.23ms`, `5,000/s`, `99.95 %`, `3`; null is a dash. */
export function valueText(value: number | null, unit: RowUnit): string {
  if (value === null) return '–';
  switch (unit) {
    case 'us':
      return formatUs(value);
    case 'perSecond':
      return `${value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 })}/s`;
    case 'ratio':
      return `${(value * 100).toFixed(Math.abs(value) < 0.01 && value !== 0 ? 3 : 2)} %`;
    case 'count':
      return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
  }
}

/** `+12.3 %`; in the row's own unit where a percentage says nothing (shares, counts, from 0). */
export function changeText({ change, unit }: ComparisonRow): string {
  if (change.absolute === null) return '–';
  if (unit === 'ratio' || unit === 'count' || change.relative === null) return signed(change.absolute, unit);
  return percentText(change.relative);
}

/** `[+5.0 %, +20.1 %]`; a dash without one. */
export function intervalText({ interval, unit }: ComparisonRow): string {
  if (interval === null) return '–';
  const inPercent = unit !== 'ratio' && unit !== 'count' && interval.lowRelative !== null && interval.highRelative !== null;
  const [low, high] = inPercent
    ? [percentText(interval.lowRelative as number), percentText(interval.highRelative as number)]
    : [interval.low === null ? '…' : signed(interval.low, unit), interval.high === null ? '…' : signed(interval.high, unit)];
  return `[${low}, ${high}]`;
}

function signed(value: number, unit: RowUnit): string {
  return `${value < 0 ? '−' : '+'}${valueText(Math.abs(value), unit)}`;
}
