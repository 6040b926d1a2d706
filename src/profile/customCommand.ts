/**
 * A custom command of a workload: from its text to the template that the load fills in. Used by the schema, which tells what is wrong with
 * it, and by makePlan. Pure.
 */
import type { ArgumentPlan } from '../plan/plan.js';
import { wordsOf } from './commandText.js';
import { refusalOf } from './refusedCommands.js';

export const KEY_MARK = '__key__';
export const VALUE_MARK = '__value__';
const MAX_ARGUMENTS = 1024;
/** memtier_benchmark’s word for a value, taken as well, so that its commands can be pasted. */
const MEMTIER_VALUE_MARK = '__data__';

export type Template = { args: ArgumentPlan[]; hasKey: boolean; words: string[] } | { problem: string };

export function templateOf(text: string): Template {
  const split = wordsOf(text);
  if ('problem' in split) return split;
  const { words } = split;
  const [name = ''] = words;
  if (name === '') return { problem: 'there is no command in it; write one like "EXPIRE __key__ 60"' };
  if (!/^[A-Za-z][A-Za-z0-9._-]*$/.test(name))
    return { problem: `${JSON.stringify(name)} is no name of a command; it comes first, like "EXPIRE __key__ 60"` };
  if (words.length > MAX_ARGUMENTS) return { problem: `it has ${words.length} arguments; at most ${MAX_ARGUMENTS} are taken` };
  const refusal = refusalOf(words, false);
  if (refusal !== null) return { problem: `${name.toUpperCase()} can not be a load: ${refusal}` };
  const args: ArgumentPlan[] = [];
  for (const word of words) {
    const arg = argumentOf(word);
    if ('problem' in arg) return arg;
    args.push(arg);
  }
  return { args, hasKey: args.some((arg) => arg.kind === 'key'), words };
}

function argumentOf(word: string): ArgumentPlan | { problem: string } {
  if (word === KEY_MARK) return { kind: 'key' };
  if (word.includes(KEY_MARK))
    return { problem: `${KEY_MARK} must be an argument of its own, so that the key is one of the run’s; a script gets it as KEYS[1]` };
  const [before = '', after, more] = word.replaceAll(MEMTIER_VALUE_MARK, VALUE_MARK).split(VALUE_MARK);
  if (after === undefined) return { kind: 'literal', bytes: word };
  if (more !== undefined) return { problem: `one argument takes one ${VALUE_MARK}; give each an argument of its own` };
  return { kind: 'value', before, after };
}
