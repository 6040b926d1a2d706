/**
 * Calls back at a moment of the monotonic clock, to within microseconds and without taking a core: the pacing thread wakes this one a little
 * early, and only what is left then is spun away. Used by the known server; it never calls early.
 */
import { Worker } from 'node:worker_threads';
import { monotonicUs } from '../base/clock.js';
import { PacingBoard } from '../load/pacingBoard.js';
import type { PacingThreadInit } from '../load/pacingThread.js';

/** So much early it is woken: from the bell to a turn of this event loop takes some 50 µs where the core sleeps. */
const WAKE_UP_US = 80;

/** What ES2024 has and Node 20 does. */
type WaitAsync = (cells: Int32Array, index: number, value: number) => { async: boolean; value: unknown };
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

export class Alarm {
  readonly #onDue: () => void;
  readonly #board = PacingBoard.forWorkers(1);
  #dueUs = Number.POSITIVE_INFINITY;
  #turn: NodeJS.Immediate | null = null;
  readonly #look = (): void => {
    this.#turn = null;
    if (this.#dueUs === Number.POSITIVE_INFINITY) return;
    const leftUs = this.#dueUs - monotonicUs();
    if (leftUs <= 0) {
      this.#dueUs = Number.POSITIVE_INFINITY;
      this.#onDue();
    } else if (leftUs <= WAKE_UP_US) {
      this.#turn = setImmediate(this.#look);
    } else {
      this.#board.arm(0, this.#dueUs - WAKE_UP_US);
    }
  };
  readonly #rung = (): void => {
    this.#listen();
    if (this.#turn === null) this.#look();
  };

  /** @param onDue called once per arming, never from within `arm` */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
    const init: PacingThreadInit = { memory: this.#board.memory, gapUs: 0 };
    // It ends with the process.
    new Worker(new URL('../load/pacingThread.js', import.meta.url), { workerData: init }).unref();
    this.#listen();
  }

  /** At that moment (machine monotonic µs), or as soon as it can be; replaces an earlier arming. Infinity: never. */
  arm(dueUs: number): void {
    this.#dueUs = dueUs;
    if (dueUs === Number.POSITIVE_INFINITY || this.#turn !== null) return;
    if (dueUs - monotonicUs() <= WAKE_UP_US) this.#turn = setImmediate(this.#look);
    else this.#board.arm(0, dueUs - WAKE_UP_US);
  }

  #listen(): void {
    const { cells, index, rings } = this.#board.bell(0);
    const ring = waitAsync(cells, index, rings);
    if (ring.async) (ring.value as Promise<unknown>).then(this.#rung);
    else queueMicrotask(this.#rung);
  }
}
