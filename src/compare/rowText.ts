/** Values of a comparison as text, for the terminal, Markdown and JUnit alike. Pure. */
import { formatUs } from '../base/units.js';
import { type ComparisonRow, type RowUnit, verdictWord } from './comparison.js';
import { percentText } from './judge.js';

/** Shown beside figures that have changes of shares. */
export const POINTS_NOTE = 'pp: percentage points';

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

/** `+12.3 %`; shares in percentage points, and the row's own unit where a percentage says nothing (counts, from 0). */
export function changeText({ change, unit }: ComparisonRow): string {
  if (change.absolute === null) return '–';
  if (unit === 'ratio' || unit === 'count' || change.relative === null) return signed(change.absolute, unit);
  return relativeText(change.relative);
}

/** `82.4 % longer`, `5.21 pp worse`: a change that was found, in words. */
export function foundText(row: ComparisonRow): string {
  return `${changeText(row).replace(/^[+−]/, '')} ${verdictWord(row)}`;
}

/** Of the test that decided; where two have to agree, the larger. Null: no test was possible. */
export function decidingP({ pValue, pRanks }: Pick<ComparisonRow, 'pValue' | 'pRanks'>): number | null {
  return pValue === null ? null : Math.max(pValue, pRanks ?? 0);
}

/** `[+5.0 %, +20.1 %]`; a dash without one. */
export function intervalText({ interval, unit }: ComparisonRow): string {
  if (interval === null) return '–';
  const inPercent = unit !== 'ratio' && unit !== 'count' && interval.lowRelative !== null && interval.highRelative !== null;
  const [low, high] = inPercent
    ? [relativeText(interval.lowRelative as number), relativeText(interval.highRelative as number)]
    : [interval.low === null ? '…' : signed(interval.low, unit), interval.high === null ? '…' : signed(interval.high, unit)];
  return `[${low}, ${high}]`;
}

function signed(value: number, unit: RowUnit): string {
  const size = unit === 'ratio' ? pointsText(Math.abs(value)) : valueText(Math.abs(value), unit);
  return `${/[1-9]/.test(size) ? (value < 0 ? '−' : '+') : ''}${size}`;
}

/** Nothing has no sign, and needs no digits. */
function relativeText(ratio: number): string {
  return percentText(ratio).replace(/^[+−]0\.0 %$/, '0 %');
}

function pointsText(share: number): string {
  const text = (share * 100).toFixed(share < 0.001 ? 3 : 2);
  return `${/[1-9]/.test(text) ? text : '0'} pp`;
}
