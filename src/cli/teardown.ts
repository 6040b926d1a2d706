/**
 * What a run has opened, in order, and how to close it again: last opened, first closed, each with a time limit, none skipped because
 * another failed. This is what makes healing happen on every way out.
 */
import { messageOf } from '../base/errors.js';

/** The longest that one step of the teardown may take. */
export const TEARDOWN_STEP_LIMIT_MS = 30_000;

export class Teardown {
  readonly #steps: { what: string; close: () => Promise<void> | void }[] = [];

  /** `what` completes the sentence "could not …". */
  add(what: string, close: () => Promise<void> | void): void {
    this.#steps.push({ what, close });
  }

  /** Closes everything; returns what could not be closed, in words. Safe to call again. */
  async close(): Promise<string[]> {
    const problems: string[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await withLimit(Promise.resolve(step.close()), step.what);
      } catch (error) {
        problems.push(`could not ${step.what}: ${messageOf(error)}`);
      }
    }
    return problems;
  }
}

async function withLimit(work: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${TEARDOWN_STEP_LIMIT_MS / 1000} s`)), TEARDOWN_STEP_LIMIT_MS);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
