/**
 * One-after-the-other execution and time limits for asynchronous steps. Used by the chaos controller (a lane per fault) and by
 * `nodeHolds.ts` (lanes per node). A lane never stops because one of its steps failed.
 */
import { sleepUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';

export class Lane {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `work` once all earlier work of this lane has ended, well or badly; settles as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work, work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** Settles as `work` does, or throws FAULT_FAILED "`what` did not finish within …" after `limitUs`; `work` itself goes on. */
export async function withLimit<T>(work: Promise<T>, limitUs: number, what: string): Promise<T> {
  const finished = new AbortController();
  const limit = sleepUs(limitUs, finished.signal).then(() => {
    if (!finished.signal.aborted) throw new KvbenchError('FAULT_FAILED', `${what} did not finish within ${limitUs / 1_000_000} s`);
    return work;
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    finished.abort();
    limit.catch(() => undefined);
  }
}
