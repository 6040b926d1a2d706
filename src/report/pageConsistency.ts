/** Did it lose data: what was read back after the run, and the lost writes by shard and fault. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import type { ConsistencySummary, Summary } from '../result/summary.js';
import { atOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';
import { consistencyRows } from './terminalConsistency.js';

export function consistencySection({ consistency, faults }: Summary): Html {
  if (consistency === null) return html``;
  const sampled = consistency.keyStride === 1 ? '' : ` One key of ${formatCount(consistency.keyStride)} was tracked: these are counts of a sample.`;
  const rows = consistencyRows(consistency).map(({ label, text, isBad }): HtmlValue[] => [label, isBad ? html`<b class="bad">${text}</b>` : text]);
  const kindOf = (faultId: number | null): string =>
    faultId === null ? 'no fault' : `fault ${faultId} (${faults.find(({ id }) => id === faultId)?.kind ?? '?'})`;
  return html`<section id="consistency"><h2>Did it lose data?</h2>
<p class="note">Every tracked key was read back from its master when the target was healed and whole. Lost is every acknowledged write that is newer than what its key
holds and that no write of unknown outcome explains.${sampled}</p>${table([{ title: '' }, { title: '' }], rows)}${lostTable(consistency, kindOf)}</section>`;
}

function lostTable({ lost }: ConsistencySummary, kindOf: (faultId: number | null) => string): Html {
  if (lost.length === 0) return html``;
  const groups = new Map<string, { shard: number; faultId: number | null; count: number; firstMs: number; lastMs: number }>();
  for (const { shard, faultId, startMs, count } of lost) {
    const id = `${shard} ${faultId}`;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { shard, faultId, count, firstMs: startMs, lastMs: startMs + 100 });
    else {
      group.count += count;
      group.lastMs = Math.max(group.lastMs, startMs + 100);
    }
  }
  const columns: Column[] = [
    { title: 'Shard' },
    { title: 'Fault' },
    { title: 'Lost', numeric: true },
    { title: 'Acknowledged from', numeric: true },
    { title: 'to', numeric: true },
  ];
  const rows = [...groups.values()].map(({ shard, faultId, count, firstMs, lastMs }): HtmlValue[] => [
    `shard ${shard}`,
    kindOf(faultId),
    formatCount(count),
    firstMs < 0 ? 'before t0' : atOf(firstMs),
    lastMs <= 0 ? 'before t0' : atOf(lastMs),
  ]);
  return html`<h3>Lost writes by shard and fault</h3>${table(columns, rows)}<p class="note">Each of them, with its key and version, is in <code>lost-writes.ndjson</code>.</p>`;
}
