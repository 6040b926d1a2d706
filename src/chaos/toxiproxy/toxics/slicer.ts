/**
 * slicer: cuts chunks into pieces of `average_size` ± `size_variation` bytes that leave `delay` µs apart. Registered in
 * toxics/registry.ts; bytes and their order never change.
 */
import { monotonicUs } from '../../../base/clock.js';
import { Deadline } from '../deadline.js';
import { HoldingStage } from './holdingStage.js';
import type { Chunk, StageContext, ToxicKind } from './stage.js';

/** Delays are in µs and mostly far below a timer's millisecond, so the whole of one may be spent spinning. */
const SPIN_US = 1000;

class SlicerStage extends HoldingStage {
  readonly #deadline = new Deadline(() => {
    this.#passDue();
    this.context.released();
  }, SPIN_US);
  #nextAtUs = 0;

  override receive(chunk: Chunk): void {
    const cuts = cutPoints(chunk.data.length, this.attribute('average_size'), this.attribute('size_variation'), this.context.draw);
    for (let i = 1; i < cuts.length; i++) this.push({ data: chunk.data.subarray(cuts[i - 1], cuts[i]), arrivedUs: chunk.arrivedUs });
    if (!this.#deadline.armed) this.#passDue();
  }

  override update(): void {
    this.#nextAtUs = Math.min(this.#nextAtUs, monotonicUs() + this.#delayUs);
    this.#passDue();
  }

  override dispose(): void {
    this.#deadline.cancel();
  }

  get #delayUs(): number {
    return Math.max(0, this.attribute('delay'));
  }

  #passDue(): void {
    for (let head = this.head; head !== undefined; head = this.head) {
      const dueUs = Math.max(head.arrivedUs, this.#nextAtUs);
      if (dueUs > monotonicUs()) return this.#deadline.arm(dueUs);
      this.#nextAtUs = dueUs + this.#delayUs;
      this.shift();
      this.pass({ data: head.data, arrivedUs: dueUs });
    }
    this.#deadline.cancel();
    this.passWaitingEnd();
  }
}

/**
 * Where to cut `lengthBytes` bytes, both ends included. Halves with a random shift until a piece is no longer than average plus
 * variation, so that no place is favoured. An average below 1 does not cut. `draw`: uniform in [0, 1).
 */
export function cutPoints(lengthBytes: number, averageBytes: number, variationBytes: number, draw: () => number): number[] {
  const cuts = [0];
  const spreadBytes = Math.max(0, variationBytes);
  const cut = (start: number, end: number): void => {
    if (averageBytes < 1 || end - start <= averageBytes + spreadBytes || end - start < 2) {
      cuts.push(end);
      return;
    }
    const shift = spreadBytes === 0 ? 0 : Math.floor(draw() * spreadBytes * 2) - spreadBytes;
    const middle = Math.min(end - 1, Math.max(start + 1, start + Math.floor((end - start) / 2) + shift));
    cut(start, middle);
    cut(middle, end);
  };
  cut(0, lengthBytes);
  return cuts;
}

export const slicer: ToxicKind = {
  type: 'slicer',
  attributes: { average_size: 'int64', size_variation: 'int64', delay: 'int64' },
  makeStage: (context: StageContext) => new SlicerStage(context),
};
