/** variants.png: the dot plots of a group under its sentence, in the light theme. Called by writeGroupReport. */
import { createCanvas, type SKRSContext2D } from 'canvas';
import { lightTheme } from './chartTheme.js';
import type { GroupDrawing, Shape, ShapeKind } from './groupDrawing.js';
import { drawHeading, FAMILY, PICTURE_WIDTH_PX, type PictureTitle, registerFonts } from './picture.js';

const MARGIN_PX = 32;
/** Room for the heading, whatever its sentence; what is not used stays empty at the foot. */
const HEADING_PX = 190;

const DOT = '#2457a6';
const colors: Partial<Record<ShapeKind, string>> = { range: '#c3c8ce', median: '#16191d', dot: DOT, failed: '#b3261e', axis: '#dfe2e6' };
const fonts: Partial<Record<ShapeKind, string>> = { title: `600 14px ${FAMILY}`, value: `600 12.5px ${FAMILY}`, name: `400 12.5px ${FAMILY}` };
const widths: Partial<Record<ShapeKind, number>> = { range: 4, median: 2.5 };

/** A PNG of `PICTURE_WIDTH_PX`, as high as it needs. */
export function renderGroupPicture(drawing: GroupDrawing, title: PictureTitle): Buffer {
  registerFonts();
  const scale = (PICTURE_WIDTH_PX - 2 * MARGIN_PX) / drawing.widthPx;
  const heightPx = Math.ceil(HEADING_PX + drawing.heightPx * scale + MARGIN_PX);
  const canvas = createCanvas(PICTURE_WIDTH_PX, heightPx);
  const context = canvas.getContext('2d');
  context.fillStyle = lightTheme.background;
  context.fillRect(0, 0, PICTURE_WIDTH_PX, heightPx);
  const topPx = drawHeading(context, title) + 12;
  context.translate(MARGIN_PX, topPx);
  context.scale(scale, scale);
  for (const shape of drawing.shapes) draw(context, shape);
  return canvas.toBuffer('image/png');
}

function draw(context: SKRSContext2D, shape: Shape): void {
  const color = colors[shape.kind] ?? lightTheme.text;
  context.fillStyle = color;
  context.strokeStyle = color;
  context.beginPath();
  if (shape.shape === 'line') {
    context.lineWidth = widths[shape.kind] ?? 1;
    context.lineCap = shape.kind === 'range' ? 'round' : 'butt';
    context.moveTo(shape.x1, shape.y1);
    context.lineTo(shape.x2, shape.y2);
    context.stroke();
  } else if (shape.shape === 'circle') {
    context.globalAlpha = 0.75;
    context.arc(shape.x, shape.y, shape.r, 0, 2 * Math.PI);
    context.fill();
    context.globalAlpha = 1;
  } else {
    const isQuiet = shape.kind === 'note' || shape.kind === 'tick';
    context.fillStyle = isQuiet ? lightTheme.mutedText : lightTheme.text;
    context.font = fonts[shape.kind] ?? `400 11.5px ${FAMILY}`;
    context.textBaseline = 'alphabetic';
    context.textAlign = shape.align;
    context.fillText(shape.text, shape.x, shape.y);
  }
}
