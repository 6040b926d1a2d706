/** The counting pass: operations and latency of the whole run, its phases and its windows. Warm-up is counted apart. Used by summarize.ts. */
import type { PhasePlan, Plan } from '../plan/plan.js';
import { INTERVAL_US, type IntervalRecord, type RestRecord } from '../result/records.js';
import type { PhaseSummary, Summary, WindowSummary } from '../result/summary.js';
import { Counts, OperationLatency } from './hdr.js';
import { Tally } from './tally.js';
import type { Window } from './windows.js';

export class RunTallies {
  readonly dispatchLag = new Counts();
  readonly #plan: Plan;
  readonly #windows: { window: Window; tally: Tally }[];
  readonly #loadEndUs: number;
  readonly #recorded = new Tally();
  readonly #warmUp = new Tally();
  readonly #phases: Tally[];
  readonly #service = new OperationLatency();
  readonly #queue = new OperationLatency();

  /** @param loadEndUs when the load ended, which can be before the plan says so */
  constructor(plan: Plan, windows: readonly Window[], loadEndUs: number) {
    this.#plan = plan;
    this.#windows = windows.map((window) => ({ window, tally: new Tally() }));
    this.#loadEndUs = loadEndUs;
    this.#phases = plan.load.phases.map(() => new Tally());
  }

  interval(record: IntervalRecord): void {
    for (const cell of record.cells) {
      const phase = this.#plan.load.phases[cell.phase];
      if (!phase) continue;
      // A cell belongs to the windows that hold its middle; they can overlap.
      const dueUs = (cell.slot + 0.5) * INTERVAL_US;
      const tallies = [this.#phases[cell.phase] as Tally, phase.record ? this.#recorded : this.#warmUp];
      if (phase.record) {
        for (const { window, tally } of this.#windows) if (dueUs >= window.startUs && dueUs < window.endUs) tallies.push(tally);
      }
      for (const [op, operation] of Object.entries(cell.ops)) for (const tally of tallies) tally.add(op, operation);
    }
    for (const rest of record.rest ?? []) this.#rest(rest);
  }

  totals(): Pick<Summary, 'ops' | 'warmUp' | 'throughputOpsPerSec' | 'latencyUs' | 'serviceUs' | 'queueUs'> {
    const seconds = this.#plan.load.phases.reduce((sum, phase) => sum + (phase.record ? this.#secondsOf(phase) : 0), 0);
    return {
      ops: this.#recorded.counts(this.#closedLoop(true)),
      warmUp: this.#warmUp.counts(this.#closedLoop(false)),
      throughputOpsPerSec: perSecond(this.#recorded.ok, seconds),
      latencyUs: this.#recorded.latency.stats(),
      serviceUs: this.#service.stats(),
      queueUs: this.#queue.stats(),
    };
  }

  /** ok / planned; in closed loop ok / total. Null when nothing was asked. */
  availabilityRate(): number | null {
    const asked = this.#closedLoop(true) ? this.#recorded.total : this.#recorded.planned;
    return asked === 0 ? null : this.#recorded.ok / asked;
  }

  /** Phases that started. */
  phaseSummaries(): PhaseSummary[] {
    return this.#plan.load.phases.flatMap((phase, i) => {
      const tally = this.#phases[i] as Tally;
      const seconds = this.#secondsOf(phase);
      if (seconds === 0) return [];
      const latencyUs = tally.latency.stats();
      return {
        name: phase.name,
        record: phase.record,
        startMs: phase.startUs / 1000,
        endMs: phase.startUs / 1000 + seconds * 1000,
        ops: tally.counts(phase.kind === 'closed'),
        throughputOpsPerSec: perSecond(tally.ok, seconds),
        latencyUs,
        littlesLaw: phase.kind === 'closed' ? littlesLaw(phase.clients * phase.pipeline, latencyUs.all, seconds) : null,
      };
    });
  }

  windowSummaries(): WindowSummary[] {
    return this.#windows.map(({ window, tally }) => ({
      name: window.name,
      faultId: window.faultId,
      startMs: window.startUs / 1000,
      endMs: window.endUs / 1000,
      ops: tally.counts(this.#closedLoop(true)),
      latencyUs: tally.latency.stats(),
    }));
  }

  /** Of a run that ended as planned: every planned operation came due and has an outcome. Throws when not. */
  assertConserved(): void {
    // The second halves of pairs come on top of the plan, as many as the first ones that were answered.
    const isFixed = !(this.#plan.load.workload.readModifyWrite > 0);
    this.#plan.load.phases.forEach((phase, i) => {
      (this.#phases[i] as Tally).assertConserved(`phase ${phase.name}`, phase.kind === 'open' && isFixed ? phase.operationCount : null);
    });
  }

  #rest(rest: RestRecord): void {
    if (!this.#plan.load.phases[rest.phase]?.record) return;
    for (const [op, service] of Object.entries(rest.service)) this.#service.add(op, service);
    for (const [op, queue] of Object.entries(rest.queue)) this.#queue.add(op, queue);
    this.dispatchLag.add(rest.dispatchLag);
  }

  #closedLoop(record: boolean): boolean {
    return this.#plan.load.phases.some((phase) => phase.record === record && phase.kind === 'closed');
  }

  #secondsOf(phase: PhasePlan): number {
    return Math.max(0, Math.min(phase.startUs + phase.durationUs, this.#loadEndUs) - phase.startUs) / 1_000_000;
  }
}

/** Operations in flight = throughput × mean response, over the time of a closed-loop phase. */
function littlesLaw(inFlightExpected: number, latency: { count: number; mean: number } | undefined, seconds: number): PhaseSummary['littlesLaw'] {
  const meanSec = (latency?.mean ?? 0) / 1_000_000;
  return { inFlightExpected, inFlightMeasured: Math.round(((latency?.count ?? 0) / seconds) * meanSec * 1000) / 1000 };
}

function perSecond(count: number, seconds: number): number {
  return seconds === 0 ? 0 : Math.round((count / seconds) * 1000) / 1000;
}
