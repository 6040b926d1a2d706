/** A comparison as Markdown, for a comment on a pull request and `$GITHUB_STEP_SUMMARY`: the decision on top, what held folded away. Pure. */
import { verdictOf } from '../report/comparisonHead.js';
import { type Comparison, type ComparisonRow, type GateResult, type RuleResult, verdictWord } from './comparison.js';
import { byImportance, isChange, isHeadline } from './rowOrder.js';
import { changeText, intervalText, POINTS_NOTE, valueText } from './rowText.js';
import { moreRunsText } from './ruleText.js';

const verdictMarks: Readonly<Record<ComparisonRow['verdict'], string>> = { faster: '🟢', slower: '🔴', '~': '⚪', inconclusive: '🟡' };
const outcomeMarks: Readonly<Record<RuleResult['outcome'], string>> = { pass: '✅', fail: '❌', inconclusive: '🟡' };
const ruleWords: Readonly<Record<RuleResult['outcome'], string>> = { pass: 'held', fail: 'broken', inconclusive: 'undecided' };
const headingMarks: Readonly<Record<string, string>> = { Worse: '🔴', Better: '🟢', Same: '⚪', Mixed: '🟠', Undecided: '🟡' };
/** A comment is read, not searched: the rest is folded away. */
const MOST_CHANGES = 15;

/** Ends with a line break. */
export function renderMarkdown(comparison: Comparison): string {
  const { base, candidate, gate, rows, warnings, method } = comparison;
  const changed = byImportance(rows.filter(isChange));
  const shown = [...changed.slice(0, MOST_CHANGES), ...byImportance(rows.filter((row) => isHeadline(row) && !isChange(row)))];
  const others = rows.filter((row) => !shown.includes(row));
  const points = rows.some(({ unit }) => unit === 'ratio') ? `; ${POINTS_NOTE}` : '';
  const parts = [
    `### ${headingOf(comparison)}`,
    `**${escapeMarkdown(gate === null ? comparison.sentence : comparison.sentence.replace(/^Gate [^:]*: /, ''))}**`,
    `\`${plain(candidate.label)}\` (${counted(candidate.runs.length)}) against \`${plain(base.label)}\` (${counted(base.runs.length)}); intervals of ${Math.round(method.confidence * 100)} %${points}`,
  ];
  if (gate !== null) parts.push(rulesTable(gate.rules), ...reasons(gate.rules));
  if (warnings.length > 0) parts.push(warnings.map(({ text }) => `> ⚠️ ${escapeMarkdown(text)}`).join('\n>\n'));
  if (shown.length > 0) parts.push(`#### ${changed.length > 0 ? 'What changed, and the main figures' : 'The main figures'}\n\n${rowsTable(shown)}`);
  if (others.length > 0) parts.push(`<details><summary>${othersTitle(others)}</summary>\n\n${rowsTable(others)}\n\n</details>`);
  return `${parts.join('\n\n')}\n`;
}

function headingOf(comparison: Comparison): string {
  const { gate } = comparison;
  if (gate !== null) return `${outcomeMarks[gate.outcome]} kvbench gate ${gateText(gate)}`;
  const { text } = verdictOf(comparison);
  return `${headingMarks[text] ?? ''} kvbench: ${text === 'Undecided' ? 'no change could be told' : text.toLowerCase()}`;
}

function gateText({ outcome, inconclusiveIs }: GateResult): string {
  if (outcome === 'inconclusive') return `undecided (counts as ${inconclusiveIs === 'pass' ? 'passed' : 'failed'})`;
  return outcome === 'pass' ? 'passed' : 'failed';
}

function othersTitle(others: readonly ComparisonRow[]): string {
  const changes = others.filter(isChange).length;
  const figures = `${others.length} more figure${others.length === 1 ? '' : 's'}`;
  return changes > 0 ? `${figures}, ${changes} of them changed` : `${figures} without a change that could be told`;
}

function rulesTable(rules: readonly RuleResult[]): string {
  return table(
    ['rule', 'base', 'candidate', 'change', 'outcome'],
    rules.map((result) => {
      const { row, outcome } = result;
      const values =
        row === null ? ['–', '–', '–'] : [valueText(row.base.value, row.unit), valueText(row.candidate.value, row.unit), changeCell(row)];
      return [`\`${plain(result.rule)}\``, ...values, `${outcomeMarks[outcome]} ${ruleWords[outcome]}`];
    }),
  );
}

/** Of rules that did not hold; those that did are in the table. */
function reasons(rules: readonly RuleResult[]): string[] {
  const lines = rules
    .filter(({ outcome }) => outcome !== 'pass')
    .map((result) => {
      const more = moreRunsText(result.moreRuns);
      return `- \`${result.rule.replace(/[`\r\n]/g, ' ')}\`: ${escapeMarkdown(more === null ? result.reason : `${result.reason}; ${more}`)}`;
    });
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function rowsTable(rows: readonly ComparisonRow[]): string {
  return table(
    ['figure', 'base', 'candidate', 'change', 'verdict'],
    rows.map((row) => [
      `\`${plain(row.id)}\``,
      valueText(row.base.value, row.unit),
      valueText(row.candidate.value, row.unit),
      changeCell(row),
      `${verdictMarks[row.verdict]} ${row.verdict === '~' ? 'same' : verdictWord(row)}`,
    ]),
  );
}

/** The interval below the change: beside it the table would be wider than a comment. */
function changeCell(row: ComparisonRow): string {
  return row.interval === null ? changeText(row) : `${changeText(row)}<br>${intervalText(row)}`;
}

/** Of a name, three figures and a verdict. Figures and their units stay on one line. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, i) => (i === 0 ? cell : cell.replace(/ /g, '\u00a0'))).join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i > 0 && i < head.length - 1 ? '--:' : '---'))), ...rows.map(line)].join('\n');
}

function counted(runs: number): string {
  return `${runs} run${runs === 1 ? '' : 's'}`;
}

/** For text between backticks in a table. */
function plain(text: string): string {
  return text.replace(/[`\r\n]/g, ' ').replaceAll('|', '\\|');
}

function escapeMarkdown(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(/[\\`*_<>|~[\]]/g, (character) => (character === '<' ? '&lt;' : character === '>' ? '&gt;' : `\\${character}`));
}
