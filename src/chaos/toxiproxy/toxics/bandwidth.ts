/**
 * bandwidth: `rate` KB (1000 bytes) per second, in slices of at most 100 ms; each slice leaves when its last byte would have.
 * Rate 0 stalls. Registered in toxics/registry.ts.
 */
import { monotonicUs } from '../../../base/clock.js';
import { Deadline } from '../deadline.js';
import { HoldingStage } from './holdingStage.js';
import type { Chunk, StageContext, ToxicKind } from './stage.js';

const LONGEST_SLICE_MS = 100;

class BandwidthStage extends HoldingStage {
  readonly #deadline = new Deadline(() => {
    this.#passDue();
    this.context.released();
  });
  /** When the wire is free again; moves by due times, so that late timers cost no bandwidth. */
  #freeAtUs = 0;

  override receive(chunk: Chunk): void {
    this.push(chunk);
    if (!this.#deadline.armed) this.#passDue();
  }

  /** What is held goes on at the new rate from now. */
  override update(): void {
    this.#freeAtUs = monotonicUs();
    this.#passDue();
  }

  override dispose(): void {
    this.#deadline.cancel();
  }

  #passDue(): void {
    const rateKbPerSec = this.attribute('rate');
    for (let head = this.head; head !== undefined; head = this.head) {
      if (rateKbPerSec <= 0) return this.#deadline.cancel();
      const sliceBytes = Math.min(head.data.length, rateKbPerSec * LONGEST_SLICE_MS);
      const dueUs = Math.max(head.arrivedUs, this.#freeAtUs) + (sliceBytes * 1000) / rateKbPerSec;
      if (dueUs > monotonicUs()) return this.#deadline.arm(dueUs);
      this.#freeAtUs = dueUs;
      if (sliceBytes === head.data.length) this.shift();
      else this.replaceHead({ data: head.data.subarray(sliceBytes), arrivedUs: head.arrivedUs });
      this.pass({ data: head.data.subarray(0, sliceBytes), arrivedUs: dueUs });
    }
    this.#deadline.cancel();
    this.passWaitingEnd();
  }
}

export const bandwidth: ToxicKind = {
  type: 'bandwidth',
  attributes: { rate: 'int64' },
  makeStage: (context: StageContext) => new BandwidthStage(context),
};
