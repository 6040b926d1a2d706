/** report.html of a search for the capacity: one self-contained file without script. Called by writeCapacityReport.ts; pure. */
import { kvbenchVersion } from '../base/packageRoot.js';
import { formatCount } from '../base/units.js';
import type { CapacityPlan } from '../plan/plan.js';
import type { CapacityGroupRecord, CapacitySummary, TrialSummary } from '../result/group.js';
import { capacityCurve } from './capacityCurve.js';
import { capacitySvg, curveStyle } from './capacitySvg.js';
import { byRate, purposeTexts } from './capacityText.js';
import { bytesOf, percentOf, rateOf, timeOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, raw, table } from './pageHtml.js';
import { pageStyle } from './pageStyle.js';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const verdicts = {
  passed: { mark: '✓', text: 'Found' },
  failed: { mark: '✗', text: 'Not found' },
  interrupted: { mark: '■', text: 'Interrupted' },
} as const;

/** The whole page. The same input gives the same text. */
export function renderCapacityPage(group: CapacityGroupRecord, capacity: CapacityPlan, summary: CapacitySummary): string {
  const verdict = verdicts[summary.verdict];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="kvbench ${kvbenchVersion}">
<title>${verdict.mark} ${group.name} · kvbench</title>
<link rel="icon" href="data:,">
<style>${raw(pageStyle)}${raw(curveStyle)}</style>
</head>
<body>
<main>
<header>
<p class="run"><span class="name">${group.name}</span> <span class="sub"><time datetime="${group.startedAt}">${group.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time> · ${summary.trials.length} trials · ${targetText(group)}</span></p>
<h1><span class="badge ${summary.verdict}"><span aria-hidden="true">${verdict.mark}</span> ${verdict.text}</span><span class="sentence">${summary.sentence}.</span></h1>
${advice(summary)}
${banners(summary)}
${figures(summary)}
</header>
<section id="curve"><h2>Response time against rate</h2>
<p class="note">Each point is a trial, from the intended start of its operations; hollow ones did not hold. The lines go through the median of each rate.</p>
${capacitySvg(capacityCurve(capacity, summary))}</section>
${trialSection(summary)}
${objectiveSection(capacity)}
${metadata(group, summary)}
</main>
<footer class="page-foot">kvbench ${kvbenchVersion}. Each trial is a run of its own, with its report in its folder.</footer>
</body>
</html>
`.text;
}

function advice({ advice: text }: CapacitySummary): Html {
  if (text === null) return html``;
  const [, words, command] = /^(.*?)\s*\bTry: (kvbench .*)$/s.exec(text) ?? [];
  if (command === undefined) return html`<p class="advice">${text}</p>`;
  return html`<p class="advice">${words} Try:</p><pre class="command"><code>${command}</code></pre>`;
}

function banners({ capacity, verdict, exitCode, trials }: CapacitySummary): Html[] {
  const notes: Html[] = [];
  const limited = trials.filter((trial) => trial.verdict === 'generator').length;
  if (capacity.limitedBy === 'generator') {
    notes.push(
      html`<p class="banner bad" role="alert"><strong>The generator was the limit, not the server.</strong> What held is the least that the server can do; it may be far more.</p>`,
    );
  } else if (limited > 0) {
    notes.push(html`<p class="banner">In ${limited} of the trials the generator was the limit; a lower rate failed by the server’s own doing.</p>`);
  }
  if (capacity.rateOpsPerSec !== null && !capacity.confirmed) {
    notes.push(html`<p class="banner"><strong>Not confirmed.</strong> The search did not come to its end.</p>`);
  }
  if (verdict !== 'passed') notes.push(html`<p class="exit">Exit code ${exitCode}</p>`);
  return notes;
}

function figures({ capacity, trials }: CapacitySummary): Html {
  const { rateOpsPerSec, bracket } = capacity;
  const at = (rate: number | null): TrialSummary | undefined => trials.findLast((trial) => trial.rateOpsPerSec === rate);
  const best = at(rateOpsPerSec);
  const least = capacity.limitedBy === 'server' ? '' : 'at least ';
  const entries: [label: string, value: string, note: string][] = [
    [
      'Capacity',
      rateOpsPerSec === null ? '–' : `${least}${rateOf(rateOpsPerSec)}`,
      rateOpsPerSec === null ? 'no rate holds' : capacity.confirmed ? 'confirmed' : 'not confirmed',
    ],
    [
      'Does not hold at',
      bracket.failsOpsPerSec === null ? '–' : rateOf(bracket.failsOpsPerSec),
      `limited by the ${capacity.limitedBy === 'range' ? 'range of rates' : capacity.limitedBy}`,
    ],
    ['Response p99 there', timeOf(best?.latencyUs?.p99), `median ${timeOf(best?.latencyUs?.p50)}, p99.9 ${timeOf(best?.latencyUs?.p999)}`],
    ['Trials', formatCount(trials.length), `${trials.filter(({ verdict }) => verdict === 'holds').length} held`],
  ];
  return html`<dl class="figures">${entries.map(([label, value, note]) => html`<div><dt>${label}</dt><dd><b>${value}</b><span>${note}</span></dd></div>`)}</dl>`;
}

function trialSection({ trials, capacity }: CapacitySummary): Html {
  if (trials.length === 0) return html`<section id="trials"><h2>Trials</h2><p class="none">None came to its end.</p></section>`;
  const columns: Column[] = [
    { title: 'Rate', numeric: true },
    { title: 'Answered ok', numeric: true },
    { title: 'p50', numeric: true },
    { title: 'p99', numeric: true },
    { title: 'p99.9', numeric: true },
    { title: 'Available', numeric: true },
    { title: 'Dropped', numeric: true },
    { title: 'Dispatch lag p99', numeric: true, hint: 'how late the generator itself was' },
    { title: 'Verdict' },
    { title: 'Why', wrap: true },
    { title: 'Trial', numeric: true },
  ];
  const rows = byRate(trials).map((trial): HtmlValue[] => {
    const found = trial.rateOpsPerSec === capacity.rateOpsPerSec;
    return [
      found ? html`<strong>${rateOf(trial.rateOpsPerSec)}</strong>` : rateOf(trial.rateOpsPerSec),
      rateOf(trial.throughputOpsPerSec),
      timeOf(trial.latencyUs?.p50),
      timeOf(trial.latencyUs?.p99),
      timeOf(trial.latencyUs?.p999),
      percentOf(trial.availability),
      formatCount(trial.dropped),
      timeOf(trial.dispatchLagP99Us),
      verdictCell(trial),
      trial.reasons.join('; '),
      html`<a href="${trial.run}/report.html" title="${purposeTexts[trial.purpose]}">${trial.number}</a>`,
    ];
  });
  return html`<section id="trials"><h2>Trials</h2>${table(columns, rows)}</section>`;
}

function verdictCell({ verdict }: TrialSummary): Html {
  if (verdict === 'holds') return html`<span class="judged good">✓ holds</span>`;
  return verdict === 'fails' ? html`<span class="judged bad">✗ fails</span>` : html`<span class="judged changed">! generator</span>`;
}

function objectiveSection({ objective, precision, confirm }: CapacityPlan): Html {
  const rows = [
    ...objective.map(({ metric, expression }): HtmlValue[] => [html`<code>${metric}</code>`, html`<code>${expression}</code>`]),
    [html`<code>availability</code>`, html`<code>rate&gt;=99.9%</code> <span class="sub">always</span>`],
    ['operations dropped', html`none <span class="sub">always</span>`],
  ];
  return html`<section id="objective"><h2>Objective</h2><p class="note">Rates are doubled until one fails twice, then what is left is halved to ${percentOf(precision).replace('.00', '')}; the rate found has to hold ${confirm === 1 ? 'once more' : `${confirm} times more`}, and the rate above it gets a second look.</p>${table([{ title: 'Metric' }, { title: 'Wanted' }], rows)}</section>`;
}

function targetText({ target }: CapacityGroupRecord): string {
  return target === null ? 'unknown target' : `${target.topology}, ${target.server} ${target.version}`;
}

function metadata(
  { id, startedAt, argv, plan, machine, kvbenchVersion: version, target, formatVersion }: CapacityGroupRecord,
  summary: CapacitySummary,
): Html {
  const rows: [string, HtmlValue][] = [
    ['group', id],
    ['started', startedAt],
    ['command line', html`<code>kvbench ${argv.join(' ')}</code>`],
    ['seed', html`<code>${summary.seed}</code>`],
    [
      'load',
      `${plan.load.client}, ${plan.load.threads} threads, ${plan.load.connections} connections each per shard, workload ${plan.load.workload.name}`,
    ],
    ['kvbench', version],
    ['server', target === null ? 'unknown' : `${target.server} ${target.version}, ${target.topology}`],
    ['machine', `${machine.cpus} × ${machine.cpuModel}, ${bytesOf(machine.memoryBytes)}, ${machine.platform}, Node.js ${machine.node}`],
    ['verdict', `${summary.verdict}, exit code ${summary.exitCode}`],
    ['result format', `version ${formatVersion}`],
  ];
  return html`<section id="profile"><h2>Profile</h2>${plan.description === '' ? '' : html`<p>${plan.description}</p>`}<details><summary>As it was resolved</summary><pre class="json" tabindex="0"><code>${JSON.stringify(plan, null, 2)}</code></pre></details></section>
<section id="metadata"><h2>This search</h2><dl class="metadata">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}
