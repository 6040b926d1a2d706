/** The rows of times of the end-of-test summary, in k6's form where the terminal is wide enough, else as a table. Used by terminalSummary.ts. */
import { formatUs } from '../base/units.js';
import { inOrder } from '../plan/operations.js';
import type { LatencyStats, Summary } from '../result/summary.js';
import type { SummaryPage } from './summaryPage.js';
import { alignColumns, columnsOf } from './textLayout.js';

interface TimesRow {
  label: string;
  stats: LatencyStats;
}

const columns: readonly (readonly [name: string, key: keyof LatencyStats])[] = [
  ['avg', 'mean'],
  ['min', 'min'],
  ['med', 'p50'],
  ['max', 'max'],
  ['p(90)', 'p90'],
  ['p(95)', 'p95'],
  ['p(99)', 'p99'],
  ['p(99.9)', 'p999'],
];

export function addTimes(page: SummaryPage, summary: Summary): void {
  const rows = rowsOf(summary);
  if (rows.length === 0) return;
  page.section('TIMES', 'response = dispatch lag + queue + service, from the intended start');
  const k6Lines = alignColumns(
    rows.map(({ stats }) => columns.map(([name, key]) => `${name}=${formatUs(stats[key])}`)),
    columns.map(() => 'left'),
    ' ',
  );
  const isWide = k6Lines.every((line) => columnsOf(line) <= page.valueColumns);
  const [head = '', ...tableLines] = alignColumns(
    [columns.map(([name]) => name), ...rows.map(({ stats }) => columns.map(([, key]) => formatUs(stats[key])))],
    columns.map(() => 'right'),
    ' ',
  );
  if (!isWide) page.line(page.colors.dim(' '.repeat(page.labelColumns) + head));
  rows.forEach(({ label }, i) => {
    const text = (isWide ? k6Lines : tableLines)[i] ?? '';
    page.rawRow(label, isWide ? text.replace(/=(\S+)/g, (_, value: string) => `=${page.colors.cyan(value)}`) : page.colors.cyan(text));
  });
}

/** Response by operation (and of all, when there are several), what it is made of for all. */
function rowsOf({ latencyUs, serviceUs, queueUs, dispatchLagUs }: Summary): TimesRow[] {
  const names = inOrder(Object.keys(latencyUs));
  const candidates: [string, LatencyStats | undefined][] = [
    ...names.map((name): [string, LatencyStats | undefined] => [`response ${name}`, latencyUs[name]]),
    ['response all', names.length === 1 ? undefined : latencyUs.all],
    ['service', serviceUs.all],
    ['queue', queueUs.all],
    ['dispatch lag', dispatchLagUs.all],
  ];
  return candidates.flatMap(([label, stats]) => (stats === undefined || stats.count === 0 ? [] : [{ label, stats }]));
}
