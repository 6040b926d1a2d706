/** How lines on the terminal are broken and aligned. Used by eventLine.ts and terminalSummary.ts; knows nothing of runs, adds no colour. */

/** Columns of `text`: every character kvbench writes is one column wide. */
export function columnsOf(text: string): number {
  return [...text].length;
}

/** Between a number and its unit. */
const unitSpace = /(\d) (?=(?:s|ms|µs|%|pp|kB|MB|GB|ops)(?!\w))/g;
const BOUND = '\u00a0';

/**
 * Lines of at most `width` columns, broken between words but never between a number and its unit; a longer word stays whole, so that a
 * path or command can be copied.
 */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(text)) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  if (line !== '') lines.push(line);
  return lines.map((bound) => bound.replaceAll(BOUND, ' '));
}

/** Without control characters: a server's words must not steer the terminal. */
function wordsOf(text: string): string[] {
  const plain = text.replace(/\s+/g, ' ').replace(/\p{Cc}/gu, '');
  return plain.replace(unitSpace, `$1${BOUND}`).split(' ').filter(Boolean);
}

export type Alignment = 'left' | 'right';

/** Pads the cells of each column to its widest; two spaces between columns, none at the end of a line. Missing cells are empty. */
export function alignColumns(rows: readonly (readonly string[])[], alignments: readonly Alignment[], separator = '  '): string[] {
  const widths = alignments.map((_, column) => Math.max(0, ...rows.map((row) => columnsOf(row[column] ?? ''))));
  return rows.map((row) =>
    widths
      .map((width, column) => pad(row[column] ?? '', width, alignments[column] ?? 'left'))
      .join(separator)
      .trimEnd(),
  );
}

/** µs since t0 → `8.006s`, to the millisecond and never in another unit, so that times of one list can be compared by eye. */
export function timeText(sinceT0Us: number): string {
  return `${(sinceT0Us / 1_000_000).toFixed(3)}s`;
}

function pad(text: string, width: number, alignment: Alignment): string {
  const filler = ' '.repeat(Math.max(0, width - columnsOf(text)));
  return alignment === 'left' ? text + filler : filler + text;
}

/** A share that is not whole never looks whole, one that is not nothing never looks like nothing. */
export function shareText(ratio: number): string {
  if (ratio > 0 && ratio < 0.0001) return '<0.01 %';
  if (ratio > 0.9999 && ratio < 1) return '99.99 %';
  return `${(ratio * 100).toFixed(2)} %`;
}
