/** A comparison on the terminal: the sentence, the gate's rules, what changed, what could not be told, warnings. Pure; called by diff and gate. */
import { SummaryPage } from '../report/summaryPage.js';
import { alignColumns } from '../report/textLayout.js';
import { type ComparedSide, type Comparison, type ComparisonRow, type GateResult, verdictWord } from './comparison.js';
import { pText } from './judge.js';
import { byImportance, byScope, isChange, isHeadline, ownName, scopeTags } from './rowOrder.js';
import { changeText, decidingP, intervalText, POINTS_NOTE, valueText } from './rowText.js';
import { moreRunsText, ruleMark } from './ruleText.js';

/** Ends with a line break. Plain text when `color` is false. @param options `width`: columns of the terminal; `all`: also rows without a change */
export function renderTerminalComparison(comparison: Comparison, options: { color: boolean; width: number; all?: boolean }): string {
  const page = new SummaryPage(options);
  const { bold, dim } = page.colors;
  page.line('');
  page.heading(`${bold(comparison.candidate.label)} ${dim('against')} ${bold(comparison.base.label)}`);
  for (const [name, side] of [['base', comparison.base] as const, ['candidate', comparison.candidate] as const]) page.line(dim(sideText(name, side)));
  page.line('');
  page.prose(comparison.sentence, bold);
  if (comparison.gate) addRules(page, comparison.gate);
  addRows(page, comparison, options.all ?? false, options.width);
  addWarnings(page, comparison);
  page.line('');
  return page.text();
}

function sideText(name: string, { runs, profile }: ComparedSide): string {
  const servers = [...new Set(runs.map(({ server }) => server))].join(', ');
  return `${name.padEnd(10)} ${runs.length} run${runs.length === 1 ? '' : 's'} of ${profile}, ${servers}`;
}

function addRules(page: SummaryPage, { rules }: GateResult): void {
  page.section('GATE');
  const paint = { pass: page.colors.green, fail: page.colors.red, inconclusive: page.colors.yellow };
  for (const { rule, outcome, reason, moreRuns } of rules) {
    page.prose(
      `${rule} ${outcome === 'pass' ? 'held' : outcome === 'fail' ? 'broken' : 'undecided'}`,
      paint[outcome],
      `${paint[outcome](ruleMark(outcome))} `,
    );
    const more = moreRunsText(moreRuns);
    page.prose(more === null ? reason : `${reason}; ${more}`, page.colors.dim, '    ');
  }
}

/** Narrower ones have a mark for the verdict and no p. */
const WORDY_COLUMNS = 100;
const marks: Readonly<Record<ComparisonRow['verdict'], string>> = { faster: '▼', slower: '▲', '~': '~', inconclusive: '?' };
const wordyAlignments = ['left', 'right', 'right', 'right', 'left', 'right', 'left'] as const;
const narrowAlignments = ['left', 'right', 'right', 'right', 'left'] as const;

function addRows(page: SummaryPage, { rows: every, method }: Comparison, all: boolean, width: number): void {
  const rows = all ? every : byImportance(every.filter((row) => isChange(row) || isHeadline(row)));
  if (rows.length === 0) return;
  const isWordy = width >= WORDY_COLUMNS;
  const key = isWordy ? '~ no change that matters' : '▲ worse ▼ better ~ same ? cannot be told';
  page.section('COMPARED', `change, ${Math.round(method.confidence * 100)} % interval; ${key}`);
  const { colors } = page;
  const paint = { faster: colors.green, slower: colors.red, '~': colors.dim, inconclusive: String };
  const groups = byScope(rows, (row) =>
    scopeTags(row)
      .map(([tag, value]) => `${tag}:${value}`)
      .join(','),
  );
  const shown = groups.flatMap(([scope, members]) => [...(scope === '' ? [] : [scope]), ...members]);
  const lines = alignColumns(
    [headCells(isWordy), ...shown.map((one) => (typeof one === 'string' ? [] : rowCells(one, isWordy)))],
    isWordy ? wordyAlignments : narrowAlignments,
  );
  lines.forEach((line, i) => {
    const one = shown[i - 1];
    if (typeof one === 'string') page.line(colors.bold(one));
    else page.line(one === undefined ? colors.dim(line) : paint[one.verdict](line));
  });
  const left = every.length - rows.length;
  const notes = [
    ...(left > 0 ? [`and ${left} more figure${left === 1 ? '' : 's'}, none with a change that could be told (--all)`] : []),
    ...(rows.some(({ unit }) => unit === 'ratio') ? [POINTS_NOTE] : []),
  ];
  if (notes.length > 0) page.prose(notes.join('; '), colors.dim);
}

function headCells(isWordy: boolean): string[] {
  return ['', 'base', 'candidate', 'change', 'interval', ...(isWordy ? ['p', 'verdict'] : [])];
}

function rowCells(row: ComparisonRow, isWordy: boolean): string[] {
  const p = decidingP(row);
  return [
    isWordy ? ownName(row) : `${marks[row.verdict]} ${ownName(row)}`,
    valueText(row.base.value, row.unit),
    valueText(row.candidate.value, row.unit),
    changeText(row),
    intervalText(row),
    ...(isWordy ? [p === null ? '–' : pText(p), verdictWord(row)] : []),
  ];
}

function addWarnings(page: SummaryPage, { warnings }: Comparison): void {
  if (warnings.length === 0) return;
  page.section('TO BE KNOWN');
  for (const { text } of warnings) page.prose(text, page.colors.yellow, '! ');
}
