/** The workload of a quick run with `--command`, as memtier_benchmark takes them. Called by quickProfile.ts; what it makes is checked like a file. */
import { operationNames } from '../plan/plan.js';
import { wordsOf } from './commandText.js';

export interface QuickCommands {
  operations: Record<string, number>;
  commands: Record<string, { command: string }>;
  /** Keys are not written beforehand: many commands are for other types than strings. */
  preload: false;
}

/** Operations are called by their commands: `setex`, a second one `setex-2`; what would be a built-in operation, `custom-set`. */
export function quickCommands(commands: readonly string[], ratios: readonly number[]): QuickCommands {
  const made: QuickCommands = { operations: {}, commands: {}, preload: false };
  for (const [at, command] of commands.entries()) {
    const base = baseName(command);
    let name = base;
    for (let next = 2; made.commands[name] !== undefined; next++) name = `${base}-${next}`;
    made.commands[name] = { command };
    made.operations[name] = ratios[at] ?? 1;
  }
  return made;
}

function baseName(command: string): string {
  const split = wordsOf(command);
  const word = 'words' in split ? (split.words[0] ?? '').toLowerCase().replace(/[^a-z0-9_-]/g, '-') : '';
  if (!/^[a-z]/.test(word)) return 'command';
  const builtIn: readonly string[] = operationNames;
  return builtIn.includes(word) ? `custom-${word}` : word.slice(0, 24);
}
