/** `kvbench schema`: the JSON Schema of profiles on stdout, for editors. */
import { ExitCode } from '../base/errors.js';
import { faultRegistry } from '../chaos/registry.js';
import { profileJsonSchema } from '../profile/reference.js';
import type { Terminal } from './terminal.js';

export async function schema(terminal: Terminal): Promise<ExitCode> {
  terminal.data(JSON.stringify(profileJsonSchema(faultRegistry), null, 2));
  return ExitCode.passed;
}
