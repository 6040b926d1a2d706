/**
 * packet_loss: drops a chunk with probability `loss_rate`, and with `loss_rate + correlation` after a dropped one. What is dropped is
 * missing from the stream: nothing resends above TCP. Registered in toxics/registry.ts.
 */
import { type Chunk, Stage, type StageContext, type ToxicKind } from './stage.js';

class PacketLossStage extends Stage {
  #droppedLast = false;

  override receive(chunk: Chunk): void {
    const probability = clampToUnit(this.attribute('loss_rate')) + (this.#droppedLast ? clampToUnit(this.attribute('correlation')) : 0);
    this.#droppedLast = this.context.draw() < probability;
    if (!this.#droppedLast) this.pass(chunk);
  }
}

function clampToUnit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

export const packetLoss: ToxicKind = {
  type: 'packet_loss',
  attributes: { loss_rate: 'float64', correlation: 'float64' },
  makeStage: (context: StageContext) => new PacketLossStage(context),
};
