import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCanvas, loadImage } from 'canvas';
import { summarize } from '../stats/summarize.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import { PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX, renderPicture, wrapText } from './picture.js';
import { failoverRun } from './reportRun.test.support.js';
import { buildTimelineData } from './timelineData.js';

/** Share of pixels that differ, by column, between two pictures. */
async function differences(a: Buffer, b: Buffer): Promise<number[]> {
  const [left, right] = await Promise.all([a, b].map(pixelsOf));
  assert.ok(left && right);
  return Array.from({ length: PICTURE_WIDTH_PX }, (_, x) => {
    let differing = 0;
    for (let y = 150; y < PICTURE_HEIGHT_PX; y++) {
      const at = (y * PICTURE_WIDTH_PX + x) * 4;
      if (left[at] !== right[at] || left[at + 1] !== right[at + 1] || left[at + 2] !== right[at + 2]) differing++;
    }
    return differing / (PICTURE_HEIGHT_PX - 150);
  });
}

async function pixelsOf(png: Buffer): Promise<Uint8ClampedArray> {
  const image = await loadImage(png);
  assert.equal(image.width, PICTURE_WIDTH_PX);
  assert.equal(image.height, PICTURE_HEIGHT_PX);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height).data;
}

function pictureOf(data: ReturnType<typeof failoverRun>, change: (timeline: ReturnType<typeof buildTimelineData>) => void = () => {}): Buffer {
  const summary = summarize(data);
  const timeline = buildTimelineData(data, summary);
  change(timeline);
  return renderPicture(timeline, { name: data.run.name, verdict: summary.verdict, sentence: summary.sentence });
}

test('a fault is shaded in the picture where it was in force, and nowhere else', async () => {
  const data = failoverRun();
  const withFault = pictureOf(data);
  const shifted = pictureOf(data, (timeline) => {
    for (const fault of timeline.faults) fault.endMs = 12_000;
  });
  const changed = await differences(withFault, shifted);
  // 12 to 15 s of 20 s lie right of the middle; what is before the fault does not change.
  const left = changed.slice(100, 500);
  const right = changed.slice(950, 1150);
  assert.ok(Math.max(...left) < 0.02, `before the fault ${Math.max(...left)}`);
  assert.ok(right.filter((share) => share > 0.3).length > 100, 'the band that was cut off');
});

test('a run without anything to mark is drawn too', async () => {
  const pixels = await pixelsOf(pictureOf(syntheticRun()));
  const colors = new Set<number>();
  for (let at = 0; at < pixels.length; at += 4) colors.add(((pixels[at] ?? 0) << 16) | ((pixels[at + 1] ?? 0) << 8) | (pixels[at + 2] ?? 0));
  assert.ok(colors.size > 50, `${colors.size} colours`);
});

test('a long sentence is wrapped, and cut with an ellipsis where there is no room left', () => {
  const measure = (text: string): number => text.length;
  assert.deepEqual(wrapText('one two three', 7, 3, measure), ['one two', 'three']);
  assert.deepEqual(wrapText('one two three four five', 7, 2, measure), ['one two', 'three…']);
  assert.deepEqual(wrapText('', 7, 2, measure), []);
});
