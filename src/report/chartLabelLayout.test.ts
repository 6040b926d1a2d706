/** Labels of a chart never cover each other, whatever comes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { laneOfEach, staggerLabels } from './chartLabelLayout.js';

const area = { leftPx: 80, rightPx: 1000 };
const requests = fc
  .array(fc.record({ xPx: fc.integer({ min: 0, max: 1100 }), widthPx: fc.integer({ min: 10, max: 200 }) }), { maxLength: 30 })
  .map((list) => list.sort((a, b) => a.xPx - b.xPx));

test('no two labels overlap, and none leaves the area or the rows', () => {
  fc.assert(
    fc.property(requests, fc.integer({ min: 1, max: 6 }), (list, rows) => {
      const placed = staggerLabels(list, area, rows).flatMap((place, i) => (place ? [{ ...place, endPx: place.xPx + (list[i]?.widthPx ?? 0) }] : []));
      for (const [i, one] of placed.entries()) {
        assert.ok(one.xPx >= area.leftPx && one.endPx <= area.rightPx && one.row >= 0 && one.row < rows);
        for (const other of placed.slice(i + 1)) assert.ok(other.row !== one.row || other.xPx >= one.endPx || other.endPx <= one.xPx);
      }
    }),
  );
});

test('the line of a later event starts below the labels it would cross', () => {
  const places = staggerLabels(
    [
      { xPx: 100, widthPx: 80 },
      { xPx: 120, widthPx: 80 },
      { xPx: 130, widthPx: 80 },
      { xPx: 600, widthPx: 80 },
    ],
    area,
    4,
  );
  assert.deepEqual(
    places.map((place) => place?.row),
    [0, 1, 2, 0],
  );
});

test('a label at the right edge is shifted into the area, one outside it or without room is left out', () => {
  assert.deepEqual(staggerLabels([{ xPx: 990, widthPx: 100 }], area, 1), [{ xPx: 900, row: 0 }]);
  assert.deepEqual(
    staggerLabels(
      [
        { xPx: 50, widthPx: 10 },
        { xPx: 500, widthPx: 50 },
        { xPx: 510, widthPx: 50 },
      ],
      area,
      1,
    ),
    [null, { xPx: 500, row: 0 }, null],
  );
});

test('bars share a lane only when they do not overlap', () => {
  const bars = fc.array(
    fc.tuple(fc.nat(1000), fc.nat(300)).map(([start, length]) => ({ start, end: start + length + 1 })),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(bars, (list) => {
      const lanes = laneOfEach(list);
      for (const [i, a] of list.entries()) {
        for (const [j, b] of list.entries()) if (i < j && lanes[i] === lanes[j]) assert.ok(a.end <= b.start || b.end <= a.start);
      }
    }),
  );
  assert.deepEqual(
    laneOfEach([
      { start: 0, end: 10 },
      { start: 5, end: 8 },
      { start: 10, end: 12 },
    ]),
    [0, 1, 0],
  );
});
