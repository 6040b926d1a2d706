import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOf } from '../result/records.js';
import { OpenOperations } from './openOperations.js';
import { ShardWatch } from './shardWatch.js';

/** A worker whose loop turns every millisecond but for `standstills` [from, to), with a success at each of `successesAtMs`. */
function spansOf(successesAtMs: number[], standstills: [number, number][]): EventOf<'span'>[] {
  const spans: EventOf<'span'>[] = [];
  const watch = new ShardWatch(0, new OpenOperations(2), { reads: true, writes: false }, (event) => event.type === 'span' && spans.push(event));
  for (let ms = 0; ms <= 1000; ms++) {
    // As Node does: what waits in the sockets can be read before the timer is heard again.
    if (successesAtMs.includes(ms)) watch.ended(0, true, ms * 1000 - 500, ms * 1000);
    if (!standstills.some(([from, to]) => ms >= from && ms < to)) watch.ticked(ms * 1000);
  }
  return spans;
}

test('a span says for how much of it the worker stood still', () => {
  const standstillsMs = (successesAtMs: number[], standstills: [number, number][]): (number | undefined)[][] =>
    spansOf(successesAtMs, standstills).map((span) => [span.startUs / 1000, span.endUs / 1000, (span.standstillUs ?? Number.NaN) / 1000]);
  assert.deepEqual(standstillsMs([100, 400], []), [
    [0, 100, 0],
    [100, 400, 0],
  ]);
  assert.deepEqual(standstillsMs([100, 400], [[200, 250]]).at(-1), [100, 400, 51]);
  assert.deepEqual(
    standstillsMs(
      [100, 400],
      [
        [150, 200],
        [300, 400],
      ],
    ).at(-1),
    [100, 400, 152],
    'two, of which the last ends with the success',
  );
  assert.deepEqual(standstillsMs([100, 400], [[200, 215]]).at(-1), [100, 400, 0], 'a long turn is none');
});

test('what a worker stood still before the last success is no part of the span after it', () => {
  assert.deepEqual(
    spansOf([90, 190, 400], [[50, 250]]).map((span) => [span.startUs / 1000, span.endUs / 1000, (span.standstillUs ?? Number.NaN) / 1000]),
    [
      [90, 190, 100],
      [190, 400, 60],
    ],
  );
});
