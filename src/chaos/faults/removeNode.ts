/**
 * The `remove-node` fault: a master gives all its slots away under load and leaves the cluster. Used through the registry; only in labs of
 * kvbench's own. No key is deleted: a server is ended only when it has none left, or is a replica.
 */
import { z } from 'zod';
import { monotonicUs, sleepUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import type { NodeView } from '../../topology/target.js';
import { withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { forget, growthOf, keysText, slotsOfMasters } from '../membership.js';
import { type Move, ownSlots, SlotMover } from '../slotMover.js';

const CLAIM = 'the slots of the cluster';
/** Well below the limit of a heal. */
const PATIENCE_US = 10_000_000;
const params = z.strictObject({});
type RemoveParams = z.infer<typeof params>;

export const removeNode: FaultKind<RemoveParams> = {
  kind: 'remove-node',
  summary:
    'Moves all slots of a master to the other masters while clients use them, makes the cluster forget it (FORGET), and ends it. A replica is just forgotten and ended.',
  healSummary:
    'None: the cluster stays smaller. At the end of `for`, or of the load, it gets 10 s more; then no further slot is begun, the node stays with what it has, and the fault has failed.',
  params,
  needs: 'process',
  topologies: ['cluster'],
  lasts: true,
  selector: 'required',
  shading: { color: '#7b241c', label: 'remove node' },
  example: '{ at: 8s, fault: remove-node, node: "master[2]" }',
  inject(context, [node]) {
    if (!node) throw new KvbenchError('FAULT_FAILED', 'there is no node to remove');
    return new Leaving(context, node).inject();
  },
};

class Leaving {
  readonly #context: FaultContext;
  readonly #node: NodeView;
  readonly #mover: SlotMover;
  readonly #ending = new AbortController();
  #left = false;
  #moving: Promise<void> = Promise.resolve();
  #shortfall: string | null = null;

  constructor(context: FaultContext, node: NodeView) {
    this.#context = context;
    this.#node = node;
    this.#mover = new SlotMover(context);
  }

  async inject(): Promise<ActiveFault> {
    const { claims, faultId, note } = this.#context;
    growthOf(this.#context);
    claims.take(CLAIM, faultId);
    const injectedAtUs = monotonicUs();
    try {
      note(`keys per node: ${await keysText(this.#context)}`);
      await this.#connect();
      this.#moving = this.#leave();
    } catch (error) {
      this.#mover.close();
      claims.release(CLAIM, faultId);
      throw error;
    }
    return { injectedAtUs, done: this.#moving, heal: () => this.#heal(), isHealed: () => this.#isHealed(), shortfall: () => this.#shortfall };
  }

  async #leave(): Promise<void> {
    const { holds, faultId, growth, note } = this.#context;
    const { id } = this.#node;
    try {
      await this.#giveAway();
      if (this.#ending.signal.aborted) {
        this.#shortfall = `${id} stays in the cluster: its time was over after ${this.#mover.movedSlots} slots`;
        return;
      }
      await forget(this.#context, id);
      await holds.takeDown(id, faultId, 'SIGKILL');
      growth?.retireNode(id);
      this.#left = true;
      note(
        `${id} has left the cluster, ${this.#mover.movedSlots} slots with ${this.#mover.movedKeys} keys went to the others; keys per node: ${await keysText(this.#context)}`,
      );
    } catch (error) {
      this.#shortfall = `${id} has ${this.#left ? 'left, but' : 'not left the cluster'} after ${this.#mover.movedSlots} slots: ${messageOf(error)}`;
    }
  }

  /** Each slot to the master that has the fewest. */
  async #giveAway(): Promise<void> {
    const { id } = this.#node;
    const counts = new Map([...(await slotsOfMasters(this.#context))].filter(([other]) => other !== id).map(([other, own]) => [other, own.length]));
    const own = this.#node.role === 'master' ? await withControl(this.#context, id, ownSlots) : [];
    const moves = own.map((slot): Move => {
      const [to] = [...counts].reduce((fewest, other) => (other[1] < fewest[1] ? other : fewest), ['', Number.POSITIVE_INFINITY]);
      if (to === '') throw new KvbenchError('FAULT_FAILED', `there is no other master that could take the slots of ${id}`);
      counts.set(to, (counts.get(to) ?? 0) + 1);
      return { slot, from: id, to };
    });
    await this.#mover.moveAll(moves, this.#ending.signal);
  }

  /** Whoever is on the way out may finish, within a limit. */
  async #heal(): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#moving, sleepUs(PATIENCE_US, over.signal)]);
    over.abort();
    this.#ending.abort();
    await this.#moving;
    this.#mover.close();
    if (!this.#left) {
      await this.#connect();
      await this.#mover.finish();
    }
    this.#context.claims.release(CLAIM, this.#context.faultId);
  }

  async #isHealed(): Promise<boolean> {
    if (this.#left) return true;
    await this.#connect();
    const closed = await this.#mover.nothingOpen([this.#node.id]);
    this.#mover.close();
    return closed;
  }

  #connect(): Promise<void> {
    const { nodes } = this.#context.view();
    return this.#mover.connect(
      nodes.filter((node) => node.reachable && (node.id === this.#node.id || (node.role === 'master' && node.slots.length > 0))),
    );
  }
}
