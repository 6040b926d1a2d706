/** The dot plots of a group as SVG for its page. Colours come from its style sheet. Pure. */
import type { GroupDrawing, Shape } from './groupDrawing.js';
import { type Html, html } from './pageHtml.js';

export const plotStyle = `
.dots { width: 100%; height: auto; display: block; font: 12.5px var(--sans); }
.dots text { fill: var(--soft); font-variant-numeric: tabular-nums; }
.dots .title { fill: var(--ink); font-weight: 620; font-size: 14px; } .dots .name { fill: var(--ink); } .dots .value { fill: var(--ink); font-weight: 600; }
.dots .tick, .dots .note { font-size: 11.5px; }
.dots .axis { stroke: var(--line); stroke-width: 1; } .dots .range { stroke: var(--strong); stroke-width: 4; stroke-linecap: round; }
.dots .median { stroke: var(--ink); stroke-width: 2.5; }
.dots .dot { fill: var(--accent); fill-opacity: 0.75; stroke: var(--paper); } .dots .failed { fill: var(--bad); fill-opacity: 0.8; stroke: var(--paper); }
@media (max-width: 760px) { .plots { overflow-x: auto; } .dots { min-width: 880px; } }
`;

export function groupSvg(drawing: GroupDrawing | null): Html {
  if (drawing === null) return html`<p class="none">No run came to its end, so there is nothing to plot.</p>`;
  const { widthPx, heightPx, shapes } = drawing;
  return html`<div class="plots" tabindex="0"><svg class="dots" viewBox="0 0 ${widthPx} ${heightPx}" role="img" aria-label="Each measure, by variant and run; the figures are in the table below">
${shapes.map(element)}
</svg></div>`;
}

function element(shape: Shape): Html {
  switch (shape.shape) {
    case 'line':
      return html`<line class="${shape.kind}" x1="${shape.x1}" y1="${shape.y1}" x2="${shape.x2}" y2="${shape.y2}"/>`;
    case 'circle':
      return html`<circle class="${shape.kind}" cx="${shape.x}" cy="${shape.y}" r="${shape.r}"><title>${shape.title}</title></circle>`;
    case 'text':
      return html`<text class="${shape.kind}" x="${shape.x}" y="${shape.y}" text-anchor="${shape.align}">${shape.text}</text>`;
  }
}
