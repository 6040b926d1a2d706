/**
 * The memory that load workers share with the one pacing thread: when each worker's next operation is due, and the bells that wake
 * either side. Used by ticker.ts in a worker and by pacingThread.ts; it never looks at a clock.
 */

/** Int32 cells: of the thread, then of every worker. */
const CHANGES = 0;
const STATE = 1;
const SLEEPS_UNTIL = 2;
const STOPPED = 3;
const THREAD_CELLS = 4;
const DUE = 0;
const ARMED = 1;
const BELL = 2;
const NOT_BEFORE = 3;
const WORKER_CELLS = 4;

/** The thread has not begun; what it allows is not known yet. */
const STARTING = 0;
const SCANNING = 1;
const SLEEPING = 2;

/**
 * HOT: times are machine monotonic µs cut to 32 bits, compared by their signed distance; so nothing may be further away than half an
 * hour: who waits longer is woken in between, and looks again.
 */
export class PacingBoard {
  readonly #cells: Int32Array;

  constructor(readonly memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
  }

  static forWorkers(workers: number): PacingBoard {
    return new PacingBoard(new SharedArrayBuffer(4 * (THREAD_CELLS + workers * WORKER_CELLS)));
  }

  get workers(): number {
    return (this.#cells.length - THREAD_CELLS) / WORKER_CELLS;
  }

  /** Worker: wants its bell rung at `dueUs`, or as soon after it as the thread allows. Wakes the thread only when that sleeps too long. */
  arm(worker: number, dueUs: number): void {
    const at = THREAD_CELLS + worker * WORKER_CELLS;
    const allowed = Atomics.load(this.#cells, at + NOT_BEFORE);
    const isTooEarly = Atomics.load(this.#cells, STATE) !== STARTING && ((dueUs - allowed) | 0) < 0;
    const due = isTooEarly ? allowed : dueUs | 0;
    Atomics.store(this.#cells, at + DUE, due);
    Atomics.store(this.#cells, at + ARMED, 1);
    // While the thread scans, it may have passed this worker already.
    const sleepsOn = Atomics.load(this.#cells, STATE) === SLEEPING && ((due - Atomics.load(this.#cells, SLEEPS_UNTIL)) | 0) >= 0;
    if (!sleepsOn) this.#wakeThread();
  }

  /** Worker: the place to wait for its bell, with the number of rings so far. */
  bell(worker: number): { cells: Int32Array; index: number; rings: number } {
    const index = THREAD_CELLS + worker * WORKER_CELLS + BELL;
    return { cells: this.#cells, index, rings: Atomics.load(this.#cells, index) };
  }

  /** Thread: µs until a worker is due (≤ 0: overdue), or null when it waits for nothing. */
  dueInUs(worker: number, nowUs: number): number | null {
    const at = THREAD_CELLS + worker * WORKER_CELLS;
    if (Atomics.load(this.#cells, at + ARMED) === 0) return null;
    return (Atomics.load(this.#cells, at + DUE) - (nowUs | 0)) | 0;
  }

  /** Thread: a worker's bell will not ring before `us`. To be said again and again, so that it never lies half an hour back. */
  allowFrom(worker: number, us: number): void {
    Atomics.store(this.#cells, THREAD_CELLS + worker * WORKER_CELLS + NOT_BEFORE, us | 0);
  }

  /** Thread: rings a worker's bell; it waits for nothing until it says so. */
  ring(worker: number): void {
    const at = THREAD_CELLS + worker * WORKER_CELLS;
    Atomics.store(this.#cells, at + ARMED, 0);
    Atomics.add(this.#cells, at + BELL, 1);
    Atomics.notify(this.#cells, at + BELL);
  }

  /** Thread: begins to look at all workers; whatever changes from now on ends the next sleep. */
  beginScan(): number {
    Atomics.store(this.#cells, STATE, SCANNING);
    return Atomics.load(this.#cells, CHANGES);
  }

  /** Thread: sleeps until `untilUs`, or until something changes. @param changes what `beginScan` returned */
  sleep(changes: number, nowUs: number, untilUs: number): void {
    Atomics.store(this.#cells, SLEEPS_UNTIL, untilUs | 0);
    Atomics.store(this.#cells, STATE, SLEEPING);
    Atomics.wait(this.#cells, CHANGES, changes, Math.max(0, untilUs - nowUs) / 1000);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#cells, STOPPED) === 1;
  }

  stop(): void {
    Atomics.store(this.#cells, STOPPED, 1);
    this.#wakeThread();
  }

  #wakeThread(): void {
    Atomics.add(this.#cells, CHANGES, 1);
    Atomics.notify(this.#cells, CHANGES);
  }
}
