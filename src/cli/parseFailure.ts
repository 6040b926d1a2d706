/** Turns what yargs says of a wrong command line into one message with the nearest right word. Called by main.ts. */
import { distance } from 'fastest-levenshtein';
import type { Argv } from 'yargs';
import { KvbenchError } from '../base/errors.js';

const commandNames = ['run', 'validate', 'report', 'diff', 'gate', 'baseline', 'ab', 'list', 'doctor', 'schema', 'completion'];

/** Errors thrown by our own code pass through; yargs' messages become INVALID_ARGUMENT with a hint. */
export function explainParseFailure(message: string | null, error: Error | undefined, args: readonly string[], parser: Argv): Error {
  if (error && !(error.name === 'YError')) return error;
  const wrongValue = /Argument: ([\w-]+), Given: "(.*)", Choices: (.*)/.exec(message ?? '');
  if (wrongValue) {
    const [, name, given, listed] = wrongValue;
    const choices = (listed ?? '').replaceAll('"', '');
    const near = nearest(given ?? '', choices.split(', '));
    const hint = `${near === null ? '' : `Did you mean ${near}? `}It can be ${choices}.`;
    return new KvbenchError('INVALID_ARGUMENT', `${name} cannot be ${JSON.stringify(given)}`, hint);
  }
  const text = (message ?? error?.message ?? 'the command line is not valid').split('\n')[0] ?? '';
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(text)?.[1];
  if (unknown === undefined)
    return new KvbenchError('INVALID_ARGUMENT', lowerFirst(text).replace(/\.$/, ''), `See kvbench ${commandOf(args)}--help.`);
  const wrong = unknown.split(', ');
  const first = wrong[0] ?? '';
  const isFlag = args.some((arg) => arg.startsWith('-') && arg.replace(/^--?(no-)?/, '').split('=')[0] === first);
  const known = isFlag ? flagNames(parser) : commandNames;
  const near = nearest(first, known);
  const shown = wrong.map((name) => (isFlag ? `--${name}` : name)).join(', ');
  const hint = near === null ? '' : `Did you mean ${isFlag ? '--' : ''}${near}? `;
  return new KvbenchError('INVALID_ARGUMENT', `unknown ${isFlag ? 'flag' : 'argument'} ${shown}`, `${hint}See kvbench ${commandOf(args)}--help.`);
}

function commandOf(args: readonly string[]): string {
  const command = args.find((arg) => commandNames.includes(arg));
  return command === undefined ? '' : `${command} `;
}

function flagNames(parser: Argv): string[] {
  const options = (parser as unknown as { getOptions(): { key: Record<string, boolean> } }).getOptions();
  return Object.keys(options.key).filter((name) => name.length > 1 && /^[a-z-]+$/.test(name));
}

/** The known word that is at most a third of its letters away; null when none is. */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best !== null && bestDistance <= Math.max(2, Math.floor(best.length / 3)) ? best : null;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
