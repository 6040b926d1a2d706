/**
 * reset_peer: `timeout` ms after the first chunk or the end of the stream the connection is reset by RST; a connection that was open
 * before the toxic was added is closed instead, as Toxiproxy does. Registered in toxics/registry.ts.
 * What arrives meanwhile is held, not dropped, so that removing the toxic in time leaves a whole stream.
 */
import { monotonicUs } from '../../../base/clock.js';
import { Deadline } from '../deadline.js';
import { HoldingStage } from './holdingStage.js';
import type { Chunk, Ending, StageContext, ToxicKind } from './stage.js';

class ResetPeerStage extends HoldingStage {
  #armedAtUs: number | null = null;
  readonly #deadline = new Deadline(() => this.#resetWhenDue());

  override receive(chunk: Chunk): void {
    this.push(chunk);
    this.#arm(chunk.arrivedUs);
  }

  override receiveEnd(ending: Ending): void {
    this.holdEnd(ending);
    this.#arm(monotonicUs());
  }

  override update(): void {
    if (this.#armedAtUs !== null) this.#resetWhenDue();
  }

  override dispose(): void {
    this.#deadline.cancel();
  }

  #arm(nowUs: number): void {
    if (this.#armedAtUs !== null) return;
    this.#armedAtUs = nowUs;
    this.#resetWhenDue();
  }

  #resetWhenDue(): void {
    if (this.ended || this.#armedAtUs === null) return;
    const dueUs = this.#armedAtUs + Math.max(0, this.attribute('timeout')) * 1000;
    if (monotonicUs() < dueUs) return this.#deadline.arm(dueUs);
    this.#deadline.cancel();
    this.passEnd(this.context.addedBeforeConnection ? 'abort' : 'close');
  }
}

export const resetPeer: ToxicKind = {
  type: 'reset_peer',
  attributes: { timeout: 'int64' },
  makeStage: (context: StageContext) => new ResetPeerStage(context),
};
