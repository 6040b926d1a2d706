/**
 * The picture of a comparison, for a pull request: verdict, both sides over time and their percentile spectrum, in the light theme. Called by
 * writeComparisonReport. Uses the shipped fonts only.
 */
import { createCanvas } from 'canvas';
import { lightTheme } from './chartTheme.js';
import { buildOverlayCharts, buildSpectrumChart } from './comparisonCharts.js';
import type { ComparisonOverlay } from './comparisonOverlay.js';
import { drawChart, drawHeading, FAMILY, PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX, type PictureTitle, registerFonts } from './picture.js';

const FOOT_PX = 16;
/** Longer names of sides would reach into the titles of the charts; the heading has them in full. */
const MAX_LABEL_CHARS = 24;

/** A PNG of `PICTURE_WIDTH_PX` × `PICTURE_HEIGHT_PX`. */
export async function renderComparisonPicture(overlay: ComparisonOverlay, title: PictureTitle): Promise<Buffer> {
  registerFonts();
  const canvas = createCanvas(PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX);
  const context = canvas.getContext('2d');
  context.fillStyle = lightTheme.background;
  context.fillRect(0, 0, PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX);
  let topPx = drawHeading(context, title);
  const theme = { ...lightTheme, fontFamily: FAMILY };
  const options = { runs: true, logScale: true };
  const { base, candidate } = overlay.sides;
  const short = {
    ...overlay,
    sides: { base: { ...base, label: shortLabel(base.label) }, candidate: { ...candidate, label: shortLabel(candidate.label) } },
  };
  const specs = [...buildOverlayCharts(short, theme, options), buildSpectrumChart(short, theme, options, 'all')];
  const heightPx = Math.floor((PICTURE_HEIGHT_PX - topPx - FOOT_PX) / specs.length);
  for (const spec of specs) {
    await drawChart(context, spec, topPx, heightPx);
    topPx += heightPx;
  }
  return canvas.toBuffer('image/png');
}

/** Begin and end of a long one: names of runs begin with a time, and often differ at their end only. */
export function shortLabel(label: string): string {
  if (label.length <= MAX_LABEL_CHARS) return label;
  const half = (MAX_LABEL_CHARS - 1) / 2;
  return `${label.slice(0, Math.ceil(half))}…${label.slice(label.length - Math.floor(half))}`;
}
