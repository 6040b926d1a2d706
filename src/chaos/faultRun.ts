/**
 * The life of one fault: waiting, injected, healed, or why not, told as `fault` events. Owned by the controller, which decides when; what
 * a fault does is its kind's. Its steps run one after the other, each within a named limit, and none of its methods rejects.
 */
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { FaultPlan } from '../plan/plan.js';
import type { EventOf, NodeRef } from '../result/records.js';
import type { NodeView } from '../topology/target.js';
import type { ActiveFault, FaultContext, FaultKind } from './fault.js';
import { Lane, withLimit } from './lane.js';
import { resolveSelector } from './selectors.js';
import type { Aim, AimScope } from './sides.js';

/** The longest that an injection may take to be confirmed. */
export const INJECT_LIMIT_US = 10_000_000;
/** The longest that one attempt to heal may take: a server that shuts down in its own time and starts again fits into it. */
export const HEAL_LIMIT_US = 26_000_000;
/** After a heal, until looking shows that it took. */
const CONFIRM_LIMIT_US = 2_000_000;
const CONFIRM_POLL_US = 5_000;
/** The longest for one look. */
const LOOK_LIMIT_US = 2_000_000;

type State = 'waiting' | 'injecting' | 'active' | 'healing' | 'healed' | 'failed' | 'skipped';

export class FaultRun {
  readonly plan: FaultPlan;
  readonly #context: FaultContext;
  readonly #t0Us: number;
  readonly #emitEvent: (event: EventOf<'fault'>) => void;
  readonly #lane = new Lane();
  #state: State = 'waiting';
  #targets: NodeRef[] = [];
  #aimed: Aim = { targets: [], sides: [] };
  #active: ActiveFault | null = null;
  /** An injection that went over its limit and has not ended since. */
  #overdue = false;
  /** Why the last attempt to heal failed. */
  #healFailure: string | null = null;

  constructor(plan: FaultPlan, context: FaultContext, t0Us: number, emit: (event: EventOf<'fault'>) => void) {
    this.plan = plan;
    this.#context = context;
    this.#t0Us = t0Us;
    this.#emitEvent = emit;
  }

  /** Whether something of it may be in force now. */
  get inForce(): boolean {
    return this.#state === 'injecting' || this.#state === 'active' || this.#state === 'healing';
  }

  get wasInjected(): boolean {
    return this.#active !== null;
  }

  /** It was injected, and nobody has to heal it: it is over when it is. */
  get endsByItself(): boolean {
    return this.#active?.done !== undefined;
  }

  skip(reason: string): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'skipped';
    this.#emit('skipped', monotonicUs(), null, reason);
  }

  /** Ids of the nodes it was resolved to; empty before. */
  get nodes(): string[] {
    return this.#targets.map(({ node }) => node);
  }

  /**
   * `refusal` is asked when it is this step's turn: null, or why not (any more). `limit` is asked with the nodes it would hit, in the same
   * turn of the event loop in which they count as hit.
   */
  inject(
    kind: FaultKind,
    plannedAtUs: number | null,
    refusal: () => string | null | Promise<string | null>,
    limit: (targets: readonly NodeView[]) => string | null = () => null,
  ): Promise<void> {
    return this.#lane.run(async () => {
      if (this.#state !== 'waiting') return;
      const refused = (await refusal()) ?? (this.#context.signal.aborted ? 'the run ends' : null);
      if (this.#state !== 'waiting') return;
      const aim = refused === null ? this.#aim(kind) : refused;
      if (typeof aim === 'string') return this.skip(aim);
      const { targets } = aim;
      const limited = limit(targets);
      if (limited !== null) return this.skip(limited);
      this.#aimed = aim;
      this.#targets = targets.map(({ id, shard, role }) => ({ node: id, shard, role }));
      this.#state = 'injecting';
      this.#emit('injecting', monotonicUs(), plannedAtUs);
      await this.#injectInto(kind, targets, plannedAtUs);
    });
  }

  /** Heals what is in force, looks whether it took, and tells. Does nothing when there is nothing to heal. */
  async heal(plannedAtUs: number | null): Promise<void> {
    await this.#lane.run(async () => {
      const active = this.#active;
      if (this.#state !== 'active' || !active) return;
      this.#state = 'healing';
      this.#emit('healing', monotonicUs(), plannedAtUs);
      const healing = this.#healAndLook(active);
      try {
        await withLimit(healing, HEAL_LIMIT_US, `healing fault ${this.plan.id}`);
        this.#healed(plannedAtUs);
      } catch (error) {
        this.#state = 'active';
        this.#healFailure = messageOf(error);
        this.#emit('failed', monotonicUs(), plannedAtUs, `not healed: ${this.#healFailure}`);
        // It may still come right after the limit.
        healing.then(
          () => this.#state === 'active' && this.#healed(plannedAtUs),
          () => undefined,
        );
      }
    });
  }

  /** Looks at the fault once more: null when nothing of it is left, else a sentence that says what is. */
  async unhealed(): Promise<string | null> {
    if (this.#state === 'injecting' || this.#overdue) return `${this.#title()}: its injection has not come to an end`;
    if (!this.#active) return null;
    const left = await withLimit(this.#active.isHealed(), LOOK_LIMIT_US, 'looking').then(
      (healed) => (healed ? null : (this.#healFailure ?? 'its effect is still there')),
      (error) => `it cannot be told whether it is healed: ${messageOf(error)}`,
    );
    return left === null ? null : `${this.#title()}: ${left}`;
  }

  async #injectInto(kind: FaultKind, targets: readonly NodeView[], plannedAtUs: number | null): Promise<void> {
    const injecting = Promise.resolve().then(() => kind.inject({ ...this.#context, aim: this.#aimed }, targets, this.plan.params));
    try {
      this.#active = await withLimit(injecting, INJECT_LIMIT_US, `injecting fault ${this.plan.id}`);
    } catch (error) {
      this.#state = 'failed';
      this.#emit('failed', monotonicUs(), plannedAtUs, messageOf(error));
      // An injection that comes true after its limit is healed at once; one that threw has cleaned up after itself.
      this.#overdue = true;
      const ended = (): void => {
        this.#overdue = false;
      };
      injecting.then((late) => this.#healLate(late), ended).finally(ended);
      return;
    }
    this.#state = 'active';
    this.#emit('injected', this.#active.injectedAtUs, plannedAtUs);
    const healNow = (): Promise<void> => this.heal(null);
    void this.#active.done?.then(healNow, healNow);
  }

  async #healLate(late: ActiveFault): Promise<void> {
    this.#active = late;
    this.#state = 'active';
    this.#context.note(`fault ${this.plan.id} came into force after its limit and is healed at once`);
    await this.heal(null);
  }

  async #healAndLook(active: ActiveFault): Promise<void> {
    await active.heal();
    const limitUs = monotonicUs() + CONFIRM_LIMIT_US;
    while (!(await active.isHealed())) {
      if (monotonicUs() > limitUs) throw new KvbenchError('FAULT_FAILED', 'its effect is still there after the heal');
      await sleepUs(CONFIRM_POLL_US);
    }
  }

  #healed(plannedAtUs: number | null): void {
    this.#state = 'healed';
    this.#healFailure = null;
    this.#emit('healed', monotonicUs(), plannedAtUs);
    const shortfall = this.shortfall();
    if (shortfall !== null) this.#emit('failed', monotonicUs(), plannedAtUs, shortfall);
  }

  /** What it was to do and did not, as far as it is over; null: nothing. */
  shortfall(): string | null {
    return this.#state === 'healed' ? (this.#active?.shortfall?.() ?? null) : null;
  }

  /** Whom it hits by the roles of this moment, or why it cannot be injected. Without a selector a fault means every node. */
  #aim(kind: FaultKind): Aim | string {
    const { plan } = this;
    const view = this.#context.view();
    const selected = plan.selector ? resolveSelector(plan.selector, view) : [];
    if (plan.selector && selected.length === 0) return `no node is "${plan.selector.text}" at this moment`;
    if (!kind.aim) return { targets: plan.selector ? selected : view.nodes.slice(), sides: [] };
    const resolve = (text: string): NodeView[] => {
      const selector = plan.selectors?.find((candidate) => candidate.text === text);
      return selector ? resolveSelector(selector, view) : [];
    };
    const scope: AimScope = { view, clientGroups: this.#context.clientGroups, resolve };
    try {
      return kind.aim(scope, selected, plan.params);
    } catch (error) {
      return messageOf(error);
    }
  }

  #emit(state: EventOf<'fault'>['state'], atUs: number, plannedAtUs: number | null, message?: string): void {
    const { id: faultId, kind } = this.plan;
    const tUs = atUs - this.#t0Us;
    const { sides } = this.#aimed;
    this.#emitEvent({
      tUs,
      type: 'fault',
      faultId,
      kind,
      state,
      targets: this.#targets,
      ...(sides.length > 0 ? { sides } : {}),
      ...(sides.length > 0 && state === 'injected' ? { cutCompleteUs: monotonicUs() - this.#t0Us } : {}),
      plannedAtUs,
      ...(message === undefined ? {} : { message }),
    });
  }

  #title(): string {
    const nodes = this.#targets.map(({ node }) => node).join(', ');
    return `fault ${this.plan.id} (${this.plan.kind} of ${nodes})`;
  }
}
