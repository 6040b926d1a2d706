/** slow_close: data passes, the close of the connection is delayed by `delay` ms. Registered in toxics/registry.ts; never delays data. */
import { monotonicUs } from '../../../base/clock.js';
import { Deadline } from '../deadline.js';
import { type Chunk, type Ending, Stage, type StageContext, type ToxicKind } from './stage.js';

class SlowCloseStage extends Stage {
  #waitingEnd: Ending | null = null;
  #endedAtUs = 0;
  readonly #deadline = new Deadline(() => this.release());

  override get holdsEnd(): boolean {
    return this.#waitingEnd !== null;
  }

  override receive(chunk: Chunk): void {
    this.pass(chunk);
  }

  override receiveEnd(ending: Ending): void {
    this.#waitingEnd = ending;
    this.#endedAtUs = monotonicUs();
    this.update();
  }

  override update(): void {
    if (this.#waitingEnd !== null) this.#deadline.arm(this.#endedAtUs + Math.max(0, this.attribute('delay')) * 1000);
  }

  override release(): void {
    this.dispose();
    const ending = this.#waitingEnd;
    this.#waitingEnd = null;
    if (ending !== null) this.passEnd(ending);
  }

  override dispose(): void {
    this.#deadline.cancel();
  }
}

export const slowClose: ToxicKind = {
  type: 'slow_close',
  attributes: { delay: 'int64' },
  makeStage: (context: StageContext) => new SlowCloseStage(context),
};
