/** Writes what people look at into the folder of a group of runs: report.html and variants.png. Called by cli/writeGroupResults.ts. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunsGroupRecord, RunsGroupSummary } from '../result/runsGroup.js';
import { groupDrawing } from './groupDrawing.js';
import { renderGroupPage } from './groupPage.js';

/** Writes both files and returns their paths; without a finished run there is no picture. */
export async function writeGroupReport(dir: string, group: RunsGroupRecord, summary: RunsGroupSummary): Promise<{ files: string[] }> {
  const page = join(dir, 'report.html');
  writeFileSync(page, renderGroupPage(group, summary));
  const picture = join(dir, 'variants.png');
  const drawing = groupDrawing(summary);
  if (drawing === null) {
    rmSync(picture, { force: true });
    return { files: [page] };
  }
  // Loaded here: the drawing library takes longer to load than most commands take to run.
  const { renderGroupPicture } = await import('./groupPicture.js');
  writeFileSync(picture, renderGroupPicture(drawing, { name: group.name, verdict: summary.verdict, sentence: summary.sentence }));
  return { files: [page, picture] };
}
