/** limit_data: closes the connection once `bytes` have passed, counted from when it was put in force. Registered in toxics/registry.ts. */
import { type Chunk, Stage, type StageContext, type ToxicKind } from './stage.js';

class LimitDataStage extends Stage {
  #passedBytes = 0;

  override receive(chunk: Chunk): void {
    const limitBytes = this.attribute('bytes');
    const allowedBytes = Math.max(0, Math.min(chunk.data.length, limitBytes - this.#passedBytes));
    this.#passedBytes += allowedBytes;
    if (allowedBytes === chunk.data.length) this.pass(chunk);
    else if (allowedBytes > 0) this.pass({ data: chunk.data.subarray(0, allowedBytes), arrivedUs: chunk.arrivedUs });
    if (this.#passedBytes >= limitBytes) this.passEnd('close');
  }
}

export const limitData: ToxicKind = {
  type: 'limit_data',
  attributes: { bytes: 'int64' },
  makeStage: (context: StageContext) => new LimitDataStage(context),
};
