/**
 * The `add-node` fault: a fresh server joins the cluster under load and takes over its share of the slots. Used through the registry;
 * only in labs of kvbench's own, with whose servers the new one ends.
 */
import { z } from 'zod';
import { monotonicUs } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { SLOT_COUNT } from '../../topology/shardNumbers.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { forget, growthOf, keysText, meet, slotsOfMasters } from '../membership.js';
import { type Move, SlotMover } from '../slotMover.js';

const CLAIM = 'the slots of the cluster';
const params = z.strictObject({
  heal: z
    .enum(['keep', 'remove'])
    .default('keep')
    .describe('keep: the node stays, and the fault is over once the slots are spread. remove: the heal moves its slots back and takes it out again.'),
});
type AddParams = z.infer<typeof params>;

export const addNode: FaultKind<AddParams> = {
  kind: 'add-node',
  summary: 'Starts another server, makes it a master of the cluster (MEET), and moves its share of the slots to it while clients use them.',
  healSummary: 'None needed with `heal: keep`; with `remove` the slots go back and the server is forgotten and ended.',
  params,
  needs: 'process',
  topologies: ['cluster'],
  selector: 'none',
  shading: { color: '#239b56', label: 'add node' },
  example: '{ at: 8s, fault: add-node }',
  aim: () => ({ targets: [], sides: [] }),
  inject: (context, _targets, options) => new NewNode(context).inject(options),
};

class NewNode {
  readonly #context: FaultContext;
  readonly #mover: SlotMover;
  readonly #ending = new AbortController();
  #id: string | null = null;
  #moving: Promise<void> = Promise.resolve();
  #shortfall: string | null = null;

  constructor(context: FaultContext) {
    this.#context = context;
    this.#mover = new SlotMover(context);
  }

  async inject({ heal }: AddParams): Promise<ActiveFault> {
    const { claims, faultId, note } = this.#context;
    const growth = growthOf(this.#context);
    claims.take(CLAIM, faultId);
    const injectedAtUs = monotonicUs();
    try {
      note(`keys per node: ${await keysText(this.#context)}`);
      const node = await growth.addNode();
      this.#id = node.id;
      await meet(this.#context, node);
      note(`${node.id} has joined the cluster after ${Math.round((monotonicUs() - injectedAtUs) / 1000)} ms`);
      this.#moving = this.#spread(node.id);
    } catch (error) {
      await this.#remove().catch((later: unknown) => note(`fault ${faultId}: ${messageOf(later)}`));
      throw error;
    }
    const over = { heal: () => this.#heal(heal), isHealed: () => this.#isHealed(heal), shortfall: () => this.#shortfall };
    return heal === 'keep' ? { injectedAtUs, done: this.#moving, ...over } : { injectedAtUs, ...over };
  }

  /** From each master the highest slots above its new share. */
  async #spread(to: string): Promise<void> {
    const startUs = monotonicUs();
    try {
      await this.#connect();
      const slots = await slotsOfMasters(this.#context);
      const masters = [...slots].filter(([id, own]) => id !== to && own.length > 0);
      const share = Math.ceil(SLOT_COUNT / (masters.length + 1));
      const moves = masters.flatMap(([from, own]) => own.slice(share).map((slot): Move => ({ slot, from, to })));
      await this.#mover.moveAll(moves, this.#ending.signal);
      const ms = Math.round((monotonicUs() - startUs) / 1000);
      this.#context.note(
        `${to} took over ${this.#mover.movedSlots} slots with ${this.#mover.movedKeys} keys in ${ms} ms; keys per node: ${await keysText(this.#context)}`,
      );
    } catch (error) {
      this.#shortfall = `${to} took over ${this.#mover.movedSlots} slots, not its share: ${messageOf(error)}`;
    }
  }

  /** A slot that was begun is finished either way. */
  async #heal(how: AddParams['heal']): Promise<void> {
    if (how === 'remove') this.#ending.abort();
    await this.#moving;
    this.#mover.close();
    if (how === 'remove') await this.#remove();
    else if (this.#id !== null) {
      await this.#connect();
      await this.#mover.finish();
    }
    this.#mover.close();
    this.#context.claims.release(CLAIM, this.#context.faultId);
  }

  async #remove(): Promise<void> {
    const { holds, faultId, claims, processes } = this.#context;
    const id = this.#id;
    if (id !== null) {
      await this.#connect();
      await this.#mover.moveBack();
      await forget(this.#context, id);
      await holds.takeDown(id, faultId, 'SIGKILL');
      this.#context.growth?.retireNode(id);
      this.#context.note(`${id} has left the cluster${processes?.isRunning(id) ? ', and still runs' : ''}`);
      this.#id = null;
    }
    claims.release(CLAIM, faultId);
  }

  async #isHealed(how: AddParams['heal']): Promise<boolean> {
    if (how === 'remove') return this.#id === null;
    if (this.#id === null) return true;
    await this.#connect();
    const closed = await this.#mover.nothingOpen([this.#id]);
    this.#mover.close();
    return closed;
  }

  #connect(): Promise<void> {
    const { nodes } = this.#context.view();
    return this.#mover.connect(nodes.filter((node) => node.reachable && (node.id === this.#id || (node.role === 'master' && node.slots.length > 0))));
  }
}
