/** Everything that is computed from the runs of a group, written into its folder, and their own pages into theirs. Used by capacity and report. */
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeCapacityReport } from '../report/writeCapacityReport.js';
import { type CapacitySummary, readGroup, runsOfGroup, type TrialSummary } from '../result/group.js';
import { readRun } from '../result/readRun.js';
import { purposeOf, summarizeCapacity, summarizeTrial } from '../stats/capacitySummary.js';
import { writeResults } from './writeResults.js';

/** @param onProgress what is being written, for a status line */
export async function writeGroupResults(dir: string, onProgress: (text: string) => void): Promise<{ summary: CapacitySummary; files: string[] }> {
  const group = readGroup(dir);
  const { capacity } = group.plan;
  const trials: TrialSummary[] = [];
  const files: string[] = [];
  const runs = runsOfGroup(dir);
  for (const [index, run] of runs.entries()) {
    onProgress(`  writing the pages of trial ${index + 1} of ${runs.length}`);
    const data = readRun(join(dir, run));
    const written = await writeResults(data);
    files.push(...written.files);
    if (capacity === undefined) continue;
    const place = { number: Number.parseInt(run.split(/[\\/]/)[1] ?? '0', 10), run, plan: data.run.plan, purpose: purposeOf(capacity, trials) };
    const trial = summarizeTrial(capacity, place, written.summary);
    if (trial !== null) trials.push(trial);
  }
  const summary = summarizeCapacity(group, trials);
  const file = join(dir, 'summary.json');
  writeFileSync(file, `${JSON.stringify(summary, null, 2)}\n`);
  const pages = await writeCapacityReport(dir, group, summary);
  return { summary, files: [file, ...pages.files, ...files] };
}

/** As a person would type it from the working folder. */
export function fromHere(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
}
