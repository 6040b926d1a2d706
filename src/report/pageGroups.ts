/** What each group of clients got: a row for each, and one per shard and kind while the network was cut. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import type { ClientGroupSummary, FaultSummary, Summary } from '../result/summary.js';
import { sideText } from './groupSeries.js';
import { atOf, missing, shareOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';

/** Empty in runs without groups. */
export function groupSection({ clientGroups = [], faults }: Summary): Html {
  if (clientGroups.length === 0) return html``;
  const columns: Column[] = [
    { title: 'Clients' },
    { title: 'Threads', numeric: true },
    { title: 'ok', numeric: true },
    { title: 'fail', numeric: true },
    { title: 'info', numeric: true },
    { title: 'dropped', numeric: true },
    { title: 'Share ok', numeric: true },
    { title: 'Reasons' },
  ];
  const rows = clientGroups.map((group): HtmlValue[] => [
    group.name,
    group.threads,
    ...(['ok', 'fail', 'info', 'dropped'] as const).map((outcome) => formatCount(group[outcome])),
    shareOf(group.ok, group.ok + group.fail + group.info + group.dropped),
    Object.entries(group.byReason)
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => `${reason} ${formatCount(count)}`)
      .join(', '),
  ]);
  const cuts = faults.filter(({ sides }) => sides !== undefined).map((fault) => cutTable(fault, clientGroups));
  return html`<section id="clients"><h2>Clients by group</h2><p class="note">Where they stand when the network is cut (load.clientGroups); completions from the first recorded phase on.</p>${table(columns, rows)}${cuts}</section>`;
}

function cutTable(fault: FaultSummary, groups: readonly ClientGroupSummary[]): Html {
  const columns: Column[] = [
    { title: 'Clients' },
    { title: 'Reached' },
    { title: 'Shard', numeric: true },
    { title: 'Kind' },
    { title: 'ok', numeric: true },
    { title: 'not ok', numeric: true },
    { title: 'First success', numeric: true, hint: 'to 100 ms, while the fault was in force' },
    { title: 'Last success', numeric: true, hint: 'to 100 ms, while the fault was in force' },
  ];
  const rows = groups.flatMap((group) => {
    const cut = group.cuts.find(({ faultId }) => faultId === fault.id);
    const reached = cut?.nodes ? sideText({ nodes: cut.nodes, clients: [] }) : 'everybody';
    return (cut?.shards ?? []).map(({ shard, kind, ok, notOk, firstOkMs, lastOkMs }): HtmlValue[] => [
      group.name,
      reached,
      shard,
      kind,
      formatCount(ok),
      formatCount(notOk),
      firstOkMs === null ? missing() : atOf(firstOkMs),
      lastOkMs === null ? missing() : atOf(lastOkMs),
    ]);
  });
  return html`<h3>While ${fault.kind} ${fault.id} was in force</h3>${table(columns, rows)}`;
}
