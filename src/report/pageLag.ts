/** How far replicas lagged, and how far the clocks are apart. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import type { ClockSummary, LatencyStats, ReplicaLagSummary, Summary } from '../result/summary.js';
import { bytesOf, timeOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';

const columns: Column[] = [
  { title: 'Replica' },
  { title: 'p50', numeric: true },
  { title: 'p99', numeric: true },
  { title: 'Longest', numeric: true },
  { title: 'Writes seen', numeric: true },
  { title: 'Not seen', numeric: true, hint: 'without a connection, or a change of master: when these got there is not known' },
  { title: 'Resolution', numeric: true, hint: 'to within this the lag of a write is known; half of them better, in brackets the worst' },
  { title: 'Most behind', numeric: true, hint: 'by replication offsets (INFO), master less replica' },
];
/** More would be a table that nobody reads; summary.json has them. */
const MAX_WINDOW_ROWS = 60;

/** Empty where no lag was measured. */
export function lagSection(summary: Summary): Html {
  const { replicationLagUs: lags, clocks } = summary;
  if (!lags) return html``;
  const rows = Object.entries(lags).map(([node, lag]): HtmlValue[] => [
    placeOf(node, lag),
    ...figures(lag.lag),
    formatCount(lag.unseen),
    lag.resolution === null ? '–' : `${timeOf(lag.resolution.p50)} (${timeOf(lag.resolution.max)})`,
    lag.behindBytesMax === null ? '–' : bytesOf(lag.behindBytesMax),
  ]);
  return html`<section id="replication-lag"><h2>Replication lag</h2>
<p class="note">A marker was written on each master again and again and read on each of its replicas until it was there: from the master’s answer to
the first read that showed it, on one clock, not through proxies of the clients.</p>${table(columns, rows)}${windowTable(summary, lags)}${clockNote(clocks ?? null)}</section>`;
}

function figures(lag: LatencyStats | null): HtmlValue[] {
  return lag === null ? ['–', '–', '–', '0'] : [timeOf(lag.p50), timeOf(lag.p99), timeOf(lag.max), formatCount(lag.count)];
}

function placeOf(node: string, { shard }: ReplicaLagSummary): string {
  return shard === null ? node : `${node} (shard ${shard})`;
}

function windowTable({ faults }: Summary, lags: Record<string, ReplicaLagSummary>): Html {
  const rows = Object.entries(lags).flatMap(([node, lag]) =>
    lag.windows.map(({ name, faultId, lag: stats }): HtmlValue[] => {
      const kind = faults.find(({ id }) => id === faultId)?.kind ?? '?';
      const time = name === 'inForce' ? `fault ${faultId} (${kind}) in force` : `${name} fault ${faultId}`;
      return [placeOf(node, lag), time, ...figures(stats)];
    }),
  );
  if (rows.length === 0 || rows.length > MAX_WINDOW_ROWS) return html``;
  const titles: Column[] = [{ title: 'Replica' }, { title: 'Time' }, ...columns.slice(1, 5)];
  return html`<h3>By time around each fault</h3>${table(titles, rows)}`;
}

function clockNote(clocks: ClockSummary | null): Html {
  const nodes = Object.entries(clocks?.nodes ?? {});
  if (clocks === null || nodes.length === 0) return html``;
  const texts = nodes.map(([node, { differenceUs, uncertaintyUs }]) => {
    const sign = differenceUs < 0 ? '−' : '+';
    return `${node} ${sign}${timeOf(Math.abs(differenceUs))} ± ${timeOf(uncertaintyUs)}`;
  });
  return html`<p class="note" id="clocks">Clocks (TIME) against that of ${clocks.reference}: ${texts.join(', ')}. Lag is not measured by them.</p>`;
}
