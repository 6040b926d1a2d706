/**
 * The page of `kvbench --help`, from the same declarations that yargs parses by, but without yargs, which takes longer to load and to lay
 * out text than Node takes to start. Called by main.ts. Help of a single command is yargs' own.
 */
import type { Argv } from 'yargs';

interface Row {
  left: string;
  right: string;
}

/** A column of names is at most this wide; what is longer has its explanation on the next line. */
const LEFT_LIMIT = 32;

/** What was declared, in order: the name of each call and what it was given. */
function callsOf(declare: (self: Argv) => Argv): { name: string; args: unknown[] }[] {
  const calls: { name: string; args: unknown[] }[] = [];
  const recorder: object = new Proxy(
    {},
    {
      get:
        (_, name) =>
        (...args: unknown[]) => {
          calls.push({ name: String(name), args });
          return recorder;
        },
    },
  );
  declare(recorder as Argv);
  return calls;
}

/** @param columns of the terminal */
export function helpPage(declare: (self: Argv) => Argv, columns: number): string {
  const calls = callsOf(declare);
  const rowsOf = (name: string, row: (first: string, second: unknown) => Row): Row[] =>
    calls.filter((call) => call.name === name).map(({ args }) => row(String(args[0]), args[1]));
  const texts = (name: string): string[] => calls.filter((call) => call.name === name).map(({ args }) => withProgram(String(args[0])));
  const commandRow = (words: string, describe: unknown): Row => ({ left: `kvbench ${words}`, right: String(describe) });
  const commands = [...rowsOf('command', commandRow), ...rowsOf('completion', commandRow)];
  const options = [
    ...rowsOf('option', (name, option) => optionRow(name, option as { alias?: string; describe: string })),
    optionRow('version', { alias: 'v', describe: 'Show version number' }),
    optionRow('help', { alias: 'h', describe: 'Show help; of a command: kvbench COMMAND --help' }),
  ];
  const examples = rowsOf('example', (line, describe) => ({ left: withProgram(line), right: String(describe) }));
  const parts = [
    ...texts('usage').map((text) => wrapped(text, columns, '')),
    section('Commands:', commands, columns),
    section('Options:', options, columns),
    ['Examples:', ...examples.map(({ left, right }) => `  ${left}\n      ${wrapped(right, columns - 6, '      ')}`)].join('\n'),
    ...texts('epilogue').map((text) => wrapped(text, columns, '')),
  ];
  return `${parts.join('\n\n')}\n`;
}

function withProgram(text: string): string {
  return text.replaceAll('$0', 'kvbench');
}

function optionRow(name: string, { alias, describe }: { alias?: string; describe: string }): Row {
  return { left: `${alias === undefined ? '    ' : `-${alias}, `}--${name}`, right: describe };
}

function section(title: string, rows: readonly Row[], columns: number): string {
  const width = Math.min(LEFT_LIMIT, Math.max(...rows.map(({ left }) => left.length)));
  const indent = ' '.repeat(width + 4);
  const lines = rows.map(({ left, right }) => {
    const explanation = wrapped(right, columns - indent.length, indent);
    return left.length > width ? `  ${left}\n${indent}${explanation}` : `  ${left.padEnd(width)}  ${explanation}`;
  });
  return [title, ...lines].join('\n');
}

/** Broken between words; every line but the first begins with `indent`. */
function wrapped(text: string, columns: number, indent: string): string {
  return text
    .split('\n')
    .map((paragraph) => {
      const lines: string[] = [];
      for (const word of paragraph.split(' ')) {
        const last = lines.at(-1);
        if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
        else lines[lines.length - 1] = `${last} ${word}`;
      }
      return lines.join(`\n${indent}`);
    })
    .join(`\n${indent}`);
}
