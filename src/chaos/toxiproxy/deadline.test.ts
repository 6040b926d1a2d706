/** Deadlines: never early, once, in parts when they are long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicUs } from '../../base/clock.js';
import { Deadline } from './deadline.js';
import { within } from './sockets.test.support.js';

/** Arms a deadline that many µs ahead and returns how late it was. */
function latenessUs(aheadUs: number): Promise<number> {
  const dueUs = monotonicUs() + aheadUs;
  return within('the deadline', new Promise((resolve) => new Deadline(() => resolve(monotonicUs() - dueUs)).arm(dueUs)));
}

test('a deadline is never early and seldom late', async () => {
  const latenesses: number[] = [];
  for (const aheadUs of [-5, 0, 50, 300, 999, 1_000, 1_001, 1_500, 2_750, 3_999, 10_300, 20_001]) latenesses.push(await latenessUs(aheadUs));
  assert.ok(Math.min(...latenesses) >= 0, `early by ${-Math.min(...latenesses)} µs`);
  const median = latenesses.toSorted((a, b) => a - b)[6] ?? 0;
  assert.ok(median < 10_000, `median ${median} µs late`);
});

test('cancelled and re-armed, only the last one counts', async () => {
  const fired: number[] = [];
  const startUs = monotonicUs();
  await within(
    'the deadline',
    new Promise<void>((resolve) => {
      const deadline = new Deadline(() => {
        fired.push(monotonicUs() - startUs);
        resolve();
      });
      deadline.arm(startUs + 1_000);
      deadline.cancel();
      assert.equal(deadline.armed, false);
      deadline.arm(startUs + 1_000);
      deadline.arm(startUs + 15_000);
    }),
  );
  assert.equal(fired.length, 1);
  assert.ok((fired[0] ?? 0) >= 15_000);
});

test('a wait beyond the longest timer is not cut short', () => {
  let isFired = false;
  const deadline = new Deadline(() => {
    isFired = true;
  });
  deadline.arm(monotonicUs() + 90 * 24 * 3_600 * 1_000_000);
  assert.deepEqual([deadline.armed, isFired], [true, false]);
  deadline.cancel();
});
