/** What a person reads first of a comparison, and what was compared. Called by comparisonPage.ts; pure. */
import type { ComparedRun, ComparedSide, Comparison, ComparisonRow } from '../compare/comparison.js';
import { isChange, isHeadline } from '../compare/rowOrder.js';
import { changeText, intervalText, valueText } from '../compare/rowText.js';
import { verdictCell } from './comparisonRows.js';
import { durationOf, spaced } from './pageFormat.js';
import { type Column, type Html, type HtmlValue, html, table } from './pageHtml.js';

export interface Verdict {
  mark: string;
  text: string;
  /** As in the style sheet; empty: neither good nor bad. */
  looks: 'passed' | 'failed' | '';
}

/** Of the gate; without one, of the figures. */
export function verdictOf({ gate, rows }: Pick<Comparison, 'gate' | 'rows'>): Verdict {
  if (gate?.outcome === 'pass') return { mark: '✓', text: 'Passed', looks: 'passed' };
  if (gate?.outcome === 'fail') return { mark: '✗', text: 'Failed', looks: 'failed' };
  if (gate?.outcome === 'inconclusive') return { mark: '?', text: 'Undecided', looks: '' };
  const has = (verdict: ComparisonRow['verdict']): boolean => rows.some((row) => row.verdict === verdict);
  if (has('slower')) return has('faster') ? { mark: '▲▼', text: 'Mixed', looks: '' } : { mark: '▲', text: 'Worse', looks: 'failed' };
  if (has('faster')) return { mark: '▼', text: 'Better', looks: 'passed' };
  return has('inconclusive') || rows.length === 0 ? { mark: '?', text: 'Undecided', looks: '' } : { mark: '≈', text: 'Same', looks: 'passed' };
}

/** `95 %`, `98.8 %`. */
export function confidenceText(confidence: number): string {
  return `${Number((confidence * 100).toPrecision(3))} %`;
}

export function headSection(comparison: Comparison): Html {
  const { base, candidate, sentence, method, gate } = comparison;
  const verdict = verdictOf(comparison);
  return html`<header>
<p class="run"><span class="name">${candidate.label}</span> <span class="sub">against</span> <span class="name">${base.label}</span> <span class="sub">${runsText(candidate)} and ${runsText(base)} of ${profilesText(base, candidate)} · intervals of ${confidenceText(method.confidence)}</span></p>
<h1><span class="badge ${verdict.looks}"><span aria-hidden="true">${verdict.mark}</span> ${verdict.text}</span><span class="sentence">${/[.!?]$/.test(sentence) ? sentence : `${sentence}.`}</span></h1>
<p class="advice">${sureText(comparison)}</p>
${banners(comparison)}
${gate === null ? '' : html`<p class="exit">Exit code ${gate.exitCode}</p>`}
${keyFigures(comparison)}
</header>`;
}

/** How many figures the verdict rests on, and how sure each is. */
function sureText({ rows, method }: Comparison): string {
  const count = (verdict: ComparisonRow['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  const [slower, faster] = [count('slower'), count('faster')];
  const changed =
    slower + faster === 0 ? 'none changed' : `${slower} changed for the worse and ${faster} for the better, by more than chance explains`;
  return `Of ${rows.length} figures, ${changed}; ${count('~')} are the same within ±${Number((method.sameWithin * 100).toPrecision(3))} %, ${count('inconclusive')} cannot be told with these runs. Each is judged at ${confidenceText(method.confidence)}.`;
}

const bannerTitles: Readonly<Record<Comparison['warnings'][number]['kind'], string>> = {
  saturated: 'The load generator was saturated:',
  noisy: 'Noisy runs:',
  'not comparable': 'Different conditions:',
  'few runs': 'Few runs:',
  run: 'A run that is not whole:',
};

/** One for each kind, the worst first. */
function banners({ warnings }: Comparison): Html[] {
  const kinds = Object.keys(bannerTitles) as (keyof typeof bannerTitles)[];
  return kinds.flatMap((kind) => {
    const texts = warnings.filter((warning) => warning.kind === kind).map(({ text }) => text);
    if (texts.length === 0) return [];
    const bad = kind === 'saturated';
    return [
      html`<p class="banner${bad ? ' bad' : ''}"${bad ? html` role="alert"` : ''}><strong>${bannerTitles[kind]}</strong> ${texts.join('; ')}.</p>`,
    ];
  });
}

const keyRows: readonly [id: string, label: string][] = [
  ['throughput rate', 'Throughput'],
  ['latency p(50)', 'Response p50'],
  ['latency p(99)', 'Response p99'],
  ['availability rate', 'Availability'],
  ['gap{shard:any} max', 'Longest gap'],
  ['rto{fault:1} max', 'Recovery (RTO) of fault 1'],
  ['lost_writes count', 'Lost writes'],
];

function keyFigures({ rows }: Comparison): Html {
  const figures = keyRows.flatMap(([id, label]) => {
    const row = rows.find((one) => one.id === id);
    if (row === undefined || !isHeadline(row)) return [];
    const values = `${valueText(row.base.value, row.unit)} → ${valueText(row.candidate.value, row.unit)}`;
    const big = isChange(row) || row.verdict === '~' || row.interval !== null ? changeText(row) : '?';
    return [
      html`<div><dt>${label} ${verdictCell(row)}</dt><dd><b>${spaced(big)}</b><span>${spaced(values)}${row.interval === null ? '' : html`<br>${spaced(intervalText(row))}`}</span></dd></div>`,
    ];
  });
  return figures.length === 0 ? html`` : html`<dl class="figures">${figures}</dl>`;
}

/** @param reports by folder of a run, where its own page is, seen from this one */
export function comparedSection({ base, candidate, comparable, noiseFloor }: Comparison, reports: ReadonlyMap<string, string>): Html {
  const sides: readonly [ComparedSide, ComparedSide] = [base, candidate];
  const line = (title: string, value: (side: ComparedSide) => HtmlValue): HtmlValue[] => [title, ...sides.map(value)];
  const fingerprint = (title: string, key: keyof ComparedRun['fingerprint'] & ('profile' | 'workload' | 'server' | 'machine')): HtmlValue[] => {
    const [before, after] = sides.map((side) => distinct(side, (run) => run.fingerprint[key])) as [string[], string[]];
    const same = before.join() === after.join();
    return [
      html`${title} fingerprint ${same ? '' : html`<span class="changed">differs</span>`}`,
      ...[before, after].map((values): HtmlValue => html`<code>${values.join(', ')}</code>`),
    ];
  };
  const rows = [
    line('Given as', ({ source }) => html`<code>${source}</code>`),
    line('Profile', ({ profile }) => profile),
    line('Runs', ({ runs }) => runs.length),
    line('Begun', ({ runs }) => [...new Set([runs[0]?.startedAt, runs.at(-1)?.startedAt].map(startText))].join(' to ')),
    line('Server', (side) => distinct(side, ({ server }) => server).join(', ')),
    line('kvbench', (side) => distinct(side, ({ kvbenchVersion }) => kvbenchVersion).join(', ')),
    fingerprint('Profile', 'profile'),
    fingerprint('Workload', 'workload'),
    fingerprint('Server', 'server'),
    fingerprint('Machine', 'machine'),
    line('Saturated generators', ({ runs }) => `${runs.filter(({ saturated }) => saturated).length} of ${runs.length}`),
  ];
  const columns: Column[] = [{ title: '' }, { title: `Base: ${base.label}`, wrap: true }, { title: `Candidate: ${candidate.label}`, wrap: true }];
  return html`<section id="compared"><h2>What was compared</h2>
<p class="note">What had to be the same: ${levelTexts[comparable.level]}.${noiseFloor === null ? '' : ` Single runs were judged by the noise floor of the baseline ${noiseFloor.name} (${noiseFloor.runs} runs).`}</p>
${table(columns, rows)}
${differences(comparable.differences)}
<details><summary>Every run</summary>${runTable(sides, reports)}</details></section>`;
}

const levelTexts: Readonly<Record<Comparison['comparable']['level'], string>> = {
  strict: 'everything (strict)',
  machine: 'load, faults and machine (machine)',
  profile: 'load and faults (profile)',
  any: 'nothing (any)',
};

function differences(list: Comparison['comparable']['differences']): Html {
  if (list.length === 0) return html`<p class="none">Plans and conditions are the same.</p>`;
  const columns: Column[] = [{ title: 'Different' }, { title: 'Area' }, { title: 'Base', wrap: true }, { title: 'Candidate', wrap: true }];
  return table(
    columns,
    list.map(({ area, what, base, candidate }): HtmlValue[] => [
      html`<code>${what}</code>`,
      area,
      html`<code>${base}</code>`,
      html`<code>${candidate}</code>`,
    ]),
    { caption: 'How they differ' },
  );
}

function runTable([base, candidate]: readonly [ComparedSide, ComparedSide], reports: ReadonlyMap<string, string>): Html {
  const columns: Column[] = [
    { title: 'Run' },
    { title: 'Side' },
    { title: 'Began' },
    { title: 'Lasted', numeric: true },
    { title: 'Seed', numeric: true },
    { title: 'Thresholds' },
    { title: 'Generator' },
  ];
  const rows = [['base', base] as const, ['candidate', candidate] as const].flatMap(([name, { runs }]) =>
    runs.map((run): HtmlValue[] => [
      runCell(run.dir, reports.get(run.dir)),
      name,
      startText(run.startedAt),
      durationOf(run.durationMs),
      run.seed,
      run.verdict,
      run.saturated ? html`<span class="bad">▲ saturated</span>` : 'fine',
    ]),
  );
  return table(columns, rows);
}

function runCell(dir: string, href: string | undefined): Html {
  return href === undefined ? html`<code>${dir}</code>` : html`<a href="${href}"><code>${dir}</code></a>`;
}

function distinct({ runs }: ComparedSide, of: (run: ComparedRun) => string): string[] {
  return [...new Set(runs.map(of))].sort();
}

function runsText({ runs }: ComparedSide): string {
  return `${runs.length} run${runs.length === 1 ? '' : 's'}`;
}

function profilesText(base: ComparedSide, candidate: ComparedSide): string {
  return [...new Set([base.profile, candidate.profile])].join(', ');
}

function startText(iso: string | undefined): string {
  return (iso ?? '–').replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
}
