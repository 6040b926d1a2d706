/**
 * The entry of the pacing thread, one for all load workers: sleeps until the next operation of any worker is due and rings that
 * worker's bell, which is finer than any timer of Node. Started by pacingHelper.ts; it runs no operation and knows no plan.
 */
import { workerData } from 'node:worker_threads';
import { monotonicUs } from '../base/clock.js';
import { PacingBoard } from './pacingBoard.js';
import { sleepExactly } from './timerSlack.js';

export interface PacingThreadInit {
  memory: SharedArrayBuffer;
  /** No worker is rung twice within this time. */
  gapUs: number;
}

/** A wake-up takes about so long, longest where an idle core sleeps: a sleep until a due time is shorter by it, and what is left is spun away. */
const WAKE_UP_US = 50;
/** The longest sleep; what is armed meanwhile wakes it anyway. */
const MAX_SLEEP_US = 1_000_000;

const { memory, gapUs } = workerData as PacingThreadInit;
const earlierUs = WAKE_UP_US + sleepExactly();
const board = new PacingBoard(memory);
const rungUs = new Float64Array(board.workers);

for (let worker = 0; worker < board.workers; worker++) board.allowFrom(worker, monotonicUs());
while (!board.isStopped) {
  const changes = board.beginScan();
  const scanUs = monotonicUs();
  let wakeUs = scanUs + MAX_SLEEP_US;
  for (let worker = 0; worker < board.workers; worker++) {
    const gapLeftUs = gapUs - (scanUs - (rungUs[worker] as number));
    board.allowFrom(worker, scanUs + Math.max(0, gapLeftUs));
    const dueInUs = board.dueInUs(worker, scanUs);
    if (dueInUs === null) {
      // Just rung: it is about to say what comes next, and need not wake this thread for what comes after the gap.
      if (gapLeftUs > 0) wakeUs = Math.min(wakeUs, scanUs + gapLeftUs);
    } else if (dueInUs > 0 && dueInUs >= gapLeftUs) {
      wakeUs = Math.min(wakeUs, scanUs + dueInUs - earlierUs);
    } else if (gapLeftUs > 0) {
      // Late already by the gap: a little more is not worth spinning for.
      wakeUs = Math.min(wakeUs, scanUs + gapLeftUs);
    } else {
      rungUs[worker] = scanUs;
      board.allowFrom(worker, scanUs + gapUs);
      board.ring(worker);
      wakeUs = Math.min(wakeUs, scanUs + gapUs);
    }
  }
  const nowUs = monotonicUs();
  if (wakeUs > nowUs) board.sleep(changes, nowUs, wakeUs);
}
