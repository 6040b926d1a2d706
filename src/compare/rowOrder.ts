/** Which figures of a comparison a person should see first, and what part of the run each is of. Pure; used by everything that shows rows. */
import type { ComparisonRow } from './comparison.js';

/** What was lost, then what was out of reach, then how long it took, then how fast it is. */
const metricOrder = [
  'lost_writes',
  'availability',
  'errors',
  'gap',
  'rto',
  'detection',
  'promotion',
  'p99_recovery',
  'redundancy',
  'throughput',
  'latency',
  'service',
  'queue',
];
const aggregateOrder = ['max', 'rate', 'count', 'p(99)', 'p(90)', 'p(50)'];

/** The most important first: by metric, the whole before its parts. Does not change `rows`. */
export function byImportance(rows: readonly ComparisonRow[]): ComparisonRow[] {
  const place = (order: readonly string[], name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  const rank = ({ metric, aggregate, tags }: ComparisonRow): number =>
    place(metricOrder, metric) * 10_000 + Object.keys(tags).length * 100 + place(aggregateOrder, aggregate);
  return [...rows].sort((a, b) => rank(a) - rank(b));
}

const headline = /^(throughput rate|latency p\((50|99)\)|availability rate|gap\{shard:any\} max|rto\{.*|detection\{.*|lost_writes .*)$/;

/** Shown although nothing is known of a change; an outage that neither side had is not. */
export function isHeadline({ id, metric, base, candidate }: ComparisonRow): boolean {
  return headline.test(id) && !(metric === 'gap' && base.value === 0 && candidate.value === 0);
}

export function isChange({ verdict }: Pick<ComparisonRow, 'verdict'>): boolean {
  return verdict === 'faster' || verdict === 'slower';
}

/** The first names a part of another: the same change told twice. */
export function isPartOf(row: ComparisonRow, whole: ComparisonRow): boolean {
  const mirrors = row.metric === 'errors' && whole.metric === 'availability';
  return (
    row.verdict === whole.verdict &&
    (mirrors || (row.metric === whole.metric && row.aggregate === whole.aggregate)) &&
    Object.entries(whole.tags).every(([tag, value]) => row.tags[tag] === value)
  );
}

const ownTags = new Set(['op', 'shard']);

/** `latency{op:get} p(99)`: without the tags that say of which part of the run. */
export function ownName({ metric, aggregate, tags }: Pick<ComparisonRow, 'metric' | 'aggregate' | 'tags'>): string {
  const own = Object.entries(tags).filter(([tag]) => ownTags.has(tag));
  return `${metric}${own.length === 0 ? '' : `{${own.map(([tag, value]) => `${tag}:${value}`).join(',')}}`} ${aggregate}`;
}

/** Phase, window and fault; empty: all of the recorded load. */
export function scopeTags({ tags }: Pick<ComparisonRow, 'tags'>): [tag: string, value: string][] {
  return Object.entries(tags).filter(([tag]) => !ownTags.has(tag));
}

/** The whole first, the parts in the order they come. @param title of a scope, one for each */
export function byScope(rows: readonly ComparisonRow[], title: (row: ComparisonRow) => string): [title: string, rows: ComparisonRow[]][] {
  const groups = new Map<string, ComparisonRow[]>();
  const whole = rows.filter((row) => scopeTags(row).length === 0);
  for (const row of [...whole, ...rows.filter((one) => scopeTags(one).length > 0)]) {
    const scope = title(row);
    groups.set(scope, [...(groups.get(scope) ?? []), row]);
  }
  return [...groups];
}
