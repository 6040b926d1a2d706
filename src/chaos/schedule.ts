/**
 * The plan's faults as a producer of commands: waits for each fault's moment, or for the state of another fault, and puts `inject` and
 * `heal` into the controller's queue. It acts on nothing itself. Made and started by the controller.
 */
import { monotonicUs } from '../base/clock.js';
import { type FaultPlan, type FaultState, faultStates, loadEndUs, type Plan } from '../plan/plan.js';
import type { ChaosCommand } from './controller.js';
import { waitUntilUs } from './waitUntil.js';

/** Who knows when a fault reached a state that only the records show (`stats/milestoneTracker.ts`); times since t0, µs. */
export interface FaultStateSource {
  onState(listener: (faultId: number, state: FaultState, atUs: number) => void): void;
}

/** What became of one fault, for the schedule: a state of its own, or why there will be none. */
export type ScheduleNews =
  | { faultId: number; kind: 'injected' | 'healed'; atUs: number }
  | { faultId: number; kind: 'notInjected'; why: string }
  | { faultId: number; kind: 'notHealed'; why: string };

type Awaited = { kind: 'reached'; atUs: number } | { kind: 'never'; why: string };

export class Schedule {
  readonly #plan: Plan;
  readonly #t0Us: number;
  readonly #submit: (command: ChaosCommand) => void;
  /** Ends the waiting for injections: nothing new starts. */
  readonly #noMoreFaults = new AbortController();
  /** Ends the waiting for heals too. */
  readonly #over = new AbortController();
  readonly #reached = new Map<string, Awaited>();
  readonly #waiting = new Map<string, ((state: Awaited) => void)[]>();
  readonly #submitted = new Set<number>();

  constructor(plan: Plan, t0Us: number, states: FaultStateSource | null, submit: (command: ChaosCommand) => void) {
    this.#plan = plan;
    this.#t0Us = t0Us;
    this.#submit = submit;
    states?.onState((faultId, state, atUs) => {
      if (state !== 'injected' && state !== 'healed') this.#settle(faultId, state, { kind: 'reached', atUs });
    });
  }

  start(): void {
    for (const fault of this.#plan.chaos) {
      if (fault.trigger.kind === 'at') void this.#injectAt(fault, fault.trigger.atUs);
      else void this.#injectAfter(fault, fault.trigger);
    }
    void this.#endWithLoad();
  }

  /** From the controller: how a fault is doing. */
  tell(news: ScheduleNews): void {
    const { faultId } = news;
    if ('atUs' in news) {
      this.#settle(faultId, news.kind, { kind: 'reached', atUs: news.atUs });
    } else if (news.kind === 'notHealed') {
      for (const state of ['healed', 'redundancyRestored'] as const) this.#settle(faultId, state, { kind: 'never', why: news.why });
    } else {
      for (const state of faultStates) this.#settle(faultId, state, { kind: 'never', why: news.why });
    }
  }

  /** Nothing is submitted any more but a `skip` for each fault that was not. */
  stop(reason: string): void {
    this.#over.abort();
    this.#endInjections(reason);
  }

  async #injectAt(fault: FaultPlan, atUs: number): Promise<void> {
    await waitUntilUs(this.#t0Us + atUs, this.#noMoreFaults.signal);
    if (!this.#inject(fault, atUs) || fault.forUs === null) return;
    await this.#healAt(fault, atUs + fault.forUs);
  }

  async #injectAfter(fault: FaultPlan, trigger: Extract<FaultPlan['trigger'], { kind: 'after' }>): Promise<void> {
    const awaited = await this.#state(trigger.faultId, trigger.state);
    if (awaited.kind === 'never') {
      this.#skip(fault, `it waits for "${trigger.state}" of fault ${trigger.faultId}, and ${awaited.why}`);
      return;
    }
    // A state can be known later than it was reached (p99 needs its second): then the fault is due when it is known.
    const dueUs = Math.max(awaited.atUs + trigger.delayUs, monotonicUs() - this.#t0Us);
    await waitUntilUs(this.#t0Us + dueUs, this.#noMoreFaults.signal);
    if (!this.#inject(fault, dueUs) || fault.forUs === null) return;
    const injected = await this.#state(fault.id, 'injected');
    if (injected.kind === 'reached') await this.#healAt(fault, injected.atUs + fault.forUs);
  }

  #inject(fault: FaultPlan, plannedAtUs: number): boolean {
    if (this.#noMoreFaults.signal.aborted || this.#submitted.has(fault.id)) return false;
    this.#submitted.add(fault.id);
    this.#submit({ type: 'inject', fault, plannedAtUs });
    return true;
  }

  #skip(fault: FaultPlan, reason: string): void {
    if (this.#submitted.has(fault.id)) return;
    this.#submitted.add(fault.id);
    this.#submit({ type: 'skip', fault, reason });
  }

  async #healAt(fault: FaultPlan, plannedAtUs: number): Promise<void> {
    await waitUntilUs(this.#t0Us + plannedAtUs, this.#over.signal);
    if (!this.#over.signal.aborted) this.#submit({ type: 'heal', faultId: fault.id, plannedAtUs });
  }

  /** A fault without load would show nothing; heals that the plan wants later still come. */
  async #endWithLoad(): Promise<void> {
    await waitUntilUs(this.#t0Us + loadEndUs(this.#plan), this.#over.signal);
    if (!this.#over.signal.aborted) this.#endInjections('the load had ended');
  }

  #endInjections(reason: string): void {
    this.#noMoreFaults.abort();
    for (const fault of this.#plan.chaos) {
      const { trigger } = fault;
      const waiting = trigger.kind === 'after' && !this.#isReached(trigger.faultId, trigger.state);
      this.#skip(fault, waiting ? `${reason}, and fault ${trigger.faultId} had not reached "${trigger.state}"` : reason);
    }
  }

  #isReached(faultId: number, state: FaultState): boolean {
    return this.#reached.get(`${faultId} ${state}`)?.kind === 'reached';
  }

  #state(faultId: number, state: FaultState): Promise<Awaited> {
    const key = `${faultId} ${state}`;
    const known = this.#reached.get(key);
    if (known) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), resolve]));
  }

  /** The first word counts: a state that was reached stays reached. */
  #settle(faultId: number, state: FaultState, awaited: Awaited): void {
    const key = `${faultId} ${state}`;
    if (this.#reached.has(key)) return;
    this.#reached.set(key, awaited);
    for (const resolve of this.#waiting.get(key) ?? []) resolve(awaited);
    this.#waiting.delete(key);
  }
}
