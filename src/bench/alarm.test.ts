/** The alarm is never early, keeps the last arming, and sleeps meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { Alarm } from './alarm.js';

function alarmOf(): { alarm: Alarm; next: () => Promise<number> } {
  let wake: (atUs: number) => void = () => {};
  const alarm = new Alarm(() => wake(monotonicUs()));
  // The alarm itself keeps no process alive.
  const next = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error('no call within 10 s')), 10_000);
      wake = (atUs) => {
        clearTimeout(limit);
        resolve(atUs);
      };
    });
  return { alarm, next };
}

test('it calls at the due time, never before, however near or far that is', async () => {
  const { alarm, next } = alarmOf();
  for (const waitUs of [20_000, 3000, 500, 100, 10, 0, -1000]) {
    const called = next();
    const dueUs = monotonicUs() + waitUs;
    alarm.arm(dueUs);
    const atUs = await called;
    assert.ok(atUs >= dueUs, `${waitUs} µs ahead: ${dueUs - atUs} µs early`);
  }
});

test('the last arming holds, be it later, earlier or never', async () => {
  const { alarm, next } = alarmOf();
  const called = next();
  alarm.arm(monotonicUs() + 5_000);
  alarm.arm(Number.POSITIVE_INFINITY);
  const dueUs = monotonicUs() + 50_000;
  alarm.arm(monotonicUs() + 600_000_000);
  alarm.arm(dueUs);
  const atUs = await called;
  assert.ok(atUs >= dueUs && atUs < dueUs + 5_000_000, `${atUs - dueUs} µs after the due time`);
});

test('waiting takes next to no CPU', async () => {
  const { alarm, next } = alarmOf();
  const called = next();
  const before = process.cpuUsage();
  alarm.arm(monotonicUs() + 1_000_000);
  await called;
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 500_000, `${user + system} µs of CPU in a wait of 1 s`);
});
