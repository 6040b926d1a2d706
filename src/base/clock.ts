/**
 * The one place that reads time. Everything inside kvbench is integer microseconds on the monotonic clock;
 * a run subtracts its t0 from it. The origin is the machine's, so the value is the same in every thread and process.
 */
import { performance } from 'node:perf_hooks';

/** Microseconds to add to `performance.now() * 1000` in this thread to reach the machine's monotonic clock. */
const threadOffsetUs = measureThreadOffsetUs();

/** `performance.now()` counts from the start of its thread: the tightest of several paired readings gives the distance. */
function measureThreadOffsetUs(): number {
  let bestSpreadUs = Number.POSITIVE_INFINITY;
  let offsetUs = 0;
  for (let i = 0; i < 20; i++) {
    const before = performance.now();
    const machineUs = Number(process.hrtime.bigint() / 1000n);
    const after = performance.now();
    const spreadUs = (after - before) * 1000;
    if (spreadUs < bestSpreadUs) {
      bestSpreadUs = spreadUs;
      offsetUs = machineUs - ((before + after) / 2) * 1000;
    }
  }
  return offsetUs;
}

/** HOT: now, in whole microseconds of the machine's monotonic clock (the same origin in every thread and process). */
export function monotonicUs(): number {
  return Math.floor(performance.now() * 1000 + threadOffsetUs);
}

/** Wall-clock milliseconds since the epoch: only for names, reports and for placing a server's log lines. */
export function wallClockMs(): number {
  return Date.now();
}

/** What to add to wall-clock milliseconds × 1000 to get `monotonicUs()`; measure it again often, the wall clock steps. */
export function wallToMonotonicOffsetUs(): number {
  return monotonicUs() - wallClockMs() * 1000;
}

/** Resolves after `durationUs` microseconds (rounded up to a millisecond), or at once when the signal aborts. */
export function sleepUs(durationUs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, Math.ceil(durationUs / 1000)));
    signal?.addEventListener('abort', done, { once: true });
  });
}
