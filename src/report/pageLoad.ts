/** What the load did and felt: phases, latency, outcomes, the generator's own health. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import { inOrder } from '../plan/operations.js';
import type { LatencyByOperation, LatencyStats, OperationCounts, Summary, WorkerSummary } from '../result/summary.js';
import { atOf, bytesOf, operationTitle, percentOf, rateOf, shareOf, timeOf } from './pageFormat.js';
import { type Column, groupedTable, type Html, type HtmlValue, html, table } from './pageHtml.js';

const statistics: readonly [title: string, key: Exclude<keyof LatencyStats, 'count'>][] = [
  ['min', 'min'],
  ['mean', 'mean'],
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['p99.9', 'p999'],
  ['max', 'max'],
];

export function latencySection({ latencyUs, serviceUs, queueUs, dispatchLagUs }: Summary): Html {
  const columns: Column[] = [
    { title: 'Operation' },
    ...statistics.map(([title]): Column => ({ title, numeric: true })),
    { title: 'count', numeric: true },
  ];
  const kinds: [string, string, LatencyByOperation][] = [
    ['Response', 'from the intended start to the reply: what a client feels', latencyUs],
    ['Service', 'from sending to the reply: what the store and the network took', serviceUs],
    ['Queue', 'waiting for a free connection', queueUs],
    ['Dispatch lag', 'how late the load generator itself was', dispatchLagUs],
  ];
  const groups = kinds.map(([name, meaning, stats]) => ({
    title: html`${name} <span class="sub">${meaning}</span>`,
    rows: latencyRows(stats),
  }));
  return html`<section id="latency"><h2>Latency</h2><p class="note">Of operations that were answered or whose end is unknown; quick errors are left out. Warm-up is not counted.</p>${groupedTable(columns, groups)}</section>`;
}

function latencyRows(stats: LatencyByOperation): HtmlValue[][] {
  const rows = [...inOrder(Object.keys(stats)), 'all'].flatMap((op): HtmlValue[][] => {
    const values = stats[op];
    if (values === undefined) return [];
    return [[operationTitle(op), ...statistics.map(([, key]) => timeOf(values[key])), formatCount(values.count)]];
  });
  return rows.length > 0 ? rows : [['–', ...statistics.map(() => '–'), '0']];
}

export function phaseSection({ phases }: Summary): Html {
  const columns: Column[] = [
    { title: 'Phase' },
    { title: 'Start', numeric: true },
    { title: 'End', numeric: true },
    { title: 'Planned', numeric: true },
    { title: 'Total', numeric: true },
    { title: 'ok', numeric: true },
    { title: 'Throughput', numeric: true },
    { title: 'p50', numeric: true },
    { title: 'p99', numeric: true },
    { title: 'max', numeric: true },
  ];
  const rows = phases.map(({ name, record, startMs, endMs, ops, throughputOpsPerSec, latencyUs }): HtmlValue[] => [
    html`${name}${record ? '' : html` <span class="sub">not counted</span>`}`,
    atOf(startMs),
    atOf(endMs),
    ops.planned === null ? 'closed loop' : formatCount(ops.planned),
    formatCount(ops.total),
    shareOf(ops.ok, ops.planned ?? ops.total),
    rateOf(throughputOpsPerSec),
    timeOf(latencyUs.all?.p50),
    timeOf(latencyUs.all?.p99),
    timeOf(latencyUs.all?.max),
  ]);
  return html`<section id="phases"><h2>Phases</h2>${table(columns, rows)}${littlesLaw(phases)}</section>`;
}

/** Only closed phases have something to check. */
function littlesLaw(phases: Summary['phases']): Html {
  const closed = phases.flatMap(({ name, littlesLaw: law }) => (law === null ? [] : [{ name, law }]));
  if (closed.length === 0) return html``;
  const rows = closed.map(({ name, law }): HtmlValue[] => [
    name,
    law.inFlightExpected.toFixed(1),
    law.inFlightMeasured.toFixed(1),
    law.inFlightExpected === 0 ? '–' : percentOf(law.inFlightMeasured / law.inFlightExpected - 1),
  ]);
  const columns: Column[] = [
    { title: 'Closed phase' },
    { title: 'clients × pipeline', numeric: true },
    { title: 'throughput × mean response', numeric: true },
    { title: 'difference', numeric: true },
  ];
  return table(columns, rows, { caption: 'Little’s law: both sides should agree, else something waited outside of what was measured.' });
}

const outcomeMeanings = [
  ['ok', 'answered'],
  ['fail', 'did not happen: an error reply, refused, or never sent'],
  ['info', 'sent, and nobody knows whether it happened'],
  ['dropped', 'queue full, or due and unsent at the end'],
] as const;

export function outcomeSection({ ops, warmUp }: Summary): Html {
  const hasWarmUp = warmUp.total > 0;
  const total = ops.planned ?? ops.total;
  const columns: Column[] = [
    { title: 'Outcome' },
    { title: 'Operations', numeric: true },
    { title: 'Share', numeric: true },
    ...(hasWarmUp ? [{ title: 'Warm-up', numeric: true }] : []),
    { title: 'Meaning', wrap: true },
  ];
  const rows: HtmlValue[][] = outcomeMeanings.map(([name, meaning]) => [
    name,
    formatCount(ops[name]),
    shareOf(ops[name], total),
    ...(hasWarmUp ? [formatCount(warmUp[name])] : []),
    meaning,
  ]);
  const last = ops.planned === null ? 'total' : 'planned';
  rows.push([last, formatCount(total), shareOf(total, total), ...(hasWarmUp ? [formatCount(warmUp.planned ?? warmUp.total)] : []), '']);
  return html`<section id="outcomes"><h2>Outcomes</h2><div class="pair">${table(columns, rows)}${reasonTable(ops)}</div></section>`;
}

function reasonTable({ byReason, total, ok }: OperationCounts): Html {
  const reasons = Object.entries(byReason).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return html`<p class="none">No operation ended otherwise than ok.</p>`;
  const rows = reasons.map(([reason, count]): HtmlValue[] => [reason, formatCount(count), shareOf(count, total - ok)]);
  return table([{ title: 'Reason' }, { title: 'Operations', numeric: true }, { title: 'Of all not ok', numeric: true }], rows);
}

export function generatorSection({ generator, client }: Summary): Html {
  const health = generator.saturated
    ? html`<p class="banner bad"><strong>✗ Saturated.</strong> ${generator.reasons.join('; ')}. Before believing any figure here, try ${(generator.remedies ?? ['more threads', 'a lower rate', 'a faster machine']).join('; or ')}.</p>`
    : html`<p class="good">✓ Not saturated: these figures are the store’s.</p>`;
  const rows: [string, string][] = [
    ['event-loop utilisation, highest second', percentOf(generator.eventLoopUtilization)],
    ['dispatch lag p99', timeOf(generator.dispatchLagP99Us)],
    ['event-loop delay p99', timeOf(generator.eventLoopDelayP99Us)],
    ['CPU time', timeOf(Math.round(generator.cpuSeconds * 1_000_000))],
    ['memory, highest', bytesOf(generator.rssBytesMax)],
  ];
  const counters: [string, string][] = [
    ['attempts', formatCount(client.attempts)],
    ['retries', formatCount(client.retries)],
    ['reconnects', formatCount(client.reconnects)],
    ['slot refreshes', formatCount(client.slotRefreshes)],
    ...(client.waits === undefined
      ? []
      : [
          ['writes confirmed by WAIT', formatCount(client.waits)] as [string, string],
          ['of these fell short', formatCount(client.waitShort ?? 0)] as [string, string],
        ]),
  ];
  const columns = (title: string): Column[] => [{ title }, { title: 'Value', numeric: true }];
  return html`<section id="generator"><h2>Load generator and client</h2>${health}<div class="pair">${table(columns('Generator'), rows)}${table(columns('Client'), counters)}</div>${workerTable(generator.workers ?? [])}</section>`;
}

function workerTable(workers: readonly WorkerSummary[]): Html {
  if (workers.length === 0) return html``;
  const columns: Column[] = [
    { title: 'Worker' },
    { title: 'Event loop busy', numeric: true, hint: 'its highest second' },
    { title: 'Event loop late', numeric: true, hint: 'p99 of its worst second' },
    { title: 'Dispatch lag', numeric: true, hint: 'p99 of its worst second' },
    { title: 'CPU time', numeric: true },
    { title: 'Collections', numeric: true, hint: 'garbage collections since t0' },
    { title: 'Pauses', numeric: true, hint: 'of all garbage collections' },
    { title: 'Worst second', numeric: true, hint: 'pauses of garbage collections in the worst second' },
  ];
  const rows = workers.map((worker): HtmlValue[] => [
    String(worker.worker),
    percentOf(worker.eventLoopUtilization),
    timeOf(worker.eventLoopDelayP99Us),
    timeOf(worker.dispatchLagP99Us),
    timeOf(Math.round(worker.cpuSeconds * 1_000_000)),
    worker.gcCount === null ? '–' : formatCount(worker.gcCount),
    timeOf(worker.gcPauseUs ?? undefined),
    timeOf(worker.gcPauseWorstSecondUs ?? undefined),
  ]);
  return table(columns, rows, { caption: 'Each load worker: a thread with an event loop, a heap and connections of its own.' });
}
