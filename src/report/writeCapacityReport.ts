/** Writes what people look at into the folder of a search for the capacity: report.html and capacity.png. Called by cli/writeGroupResults.ts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from '../base/assert.js';
import type { CapacityGroupRecord, CapacitySummary } from '../result/group.js';
import { capacityCurve } from './capacityCurve.js';

/** Writes both files and returns their paths. The page comes first: it is there even if the picture can't be drawn. */
export async function writeCapacityReport(dir: string, group: CapacityGroupRecord, summary: CapacitySummary): Promise<{ files: string[] }> {
  // Loaded here: the drawing library takes longer to load than most commands take to run.
  const [{ renderCapacityPage }, { renderCapacityPicture }] = await Promise.all([import('./capacityPage.js'), import('./capacityPicture.js')]);
  const { capacity } = group.plan;
  assert(capacity !== undefined, 'a group of a search has the search in its plan');
  const page = join(dir, 'report.html');
  writeFileSync(page, renderCapacityPage(group, capacity, summary));
  const picture = join(dir, 'capacity.png');
  const title = { name: group.name, verdict: summary.verdict, sentence: summary.sentence };
  writeFileSync(picture, await renderCapacityPicture(capacityCurve(capacity, summary), title));
  return { files: [page, picture] };
}
