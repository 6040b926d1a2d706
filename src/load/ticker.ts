/**
 * What wakes the engine so that it looks what is due: Node's timer, the pacing thread, or an event loop that never sleeps. Made by
 * worker.ts. A tick too many does no harm; a tick too late is dispatch lag, and is measured as such.
 */
import { unreachable } from '../base/assert.js';
import { monotonicUs } from '../base/clock.js';
import type { Pacing } from '../plan/plan.js';
import { PacingBoard } from './pacingBoard.js';

export interface Ticker {
  /** Calls `onTick` again and again until stopped, at least about every millisecond. */
  start(onTick: () => void): void;
  /** HOT: the next operation is due then (machine monotonic µs); Infinity: none is known. */
  expect(dueUs: number): void;
  /** Where the event loop never sleeps: the share of the time, 0..1, since the last call in which it had something to do. */
  takeBusyShare?(): number;
  stop(): void;
}

/** @param memory of the pacing thread; null when there is none */
export function makeTicker(pacing: Pacing, worker: number, memory: SharedArrayBuffer | null): Ticker {
  switch (pacing) {
    case 'timer':
      return new TimerTicker();
    case 'thread':
      return memory === null ? new TimerTicker() : new ThreadTicker(new PacingBoard(memory), worker);
    case 'spin':
      return new SpinTicker();
    default:
      return unreachable(pacing);
  }
}

/** The finest timer that Node has. */
const TICK_MS = 1;

/** Ticks by Node's own timer: p50 1.1 ms, p99 1.6 ms apart on an idle thread. */
export class TimerTicker implements Ticker {
  #timer: NodeJS.Timeout | null = null;

  start(onTick: () => void): void {
    this.stop();
    this.#timer = setInterval(onTick, TICK_MS);
  }

  expect(): void {}

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** What ES2024 has and Node 20 does. */
type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
) => { async: true; value: Promise<unknown> } | { async: false; value: 'not-equal' | 'timed-out' };
const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };

/** Ticks when the pacing thread rings at a due time; beside that by the timer, for deadlines and intervals. */
export class ThreadTicker implements Ticker {
  readonly #timer = new TimerTicker();
  readonly #board: PacingBoard;
  readonly #worker: number;
  #onTick: (() => void) | null = null;
  readonly #rung = (): void => {
    if (this.#onTick === null) return;
    this.#listen();
    this.#onTick();
  };

  constructor(board: PacingBoard, worker: number) {
    this.#board = board;
    this.#worker = worker;
  }

  start(onTick: () => void): void {
    this.#timer.start(onTick);
    const isListening = this.#onTick !== null;
    this.#onTick = onTick;
    if (!isListening) this.#listen();
  }

  expect(dueUs: number): void {
    if (dueUs !== Number.POSITIVE_INFINITY) this.#board.arm(this.#worker, dueUs);
  }

  stop(): void {
    this.#onTick = null;
    this.#timer.stop();
  }

  #listen(): void {
    const { cells, index, rings } = this.#board.bell(this.#worker);
    const ring = waitAsync(cells, index, rings);
    if (ring.async) ring.value.then(this.#rung);
    else queueMicrotask(this.#rung);
  }
}

/** A turn in which nothing happens takes less than this. */
const IDLE_TURN_US = 15;

/** Ticks in every turn of an event loop that never sleeps: a few µs apart, at the price of a core. */
export class SpinTicker implements Ticker {
  #onTick: (() => void) | null = null;
  #busyUs = 0;
  #takenUs = 0;
  #turnUs = 0;
  readonly #turn = (): void => {
    if (this.#onTick === null) return;
    const nowUs = monotonicUs();
    if (nowUs - this.#turnUs >= IDLE_TURN_US) this.#busyUs += nowUs - this.#turnUs;
    this.#turnUs = nowUs;
    setImmediate(this.#turn);
    this.#onTick();
  };

  start(onTick: () => void): void {
    const isTurning = this.#onTick !== null;
    this.#onTick = onTick;
    this.#takenUs = monotonicUs();
    this.#turnUs = this.#takenUs;
    if (!isTurning) setImmediate(this.#turn);
  }

  takeBusyShare(): number {
    const nowUs = monotonicUs();
    const share = Math.min(1, this.#busyUs / Math.max(1, nowUs - this.#takenUs));
    this.#busyUs = 0;
    this.#takenUs = nowUs;
    return share;
  }

  expect(): void {}

  stop(): void {
    this.#onTick = null;
  }
}
