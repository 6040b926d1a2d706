/**
 * latency: every chunk leaves `latency` ± `jitter` ms after it arrived, in order. Registered in toxics/registry.ts.
 * The close of a connection is not delayed beyond the data before it. It must never let a chunk leave early.
 */
import { monotonicUs } from '../../../base/clock.js';
import { Deadline } from '../deadline.js';
import { HoldingStage } from './holdingStage.js';
import type { Chunk, StageContext, ToxicKind } from './stage.js';

/** Room for what is under way on a long fat link; beyond it the source is paused. Toxiproxy holds 1024 chunks of up to 32 KB. */
const ROOM_BYTES = 16 * 1024 * 1024;

interface DelayedChunk extends Chunk {
  /** Uniform in [-1, 1): its share of the jitter, so that an update of the attributes applies to what is under way. */
  readonly jitterShare: number;
}

class LatencyStage extends HoldingStage<DelayedChunk> {
  readonly #deadline = new Deadline(() => {
    this.#passDue();
    this.context.released();
  });
  #lastDueUs = 0;

  override get roomBytes(): number {
    return ROOM_BYTES;
  }

  override receive(chunk: Chunk): void {
    const jitterShare = this.attribute('jitter') > 0 ? this.context.draw() * 2 - 1 : 0;
    this.push({ data: chunk.data, arrivedUs: chunk.arrivedUs, jitterShare });
    if (!this.#deadline.armed) this.#passDue();
  }

  override update(): void {
    this.#passDue();
  }

  override dispose(): void {
    this.#deadline.cancel();
  }

  #dueUs(chunk: DelayedChunk): number {
    const delayMs = this.attribute('latency') + chunk.jitterShare * this.attribute('jitter');
    return Math.max(chunk.arrivedUs + Math.max(0, delayMs) * 1000, this.#lastDueUs);
  }

  #passDue(): void {
    for (let head = this.head; head !== undefined; head = this.head) {
      const dueUs = this.#dueUs(head);
      if (dueUs > monotonicUs()) return this.#deadline.arm(dueUs);
      this.shift();
      this.#lastDueUs = dueUs;
      this.pass({ data: head.data, arrivedUs: dueUs });
    }
    this.#deadline.cancel();
    this.passWaitingEnd();
  }
}

export const latency: ToxicKind = {
  type: 'latency',
  attributes: { latency: 'int64', jitter: 'int64' },
  makeStage: (context: StageContext) => new LatencyStage(context),
};
