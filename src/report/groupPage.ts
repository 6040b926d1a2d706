/** report.html of a group of runs: one self-contained file without script. Called by writeGroupReport.ts; pure. */
import { kvbenchVersion } from '../base/packageRoot.js';
import { formatCount } from '../base/units.js';
import type { GroupRunSummary, RunsGroupRecord, RunsGroupSummary, VariantSummary } from '../result/runsGroup.js';
import { groupDrawing } from './groupDrawing.js';
import { groupSvg, plotStyle } from './groupSvg.js';
import { groupMeasures, outcomeMarks, runMarks, spreadText } from './groupText.js';
import { bytesOf, durationOf, percentOf, rateOf, spaced, timeOf } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, raw, table } from './pageHtml.js';
import { pageStyle } from './pageStyle.js';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const verdicts = {
  passed: { mark: '✓', text: 'Passed' },
  failed: { mark: '✗', text: 'Failed' },
  interrupted: { mark: '■', text: 'Interrupted' },
} as const;

/** The whole page. The same input gives the same text. */
export function renderGroupPage(group: RunsGroupRecord, summary: RunsGroupSummary): string {
  const verdict = verdicts[summary.verdict];
  const count = summary.kind === 'repeat' ? '' : `${summary.variants.length} variants, `;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="kvbench ${kvbenchVersion}">
<title>${verdict.mark} ${group.name} · kvbench</title>
<link rel="icon" href="data:,">
<style>${raw(pageStyle)}${raw(plotStyle)}</style>
</head>
<body>
<main>
<header>
<p class="run"><span class="name">${group.name}</span> <span class="sub"><time datetime="${group.startedAt}">${group.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time> · ${count}${summary.runs.length} of ${summary.plannedRuns} runs</span></p>
<h1><span class="badge ${summary.verdict}"><span aria-hidden="true">${verdict.mark}</span> ${verdict.text}</span><span class="sentence">${summary.sentence}.</span></h1>
${banners(summary)}
</header>
${decisionSection(group, summary)}
${variantSection(summary)}
<section id="plots"><h2>Each run</h2>
<p class="note">A dot is a run (red: a threshold failed in it), the bar goes from the least to the greatest, the tick and the figure are the median.</p>
${groupSvg(groupDrawing(summary))}</section>
${runSection(summary)}
${differences(group)}
${metadata(group, summary)}
</main>
<footer class="page-foot">kvbench ${kvbenchVersion}. Each run has a report of its own in its folder.</footer>
</body>
</html>
`.text;
}

function banners({ variants, verdict, exitCode, repeat }: RunsGroupSummary): Html[] {
  const notes: Html[] = [];
  const saturated = variants
    .filter((variant) => variant.saturatedRuns > 0)
    .map((variant) => `${variant.name} (${variant.saturatedRuns} of ${variant.runs} runs)`);
  if (saturated.length > 0) {
    notes.push(
      html`<p class="banner bad" role="alert"><strong>The generator was saturated</strong> in ${saturated.join(', ')}: these figures say nothing about the server.</p>`,
    );
  }
  if (repeat === 1 && variants.length > 1) {
    notes.push(
      html`<p class="banner"><strong>One run of each.</strong> How much runs of the same thing differ cannot be seen; <code>--repeat 3</code> and more shows it.</p>`,
    );
  }
  if (verdict !== 'passed') notes.push(html`<p class="exit">Exit code ${exitCode}</p>`);
  return notes;
}

/** What was asked of base and candidate, each look at it, and what the last one says. */
function decisionSection({ ab }: RunsGroupRecord, { decision }: RunsGroupSummary): Html {
  if (ab === undefined) return html``;
  if (decision === undefined || decision === null)
    return html`<section id="decision"><h2>Decision</h2><p class="none">No pair is whole.</p></section>`;
  const looks = { pass: 'good', fail: 'bad', inconclusive: 'changed' } as const;
  const columns: Column[] = [
    { title: 'Rule' },
    { title: 'Base', numeric: true },
    { title: 'Candidate', numeric: true },
    { title: 'Change', numeric: true },
    { title: 'Interval' },
    { title: 'Outcome' },
    { title: 'Why', wrap: true },
  ];
  const rows = decision.rules.map((rule): HtmlValue[] => [
    html`<code>${rule.rule}</code>`,
    rule.base,
    rule.candidate,
    rule.change,
    rule.interval,
    html`<span class="judged ${looks[rule.outcome]}">${outcomeMarks[rule.outcome]} ${rule.outcome}</span>`,
    rule.reason,
  ]);
  const ends = { decided: 'It was decided.', pairs: 'All pairs were played.', budget: 'The next pair would have gone over the time.' };
  const end = ab.endedBy === null ? 'It was ended before it was decided.' : ends[ab.endedBy];
  const lookRows = ab.looks.map((look): HtmlValue[] => [look.pairs, `p ≤ ${look.level.toFixed(4)}`, look.outcome]);
  const lookTable =
    lookRows.length === 0
      ? html``
      : html`<details><summary>Each look</summary>${table([{ title: 'Pairs', numeric: true }, { title: 'Decides at' }, { title: 'Outcome' }], lookRows)}</details>`;
  return html`<section id="decision"><h2>Decision</h2>
<p class="note">${end} ${decision.pairs} of at most ${ab.maxPairs} pairs; this look decides at p ≤ ${decision.level.toFixed(4)}, so that all looks together are wrong in at most ${percentOf(1 - ab.confidence)}. <a href="comparison.html">Both sides over time, and every figure</a></p>
${decision.warnings.map((text) => html`<p class="banner">${text}</p>`)}
${table(columns, rows)}${lookTable}</section>`;
}

/** More are rows of a table that scrolls. */
const MOST_SIDE_BY_SIDE = 5;

function variantSection({ variants, kind }: RunsGroupSummary): Html {
  const columns: Column[] = [
    { title: kind === 'repeat' ? 'Profile' : 'Variant' },
    { title: 'Runs', numeric: true },
    ...groupMeasures.map((measure): Column => ({ title: heading(measure.title), numeric: true, hint: measure.note })),
    { title: 'Detection', numeric: true, hint: 'from the injection until the nodes agreed that the node is gone' },
    { title: 'Election', numeric: true, hint: 'from then to the promotion of a replica' },
    { title: 'Client', numeric: true, hint: 'from then until clients were answered again' },
    { title: 'Available', numeric: true },
  ];
  const used = columns.map((_, i) => i < 2 || variants.some((variant) => cellsOf(variant)[i] !== '–'));
  const keep = <T>(row: readonly T[]): T[] => row.filter((_, i) => used[i]);
  return html`<section id="variants"><h2>${kind === 'repeat' ? 'Over the runs' : 'Variants'}</h2>
<p class="note">Medians over the runs that came to their end, with the least and the greatest; response times from the intended start. ${variants.every((variant) => variant.lostWrites === null) ? 'Lost writes were not checked.' : ''}</p>
${
  variants.length <= MOST_SIDE_BY_SIDE
    ? sideBySide(keep(columns), variants, keep)
    : table(
        keep(columns),
        variants.map((variant) => keep(cellsOf(variant))),
      )
}</section>`;
}

/** A figure a row, a variant a column: a dozen figures are wider than a screen. */
function sideBySide(
  columns: readonly Column[],
  variants: readonly VariantSummary[],
  keep: (row: readonly HtmlValue[]) => readonly HtmlValue[],
): Html {
  const cells = variants.map((variant) => keep(cellsOf(variant)));
  const rows = columns
    .slice(1)
    .map(({ title, hint }, i): HtmlValue[] => [
      hint === undefined ? title : html`<span title="${hint}">${title}</span>`,
      ...cells.map((of) => of[i + 1]),
    ]);
  return table([{ title: columns[0]?.title }, ...cells.map((of): Column => ({ title: of[0], numeric: true }))], rows);
}

function cellsOf(variant: VariantSummary): HtmlValue[] {
  const part = (spread: VariantSummary['detectionMs']): HtmlValue => spreadCell(spread, (ms) => durationOf(ms));
  return [
    variant.name,
    variant.failedRuns === 0 ? variant.runs : html`${variant.runs} <span class="bad">(${variant.failedRuns} failed)</span>`,
    ...groupMeasures.map((measure): HtmlValue => {
      const spread = measure.spread(variant);
      return spread === null && measure.title === 'lost writes' ? html`<span class="sub">not checked</span>` : spreadCell(spread, measure.text);
    }),
    part(variant.detectionMs),
    part(variant.electionMs),
    part(variant.clientMs),
    variant.availability === null ? '–' : percentOf(variant.availability.median),
  ];
}

function spreadCell(spread: VariantSummary['rtoMs'], text: (value: number) => string): HtmlValue {
  if (spread === null) return '–';
  const range = spaced(spreadText(spread, text));
  const middle = spaced(text(spread.median));
  return range === middle ? middle : html`<b>${middle}</b> <span class="sub">${range.slice(middle.length).trim()}</span>`;
}

function heading(title: string): string {
  return title.charAt(0).toUpperCase() + title.slice(1);
}

function runSection({ runs, kind }: RunsGroupSummary): Html {
  if (runs.length === 0) return html`<section id="runs"><h2>Runs</h2><p class="none">None began.</p></section>`;
  const columns: Column[] = [
    { title: 'Run' },
    ...(kind === 'repeat' ? [] : [{ title: 'Variant' }]),
    { title: 'Round', numeric: true },
    { title: 'Answered ok', numeric: true },
    { title: 'p50', numeric: true },
    { title: 'p99', numeric: true },
    { title: 'p99.9', numeric: true },
    { title: 'Longest gap', numeric: true },
    { title: 'Not ok', numeric: true },
    { title: 'Available', numeric: true },
    { title: 'Verdict' },
    { title: 'What happened', wrap: true },
  ];
  const rows = runs.map((run): HtmlValue[] => [
    html`<a href="${run.run}/report.html">${run.number}</a>`,
    ...(kind === 'repeat' ? [] : [run.variant]),
    run.round,
    rateOf(run.throughputOpsPerSec),
    timeOf(run.latencyUs?.p50),
    timeOf(run.latencyUs?.p99),
    timeOf(run.latencyUs?.p999),
    run.longestGapMs === 0 ? 'none' : durationOf(run.longestGapMs),
    formatCount(run.errors),
    percentOf(run.availability),
    verdictCell(run),
    run.sentence,
  ]);
  return html`<section id="runs"><h2>Runs, in the order they were played</h2>${table(columns, rows)}</section>`;
}

function verdictCell({ verdict, saturated }: GroupRunSummary): Html {
  const looks = verdict === 'passed' ? 'good' : verdict === 'interrupted' ? 'changed' : 'bad';
  return html`<span class="judged ${looks}">${runMarks[verdict]} ${verdict}</span>${saturated ? html` <span class="bad">saturated</span>` : ''}`;
}

function differences({ variants, kind }: RunsGroupRecord): Html {
  if (kind === 'repeat') return html``;
  const rows = variants.map(({ name, description, changes }): HtmlValue[] => [
    name,
    description,
    changes.length === 0
      ? 'the profile as it is'
      : changes.map(({ path, value }, i) => html`${i === 0 ? '' : html`<br>`}<code>${path} = ${value}</code>`),
  ]);
  const columns: Column[] = [{ title: 'Variant' }, { title: 'What it is', wrap: true }, { title: 'Different from the profile', wrap: true }];
  return html`<section id="differences"><h2>How they differ</h2>${table(columns, rows)}</section>`;
}

function metadata(
  { id, description, startedAt, argv, machine, kvbenchVersion: version, variants, formatVersion }: RunsGroupRecord,
  summary: RunsGroupSummary,
): Html {
  const rows: [string, HtmlValue][] = [
    ['group', id],
    ['started', startedAt],
    ['command line', html`<code>kvbench ${argv.join(' ')}</code>`],
    ['seed', html`<code>${summary.seed}</code>, the same for all runs`],
    ['order', 'alternating; drawn from the seed and turned by one place each round; a target brought up afresh for each run'],
    ['kvbench', version],
    ['machine', `${machine.cpus} × ${machine.cpuModel}, ${bytesOf(machine.memoryBytes)}, ${machine.platform}, Node.js ${machine.node}`],
    ['verdict', `${summary.verdict}, exit code ${summary.exitCode}`],
    ['result format', `version ${formatVersion}`],
  ];
  return html`<section id="profile"><h2>Profile</h2>${description === '' ? '' : html`<p>${description}</p>`}<details><summary>As it was resolved, by variant</summary><pre class="json" tabindex="0"><code>${JSON.stringify(Object.fromEntries(variants.map(({ name, plan }) => [name, plan])), null, 2)}</code></pre></details></section>
<section id="metadata"><h2>This group</h2><dl class="metadata">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}
