import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicUs, sleepUs, wallClockMs, wallToMonotonicOffsetUs } from './clock.js';

test('the clock is the same in another thread', async () => {
  const clock = new URL('./clock.js', import.meta.url).href;
  const source = `import { parentPort } from 'node:worker_threads'; import { monotonicUs } from ${JSON.stringify(clock)};
    parentPort.on('message', () => { parentPort.postMessage(monotonicUs()); parentPort.close(); });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const before = monotonicUs();
  const there = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage('now');
  });
  const after = monotonicUs();
  assert.ok(before - 50 <= there && there <= after + 50, `${before} ≤ ${there} ≤ ${after}`);
  await worker.terminate();
});

test('wall-clock times can be placed on the monotonic clock', () => {
  const placedUs = wallClockMs() * 1000 + wallToMonotonicOffsetUs();
  assert.ok(Math.abs(placedUs - monotonicUs()) < 50_000);
});

test('a sleep ends at once when its signal aborts', async () => {
  const controller = new AbortController();
  const started = monotonicUs();
  const sleep = sleepUs(60_000_000, controller.signal);
  controller.abort();
  await sleep;
  assert.ok(monotonicUs() - started < 10_000_000);
});
