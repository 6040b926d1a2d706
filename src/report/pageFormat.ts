/** How values read on the page: text of base/units.ts, with an unbreakable space before the unit. Used by the page's sections only. */
import { formatBytes, formatCount, formatPercent, formatUs } from '../base/units.js';
import { type MetricName, operationNames } from '../plan/plan.js';
import type { NodeRef } from '../result/records.js';
import type { ThresholdResult } from '../result/summary.js';
import { type Html, html } from './pageHtml.js';

const NBSP = '\u00a0';

/** A built-in operation as the command it is, a custom one by its name. */
export function operationTitle(op: string): string {
  return (operationNames as readonly string[]).includes(op) ? op.toUpperCase() : op;
}

/** `1.23ms` → `1.23 ms`. */
export function timeOf(us: number | null | undefined): string {
  return us === undefined ? '–' : spaced(formatUs(us));
}

/** Since t0, always in seconds with milliseconds, so that times can be compared by eye. */
export function atOf(ms: number): string {
  return `${(ms / 1000).toFixed(3).replace('-', '−')}${NBSP}s`;
}

export function durationOf(ms: number): string {
  return timeOf(ms * 1000);
}

/** `+3.19 s`, `−12 ms`. */
export function deltaOf(ms: number): string {
  return `${ms < 0 ? '−' : '+'}${timeOf(Math.abs(ms) * 1000)}`;
}

export function percentOf(ratio: number | null): string {
  return ratio === null ? '–' : formatPercent(ratio).replace(' ', NBSP);
}

/** ok / total; a dash when nothing was asked. */
export function shareOf(part: number, total: number): string {
  if (total === 0) return '–';
  // Rounding must not turn a few into none, nor nearly all into all.
  const text = percentOf(part / total);
  if (part > 0 && text === percentOf(0)) return `<${NBSP}${percentOf(0.0001)}`;
  return part < total && text === percentOf(1) ? `>${NBSP}${percentOf(0.9999)}` : text;
}

export function rateOf(opsPerSec: number): string {
  return `${formatCount(opsPerSec)}${NBSP}/s`;
}

export function bytesOf(bytes: number): string {
  return formatBytes(bytes).replace(' ', NBSP);
}

const timeMetrics: ReadonlySet<string> = new Set<MetricName>(['latency', 'service', 'queue', 'dispatch_lag', 'gap', 'rto']);
const shareMetrics: ReadonlySet<string> = new Set<MetricName>(['availability', 'errors']);

/** In the unit that the metric of the threshold has. */
export function observedOf({ metric, expression, observed, note }: ThresholdResult): string {
  const name = metric.replace(/\{.*/s, '');
  if (observed === null) return name === 'rto' && note !== undefined ? note : 'no samples';
  if (/^\s*count\b/.test(expression)) return formatCount(observed);
  if (timeMetrics.has(name)) return timeOf(observed);
  if (shareMetrics.has(name)) return percentOf(observed);
  return name === 'throughput' ? rateOf(observed) : formatCount(observed);
}

/** A time that did not come to pass. */
export function missing(): Html {
  return html`<span class="missing" title="did not happen or cannot be seen" aria-label="did not happen or cannot be seen">–</span>`;
}

export function targetsOf(targets: readonly NodeRef[]): string {
  return targets.map(({ node, shard, role }) => `${node}${placeOf(shard, role)}`).join(', ');
}

function placeOf(shard: number | null, role: NodeRef['role']): string {
  const words = [role === 'unknown' ? '' : role, shard === null ? '' : `${role === 'unknown' ? '' : 'of '}shard ${shard}`].filter(Boolean);
  return words.length === 0 ? '' : ` (${words.join(' ')})`;
}

/** Unbreakable spaces between figures and their units. */
export function spaced(text: string): string {
  return text.replace(/(\d)([a-zµ]+)/g, `$1${NBSP}$2`).replace(/([a-zµ])(\d)/g, `$1${NBSP}$2`);
}
