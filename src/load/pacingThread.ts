/**
 * The entry of the pacing thread, one for all load workers: sleeps until the next operation of any worker is due and rings that
 * worker's bell, which is finer than any timer of Node. Started by pacingHelper.ts; it runs no operation and knows no plan.
 */
import { workerData } from 'node:worker_threads';
import { monotonicUs } from '../base/clock.js';
import { PacingBoard } from './pacingBoard.js';

export interface PacingThreadInit {
  memory: SharedArrayBuffer;
  /** No worker is rung twice within this time. */
  gapUs: number;
}

/** Linux wakes an ordinary thread up to this much late (its timer slack): the sleep is shorter by it, and the rest is spun away. */
const WAKE_UP_SLACK_US = 60;
/** The longest sleep; what is armed meanwhile wakes it anyway. */
const MAX_SLEEP_US = 1_000_000;

const { memory, gapUs } = workerData as PacingThreadInit;
const board = new PacingBoard(memory);
const rungUs = new Float64Array(board.workers);

while (!board.isStopped) {
  const changes = board.beginScan();
  const scanUs = monotonicUs();
  let wakeUs = scanUs + MAX_SLEEP_US;
  for (let worker = 0; worker < board.workers; worker++) {
    const sinceRungUs = scanUs - (rungUs[worker] as number);
    const dueInUs = board.dueInUs(worker, scanUs);
    if (dueInUs === null) {
      // Just rung: it is about to say what comes next, and need not wake this thread for what comes after the gap.
      if (sinceRungUs < gapUs) wakeUs = Math.min(wakeUs, scanUs + gapUs - sinceRungUs);
      continue;
    }
    const ringInUs = Math.max(dueInUs, gapUs - sinceRungUs);
    if (ringInUs > 0) wakeUs = Math.min(wakeUs, scanUs + ringInUs);
    else {
      rungUs[worker] = scanUs;
      board.ring(worker);
      wakeUs = Math.min(wakeUs, scanUs + gapUs);
    }
  }
  const nowUs = monotonicUs();
  if (wakeUs - nowUs > WAKE_UP_SLACK_US) board.sleep(changes, nowUs, wakeUs - WAKE_UP_SLACK_US);
}
