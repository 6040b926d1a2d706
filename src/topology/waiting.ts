/** Waiting for a state, with a named limit that fails loudly. Used wherever topology waits; it must never wait without a limit. */
import { monotonicUs, sleepUs } from '../base/clock.js';

export interface WaitOptions {
  limitUs: number;
  /** Between two looks. */
  everyUs: number;
  /** Aborted: `timedOut` is thrown at once. */
  signal?: AbortSignal;
  /** Makes the error when the limit is reached or the signal aborts. */
  timedOut(aborted: boolean): Error;
}

/** Looks until `probe` gives something other than undefined, and returns that. What `probe` throws ends the wait. */
export async function waitFor<T>(probe: () => Promise<T | undefined> | T | undefined, options: WaitOptions): Promise<T> {
  const untilUs = monotonicUs() + options.limitUs;
  for (;;) {
    if (options.signal?.aborted) throw options.timedOut(true);
    const found = await probe();
    if (found !== undefined) return found;
    if (options.signal?.aborted) throw options.timedOut(true);
    if (monotonicUs() >= untilUs) throw options.timedOut(false);
    await sleepUs(options.everyUs, options.signal);
  }
}

/** The promise's value, or what `timedOut` makes once `limitUs` has passed first. */
export async function withinLimit<T>(promise: Promise<T>, limitUs: number, timedOut: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut()), Math.ceil(limitUs / 1000));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
