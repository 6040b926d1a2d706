/** The picture of a comparison can be decoded, has its size, and shows both sides where they belong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCanvas, loadImage } from 'canvas';
import { failoverSides } from './comparison.test.support.js';
import { buildComparisonOverlay } from './comparisonOverlay.js';
import { renderComparisonPicture, shortLabel } from './comparisonPicture.js';
import { PICTURE_HEIGHT_PX, PICTURE_WIDTH_PX } from './picture.js';

const title = { name: 'after against before', verdict: 'Worse', sentence: 'latency p(99) +120 % slower', looks: 'failed' } as const;
const { base, candidate } = failoverSides();
const overlay = buildComparisonOverlay(base, candidate);

/** Pixels of the blue of the base and the orange of the candidate, by thirds of the height below the heading. */
async function sidePixels(png: Buffer): Promise<{ blue: number[]; orange: number[]; red: number }> {
  const image = await loadImage(png);
  assert.deepEqual([image.width, image.height], [PICTURE_WIDTH_PX, PICTURE_HEIGHT_PX]);
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const counted = { blue: [0, 0, 0], orange: [0, 0, 0], red: 0 };
  const topPx = 150;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i] as number, data[i + 1] as number, data[i + 2] as number];
    const y = Math.floor(i / 4 / image.width);
    if (y < 70 && r > g + 100 && r > b + 100) counted.red++;
    if (y < topPx) continue;
    const third = Math.min(2, Math.floor((3 * (y - topPx)) / (image.height - topPx)));
    if (Math.abs(r - 0x2b) < 12 && Math.abs(g - 0x6c) < 12 && Math.abs(b - 0xb0) < 12) counted.blue[third] = (counted.blue[third] as number) + 1;
    if (Math.abs(r - 0xc0) < 12 && Math.abs(g - 0x56) < 12 && Math.abs(b - 0x21) < 12) counted.orange[third] = (counted.orange[third] as number) + 1;
  }
  return counted;
}

test('both sides are drawn over time and by percentile, under a verdict in its colour', async () => {
  const drawn = await sidePixels(await renderComparisonPicture(overlay, title));
  for (const [name, thirds] of [['base', drawn.blue] as const, ['candidate', drawn.orange] as const])
    for (const [i, pixels] of thirds.entries()) assert.ok(pixels > 100, `${name}: ${pixels} pixels in chart ${i}`);
  assert.ok(drawn.red > 500, `${drawn.red} red pixels in the badge`);

  const silent = { ...overlay.sides.candidate, runs: [], median: { throughput: [], p99Ms: [] } };
  const spectra = Object.fromEntries(
    Object.entries(overlay.spectra).map(([op, spectrum]) => [op, { ...spectrum, candidate: { mergedMs: [], lowMs: [], highMs: [], count: 0 } }]),
  );
  const half = await sidePixels(await renderComparisonPicture({ ...overlay, spectra, sides: { ...overlay.sides, candidate: silent } }, title));
  // The samples in the legends remain.
  for (const pixels of half.orange) assert.ok(pixels < 60, `${half.orange} orange pixels without a candidate`);
});

test('long names of sides keep their begin and end', () => {
  assert.equal(shortLabel('before'), 'before');
  assert.equal(shortLabel('2026-01-01T00-00-00-failover-a'), '2026-01-01T0…-failover-a');
  assert.equal(shortLabel('2026-01-01T00-00-00-failover-a').length, 24);
});
