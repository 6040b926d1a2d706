/** The figures of a comparison and the rules of its gate, as tables. Called by comparisonPage.ts; pure. A verdict is a shape and a word, not only a colour. */
import { type Comparison, type ComparisonRow, type RuleResult, verdictWord } from '../compare/comparison.js';
import { pText } from '../compare/judge.js';
import { byImportance, byScope, isChange, ownName, scopeTags } from '../compare/rowOrder.js';
import { changeText, decidingP, intervalText, POINTS_NOTE, valueText } from '../compare/rowText.js';
import { moreRunsText, ruleMark } from '../compare/ruleText.js';
import { spaced } from './pageFormat.js';
import { type Column, groupedTable, type Html, type HtmlValue, html, table } from './pageHtml.js';

const FOREST_WIDTH = 120;
const FOREST_HEIGHT = 16;
/** The scale of the drawn intervals ends at the first of these that holds three in four of the changes that were told. */
const FOREST_LIMITS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10];

export const rowStyle = `
.forest { width: ${FOREST_WIDTH}px; height: ${FOREST_HEIGHT}px; display: block; }
.forest .zero { stroke: var(--strong); stroke-width: 1; } .forest .range { stroke: var(--soft); stroke-width: 3; } .forest .at { fill: var(--ink); }
.forest .slower { stroke: var(--bad); fill: var(--bad); } .forest .faster { stroke: var(--good); fill: var(--good); }
.verdict { white-space: nowrap; } .verdict .shape { display: inline-block; width: 1.3em; }
.verdict.slower, .verdict.fail { color: var(--bad); } .verdict.faster, .verdict.pass { color: var(--good); } .verdict.inconclusive { color: var(--warn); } .verdict.same { color: var(--soft); }
@media print { .forest { display: none; } #figures td, #rules td { white-space: normal; } }
`;

const shapes: Readonly<Record<ComparisonRow['verdict'], string>> = { faster: '▼', slower: '▲', '~': '≈', inconclusive: '?' };
const ruleWords: Readonly<Record<RuleResult['outcome'], string>> = { pass: 'held', fail: 'broken', inconclusive: 'undecided' };

export function rowSections(comparison: Comparison): Html {
  const { rows, method } = comparison;
  const changed = byImportance(rows.filter(isChange));
  const others = rows.filter((row) => !isChange(row));
  const limit = forestLimit(comparison);
  const legend = html`<p class="note">Change and its ${Number((method.confidence * 100).toPrecision(3))} % interval; drawn from −${percent(limit)} to +${percent(limit)} (what goes beyond ends at the edge). ▲ slower or worse, ▼ faster or better, ≈ nothing that matters (within ±${percent(method.sameWithin)}), ? these runs cannot tell. ${POINTS_NOTE}. Latency is response time, from the intended start; service is from sending to the reply.</p>`;
  const rest =
    others.length === 0
      ? ''
      : html`<details${changed.length === 0 ? html` open` : ''}><summary>${others.length} figures without a change that could be told</summary>${rowTable(others, limit)}</details>`;
  return html`<section id="figures"><h2>What changed</h2>${legend}
${changed.length === 0 ? html`<p class="none">No figure changed beyond chance.</p>` : rowTable(changed, limit)}
${rest}</section>`;
}

const rowColumns: Column[] = [
  { title: 'Figure' },
  { title: 'Base', numeric: true },
  { title: 'Candidate', numeric: true },
  { title: 'Change', numeric: true },
  { title: 'Interval', numeric: true },
  { title: html`<span class="visually-hidden">Drawn</span>` },
  { title: 'p', numeric: true, hint: 'how often chance alone would do as much' },
  { title: 'Verdict' },
];
const whyColumn: Column = { title: 'Why', wrap: true };

/** Where interval and p do not say it. */
function needsReason({ verdict, interval, pValue, decidedBy }: ComparisonRow): boolean {
  return interval === null || pValue === null || decidedBy === 'noise floor' || (verdict === '~' && pValue < 0.05);
}

/** All of the load first, then by phase, window and fault, in the order they come. */
function rowTable(rows: readonly ComparisonRow[], limit: number): Html {
  const hasReasons = rows.some(needsReason);
  return groupedTable(
    hasReasons ? [...rowColumns, whyColumn] : rowColumns,
    byScope(rows, scopeText).map(([title, members]) => ({ title, rows: members.map((row) => rowCells(row, limit, hasReasons)) })),
  );
}

function rowCells(row: ComparisonRow, limit: number, hasReasons: boolean): HtmlValue[] {
  const p = decidingP(row);
  return [
    html`<code>${ownName(row)}</code>`,
    spaced(valueText(row.base.value, row.unit)),
    spaced(valueText(row.candidate.value, row.unit)),
    spaced(changeText(row)),
    spaced(intervalText(row)),
    forest(row, limit),
    p === null ? '–' : pText(p),
    verdictCell(row),
    ...(hasReasons ? [needsReason(row) ? row.reason : ''] : []),
  ];
}

/** The part of the run that a row is about. */
function scopeText(row: ComparisonRow): string {
  const texts = scopeTags(row);
  if (texts.length === 0) return 'All of the recorded load';
  return texts.map(([tag, value]) => (tag === 'during' ? `${windowTexts[value] ?? value}` : `${capital(tag)} ${value}`)).join(', ');
}

const windowTexts: Readonly<Record<string, string>> = {
  before: 'Before a fault',
  fault: 'During a fault, until its last gap ended',
  recovery: 'From then to full recovery',
  after: 'After the recovery',
};

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function verdictCell(row: ComparisonRow): Html {
  const looks = row.verdict === '~' ? 'same' : row.verdict;
  const word = row.verdict === '~' ? 'same' : verdictWord(row);
  return html`<span class="verdict ${looks}"><span class="shape" aria-hidden="true">${shapes[row.verdict]}</span>${word}</span>`;
}

export function ruleSection({ gate }: Comparison): Html | null {
  if (gate === null) return null;
  const columns: Column[] = [
    { title: 'Rule' },
    { title: 'Outcome' },
    { title: 'Base', numeric: true },
    { title: 'Candidate', numeric: true },
    { title: 'Change', numeric: true },
    { title: 'Interval', numeric: true },
    { title: 'p', numeric: true, hint: 'adjusted for the number of rules (Holm)' },
    { title: 'Why', wrap: true },
  ];
  const rows = gate.rules.map((result): HtmlValue[] => {
    const { row } = result;
    const more = moreRunsText(result.moreRuns);
    return [
      html`<code>${result.rule}</code>`,
      html`<span class="verdict ${result.outcome}"><span class="shape" aria-hidden="true">${ruleMark(result.outcome)}</span>${ruleWords[result.outcome]}</span>`,
      row === null ? '–' : spaced(valueText(row.base.value, row.unit)),
      row === null ? '–' : spaced(valueText(row.candidate.value, row.unit)),
      row === null ? '–' : spaced(changeText(row)),
      row === null ? '–' : spaced(intervalText(row)),
      result.adjustedPValue === null ? '–' : pText(result.adjustedPValue),
      more === null ? result.reason : `${result.reason}; ${more}`,
    ];
  });
  return html`<section id="rules"><h2>Rules of the gate</h2><p class="note">A rule is broken by a change that is both more than chance and beyond its tolerance. Undecided counts as ${gate.inconclusiveIs === 'pass' ? 'passed' : 'failed'}.</p>${table(columns, rows)}</section>`;
}

/** What cannot be told often has an interval so wide that all others would be dots beside it. */
function forestLimit({ rows, method }: Comparison): number {
  const changes = rows.flatMap(({ change, verdict }) => (change.relative === null || verdict === 'inconclusive' ? [] : [Math.abs(change.relative)]));
  changes.sort((a, b) => a - b);
  const reached = Math.max(changes[Math.floor(changes.length * 0.75)] ?? 0, 2 * method.sameWithin);
  return FOREST_LIMITS.find((limit) => limit >= reached) ?? (FOREST_LIMITS.at(-1) as number);
}

/** The interval of a relative change around 0; what is beyond the scale ends at its edge. */
function forest({ change, interval, verdict }: ComparisonRow, limit: number): HtmlValue {
  if (change.relative === null) return '';
  const x = (relative: number): string => ((Math.max(-1, Math.min(1, relative / limit)) + 1) * (FOREST_WIDTH / 2 - 4) + 4).toFixed(1);
  const middle = FOREST_HEIGHT / 2;
  const looks = isChange({ verdict }) ? ` ${verdict}` : '';
  const hasInterval = interval !== null && (interval.lowRelative !== null || interval.highRelative !== null);
  const range = hasInterval
    ? html`<line class="range${looks}" x1="${x(interval.lowRelative ?? -limit)}" x2="${x(interval.highRelative ?? limit)}" y1="${middle}" y2="${middle}"/>`
    : '';
  return html`<svg class="forest" viewBox="0 0 ${FOREST_WIDTH} ${FOREST_HEIGHT}" aria-hidden="true"><line class="zero" x1="${FOREST_WIDTH / 2}" x2="${FOREST_WIDTH / 2}" y1="0" y2="${FOREST_HEIGHT}"/>${range}<circle class="at${looks}" cx="${x(change.relative)}" cy="${middle}" r="4"/></svg>`;
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(3))} %`;
}
