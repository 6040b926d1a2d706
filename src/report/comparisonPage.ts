/**
 * The page of a comparison: one self-contained file that opens from disk without network. Called by writeComparisonReport.ts. Pure but for
 * reading the page's own script, which the build puts beside this module; a Content-Security-Policy keeps it from loading anything.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert } from '../base/assert.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import type { Comparison } from '../compare/comparison.js';
import { type ComparedFault, faultComparison, faultStyle } from './comparisonFaults.js';
import { comparedSection, headSection, verdictOf } from './comparisonHead.js';
import { type ComparisonOverlay, MAX_DRAWN_RUNS, SAMPLES_BEYOND } from './comparisonOverlay.js';
import { rowSections, rowStyle, ruleSection } from './comparisonRows.js';
import { operationTitle } from './pageFormat.js';
import { type Html, html, raw, scriptJson } from './pageHtml.js';
import { pageStyle } from './pageStyle.js';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

export interface ComparisonPageParts {
  overlay: ComparisonOverlay;
  faults: readonly ComparedFault[];
  /** By folder of a run, as the comparison names it: where the run's own page is, seen from this one. */
  reports: ReadonlyMap<string, string>;
}

/** The whole page. The same input gives the same text. */
export function renderComparisonPage(comparison: Comparison, { overlay, faults, reports }: ComparisonPageParts): string {
  const { base, candidate } = comparison;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="kvbench ${kvbenchVersion}">
<title>${verdictOf(comparison).mark} ${candidate.label} against ${base.label} · kvbench</title>
<link rel="icon" href="data:,">
<style>${raw(pageStyle)}${raw(rowStyle)}${raw(faultStyle)}</style>
</head>
<body>
<main>
${headSection(comparison)}
${ruleSection(comparison)}
${chartSection(overlay)}
${spectrumSection(overlay)}
${faultComparison(faults, { base: base.label, candidate: candidate.label })}
${rowSections(comparison)}
${comparedSection(comparison, reports)}
</main>
<div id="tooltip" class="tooltip" role="status" hidden></div>
<footer class="page-foot">kvbench ${kvbenchVersion}. ${comparison.method.resamples} resamples, seed ${comparison.method.seed}: the same folders give the same figures.</footer>
<script type="application/json" id="comparison-data">${scriptJson(overlay)}</script>
<script>${raw(browserScript())}</script>
</body>
</html>
`.text;
}

/** Filled by page/browser/comparison.ts. */
function chartSection(overlay: ComparisonOverlay): Html {
  const { anchor, sides } = overlay;
  const hasRuns = sides.base.runCount > 1 || sides.candidate.runCount > 1;
  const cut = Object.values(sides).some(({ runCount }) => runCount > MAX_DRAWN_RUNS);
  return html`<section id="overlay">
<div class="charts-head"><h2>Both sides over time</h2>
<div class="tools" role="group" aria-label="Charts">
<label${hasRuns ? '' : html` hidden`}><input type="checkbox" id="show-runs" checked> Single runs</label>
<label><input type="checkbox" id="log-scale" checked> Logarithmic response times</label>
<button type="button" id="reset-zoom" disabled>Reset zoom</button>
</div></div>
<p class="note">All runs are aligned at ${anchor.kind === 'fault' ? `the ${anchor.text}, to 50 ms` : anchor.text}. ${hasRuns ? 'Each run is a thin line, the median of a side a bold one; the base’s is dashed.' : 'The base is dashed.'} The p99 of less than 100 operations is the slowest of them.${cut ? ` The first ${MAX_DRAWN_RUNS} runs of a side are drawn; medians are of all.` : ''} <span class="how">Drag to zoom, shift-drag to move, wheel or pinch to zoom, double-click to reset. Keys on a chart: arrows read, + and − zoom, 0 resets.</span></p>
<div id="charts"></div>
<noscript><p class="banner">The charts need JavaScript; the tables below do not.</p></noscript>
</section>`;
}

function spectrumSection({ spectra }: ComparisonOverlay): Html {
  const operations = Object.keys(spectra);
  const single = operations.length <= 2;
  const options = operations
    .filter((op) => !single || op === 'all')
    .map((op) => html`<option value="${op}">${op === 'all' ? 'all operations' : operationTitle(op)}</option>`);
  return html`<section id="spectra">
<div class="charts-head"><h2>Response time by percentile</h2>
<div class="tools"><label${single ? html` hidden` : ''}>Operation <select id="operation">${options}</select></label></div></div>
<p class="note">All runs of a side merged, recorded phases only; the area goes from the lowest to the highest single run. Each step to the right is ten times rarer; a line ends where fewer than ${SAMPLES_BEYOND} operations lie beyond.</p>
${operations.length === 0 ? html`<p class="none">Nothing was answered.</p>` : ''}
<div id="spectrum-chart"></div>
</section>`;
}

/** The bundle that src/setup/bundle.mjs makes of page/browser/comparison.ts, beside this module in the output. */
function browserScript(): string {
  const script = readFileSync(fileURLToPath(new URL('./page/comparison.js', import.meta.url)), 'utf8');
  assert(!/<\/script|<!--/i.test(script), 'the page script would end its own element');
  return script;
}
