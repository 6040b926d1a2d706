/** `kvbench validate`: reads profiles, workloads and toxics with everything they refer to and says all that is wrong. Starts nothing. */
import { existsSync } from 'node:fs';

import { ExitCode, KvbenchError } from '../base/errors.js';
import { faultRegistry } from '../chaos/registry.js';
import { makePlan } from '../plan/makePlan.js';
import { loadProfile, type ProfileOptions } from '../profile/loadProfile.js';
import { validateFile } from '../profile/validateFile.js';
import type { ValidateArguments } from './main.js';
import type { Terminal } from './terminal.js';

export async function validate(args: ValidateArguments, terminal: Terminal): Promise<ExitCode> {
  const problems: string[] = [];
  for (const file of args.profiles) {
    try {
      terminal.data(`${file}: valid ${describe(file, { faults: faultRegistry, sets: args.set, env: process.env })}`);
    } catch (error) {
      if (!(error instanceof KvbenchError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length === 0) return ExitCode.passed;
  throw new KvbenchError('INVALID_PROFILE', problems.join('\n'));
}

/** A shipped name can only be a profile; a file is what its keys say. */
function describe(file: string, options: ProfileOptions): string {
  const kind = existsSync(file) ? validateFile(file, options) : 'profile';
  if (kind !== 'profile') return kind;
  const plan = makePlan(loadProfile(file, options));
  return `profile: ${count(plan.load.phases.length, 'phase')}, ${count(plan.chaos.length, 'fault')}, ${count(plan.thresholds.length, 'threshold')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
