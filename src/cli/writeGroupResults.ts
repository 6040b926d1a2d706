/** Everything that is computed from the runs of a group, written into its folder, and their own pages into theirs. Used by capacity, runGroup and report. */
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeCapacityReport } from '../report/writeCapacityReport.js';
import { writeComparisonReport } from '../report/writeComparisonReport.js';
import { writeGroupReport } from '../report/writeGroupReport.js';
import { type CapacityGroupRecord, type CapacitySummary, readGroup, runsOfGroup, type TrialSummary } from '../result/group.js';
import { type RunData, readRun } from '../result/readRun.js';
import type { AbDecision, GroupRunSummary, RunsGroupRecord, RunsGroupSummary } from '../result/runsGroup.js';
import type { Summary } from '../result/summary.js';
import { purposeOf, summarizeCapacity, summarizeTrial } from '../stats/capacitySummary.js';
import { summarizeGroup, summarizeGroupRun } from '../stats/groupSummary.js';
import { lookAt, wholePairs } from './abDecision.js';
import { writeResults } from './writeResults.js';

export interface WrittenGroup<S> {
  summary: S;
  files: string[];
}

/** Of any kind. @param onProgress what is being written, for a status line */
export async function writeGroupResults(dir: string, onProgress: (text: string) => void): Promise<WrittenGroup<CapacitySummary | RunsGroupSummary>> {
  const group = readGroup(dir);
  return group.kind === 'capacity' ? await writeCapacityResults(dir, group, onProgress) : await writeRunsGroupResults(dir, group, onProgress);
}

export async function writeCapacityResults(
  dir: string,
  group: CapacityGroupRecord,
  onProgress: (text: string) => void,
): Promise<WrittenGroup<CapacitySummary>> {
  const { capacity } = group.plan;
  const trials: TrialSummary[] = [];
  const files = await writeEachRun(dir, onProgress, 'trial', (run, data, summary) => {
    if (capacity === undefined) return;
    const place = { number: Number.parseInt(run.split(/[\\/]/)[1] ?? '0', 10), run, plan: data.run.plan, purpose: purposeOf(capacity, trials) };
    const trial = summarizeTrial(capacity, place, summary);
    if (trial !== null) trials.push(trial);
  });
  const summary = summarizeCapacity(group, trials);
  const pages = await writeCapacityReport(dir, group, summary);
  return { summary, files: [writeSummary(dir, summary), ...pages.files, ...files] };
}

export async function writeRunsGroupResults(
  dir: string,
  group: RunsGroupRecord,
  onProgress: (text: string) => void,
): Promise<WrittenGroup<RunsGroupSummary>> {
  const runs: GroupRunSummary[] = [];
  const files = await writeEachRun(dir, onProgress, 'run', (run, _data, summary) => {
    const place = group.runs.find((planned) => join(planned.run) === run);
    if (place !== undefined) runs.push(summarizeGroupRun(place, summary));
  });
  const decided = group.ab === undefined ? null : await decide(dir, group, runs);
  const summary = summarizeGroup(group, runs, decided?.decision ?? null);
  const pages = await writeGroupReport(dir, group, summary);
  return { summary, files: [writeSummary(dir, summary), ...pages.files, ...(decided?.files ?? []), ...files] };
}

/** The last look at an A/B question, once more, with all its figures as comparison.json, a page and a picture; null: no pair is whole. */
async function decide(
  dir: string,
  group: RunsGroupRecord,
  runs: readonly GroupRunSummary[],
): Promise<{ decision: AbDecision; files: string[] } | null> {
  const ended = new Set(runs.filter((run) => run.verdict !== 'interrupted').map((run) => run.run));
  const pairs = wholePairs(group, (run) => ended.has(run));
  if (pairs === 0) return null;
  const { comparison, decision, sides } = lookAt(dir, group, pairs);
  const file = join(dir, 'comparison.json');
  writeFileSync(file, `${JSON.stringify(comparison, null, 2)}\n`);
  const pages = await writeComparisonReport(comparison, sides, { html: join(dir, 'comparison.html'), png: join(dir, 'comparison.png') });
  return { decision, files: [file, ...pages] };
}

/** In their order; returns the files written. */
async function writeEachRun(
  dir: string,
  onProgress: (text: string) => void,
  what: string,
  onRun: (run: string, data: RunData, summary: Summary) => void,
): Promise<string[]> {
  const files: string[] = [];
  const runs = runsOfGroup(dir);
  for (const [index, run] of runs.entries()) {
    onProgress(`  writing the pages of ${what} ${index + 1} of ${runs.length}`);
    const data = readRun(join(dir, run));
    const written = await writeResults(data);
    files.push(...written.files);
    onRun(run, data, written.summary);
  }
  return files;
}

function writeSummary(dir: string, summary: CapacitySummary | RunsGroupSummary): string {
  const file = join(dir, 'summary.json');
  writeFileSync(file, `${JSON.stringify(summary, null, 2)}\n`);
  return file;
}

/** As a person would type it from the working folder. */
export function fromHere(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
}
