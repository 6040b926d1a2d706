/**
 * The main timeline as a PNG: the three charts of the page under a heading, drawn with chartjs-node-canvas in the light theme. Called by
 * writeReport. Uses the shipped fonts only: a machine without any font draws the same picture.
 */
import { fileURLToPath } from 'node:url';
import { createCanvas, GlobalFonts, loadImage, type SKRSContext2D } from 'canvas';
import { assert } from '../base/assert.js';
import { LANE_PX } from './chartAnnotations.js';
import { buildCharts, type ChartSpec, lightTheme } from './chartDefinition.js';
import { lanesOf } from './chartLanes.js';
import type { TimelineData } from './timelineData.js';
import { annotation, ChartJSNodeCanvas } from './vendor/chartjs-node-canvas.js';

export interface PictureTitle {
  name: string;
  verdict: string;
  /** Wrapped; at most three lines are shown. */
  sentence: string;
  /** Colour of the verdict; default by its word. */
  looks?: 'passed' | 'failed';
}

export const PICTURE_WIDTH_PX = 1600;
export const PICTURE_HEIGHT_PX = 1100;

/** Charts are drawn small and shown at this scale, so that their text is readable when the picture is shrunk into a page. */
export const SCALE = 1.25;
const MARGIN_PX = 32;
const CHART_GAP_PX = 10;
const MAX_SENTENCE_LINES = 3;
export const FAMILY = 'Inter';
const verdictColors: Readonly<Record<string, string>> = { passed: '#2f855a', failed: '#c53030' };
const OTHER_VERDICT_COLOR = '#b7791f';

/** A PNG of `PICTURE_WIDTH_PX` × `PICTURE_HEIGHT_PX`. */
export async function renderPicture(timeline: TimelineData, title: PictureTitle): Promise<Buffer> {
  registerFonts();
  const canvas = createCanvas(PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX);
  const context = canvas.getContext('2d');
  context.fillStyle = lightTheme.background;
  context.fillRect(0, 0, PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX);
  let topPx = drawHeading(context, title);
  const all = buildCharts(timeline, { ...lightTheme, fontFamily: FAMILY }, { bands: true, logScale: true });
  // The groups of clients have room on the page only.
  const specs = all.filter(({ id }) => id !== 'groups');
  const heights = chartHeights(specs.length, PICTURE_HEIGHT_PX - topPx - MARGIN_PX / 2, (lanesOf(timeline).count + 0.5) * LANE_PX * SCALE);
  for (const [i, spec] of specs.entries()) {
    const heightPx = heights[i] as number;
    await drawChart(context, spec, topPx, heightPx);
    topPx += heightPx;
  }
  return canvas.toBuffer('image/png');
}

/** The first chart has the lanes; what is left is shared. Whole pixels. */
function chartHeights(count: number, totalPx: number, lanesPx: number): number[] {
  const restPx = totalPx - lanesPx;
  const shares = count > 3 ? [0.27, 0.28, 0.22] : [0.34, 0.36];
  const heights = shares.map((share, i) => Math.floor((i === 0 ? lanesPx : 0) + restPx * share));
  return [...heights, Math.floor(totalPx) - heights.reduce((sum, heightPx) => sum + heightPx, 0)];
}

/** The lower edge of what it drew, in px. */
export function drawHeading(context: SKRSContext2D, { name, verdict, sentence, looks }: PictureTitle): number {
  const widthPx = PICTURE_WIDTH_PX - 2 * MARGIN_PX;
  context.textBaseline = 'middle';
  const badge = verdict.toUpperCase();
  context.font = `600 17px ${FAMILY}`;
  const badgePx = context.measureText(badge).width + 24;
  context.fillStyle = verdictColors[looks ?? verdict] ?? OTHER_VERDICT_COLOR;
  context.beginPath();
  context.roundRect(PICTURE_WIDTH_PX - MARGIN_PX - badgePx, 26, badgePx, 32, 6);
  context.fill();
  context.fillStyle = '#ffffff';
  context.fillText(badge, PICTURE_WIDTH_PX - MARGIN_PX - badgePx + 12, 43);
  context.font = `600 28px ${FAMILY}`;
  context.fillStyle = lightTheme.text;
  context.fillText(
    shortened(name, widthPx - badgePx - 24, (text) => context.measureText(text).width),
    MARGIN_PX,
    43,
  );
  context.font = `400 20px ${FAMILY}`;
  context.fillStyle = lightTheme.mutedText;
  let yPx = 84;
  for (const line of wrapText(sentence, widthPx, MAX_SENTENCE_LINES, (text) => context.measureText(text).width)) {
    context.fillText(line, MARGIN_PX, yPx);
    yPx += 27;
  }
  return yPx + 4;
}

export async function drawChart(context: SKRSContext2D, spec: ChartSpec, topPx: number, heightPx: number): Promise<void> {
  const widthPx = PICTURE_WIDTH_PX - MARGIN_PX;
  const bodyPx = heightPx - CHART_GAP_PX;
  const renderer = new ChartJSNodeCanvas({ width: widthPx / SCALE, height: bodyPx / SCALE, plugins: { modern: [annotation] } });
  const options = spec.config.options;
  assert(options !== undefined, 'a chart has options');
  // One pixel of the chart becomes SCALE pixels of the picture.
  options.devicePixelRatio = SCALE;
  // Decoding takes its time: an image that is drawn before it is complete leaves no trace.
  const image = await loadImage(renderer.renderToBufferSync(spec.config, 'image/png'));
  context.drawImage(image, MARGIN_PX / 2, topPx, widthPx, bodyPx);
  context.font = `600 17px ${FAMILY}`;
  context.fillStyle = lightTheme.text;
  context.fillText(spec.title, MARGIN_PX, topPx + 17);
  const titlePx = context.measureText(spec.title).width;
  context.font = `400 15px ${FAMILY}`;
  context.fillStyle = lightTheme.mutedText;
  context.fillText(spec.subtitle, MARGIN_PX + titlePx + 12, topPx + 18);
}

/** Words into lines of at most `widthPx`; what does not fit into `maxLines` ends in an ellipsis. */
export function wrapText(text: string, widthPx: number, maxLines: number, measurePx: (text: string) => number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && measurePx(longer) > widthPx) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  if (line !== '') lines.push(line);
  if (lines.length > maxLines) lines.splice(maxLines - 1, lines.length, lines.slice(maxLines - 1).join(' '));
  return lines.map((one) => shortened(one, widthPx, measurePx));
}

function shortened(text: string, widthPx: number, measurePx: (text: string) => number): string {
  if (measurePx(text) <= widthPx) return text;
  let end = text.length;
  while (end > 0 && measurePx(`${text.slice(0, end)}…`) > widthPx) end--;
  return `${text.slice(0, end).trimEnd()}…`;
}

let fontsAreRegistered = false;

export function registerFonts(): void {
  if (fontsAreRegistered) return;
  for (const weight of [400, 600]) {
    const file = fileURLToPath(new URL(`./fonts/inter-latin-${weight}-normal.woff2`, import.meta.url));
    assert(GlobalFonts.registerFromPath(file, FAMILY) !== null, `the font ${file} could not be read`);
  }
  fontsAreRegistered = true;
}
