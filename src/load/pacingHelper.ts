/** Starts and ends the pacing thread. Called by loadRunner.ts for plans that are paced by it. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { PacingBoard } from './pacingBoard.js';
import type { PacingThreadInit } from './pacingThread.js';

/** A worker is woken at most every this many µs; operations due in between wait for the next time. */
const GAP_US = 250;
/** With so few cores a server under test shares them: all workers together are woken as often as one would be, but not later than a timer would. */
const FEW_CORES = 2;
const MAX_GAP_US = 1000;

export interface PacingHelper {
  /** For the workers. */
  memory: SharedArrayBuffer;
  /** Ends the thread; resolves when it is gone. Safe to call twice. */
  stop(): Promise<void>;
}

/** @param onError called when the thread crashed, which is a bug */
export function startPacingHelper(workers: number, onError: (error: Error) => void): PacingHelper {
  const board = PacingBoard.forWorkers(workers);
  const gapUs = availableParallelism() <= FEW_CORES ? Math.min(GAP_US * workers, MAX_GAP_US) : GAP_US;
  const init: PacingThreadInit = { memory: board.memory, gapUs };
  const thread = new Worker(new URL('./pacingThread.js', import.meta.url), { workerData: init, name: 'kvbench-pacing' });
  const gone = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  thread.on('error', onError);
  // It must never keep a process alive that has nothing else to do.
  thread.unref();
  return {
    memory: board.memory,
    stop: () => {
      board.stop();
      thread.ref();
      return gone;
    },
  };
}
