/** Writes the page and the picture of a comparison, where they are wanted. Called by the commands diff and gate. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { Comparison } from '../compare/comparison.js';
import { comparedFaults } from './comparisonFaults.js';
import { verdictOf } from './comparisonHead.js';
import { buildComparisonOverlay, type OverlayInput } from './comparisonOverlay.js';

/** The files written. Throws RESULT_NOT_WRITABLE, RESULT_NOT_READABLE (a damaged line of intervals). @param wanted paths; undefined: not wanted */
export async function writeComparisonReport(
  comparison: Comparison,
  sides: { base: OverlayInput; candidate: OverlayInput },
  wanted: { html?: string | undefined; png?: string | undefined },
): Promise<string[]> {
  if (wanted.html === undefined && wanted.png === undefined) return [];
  const overlay = buildComparisonOverlay(sides.base, sides.candidate);
  const files: string[] = [];
  if (wanted.html !== undefined) {
    const { renderComparisonPage } = await import('./comparisonPage.js');
    write(
      wanted.html,
      renderComparisonPage(comparison, { overlay, faults: comparedFaults(sides.base, sides.candidate), reports: reportsFrom(wanted.html, sides) }),
    );
    files.push(wanted.html);
  }
  if (wanted.png !== undefined) {
    // Loaded here: the drawing library takes longer to load than most commands take to run.
    const { renderComparisonPicture } = await import('./comparisonPicture.js');
    const { text, looks } = verdictOf(comparison);
    const title = {
      name: `${comparison.candidate.label} against ${comparison.base.label}`,
      verdict: text,
      sentence: comparison.sentence,
      ...(looks === '' ? {} : { looks }),
    };
    write(wanted.png, await renderComparisonPicture(overlay, title));
    files.push(wanted.png);
  }
  return files;
}

/** Relative, so that folder and page can move together; only of runs that have a page. */
function reportsFrom(page: string, { base, candidate }: { base: OverlayInput; candidate: OverlayInput }): Map<string, string> {
  const reports = [...base.runs, ...candidate.runs].flatMap(({ data }): [string, string][] => {
    const report = join(data.dir, 'report.html');
    if (!existsSync(report)) return [];
    const path = relative(dirname(resolve(page)), resolve(report))
      .split(sep)
      .map(encodeURIComponent)
      .join('/');
    return [[data.dir, `./${path}`]];
  });
  return new Map(reports);
}

function write(file: string, content: string | Buffer): void {
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    writeFileSync(file, content);
  } catch (error) {
    throw new KvbenchError('RESULT_NOT_WRITABLE', `${file} cannot be written: ${messageOf(error)}`, 'Name another file.', error);
  }
}
