/** The picture can be decoded, has its size, and shows its bands where they belong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCanvas, loadImage } from 'canvas';
import { summarize } from '../stats/summarize.js';
import { failoverRun } from './failover.test.support.js';
import { PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX, renderPicture, wrapText } from './picture.js';
import { buildTimelineData, type TimelineData } from './timelineData.js';

const title = { name: 'failover', verdict: 'passed', sentence: 'Shard 0 refused writes for 4.00 s' };

async function pixelsOf(png: Buffer): Promise<Uint8ClampedArray> {
  const image = await loadImage(png);
  assert.deepEqual([image.width, image.height], [PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX]);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data;
}

type IsColor = (red: number, green: number, blue: number) => boolean;
const isMagenta: IsColor = (red, green, blue) => red - green > 70 && blue - green > 70;
/** The theme's colour of gaps, translucent on white and on the grounds of fault and gap. */
const isAmber: IsColor = (red, green, blue) => red - green > 20 && red - green < 45 && green - blue > 30 && green - blue < 55;

/** Columns with at least five such pixels. */
function columnsOf(pixels: Uint8ClampedArray, isColor: IsColor): number[] {
  const counts = new Uint32Array(PICTURE_WIDTH_PX);
  for (let i = 0; i < pixels.length; i += 4) {
    const column = (i / 4) % PICTURE_WIDTH_PX;
    if (isColor(pixels[i] ?? 0, pixels[i + 1] ?? 0, pixels[i + 2] ?? 0)) counts[column] = (counts[column] ?? 0) + 1;
  }
  return [...counts.keys()].filter((column) => (counts[column] ?? 0) >= 5);
}

function failoverTimeline(): TimelineData {
  const data = failoverRun();
  return buildTimelineData(data, summarize(data));
}

test('the picture has its size and the bar of the fault at its time', async () => {
  const timeline = failoverTimeline();
  // A colour that nothing else in the picture has.
  const fault = timeline.faults[0];
  assert.ok(fault);
  const marked = { ...timeline, faults: [{ ...fault, color: '#ff00ff' }] };
  const columns = columnsOf(await pixelsOf(await renderPicture(marked, title)), isMagenta);
  assert.ok(columns.length > 100, 'the bar was not found');
  // The curves' area runs from second 0 to endMs, about from 6.9 % to 97.8 % of the width.
  const expected = (ms: number): number => PICTURE_WIDTH_PX * (0.069 + (0.909 * ms) / timeline.endMs);
  assert.ok(Math.abs((columns[0] ?? 0) - expected(8000)) < 25, `left end ${columns[0]}, expected ${expected(8000)}`);
  assert.ok(Math.abs((columns.at(-1) ?? 0) - expected(15_000)) < 25, `right end ${columns.at(-1)}, expected ${expected(15_000)}`);
  assert.deepEqual(columnsOf(await pixelsOf(await renderPicture({ ...marked, faults: [] }, title)), isMagenta), []);
});

test('a silent shard has its bar', async () => {
  const timeline = failoverTimeline();
  assert.ok(columnsOf(await pixelsOf(await renderPicture(timeline, title)), isAmber).length > 100);
  // Some edge of a translucent area always has a colour like it.
  assert.ok(columnsOf(await pixelsOf(await renderPicture({ ...timeline, gaps: [] }, title)), isAmber).length < 10);
});

test('a long sentence is wrapped, and cut off with an ellipsis when it is too long', () => {
  const measure = (text: string): number => text.length;
  assert.deepEqual(wrapText('one two three four', 9, 3, measure), ['one two', 'three', 'four']);
  assert.deepEqual(wrapText('one two three four', 9, 2, measure), ['one two', 'three fo…']);
  assert.deepEqual(wrapText('', 9, 2, measure), []);
});
