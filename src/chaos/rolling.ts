/**
 * One server after the other is ended and started again, as in a rolling restart or upgrade: replicas first, and of masters only those
 * whose replica has taken over or could. Used by the faults rolling-restart and rolling-upgrade. It goes on only while everything is in
 * sync, and never leaves a server down.
 */
import { sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { NodeView } from '../topology/target.js';
import { untilTrue, withControl } from './controlCommands.js';
import type { ActiveFault, FaultContext } from './fault.js';
import type { EndSignal } from './nodeHolds.js';

/** Until a server that was started again is in step, and everybody else too. */
const IN_SYNC_LIMIT_US = 60_000_000;
const TAKE_OVER_LIMIT_US = 8_000_000;
/** The view of the nodes is that late at most; before, it may be of the time before the restart. */
const VIEW_LAG_US = 400_000;

export interface RollingOptions {
  signal: EndSignal;
  /** Whether a master hands over to a replica in sync before it is ended. */
  failover: boolean;
  /** After each server. */
  pauseUs: number;
  /** Between the end of a server and its start. */
  whileDown?(nodeId: string): Promise<void>;
  /** What has been done to a server that is up again, for the timeline. */
  told(nodeId: string): Promise<string>;
}

/** Resolves when the first server has been ended. */
export async function startRolling(context: FaultContext, targets: readonly NodeView[], options: RollingOptions): Promise<ActiveFault> {
  const round = new Round(context, options);
  const nodes = targets.filter(({ role }) => role !== 'sentinel');
  const rank = (node: NodeView): number => (node.role === 'replica' ? 0 : 1);
  const order = nodes.toSorted((a, b) => rank(a) - rank(b)).map(({ id }) => id);
  const started = new Promise<number>((resolve, reject) => {
    round.go(order, resolve).then(() => reject(new KvbenchError('FAULT_FAILED', 'there is no server to restart')), reject);
  });
  const injectedAtUs = await started;
  return { injectedAtUs, done: round.done, heal: () => round.stop(), isHealed: () => round.isOver() };
}

class Round {
  readonly #context: FaultContext;
  readonly #options: RollingOptions;
  readonly #ending = new AbortController();
  #working = Promise.resolve();
  #down: string | null = null;
  #failure: Error | null = null;

  constructor(context: FaultContext, options: RollingOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Settles with the last server; rejects with what kept it from going on. */
  get done(): Promise<void> {
    return this.#working;
  }

  go(order: readonly string[], began: (atUs: number) => void): Promise<void> {
    this.#working = (async () => {
      for (const [i, id] of order.entries()) {
        await this.#untilAllInSync();
        if (this.#ending.signal.aborted) return;
        await this.#restart(id, began);
        this.#context.note(`${id} was restarted (${i + 1} of ${order.length}${await this.#options.told(id)})`);
        await sleepUs(this.#options.pauseUs, this.#ending.signal);
      }
      await this.#untilAllInSync();
    })().catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(messageOf(error));
      throw error;
    });
    this.#working.catch(() => undefined);
    return this.#working;
  }

  /** No further server is ended, and the one that is down is started. What failed before is told once, by `done`. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#working.catch(() => undefined);
    if (this.#down !== null) await this.#context.holds.releaseDown(this.#down, this.#context.faultId);
    this.#down = null;
    if (this.#failure) this.#context.note(`fault ${this.#context.faultId} did not go through: ${this.#failure.message}`);
    this.#failure = null;
  }

  async isOver(): Promise<boolean> {
    return this.#down === null;
  }

  async #restart(id: string, began: (atUs: number) => void): Promise<void> {
    const { holds, faultId } = this.#context;
    if (this.#options.failover) await this.#handOver(id);
    const atUs = await holds.takeDown(id, faultId, this.#options.signal);
    this.#down = id;
    began(atUs);
    if (this.#options.whileDown) {
      // Only a server that has gone can be given another program.
      await this.#context.processes?.waitForExit(id, IN_SYNC_LIMIT_US);
      await this.#options.whileDown(id);
    }
    await holds.releaseDown(id, faultId);
    this.#down = null;
    await sleepUs(VIEW_LAG_US, this.#ending.signal);
  }

  /** Where it can: a master of a cluster with a replica in sync. */
  async #handOver(id: string): Promise<void> {
    const { nodes } = this.#context.view();
    const node = nodes.find((candidate) => candidate.id === id);
    const heir = nodes.find((other) => other.role === 'replica' && other.masterId === id && other.inSync);
    const isCluster = nodes.some((other) => other.slots.length > 0) && nodes.filter((other) => other.role === 'master').length > 1;
    if (node?.role !== 'master' || !heir || !isCluster) return;
    await withControl(this.#context, heir.id, async (ask) => {
      await ask('CLUSTER', 'FAILOVER');
      await untilTrue(`${heir.id} has taken over from ${id}`, TAKE_OVER_LIMIT_US, async () => {
        const role = await ask('ROLE');
        return Array.isArray(role) && role[0] === 'master';
      });
    });
    await sleepUs(VIEW_LAG_US, this.#ending.signal);
    await this.#untilAllInSync();
  }

  async #untilAllInSync(): Promise<void> {
    const isWell = async (): Promise<boolean> =>
      this.#ending.signal.aborted ||
      this.#context.view().nodes.every((node) => node.reachable && node.role !== 'unknown' && (node.role !== 'replica' || node.inSync));
    await untilTrue('all nodes answer and all replicas are in sync', IN_SYNC_LIMIT_US, isWell, this.#context.signal);
  }
}
