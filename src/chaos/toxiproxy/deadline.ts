/**
 * Waits until a moment on the monotonic clock: never early, and about 1 ms late at most on an idle machine. Used by the toxics.
 * Node's timers count whole milliseconds and may fire early by part of one, so what is left at the end is waited out turn by turn.
 */
import { monotonicUs } from '../../base/clock.js';

/** The longest time a Node timer takes; longer waits are waited in parts. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** A rest of this size is spent in `setImmediate` turns: longer would take a core from the server under test. */
const DEFAULT_SPIN_US = 150;

export class Deadline {
  readonly #onDue: () => void;
  readonly #spinUs: number;
  #dueUs = 0;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;

  /** @param onDue called once per arming, never from within `arm` @param spinUs how much of the wait may be spent spinning */
  constructor(onDue: () => void, spinUs: number = DEFAULT_SPIN_US) {
    this.#onDue = onDue;
    this.#spinUs = spinUs;
  }

  get armed(): boolean {
    return this.#timer !== null || this.#immediate !== null;
  }

  /** Calls `onDue` at that moment (machine monotonic µs); replaces an earlier arming. */
  arm(dueUs: number): void {
    if (this.armed && dueUs === this.#dueUs) return;
    this.cancel();
    this.#dueUs = dueUs;
    this.#wait(dueUs - monotonicUs());
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  #wait(leftUs: number): void {
    if (leftUs <= this.#spinUs) this.#immediate = setImmediate(this.#check);
    else this.#timer = setTimeout(this.#check, Math.min(LONGEST_TIMER_MS, Math.ceil((leftUs - this.#spinUs) / 1000)));
  }

  readonly #check = (): void => {
    this.#timer = null;
    this.#immediate = null;
    const leftUs = this.#dueUs - monotonicUs();
    if (leftUs > 0) this.#wait(leftUs);
    else this.#onDue();
  };
}
