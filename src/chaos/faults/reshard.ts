/**
 * The `reshard` fault: slots move from one master to another while they are used. Used through the registry. It moves keys and tells
 * nodes who owns what; it never deletes a key, and never leaves a slot half-way.
 */
import { z } from 'zod';
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import type { NodeView } from '../../topology/target.js';
import { withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { type Move, ownSlots, SlotMover } from '../slotMover.js';

const params = z.strictObject({
  to: z
    .string()
    .min(1)
    .describe('The master that takes the slots over; `node` is the one that gives them away.')
    .meta({ title: 'node selector', examples: ['master[1]'] }),
  slots: z
    .union([z.int().min(1).max(16_384), z.string().regex(/^(100|[1-9]\d?)%$/, 'must be a number of slots, or a percentage like 50%')])
    .default('50%')
    .describe('How many slots: a number, or a share of those `node` has. The lowest ones go first.')
    .meta({ title: 'number of slots, or percentage', examples: ['50%', 500] }),
  heal: z
    .enum(['return', 'keep'])
    .default('return')
    .describe('return: the heal moves them back, under load if there still is some. keep: they stay, and the fault is over once they have moved.'),
});
type ReshardParams = z.infer<typeof params>;

export const reshard: FaultKind<ReshardParams> = {
  kind: 'reshard',
  summary: 'Moves slots with their keys from one master of a cluster to another while clients use them (SETSLOT, MIGRATE).',
  healSummary: 'The slots are moved back, or stay with `heal: keep`; none is left half-way.',
  params,
  needs: 'none',
  topologies: ['cluster', 'external'],
  selector: 'required',
  shading: { color: '#1f618d', label: 'reshard' },
  example: '{ at: 8s, for: 5s, fault: reshard, node: "master[0]", to: "master[1]", slots: 50% }',
  selectorsOf: ({ to }) => [{ path: ['to'], text: to }],
  aim(scope, [from], { to }) {
    const [target] = scope.resolve(to);
    if (!from || !target) throw new KvbenchError('FAULT_FAILED', `no node is "${to}" at this moment`);
    if (from.id === target.id) throw new KvbenchError('FAULT_FAILED', `${from.id} would give its slots to itself`, 'Choose another master for `to`.');
    return { targets: [from, target], sides: [] };
  },
  async inject(context, [from, to], options) {
    if (!from || !to) throw new KvbenchError('FAULT_FAILED', 'a reshard needs two masters');
    return new Reshard(context, from, to).inject(options);
  },
};

const CLAIM = 'the slots of the cluster';

class Reshard {
  readonly #context: FaultContext;
  readonly #from: NodeView;
  readonly #to: NodeView;
  readonly #mover: SlotMover;
  readonly #ending = new AbortController();
  #moving: Promise<void> = Promise.resolve();
  #shortfall: string | null = null;

  constructor(context: FaultContext, from: NodeView, to: NodeView) {
    this.#context = context;
    this.#from = from;
    this.#to = to;
    this.#mover = new SlotMover(context);
  }

  async inject({ slots, heal }: ReshardParams): Promise<ActiveFault> {
    const { claims, faultId } = this.#context;
    claims.take(CLAIM, faultId);
    const injectedAtUs = monotonicUs();
    try {
      await this.#connect();
      const own = await withControl(this.#context, this.#from.id, ownSlots);
      const count = typeof slots === 'number' ? Math.min(slots, own.length) : Math.ceil((own.length * Number.parseInt(slots, 10)) / 100);
      if (count === 0) throw new KvbenchError('FAULT_FAILED', `${this.#from.id} has no slots to give away`);
      const moves = own.slice(0, count).map((slot): Move => ({ slot, from: this.#from.id, to: this.#to.id }));
      await this.#mover.moveAll(moves.slice(0, 1));
      this.#moving = this.#moveRest(moves.slice(1), injectedAtUs);
    } catch (error) {
      await this.#heal('return').catch((later: unknown) => this.#context.note(`fault ${faultId}: ${messageOf(later)}`));
      throw error;
    }
    const over = { heal: () => this.#heal(heal), isHealed: () => this.#isHealed(heal), shortfall: () => this.#shortfall };
    return heal === 'keep' ? { injectedAtUs, done: this.#moving, ...over } : { injectedAtUs, ...over };
  }

  async #moveRest(moves: readonly Move[], sinceUs: number): Promise<void> {
    try {
      await this.#mover.moveAll(moves, this.#ending.signal);
      this.#tell('moved', sinceUs);
    } catch (error) {
      this.#shortfall = `${this.#mover.movedSlots} slots of ${moves.length + 1} were moved: ${messageOf(error)}`;
    }
  }

  #connect(): Promise<void> {
    const masters = this.#context.view().nodes.filter((node) => node.role === 'master' && node.reachable && node.slots.length > 0);
    return this.#mover.connect([this.#from, this.#to, ...masters]);
  }

  async #heal(how: ReshardParams['heal']): Promise<void> {
    const { claims, faultId } = this.#context;
    const sinceUs = monotonicUs();
    if (how === 'return') this.#ending.abort();
    await this.#moving;
    // Connections may have broken meanwhile: a second attempt begins with new ones.
    this.#mover.close();
    await this.#connect();
    const moved = this.#mover.movedSlots;
    if (how === 'return') await this.#mover.moveBack();
    else await this.#mover.finish();
    if (how === 'return' && moved > 0)
      this.#context.note(`${moved} slots are back on ${this.#from.id} after ${Math.round((monotonicUs() - sinceUs) / 1000)} ms`);
    claims.release(CLAIM, faultId);
  }

  async #isHealed(how: ReshardParams['heal']): Promise<boolean> {
    await this.#connect();
    const healed = (await this.#mover.nothingOpen([this.#from.id, this.#to.id])) && (how === 'keep' || this.#mover.movedSlots === 0);
    if (healed) this.#mover.close();
    return healed;
  }

  #tell(what: string, sinceUs: number): void {
    const { movedSlots, movedKeys } = this.#mover;
    const ms = Math.round((monotonicUs() - sinceUs) / 1000);
    this.#context.note(`${what} ${movedSlots} slots with ${movedKeys} keys from ${this.#from.id} to ${this.#to.id} in ${ms} ms`);
  }
}
