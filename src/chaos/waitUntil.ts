/** Waiting for a planned moment to well under a millisecond where the machine allows: the schedule's, for injections and heals. */
import { monotonicUs, sleepUs } from '../base/clock.js';

/** Timers of Node come up to about 2 ms late: the rest is waited out turn by turn of the event loop. */
const FINE_WAIT_US = 3_000;
/** The longest single timer; Node's own end at 2^31 ms. */
const LONGEST_TIMER_US = 3_600_000_000;

/** Resolves at `dueUs` (machine monotonic) or a little after, at once when that is past or the signal aborts. */
export async function waitUntilUs(dueUs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const remainingUs = dueUs - monotonicUs();
    if (remainingUs <= 0 || signal.aborted) return;
    if (remainingUs > FINE_WAIT_US) await sleepUs(Math.min(remainingUs - FINE_WAIT_US, LONGEST_TIMER_US), signal);
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
