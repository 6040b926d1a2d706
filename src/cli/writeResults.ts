/** The last step of the pipeline: everything that is computed from the records of a run, written into its folder. Used by run and report. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectGarbage } from '../base/garbage.js';
import { holdYoungGeneration } from '../base/youngGeneration.js';
import { writeReport } from '../report/writeReport.js';
import { writeLatencyLog } from '../result/hlog.js';
import { renderJUnit } from '../result/junit.js';
import type { RunData } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { summarize } from '../stats/summarize.js';

/** Writes summary.json, junit.xml, latency.hlog, report.html and the pictures. Returns the summary and the paths written. */
export async function writeResults(data: RunData): Promise<{ summary: Summary; files: string[] }> {
  const release = holdYoungGeneration();
  try {
    return await write(data);
  } finally {
    release();
  }
}

async function write(data: RunData): Promise<{ summary: Summary; files: string[] }> {
  const summary = summarize(data);
  // What a pass over a long run's records leaves behind would come on top of what the next takes.
  await collectGarbage();
  const text = (name: string, content: string): string => {
    const file = join(data.dir, name);
    writeFileSync(file, content);
    return file;
  };
  const files = [
    text('summary.json', `${JSON.stringify(summary, null, 2)}\n`),
    text('junit.xml', renderJUnit(summary, data.run)),
    text('latency.hlog', writeLatencyLog(data)),
  ];
  await collectGarbage();
  const pages = await writeReport(data, summary);
  return { summary, files: [...files, ...pages.files] };
}
