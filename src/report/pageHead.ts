/** What a person reads first: verdict, the sentence, advice, key figures, thresholds. Called by page.ts; pure. */
import { formatCount } from '../base/units.js';
import type { RunData } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { durationOf, observedOf, percentOf, rateOf, timeOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';

const verdicts: Record<Summary['verdict'], { mark: string; text: string }> = {
  passed: { mark: '✓', text: 'Passed' },
  failed: { mark: '✗', text: 'Failed' },
  aborted: { mark: '■', text: 'Aborted' },
  interrupted: { mark: '■', text: 'Interrupted' },
};

export function headSection(data: RunData, summary: Summary): Html {
  const { run } = data;
  const verdict = verdicts[summary.verdict];
  return html`<header>
<p class="run"><span class="name">${run.plan.name}</span> <span class="sub">${startedText(run.startedAt)} · ${durationOf(summary.durationMs)} · ${targetText(data)}</span></p>
<h1><span class="badge ${summary.verdict}"><span aria-hidden="true">${verdict.mark}</span> ${verdict.text}</span><span class="sentence">${summary.sentence}.</span></h1>
${summary.advice === null ? '' : adviceParagraph(summary.advice)}
${banners(data, summary)}
${keyFigures(summary)}
</header>`;
}

/** `Try: <command>` at the end is set as something to copy. */
function adviceParagraph(advice: string): Html {
  const [, words, command] = /^(.*?)\s*\bTry: (kvbench .*)$/s.exec(advice) ?? [];
  if (words === undefined || command === undefined) return html`<p class="advice">${advice}</p>`;
  return html`<p class="advice">${words} Try:</p><pre class="command"><code>${command}</code></pre>`;
}

function banners({ truncated }: RunData, { generator, exitCode, verdict }: Summary): Html[] {
  const notes: Html[] = [];
  if (generator.saturated) {
    notes.push(
      html`<p class="banner bad" role="alert"><strong>The load generator was saturated.</strong> These figures are those of kvbench or of its machine, not of the store: ${generator.reasons.join('; ')}.</p>`,
    );
  }
  if (truncated) {
    notes.push(
      html`<p class="banner"><strong>The records stop in mid-run.</strong> kvbench was killed or its disk was full; what was written by then is shown.</p>`,
    );
  }
  if (verdict !== 'passed') notes.push(html`<p class="exit">Exit code ${exitCode}</p>`);
  return notes;
}

function keyFigures(summary: Summary): Html {
  const { ops, availability, latencyUs, throughputOpsPerSec } = summary;
  const notOk = ops.total - ops.ok;
  const rtos = [...summary.faults, ...summary.incidents].flatMap(({ rtoMs }) => (rtoMs === null ? [] : [rtoMs]));
  const gap = availability.gaps.filter(({ shard }) => shard === 'any').reduce((longest, { durationMs }) => Math.max(longest, durationMs), 0);
  const figures: [label: string, value: string, note: string][] = [
    ['Throughput', rateOf(throughputOpsPerSec), `${formatCount(ops.ok)} operations ok`],
    ['Response p99', timeOf(latencyUs.all?.p99), `median ${timeOf(latencyUs.all?.p50)}`],
    ['Availability', percentOf(availability.rate), notOk === 0 ? 'every operation ok' : `${formatCount(notOk)} not ok`],
    rtos.length > 0
      ? ['Recovery time', durationOf(Math.max(...rtos)), rtos.length === 1 ? 'RTO, from the injection' : `worst RTO of ${rtos.length}`]
      : ['Recovery time', '–', unrecoveredText(summary)],
    ['Longest gap', gap === 0 ? 'none' : durationOf(gap), gap === 0 ? 'every shard kept answering' : 'some shard answered nothing'],
  ];
  return html`<dl class="figures">${figures.map(([label, value, note]) => html`<div><dt>${label}</dt><dd><b>${value}</b><span>${note}</span></dd></div>`)}</dl>`;
}

function unrecoveredText({ faults, incidents, availability }: Summary): string {
  if (faults.length + incidents.length === 0) return 'nothing was broken';
  return availability.gaps.length === 0 ? 'nothing stopped answering' : 'clients did not recover within the run';
}

export function thresholdSection({ thresholds }: Summary): Html {
  if (thresholds.length === 0) return html`<section id="thresholds"><h2>Thresholds</h2><p class="none">The profile sets none.</p></section>`;
  const noted = thresholds.some(({ note }) => note !== undefined);
  const rows = thresholds.map((threshold): HtmlValue[] => [
    html`${threshold.ok ? html`<span class="judged good">✓ holds</span>` : html`<span class="judged bad">✗ failed</span>`} <code>${threshold.metric}</code>`,
    html`<code>${threshold.expression}</code>`,
    observedOf(threshold),
    ...(noted ? [threshold.note ?? ''] : []),
  ]);
  const columns: Column[] = [
    { title: 'Metric' },
    { title: 'Wanted' },
    { title: 'Observed', numeric: true },
    ...(noted ? [{ title: 'Note', wrap: true }] : []),
  ];
  return html`<section id="thresholds"><h2>Thresholds</h2>${table(columns, rows)}</section>`;
}

function startedText(iso: string): Html {
  return html`<time datetime="${iso}">${iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>`;
}

function targetText({ run }: RunData): string {
  const { target, plan } = run;
  if (target === null) return plan.target.kind === 'lab' ? plan.target.topology : 'external';
  const masters = target.nodes.filter(({ role }) => role === 'master').length;
  const sentinels = target.nodes.filter(({ role }) => role === 'sentinel').length;
  const servers = target.nodes.length - sentinels;
  const size = servers === 1 ? '' : ` of ${masters} + ${servers - masters}${sentinels > 0 ? `, ${sentinels} sentinels` : ''}`;
  return `${target.topology}${size}, ${target.server} ${target.version}`;
}

/** For the title of the window. */
export function titleOf({ run }: RunData, summary: Summary): string {
  return `${verdicts[summary.verdict].mark} ${run.plan.name} · kvbench`;
}
