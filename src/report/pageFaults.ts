/** What broke and what it did: faults, incidents, gaps, windows. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import { inOrder } from '../plan/operations.js';
import type { RunData } from '../result/readRun.js';
import type { FaultSummary, Gap, Summary } from '../result/summary.js';
import { sidesText } from './groupSeries.js';
import { atOf, deltaOf, durationOf, missing, operationTitle, shareOf, targetsOf, timeOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';
import { sentinelLabels } from './terminalOutages.js';

type TimeKey = Extract<keyof FaultSummary, `${string}Ms`>;
const milestones: readonly [label: string, key: TimeKey, hint: string][] = [
  ['planned', 'plannedAtMs', 'when the profile wanted it'],
  ['injected', 'injectedAtMs', 'confirmed; the start of all the times below'],
  ['process gone', 'processGoneMs', 'the server process has ended'],
  ['first error', 'firstErrorMs', 'first failed attempt, close or overdue operation on the hit shard'],
  ['detected', 'detectedMs', 'the nodes agreed that the master has failed'],
  ['promoted', 'promotedMs', 'a replica took over'],
  ['client recovered', 'clientRecoveredMs', 'the success that ended the last gap of this fault'],
  ['p99 recovered', 'p99RecoveredMs', 'start of the first second whose p99 is near that of before'],
  ['healed', 'healedAtMs', 'the fault was undone'],
  ['redundancy restored', 'redundancyRestoredMs', 'as many replicas in sync as before, by acknowledged offset'],
];

const MISSING_NOTE = '– did not happen, or cannot be seen.';

export function faultSections({ run }: RunData, { faults, incidents, healing }: Summary): Html {
  const selector = new Map(run.plan.chaos.map((fault) => [fault.id, fault.selector?.text]));
  return html`<section id="faults"><h2>Faults</h2>${
    faults.length === 0
      ? html`<p class="none">The profile injects none.</p>`
      : html`<div class="cards">${faults.map((fault) => faultCard(`Fault ${fault.id}: ${fault.kind}`, fault, selector.get(fault.id), 'injection'))}</div><p class="note">${MISSING_NOTE}</p>`
  }${healing ? healingNote(healing) : ''}</section>
<section id="incidents"><h2>Incidents <span class="sub">outages that nobody scheduled</span></h2>${
    incidents.length === 0
      ? html`<p class="none">None was seen.</p>`
      : html`<div class="cards">${incidents.map((incident) => faultCard(`Incident ${incident.id}: ${incident.kind}`, incident, undefined, 'its start'))}</div><p class="note">${MISSING_NOTE}</p>`
  }</section>`;
}

function healingNote({ whole, holds, missing: left }: NonNullable<Summary['healing']>): Html {
  if (whole) return html`<p class="note">After healing: ${holds.join(', ')}.</p>`;
  return html`<p class="message">Not whole after healing: ${left.join('; ')}.</p>`;
}

function faultCard(title: string, fault: FaultSummary, selector: string | undefined, origin: string): Html {
  const startMs = fault.injectedAtMs;
  const { sentinel } = fault;
  const steps = sentinel === undefined ? [] : sentinelLabels.map(([label, key, hint]) => ({ label, hint, atMs: sentinel[key], isOrigin: false }));
  const own = milestones.map(([label, key, hint]) => ({ label, hint, atMs: fault[key], isOrigin: key === 'injectedAtMs' }));
  const at = own.findIndex(({ label }) => label === 'detected') + 1;
  const rows = [...own.slice(0, at), ...steps, ...own.slice(at)].map(({ label, hint, atMs, isOrigin }): HtmlValue[] => {
    const delta = atMs === null || startMs === null || isOrigin ? '' : deltaOf(atMs - startMs);
    const name = html`<span title="${hint}">${label}</span>`;
    return [name, atMs === null ? missing() : atOf(atMs), atMs === null ? missing() : delta];
  });
  const on = fault.targets.length > 0 ? ` on ${targetsOf(fault.targets)}` : '';
  const columns: Column[] = [{ title: 'Milestone' }, { title: 'Since t0', numeric: true }, { title: `Since ${origin}`, numeric: true }];
  return html`<article class="card"><h3>${title}${on}</h3>
<p class="sub">${fault.status}${selector === undefined ? '' : html` · aimed at <q>${selector}</q>`}${fault.rtoMs === null ? '' : html` · <b>RTO ${durationOf(fault.rtoMs)}</b>`}</p>
${fault.sides ? html`<p class="sub">${fault.kind === 'one-way' ? 'does not reach' : 'cut apart'}: <b>${sidesText(fault.kind, fault.sides)}</b></p>` : ''}
${fault.message === null ? '' : html`<p class="message">${fault.message}</p>`}
${table(columns, rows)}</article>`;
}

export function gapSection({ availability, faults, incidents }: Summary): Html {
  const { gaps, resolutionMs } = availability;
  const note = `A shard was asked and answered nothing. Resolution ${durationOf(resolutionMs)}; any: at least one shard; all: every shard at once.`;
  if (gaps.length === 0) {
    return html`<section id="gaps"><h2>Gaps</h2><p class="none">None: every shard that was asked kept answering.</p></section>`;
  }
  const longestMs = Math.max(...gaps.map(({ durationMs }) => durationMs));
  const columns: Column[] = [
    { title: 'Shard' },
    { title: 'Kind' },
    { title: 'Start', numeric: true },
    { title: 'End', numeric: true },
    { title: 'Duration', numeric: true },
    { title: html`<span class="visually-hidden">Duration drawn</span>` },
    { title: 'Cause' },
    { title: 'Collateral', hint: 'the fault hit another shard' },
  ];
  const rows = gaps.map((gap): HtmlValue[] => [
    gap.shard,
    gap.kind,
    atOf(gap.startMs),
    atOf(gap.endMs),
    durationOf(gap.durationMs),
    html`<meter class="bar" min="0" max="${longestMs}" value="${gap.durationMs}" aria-hidden="true"></meter>`,
    causeOf(gap, faults, incidents),
    gap.collateral ? 'yes' : 'no',
  ]);
  return html`<section id="gaps"><h2>Gaps</h2><p class="note">${note}</p>${table(columns, rows)}</section>`;
}

function causeOf(gap: Gap, faults: readonly FaultSummary[], incidents: readonly FaultSummary[]): string {
  if (gap.faultId !== null) {
    const kind = faults.find(({ id }) => id === gap.faultId)?.kind;
    return `fault ${gap.faultId}${kind === undefined ? '' : ` (${kind})`}`;
  }
  const incident = incidents.find(
    ({ injectedAtMs, clientRecoveredMs, targets }) =>
      injectedAtMs !== null &&
      injectedAtMs < gap.endMs &&
      (clientRecoveredMs ?? Number.POSITIVE_INFINITY) >= gap.startMs &&
      (typeof gap.shard !== 'number' || targets.some(({ shard }) => shard === gap.shard)),
  );
  return incident === undefined ? 'no fault' : `incident ${incident.id} (${incident.kind})`;
}

export function windowSection({ windows, faults }: Summary): Html {
  if (windows.length === 0) return html``;
  const asked = ['all', ...inOrder(windows.flatMap(({ latencyUs }) => Object.keys(latencyUs)))];
  const shown = asked.length === 2 ? asked.slice(1) : asked;
  const columns: Column[] = [
    { title: 'Window' },
    { title: 'Fault' },
    { title: 'Start', numeric: true },
    { title: 'End', numeric: true },
    { title: 'Operations', numeric: true },
    { title: 'ok', numeric: true },
    ...shown.flatMap((): Column[] => [
      { title: 'p50', numeric: true },
      { title: 'p99', numeric: true },
    ]),
  ];
  const rows = windows.map(({ name, faultId, startMs, endMs, ops, latencyUs }): HtmlValue[] => [
    name,
    faultId === null ? '–' : `${faultId} (${faults.find(({ id }) => id === faultId)?.kind ?? '?'})`,
    atOf(startMs),
    atOf(endMs),
    formatCount(ops.planned ?? ops.total),
    shareOf(ops.ok, ops.planned ?? ops.total),
    ...shown.flatMap((op) => [timeOf(latencyUs[op]?.p50), timeOf(latencyUs[op]?.p99)]),
  ]);
  const groups = html`<tr><td colspan="6"></td>${shown.map((op) => html`<th scope="colgroup" colspan="2" class="colgroup">${operationTitle(op)}</th>`)}</tr>`;
  return html`<section id="windows"><h2>Before, during and after</h2><p class="note">Response times of the operations that were due in each window.</p>${table(columns, rows, { groups })}</section>`;
}
