/** The summary's section on replication lag: a row per replica, the slowest first, and the clocks. Called by terminalSummary.ts. */
import { formatBytes, formatCount, formatUs } from '../base/units.js';
import type { ReplicaLagSummary, Summary } from '../result/summary.js';
import type { SummaryPage } from './summaryPage.js';

/** Of more replicas the slowest are shown. */
const ROWS_MAX = 6;

export function addLag(page: SummaryPage, { replicationLagUs: lags, clocks }: Pick<Summary, 'replicationLagUs' | 'clocks'>): void {
  if (!lags) return;
  const all = Object.entries(lags).toSorted(([, a], [, b]) => (b.lag?.max ?? 0) - (a.lag?.max ?? 0));
  page.section('REPLICATION LAG', all.length > ROWS_MAX ? `the slowest ${ROWS_MAX} of ${all.length} replicas` : 'until a write shows on the replica');
  const shown = all.slice(0, ROWS_MAX).toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  for (const [node, lag] of shown) page.row(lag.shard === null ? node : `${node} (shard ${lag.shard})`, textOf(lag));
  const differences = Object.values(clocks?.nodes ?? {});
  if (differences.length === 0) return;
  const widest = differences.reduce((a, b) => (Math.abs(b.differenceUs) > Math.abs(a.differenceUs) ? b : a));
  page.row('clocks', `up to ${formatUs(Math.abs(widest.differenceUs))} from ${clocks?.reference} (± ${formatUs(widest.uncertaintyUs)})`);
}

function textOf({ lag, resolution, unseen, behindBytesMax }: ReplicaLagSummary): string {
  const parts =
    lag === null
      ? ['not seen']
      : [`p50 ${formatUs(lag.p50)}`, `p99 ${formatUs(lag.p99)}`, `max ${formatUs(lag.max)}`, `resolution ${formatUs(resolution?.p50 ?? 0)}`];
  if (behindBytesMax !== null) parts.push(`${formatBytes(behindBytesMax)} behind at most`);
  if (unseen > 0) parts.push(`${formatCount(unseen)} writes not seen`);
  return parts.join(', ');
}
