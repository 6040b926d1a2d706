/** `kvbench validate`: reads profiles with everything they refer to and says all that is wrong. Starts nothing. */

import { ExitCode, KvbenchError } from '../base/errors.js';
import { faultRegistry } from '../chaos/registry.js';
import { makePlan } from '../plan/makePlan.js';
import { loadProfile } from '../profile/loadProfile.js';
import type { ValidateArguments } from './main.js';
import type { Terminal } from './terminal.js';

export async function validate(args: ValidateArguments, terminal: Terminal): Promise<ExitCode> {
  const problems: string[] = [];
  for (const file of args.profiles) {
    try {
      const plan = makePlan(loadProfile(file, { faults: faultRegistry, sets: args.set, env: process.env }));
      terminal.data(`${file}: valid (${plan.load.phases.length} phases, ${plan.chaos.length} faults, ${plan.thresholds.length} thresholds)`);
    } catch (error) {
      if (!(error instanceof KvbenchError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length === 0) return ExitCode.passed;
  throw new KvbenchError('INVALID_PROFILE', problems.join('\n'));
}
