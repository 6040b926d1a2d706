/** Writes what people look at into a result folder: report.html and timeline.png. Called by the commands run and report. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunData } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { buildTimelineData } from './timelineData.js';

/** Writes both files and returns their paths. The page comes first: it is there even if the picture can't be drawn. */
export async function writeReport(data: RunData, summary: Summary): Promise<{ files: string[] }> {
  // Loaded here: the drawing library takes longer to load than most commands take to run.
  const [{ renderPage }, { renderPicture }] = await Promise.all([import('./page.js'), import('./picture.js')]);
  const timeline = buildTimelineData(data, summary);
  const page = join(data.dir, 'report.html');
  writeFileSync(page, renderPage(data, summary, timeline));
  const picture = join(data.dir, 'timeline.png');
  writeFileSync(picture, await renderPicture(timeline, { name: data.run.name, verdict: summary.verdict, sentence: summary.sentence }));
  return { files: [page, picture] };
}
