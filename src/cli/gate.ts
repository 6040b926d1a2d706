/** `kvbench gate BASE CANDIDATE`: exit code 99 when a rule is broken, by more than chance and by more than its tolerance. */
import type { ExitCode } from '../base/errors.js';
import { compareAndShow } from './compareAndShow.js';
import type { GateArguments } from './compareOptions.js';
import type { Terminal } from './terminal.js';

/** Another machine is another answer: a gate does not forgive it unless it is told to. */
export async function gate(args: GateArguments, terminal: Terminal): Promise<ExitCode> {
  return compareAndShow(args, { gate: true, level: 'machine' }, terminal);
}
