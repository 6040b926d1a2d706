/**
 * Breaks things on command and mends them on every way out. Made by cli/run's performance; its queue is filled by the schedule (later
 * also by a person at a console). Commands of one fault run in order, those of different faults side by side. No failure of a fault
 * ends the run, and none may leave anything behind: `healAll` says precisely what it could not mend.
 */
import { unreachable } from '../base/assert.js';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { type FaultPlan, loadEndUs, type Plan } from '../plan/plan.js';
import type { EventOf, RunSink } from '../result/records.js';
import type { NodeView } from '../topology/target.js';
import { Claims } from './claims.js';
import type { FaultEnvironment, FaultKind } from './fault.js';
import { FaultRun } from './faultRun.js';
import { brokenLimit, notReadyBecause } from './limits.js';
import { NodeHolds } from './nodeHolds.js';
import { faultRegistry } from './registry.js';
import { type FaultStateSource, Schedule } from './schedule.js';
import { waitUntilUs } from './waitUntil.js';

/** After the planned end of the load nothing stays broken longer than this, whatever the rest of the run does. */
const TIME_TO_LIVE_AFTER_LOAD_US = 60_000_000;
/** After its planned heal a fault lives no longer than this, where the plan says nothing else. */
const TIME_TO_LIVE_AFTER_HEAL_US = 30_000_000;
/** How long the first fault waits for the target to be well. */
const CHECK_LIMIT_US = 3_000_000;
const CHECK_EVERY_US = 50_000;

/** `plannedAtUs`: when the plan wanted it, since t0; null: nobody planned it. */
export type ChaosCommand =
  | { type: 'inject'; fault: FaultPlan; plannedAtUs: number | null }
  | { type: 'skip'; fault: FaultPlan; reason: string }
  | { type: 'heal'; faultId: number; plannedAtUs: number | null }
  | { type: 'healAll'; reason: string };

export interface ChaosOptions {
  plan: Plan;
  context: FaultEnvironment;
  sink: RunSink;
  /** Machine monotonic µs. */
  t0Us: number;
  /** Null: faults that wait for anything but `injected` and `healed` are skipped at the end of the load. */
  states: FaultStateSource | null;
  /** Share of the operations of the last second that failed, 0..1; null: nothing was asked. For the check before the first fault. */
  errorRate?: () => number | null;
  /** Default: all registered kinds. */
  kinds?: readonly FaultKind[];
}

export class ChaosController {
  readonly #options: ChaosOptions;
  readonly #kinds: ReadonlyMap<string, FaultKind>;
  readonly #holds: NodeHolds;
  readonly #claims = new Claims();
  readonly #schedule: Schedule;
  readonly #runs = new Map<number, FaultRun>();
  readonly #ended = new AbortController();
  /** Set by the first `healAll`: nothing is injected any more. */
  #closedBecause: string | null = null;
  /** Whether the check before the first fault has passed. */
  #wasWell = false;
  #healing: Promise<string[]> | null = null;

  constructor(options: ChaosOptions) {
    this.#options = options;
    const { plan, context, t0Us, states } = options;
    this.#kinds = new Map((options.kinds ?? faultRegistry).map((kind) => [kind.kind, kind]));
    this.#holds = new NodeHolds(context.processes, context.proxies, (text) => context.note(text));
    this.#schedule = new Schedule(plan, t0Us, states, (command) => this.submit(command));
  }

  /** Starts the schedule, and the clock after which everything is healed whatever happens. */
  start(): void {
    this.#schedule.start();
    void this.#liveNoLonger();
  }

  /** Puts a command into the queue. It is carried out at once, or after the earlier ones of the same fault; never throws. */
  submit(command: ChaosCommand): void {
    switch (command.type) {
      case 'inject':
        this.#inject(command.fault, command.plannedAtUs);
        return;
      case 'skip':
        this.#run(command.fault).skip(command.reason);
        return;
      case 'heal':
        void this.#runs.get(command.faultId)?.heal(command.plannedAtUs);
        return;
      case 'healAll':
        void this.healAll(command.reason);
        return;
      default:
        unreachable(command);
    }
  }

  /**
   * Skips what was not injected, heals everything in force, all faults at once and each within `HEAL_LIMIT_US`, and looks whether it is
   * healed. Resolves to what is not, one sentence each; never rejects. Safe to call again: it tries again what is left.
   */
  healAll(reason: string): Promise<string[]> {
    if (this.#healing) return this.#healing;
    this.#closedBecause ??= reason;
    this.#ended.abort();
    this.#schedule.stop(reason);
    this.#healing = this.#healEverything().finally(() => {
      this.#healing = null;
    });
    return this.#healing;
  }

  /** Faults of the plan that have been neither injected nor skipped. */
  pendingFaults(): FaultPlan[] {
    return this.#options.plan.chaos.filter((fault) => !this.#runs.has(fault.id));
  }

  /** Ids of the faults in force, being injected or being healed, lowest first. */
  activeFaults(): number[] {
    const active = [...this.#runs.values()].filter((run) => run.inForce);
    return active.map((run) => run.plan.id).toSorted((a, b) => a - b);
  }

  /** What healed faults were to do and did not, a sentence each. */
  shortfalls(): string[] {
    return [...this.#runs.values()].flatMap((run) => {
      const shortfall = run.shortfall();
      return shortfall === null ? [] : [`fault ${run.plan.id} (${run.plan.kind}): ${shortfall}`];
    });
  }

  /** The fault that meant this exit of a server; null: an incident. `atUs` is machine monotonic, as in `ProcessChange`. */
  faultOfExit(nodeId: string, atUs: number): number | null {
    return this.#holds.faultOfExit(nodeId, atUs);
  }

  #inject(fault: FaultPlan, plannedAtUs: number | null): void {
    if (this.#runs.has(fault.id)) {
      this.#options.context.note(`fault ${fault.id} was injected or skipped before: a second injection is ignored`);
      return;
    }
    const run = this.#run(fault);
    const kind = this.#kinds.get(fault.kind);
    const refusal = this.#closedBecause ?? this.#refusal(fault, kind);
    if (refusal !== null || !kind) run.skip(refusal ?? `"${fault.kind}" is no fault kvbench knows`);
    else
      void run.inject(
        kind,
        plannedAtUs,
        () => this.#check(),
        (targets) => this.#brokenLimit(fault, kind, targets),
      );
  }

  /** Why this fault must not be tried on this target; null: it may. */
  #refusal(fault: FaultPlan, kind: FaultKind | undefined): string | null {
    const { plan, context } = this.#options;
    if (plan.target.kind === 'external' && !plan.allow.includes(fault.kind)) return `the profile does not allow "${fault.kind}" on this target`;
    if (kind?.needs === 'process' && !context.processes) return `"${fault.kind}" acts only on servers that kvbench started itself`;
    if (kind?.needs === 'proxy' && !context.proxies) return `"${fault.kind}" needs proxies, and this run has none`;
    const needsMesh = kind?.needs === 'mesh' || fault.needsMesh === true;
    if (needsMesh && !context.proxies?.links.some((link) => link.channel !== 'client')) {
      return `"${fault.kind}" acts on the links between nodes, and those of this run are no proxies of kvbench's`;
    }
    return null;
  }

  /** Before the first fault: waits a little for the target to be well. Null: it is, or was before. */
  async #check(): Promise<string | null> {
    const { plan, context, errorRate } = this.#options;
    const untilUs = monotonicUs() + CHECK_LIMIT_US;
    while (this.#closedBecause === null && !this.#wasWell) {
      const problem = plan.safety ? notReadyBecause(plan.safety, context.view(), errorRate?.() ?? null) : null;
      this.#wasWell = problem === null;
      if (problem !== null && monotonicUs() >= untilUs) return `the check before the first fault: ${problem}`;
      if (problem !== null) await sleepUs(CHECK_EVERY_US, this.#ended.signal);
    }
    return this.#closedBecause;
  }

  #brokenLimit(fault: FaultPlan, kind: FaultKind, targets: readonly NodeView[]): string | null {
    if (kind.takesDown !== true) return null;
    const { plan, context } = this.#options;
    const view = context.view();
    const down = new Set(view.nodes.filter((node) => !node.reachable || context.processes?.isRunning(node.id) === false).map((node) => node.id));
    for (const run of this.#runs.values()) {
      if (run.inForce && this.#kinds.get(run.plan.kind)?.takesDown) for (const id of run.nodes) down.add(id);
    }
    for (const limits of [plan.safety?.limits, fault.limits]) {
      const broken = limits ? brokenLimit(limits, targets, view, down) : null;
      if (broken !== null) return broken;
    }
    return null;
  }

  /** Heals a fault whose scheduled heal never came, or came to nothing. */
  async #outlive(fault: FaultPlan): Promise<void> {
    const { plan, context } = this.#options;
    const ttlUs = plan.safety?.timeToLiveUs ?? (fault.forUs === null ? null : fault.forUs + TIME_TO_LIVE_AFTER_HEAL_US);
    if (ttlUs === null) return;
    await waitUntilUs(monotonicUs() + ttlUs, this.#ended.signal);
    const run = this.#runs.get(fault.id);
    if (this.#ended.signal.aborted || !run?.inForce) return;
    context.note(`fault ${fault.id} has outlived its ${ttlUs / 1_000_000} s and is healed`);
    await run.heal(null);
  }

  #run(fault: FaultPlan): FaultRun {
    let run = this.#runs.get(fault.id);
    if (!run) {
      const { context, t0Us } = this.#options;
      const added = { faultId: fault.id, holds: this.#holds, claims: this.#claims, aim: { targets: [], sides: [] } };
      run = new FaultRun(fault, { ...spread(context), ...added }, t0Us, (event) => this.#emit(event));
      this.#runs.set(fault.id, run);
    }
    return run;
  }

  #emit(event: EventOf<'fault'>): void {
    this.#options.sink.event(event);
    const { faultId, state, message } = event;
    const fault = this.#runs.get(faultId)?.plan;
    if (state === 'injected' && fault) void this.#outlive(fault);
    const why = `it ${state === 'skipped' ? 'was skipped' : 'failed'} (${message})`;
    if (state === 'injected' || state === 'healed') this.#schedule.tell({ faultId, kind: state, atUs: event.tUs });
    else if (state === 'skipped') this.#schedule.tell({ faultId, kind: 'notInjected', why });
    else if (state === 'failed') this.#schedule.tell({ faultId, kind: this.#runs.get(faultId)?.wasInjected ? 'notHealed' : 'notInjected', why });
  }

  async #healEverything(): Promise<string[]> {
    const { plan, t0Us } = this.#options;
    const loadEnd = loadEndUs(plan);
    const loadHasEnded = monotonicUs() - t0Us >= loadEnd;
    const runs = [...this.#runs.values()];
    const left = await Promise.all(
      runs.map(async (run) => {
        await run.heal(run.plan.forUs === null && loadHasEnded ? loadEnd : null);
        return run.unhealed();
      }),
    );
    this.#holds.stopFollowing();
    return left.filter((what) => what !== null);
  }

  async #liveNoLonger(): Promise<void> {
    const { plan, t0Us, context } = this.#options;
    await waitUntilUs(t0Us + loadEndUs(plan) + TIME_TO_LIVE_AFTER_LOAD_US, this.#ended.signal);
    if (this.#ended.signal.aborted) return;
    for (const what of await this.healAll('the faults outlived the load')) context.note(`not healed: ${messageOf(what)}`);
  }
}

/** The environment's members by name: it may be an object of a class, whose methods a `...` would lose. */
function spread(context: FaultEnvironment): FaultEnvironment {
  return {
    processes: context.processes,
    growth: context.growth,
    proxies: context.proxies,
    journal: context.journal,
    clientGroups: context.clientGroups,
    view: () => context.view(),
    control: (nodeId) => context.control(nodeId),
    note: (text) => context.note(text),
    signal: context.signal,
  };
}
