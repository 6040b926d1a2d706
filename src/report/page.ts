/**
 * report.html: one self-contained file that opens from disk without network. Called by writeReport.ts. Pure but for reading the page's own
 * script, which the build puts beside this module; never loads or links anything, and a Content-Security-Policy holds it to that.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert } from '../base/assert.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import type { RunData } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { serverMeasureTexts } from './chartDefinition.js';
import { consistencySection } from './pageConsistency.js';
import { faultSections, gapSection, windowSection } from './pageFaults.js';
import { groupSection } from './pageGroups.js';
import { headSection, thresholdSection, titleOf } from './pageHead.js';
import { type Html, html, raw, scriptJson } from './pageHtml.js';
import { lagSection } from './pageLag.js';
import { generatorSection, latencySection, outcomeSection, phaseSection } from './pageLoad.js';
import { placementSection } from './pagePlacement.js';
import { serverSection } from './pageServers.js';
import { metadataSection, profileSection, topologySection } from './pageSetting.js';
import { pageStyle } from './pageStyle.js';
import { serverMeasures } from './serverSeries.js';
import type { TimelineData } from './timelineData.js';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** The whole page. The same input gives the same text. */
export function renderPage(data: RunData, summary: Summary, timeline: TimelineData): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="kvbench ${kvbenchVersion}">
<title>${titleOf(data, summary)}</title>
<link rel="icon" href="data:,">
<style>${raw(pageStyle)}</style>
</head>
<body>
<main>
${headSection(data, summary)}
${thresholdSection(summary)}
${chartSection(timeline)}
${faultSections(data, summary)}
${gapSection(summary)}
${consistencySection(summary)}
${lagSection(summary)}
${groupSection(summary)}
${windowSection(summary)}
${latencySection(summary)}
${outcomeSection(summary)}
${phaseSection(summary)}
${generatorSection(summary)}
${serverSection(summary)}
${placementSection(summary)}
${topologySection(data, summary)}
${profileSection(data)}
${metadataSection(data, summary)}
</main>
<footer class="page-foot">kvbench ${kvbenchVersion}. Times are since t0, the start of the first phase, on one monotonic clock.</footer>
<script type="application/json" id="timeline-data">${scriptJson(timeline)}</script>
<script>${raw(browserScript())}</script>
</body>
</html>
`.text;
}

/** Filled by page/browser/main.ts. */
function chartSection({ servers }: TimelineData): Html {
  const measures = serverMeasures.map((measure) => html`<option value="${measure}">${serverMeasureTexts[measure].name}</option>`);
  return html`<section id="timeline">
<div class="charts-head"><h2>Timeline</h2>
<div class="tools" role="group" aria-label="Charts">
<label><input type="checkbox" id="show-bands" checked> Fault and gap bands</label>
<label><input type="checkbox" id="log-scale" checked> Logarithmic latency</label>
<label${servers === null ? html` hidden` : ''}>Servers <select id="server-measure">${measures}</select></label>
<button type="button" id="reset-zoom" disabled>Reset zoom</button>
</div></div>
<p class="note how">Drag to zoom, shift-drag to move, wheel or pinch to zoom, double-click to reset. Keys on a chart: arrows read, + and − zoom, 0 resets.</p>
<div id="charts"></div>
<div id="tooltip" class="tooltip" role="status" hidden></div>
<noscript><p class="banner">The charts need JavaScript; the tables below do not.</p></noscript>
</section>`;
}

/** The bundle that src/setup/bundle.mjs makes of page/browser/main.ts, beside this module in the output. */
function browserScript(): string {
  const script = readFileSync(fileURLToPath(new URL('./page/browser.js', import.meta.url)), 'utf8');
  assert(!/<\/script|<!--/i.test(script), 'the page script would end its own element');
  return script;
}
