/** `kvbench report DIR`: makes summary, report and picture again from a result folder (of a run or of a group) alone, also from one that a killed run left. */
import { ExitCode } from '../base/errors.js';
import { isGroupFolder } from '../result/group.js';
import { readRun } from '../result/readRun.js';
import type { ReportArguments } from './main.js';
import type { Terminal } from './terminal.js';
import { writeGroupResults } from './writeGroupResults.js';
import { writeResults } from './writeResults.js';

export async function report(args: ReportArguments, terminal: Terminal): Promise<ExitCode> {
  if (isGroupFolder(args.run)) {
    const { files } = await writeGroupResults(args.run, (text) => terminal.status(text));
    for (const file of files) terminal.data(file);
    return ExitCode.passed;
  }
  const data = readRun(args.run);
  if (data.truncated) terminal.talk('The run was cut off: its last records are missing; everything before them is shown.');
  const { files } = await writeResults(data);
  for (const file of files) terminal.data(file);
  return ExitCode.passed;
}
