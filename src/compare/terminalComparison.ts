/** A comparison on the terminal: the sentence, the gate's rules, what changed, what could not be told, warnings. Pure; called by diff and gate. */
import { SummaryPage } from '../report/summaryPage.js';
import { alignColumns } from '../report/textLayout.js';
import { type ComparedSide, type Comparison, type GateResult, verdictWord } from './comparison.js';
import { pText } from './judge.js';
import { changeText, intervalText, valueText } from './rowText.js';
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
  addRows(page, comparison, options.all ?? false);
  addWarnings(page, comparison);
  page.line('');
  return page.text();
}

function sideText(name: string, { runs, profile }: ComparedSide): string {
  const servers = [...new Set(runs.map(({ server }) => server))].join(', ');
  return `${name.padEnd(10)} ${runs.length} run${runs.length === 1 ? '' : 's'} of ${profile}, ${servers}`;
}

const columns = ['left', 'right', 'right', 'right', 'left', 'right', 'left'] as const;

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

/** Figures that are shown although nothing is known of a change. */
const headline = /^(throughput rate|latency p\((50|99)\)|availability rate|errors rate|gap\{shard:any\} max|rto\{.*|detection\{.*|lost_writes .*)$/;

function addRows(page: SummaryPage, { rows: every, method }: Comparison, all: boolean): void {
  const rows = all ? every : every.filter((row) => row.verdict === 'faster' || row.verdict === 'slower' || headline.test(row.id));
  if (rows.length === 0) return;
  page.section('COMPARED', `the change and its ${Math.round(method.confidence * 100)} % interval; ~ no change that matters`);
  const paint = { faster: page.colors.green, slower: page.colors.red, '~': page.colors.dim, inconclusive: page.colors.yellow };
  const lines = alignColumns(
    [
      ['', 'base', 'candidate', 'change', 'interval', 'p', 'verdict'],
      ...rows.map((row) => [
        row.id,
        valueText(row.base.value, row.unit),
        valueText(row.candidate.value, row.unit),
        changeText(row),
        intervalText(row),
        row.pValue === null ? '–' : pText(row.pValue),
        verdictWord(row),
      ]),
    ],
    columns,
  );
  lines.forEach((line, i) => {
    const row = rows[i - 1];
    page.line(row === undefined ? page.colors.dim(line) : paint[row.verdict](line));
  });
  const left = every.length - rows.length;
  if (left > 0) page.line(page.colors.dim(`and ${left} figures without a change that could be told (--all)`));
}

function addWarnings(page: SummaryPage, { warnings }: Comparison): void {
  if (warnings.length === 0) return;
  page.section('TO BE KNOWN');
  for (const { text } of warnings) page.prose(text, page.colors.yellow, '! ');
}
