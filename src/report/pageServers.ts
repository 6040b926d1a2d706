/** What the servers did, as they say themselves: one row per node. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import type { ServerSummary, Summary } from '../result/summary.js';
import { bytesOf, rateOf, shareOf, timeOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';

const columns: Column[] = [
  { title: 'Node' },
  { title: 'CPU, mean', numeric: true, hint: 'cores in use, all threads of the server' },
  { title: 'CPU, highest', numeric: true, hint: 'cores in use in its busiest second' },
  { title: 'Memory, highest', numeric: true },
  { title: 'Operations, highest', numeric: true },
  { title: 'Received', numeric: true },
  { title: 'Sent', numeric: true },
  { title: 'Hits', numeric: true, hint: 'of all reads of keys' },
  { title: 'Misses', numeric: true },
  { title: 'Evicted', numeric: true },
  { title: 'Expired', numeric: true },
  { title: 'Last fork', numeric: true, hint: 'how long it stood still for it' },
];

/** Empty for folders of versions that did not sum servers up. */
export function serverSection({ servers = [] }: Summary): Html {
  if (servers.length === 0) return html``;
  return html`<section id="servers"><h2>Servers</h2><p class="note">What each node said of itself once a second (INFO), from t0 to the end of the load. Everything it did is in it, kvbench’s own questions too.</p>${table(columns, servers.map(rowOf))}</section>`;
}

function rowOf({ node, cpuSecondsPerSec: cpu, memoryBytesMax, opsPerSecMax, networkBytes, ...counts }: ServerSummary): HtmlValue[] {
  const { hits, misses, evicted, expired, lastForkUs } = counts;
  return [
    node,
    coresOf(cpu.mean),
    coresOf(cpu.max),
    orDash(memoryBytesMax, bytesOf),
    orDash(opsPerSecMax, rateOf),
    orDash(networkBytes.in, bytesOf),
    orDash(networkBytes.out, bytesOf),
    hits === null ? '–' : shareOf(hits, hits + (misses ?? 0)),
    orDash(misses, formatCount),
    orDash(evicted, formatCount),
    orDash(expired, formatCount),
    lastForkUs === 0 ? 'none' : orDash(lastForkUs, timeOf),
  ];
}

function coresOf(cores: number | null): string {
  return orDash(cores, (value) => value.toFixed(2));
}

function orDash(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}
