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
  const specs = [...buildOverlayCharts(overlay, theme, options), buildSpectrumChart(overlay, theme, options, 'all')];
  const heightPx = Math.floor((PICTURE_HEIGHT_PX - topPx - FOOT_PX) / specs.length);
  for (const spec of specs) {
    await drawChart(context, spec, topPx, heightPx);
    topPx += heightPx;
  }
  return canvas.toBuffer('image/png');
}
