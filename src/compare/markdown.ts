/** A comparison as Markdown, for a comment on a pull request and `$GITHUB_STEP_SUMMARY`: the verdict on top, what held folded away. Pure. */
import { type Comparison, type ComparisonRow, type RuleResult, verdictWord } from './comparison.js';
import { changeText, intervalText, valueText } from './rowText.js';
import { moreRunsText, ruleMark } from './ruleText.js';

const verdictMarks: Readonly<Record<ComparisonRow['verdict'], string>> = { faster: '🟢', slower: '🔴', '~': '⚪', inconclusive: '🟡' };

/** Ends with a line break. */
export function renderMarkdown(comparison: Comparison): string {
  const { base, candidate, gate, rows, warnings, method } = comparison;
  const changed = rows.filter(({ verdict }) => verdict === 'faster' || verdict === 'slower');
  const others = rows.filter((row) => !changed.includes(row));
  const heading = gate === null ? 'kvbench comparison' : `${{ pass: '✅', fail: '❌', inconclusive: '🟡' }[gate.outcome]} kvbench gate`;
  const parts = [
    `### ${heading}`,
    `**${escapeMarkdown(comparison.sentence)}**`,
    `\`${plain(candidate.label)}\` (${counted(candidate.runs.length)}) against \`${plain(base.label)}\` (${counted(base.runs.length)}); intervals of ${Math.round(method.confidence * 100)} %`,
  ];
  if (gate !== null) parts.push(rulesTable(gate.rules));
  if (warnings.length > 0) parts.push(warnings.map(({ text }) => `> ⚠️ ${escapeMarkdown(text)}`).join('\n>\n'));
  if (changed.length > 0) parts.push(`#### What changed\n\n${rowsTable(changed)}`);
  if (others.length > 0)
    parts.push(`<details><summary>${others.length} figures without a change that could be told</summary>\n\n${rowsTable(others)}\n\n</details>`);
  return `${parts.join('\n\n')}\n`;
}

function rulesTable(rules: readonly RuleResult[]): string {
  return table(
    ['', 'rule', 'base', 'candidate', 'change', 'interval', ''],
    rules.map((result) => {
      const { row } = result;
      const values =
        row === null
          ? ['–', '–', '–', '–']
          : [valueText(row.base.value, row.unit), valueText(row.candidate.value, row.unit), changeText(row), intervalText(row)];
      const more = moreRunsText(result.moreRuns);
      return [
        ruleMark(result.outcome),
        `\`${plain(result.rule)}\``,
        ...values,
        escapeMarkdown(more === null ? result.reason : `${result.reason}; ${more}`),
      ];
    }),
    [2, 3, 4, 5],
  );
}

function rowsTable(rows: readonly ComparisonRow[]): string {
  return table(
    ['', 'figure', 'base', 'candidate', 'change', 'interval', 'verdict'],
    rows.map((row) => [
      verdictMarks[row.verdict],
      `\`${plain(row.id)}\``,
      valueText(row.base.value, row.unit),
      valueText(row.candidate.value, row.unit),
      changeText(row),
      intervalText(row),
      verdictWord(row),
    ]),
    [2, 3, 4, 5],
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[], numbers: readonly number[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (numbers.includes(i) ? '--:' : '---'))), ...rows.map(line)].join('\n');
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
