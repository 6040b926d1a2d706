/** `kvbench diff BASE CANDIDATE`: what changed between two runs, or two sets of runs, and how sure that is. */
import { ExitCode } from '../base/errors.js';
import { compareSides, defaultCompareOptions } from '../compare/compare.js';
import { renderTerminalComparison } from '../compare/terminalComparison.js';
import { sidesOf } from './comparedSides.js';
import type { DiffArguments } from './compareOptions.js';
import type { Terminal } from './terminal.js';

export async function diff(args: DiffArguments, terminal: Terminal): Promise<ExitCode> {
  const { base, candidate } = sidesOf(args);
  const { comparison } = compareSides(base, candidate, { ...defaultCompareOptions, level: args.compare ?? 'profile', noiseFloor: null });
  terminal.data(renderTerminalComparison(comparison, { color: terminal.color, width: terminal.width }));
  return ExitCode.passed;
}
