/**
 * timeout: drops all data and closes the connection when nothing has come for `timeout` ms; 0 never closes. Removing it closes
 * the connection, since bytes are missing from its stream. Registered in toxics/registry.ts.
 */
import { monotonicUs } from '../../../base/clock.js';
import { Deadline } from '../deadline.js';
import { Stage, type StageContext, type ToxicKind } from './stage.js';

class TimeoutStage extends Stage {
  #quietSinceUs = monotonicUs();
  readonly #deadline = new Deadline(() => this.#waitForSilence());

  override start(): void {
    this.#waitForSilence();
  }

  /** The data is dropped; the timer is moved only when it fires, not for every chunk. */
  override receive(): void {
    this.#quietSinceUs = monotonicUs();
  }

  override update(): void {
    this.#quietSinceUs = monotonicUs();
    this.#deadline.cancel();
    this.#waitForSilence();
  }

  override remove(): void {
    this.dispose();
    this.passEnd('close');
  }

  override dispose(): void {
    this.#deadline.cancel();
  }

  #waitForSilence(): void {
    const timeoutMs = this.attribute('timeout');
    if (timeoutMs <= 0 || this.ended) return;
    const dueUs = this.#quietSinceUs + timeoutMs * 1000;
    if (monotonicUs() >= dueUs) this.passEnd('close');
    else this.#deadline.arm(dueUs);
  }
}

export const timeout: ToxicKind = {
  type: 'timeout',
  attributes: { timeout: 'int64' },
  makeStage: (context: StageContext) => new TimeoutStage(context),
};
