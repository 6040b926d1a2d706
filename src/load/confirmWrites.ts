/**
 * WAIT or WAITAOF after each write of the ioredis client, as an application would send it: when the write is answered, on the connection
 * that answered. Owned by ioredisClient.ts, only where the plan asks for it. (The wire client sends it right behind the write.)
 */
import type { OperationTraits } from '../plan/operations.js';
import type { ConfirmPlan } from '../plan/plan.js';
import { confirmArguments } from './confirmArguments.js';
import type { IoredisInstance } from './ioredisFleet.js';
import { OperationCommand } from './operationCommand.js';

export class ConfirmWrites {
  /** Confirmations that were answered, and how many of these fell short. */
  waits = 0;
  waitShort = 0;
  readonly #plan: ConfirmPlan;
  readonly #reads: Uint8Array;

  constructor(plan: ConfirmPlan, { reads }: OperationTraits) {
    this.#plan = plan;
    this.#reads = reads;
  }

  isAsked(op: number): boolean {
    return this.#reads[op] === 0;
  }

  /**
   * `done` is called once: with null when an answer came, whatever it says (an error confirms nothing), else with why none will.
   * @param slot null: not a cluster
   */
  ask(
    instance: IoredisInstance,
    write: OperationCommand,
    slot: number | null,
    done: (lost: Error | null, confirmation: OperationCommand) => void,
  ): void {
    const confirmation = new OperationCommand(this.#plan.command, confirmArguments(this.#plan), {}, (error, reply) => {
      if (error && error.name !== 'ReplyError') return done(error, confirmation);
      this.waits++;
      // Another connection than that of the write (the slot has moved meanwhile) knows nothing of it.
      if (error || confirmation.connection !== write.connection || !this.#isEnough(reply)) this.waitShort++;
      done(null, confirmation);
    });
    if (slot !== null) confirmation.knownSlot = slot;
    instance.sendCommand(confirmation);
  }

  #isEnough(reply: unknown): boolean {
    const { command, local, replicas } = this.#plan;
    if (command === 'wait') return Number(reply) >= replicas;
    const [inLog, onReplicas] = Array.isArray(reply) ? (reply as unknown[]) : [];
    return Number(inLog ?? 0) >= local && Number(onReplicas ?? 0) >= replicas;
  }
}
