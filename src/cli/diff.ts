/** `kvbench diff BASE CANDIDATE`: what changed between two runs, or two sets of runs, and how sure that is; with `--gate` also whether that is too much. */
import type { ExitCode } from '../base/errors.js';
import { compareAndShow } from './compareAndShow.js';
import type { DiffArguments } from './compareOptions.js';
import type { Terminal } from './terminal.js';

export async function diff(args: DiffArguments, terminal: Terminal): Promise<ExitCode> {
  return compareAndShow(args, { gate: args.gate || args.rule !== undefined || args.rules !== undefined, level: 'profile' }, terminal);
}
