/** The page that terminalSummary.ts fills: sections, dot leaders, aligned tables, colour. Knows nothing of runs. */
import { stripVTControlCharacters } from 'node:util';
import pico from 'picocolors';
import { type Alignment, alignColumns, columnsOf, wrapWords } from './textLayout.js';

type Colors = ReturnType<typeof pico.createColors>;
export type Mark = 'good' | 'bad' | 'warning' | 'none';

const INDENT = '    ';
/** A label with its dots. */
const LABEL_COLUMNS = 21;
/** Narrower terminals wrap for themselves: a table cannot be squeezed further. */
const MIN_WIDTH = 60;
const symbols: Record<Mark, string> = { good: '✓', bad: '✗', warning: '!', none: '–' };

export class SummaryPage {
  readonly colors: Colors;
  readonly #width: number;
  readonly #lines: string[] = [];

  /** @param width columns; prose is wrapped to it, tables choose their form by it */
  constructor(options: { color: boolean; width: number }) {
    this.colors = pico.createColors(options.color);
    this.#width = Math.max(MIN_WIDTH, options.width);
  }

  /** From a row's beginning to its value. */
  readonly labelColumns = LABEL_COLUMNS + 2;

  /** Columns that are left right of a row's label. */
  get valueColumns(): number {
    return this.#width - INDENT.length - this.labelColumns;
  }

  /** An empty line is put before it. */
  section(title: string, note?: string): void {
    const { bold, dim } = this.colors;
    this.#lines.push('', `  ${bold(`█ ${title}`)}${note === undefined ? '' : `  ${dim(note)}`}`, '');
  }

  line(text: string): void {
    this.#lines.push(text === '' ? '' : INDENT + text);
  }

  /** An outdented line with the verdict or a heading. */
  heading(text: string): void {
    this.#lines.push(`  ${text}`);
  }

  /** Words in as many lines as they need. `first` (it may be coloured) stands before the first, the others are indented as far. */
  prose(text: string, paint: (line: string) => string = String, first = ''): void {
    const lead = columnsOf(stripVTControlCharacters(first));
    wrapWords(text, this.#width - INDENT.length - lead).forEach((part, i) => {
      this.#lines.push(INDENT + (i === 0 ? first : ' '.repeat(lead)) + paint(part));
    });
  }

  /** `label......: value`, the value (plain text) wrapped below itself. */
  row(label: string, value: string, paint: (line: string) => string = this.colors.cyan): void {
    const lines = wrapWords(value, this.valueColumns);
    lines.forEach((part, i) => {
      this.#lines.push(`${INDENT}${i === 0 ? this.label(label) : ' '.repeat(this.labelColumns)}${paint(part)}`);
    });
  }

  /** A row whose value is coloured and aligned already. */
  rawRow(label: string, value: string): void {
    this.#lines.push(`${INDENT}${this.label(label)}${value}`);
  }

  /** `label......: ` */
  label(text: string): string {
    return `${text}${this.colors.dim(`${'.'.repeat(Math.max(1, LABEL_COLUMNS - columnsOf(text)))}:`)} `;
  }

  /** Rows of plain cells. The marks, one per row, stand before them. */
  table(rows: readonly (readonly string[])[], alignments: readonly Alignment[], marks?: readonly Mark[]): void {
    alignColumns(rows, alignments).forEach((text, i) => {
      const mark = marks?.[i];
      this.line(mark === undefined ? text : `${this.mark(mark)} ${text}`);
    });
  }

  mark(mark: Mark): string {
    return this.paintOf(mark)(symbols[mark]);
  }

  paintOf(mark: Mark): (text: string) => string {
    const { green, red, yellow, dim } = this.colors;
    return { good: green, bad: red, warning: yellow, none: dim }[mark];
  }

  /** Ends with a line break. */
  text(): string {
    return `${this.#lines.map((text) => text.trimEnd()).join('\n')}\n`;
  }
}
