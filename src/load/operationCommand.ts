/**
 * ioredis' own command, which also notes how often it went out on a connection and whether anybody can know what became of it.
 * Made by ioredisClient.ts per operation. It changes nothing about how ioredis sends, retries or answers.
 */
import { Command } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import type { OperationIndex } from '../plan/plan.js';
import type { ConnectionWatch } from './connectionWatch.js';

type Reject = (error: Error) => void;

/** HOT: an operation as ioredis carries it. */
export class OperationCommand extends Command {
  /** The engine's, and what it is. */
  token = 0;
  op: OperationIndex = 0;
  /** Where ioredisClient.ts counts it: its shard, and the connection to that. */
  shard = 0;
  place = 0;
  /** First time on a connection, machine monotonic µs; -1: never. */
  sentUs = -1;
  /** How often it was written to a connection. */
  attempts = 0;
  /** Attempts after the first, whether they were written or not. */
  retries = 0;
  /** The connection that had it last. */
  connection: ConnectionWatch | null = null;
  /** Written, and no reply to that yet. */
  #isOut = false;
  #isInDoubt = false;
  /** Set in ioredis' constructor, so these are never initialised here. */
  declare finalReject: Reject | undefined;
  declare attemptReject: Reject | undefined;

  /** The key's slot, so that ioredis need not compute it again. */
  set knownSlot(slot: number) {
    (this as unknown as { slot: number }).slot = slot;
  }

  /** Null: it was not set. */
  get slotIfKnown(): number | null {
    return (this as unknown as { slot?: number | null }).slot ?? null;
  }

  /** Some attempt went out and was never answered: it may have happened. */
  get isInDoubt(): boolean {
    return this.#isInDoubt;
  }

  /** ioredis calls this exactly when it writes the command to a connection. */
  override toWritable(socket: object): string | Buffer {
    if (this.#isOut) {
      // Sent again on a new connection without having been rejected: the first one is unanswered for good.
      this.#isInDoubt = true;
      this.retries++;
    }
    this.#isOut = true;
    this.attempts++;
    if (this.sentUs < 0) this.sentUs = monotonicUs();
    return super.toWritable(socket);
  }

  /** An attempt ended with this error. A reply settles it (it did not happen); anything else leaves a written one in doubt. */
  attemptFailed(error: Error): void {
    if (this.#isOut && error.name !== 'ReplyError') this.#isInDoubt = true;
    this.#isOut = false;
  }
}

/**
 * Cluster replaces `reject` of every command by one that decides about another attempt. The accessor lets this class see each
 * failed attempt on its way there, without a closure per operation.
 */
Object.defineProperty(OperationCommand.prototype, 'reject', {
  configurable: true,
  get(this: OperationCommand): Reject | undefined {
    return this.attemptReject === undefined ? this.finalReject : rejectAttempt;
  },
  set(this: OperationCommand, reject: Reject) {
    if (this.finalReject === undefined) this.finalReject = reject;
    else this.attemptReject = reject;
  },
});

function rejectAttempt(this: OperationCommand, error: Error): void {
  this.attemptFailed(error);
  this.retries++;
  this.attemptReject?.(error);
}
