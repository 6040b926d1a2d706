/** Which operations a threshold is about: its tags `op`, `phase`, `during` and `fault`, ANDed. Warm-up is in no scope. Used by probe.ts. */
import { operationsOfPlan } from '../plan/operations.js';
import type { OperationName, Plan, ThresholdPlan } from '../plan/plan.js';
import { type CellRecord, INTERVAL_US, type OperationCell, type RestRecord } from '../result/records.js';
import { isDuring, type Window, type WindowName, windowNames } from './windows.js';

const SECOND_US = 1_000_000;

export class Scope {
  readonly operations: readonly OperationName[];
  readonly #plan: Plan;
  readonly #phases: ReadonlySet<number>;
  readonly #during: WindowName | null;
  readonly #faultId: number | null;

  constructor(threshold: ThresholdPlan, plan: Plan) {
    const { op, phase, during, fault } = threshold.tags;
    this.operations = operationsOfPlan(plan).filter((name) => op === undefined || name === op);
    this.#plan = plan;
    this.#phases = new Set(plan.load.phases.filter((p) => p.record && (phase === undefined || p.name === phase)).map((p) => p.index));
    this.#faultId = fault === undefined ? null : Number(fault);
    // A fault without a window means the time in which it was felt by the clients.
    this.#during = windowNames.find((name) => name === during) ?? (fault === undefined ? null : 'fault');
  }

  /** By the middle of the 100 ms in which the operations were due. */
  hasCell(cell: CellRecord, windows: readonly Window[]): boolean {
    return this.#phases.has(cell.phase) && this.#hasTime((cell.slot + 0.5) * INTERVAL_US, windows);
  }

  /** By the middle of the second in which the operations were due. */
  hasRest(rest: RestRecord, windows: readonly Window[]): boolean {
    return this.#phases.has(rest.phase) && this.#hasTime((rest.second + 0.5) * SECOND_US, windows);
  }

  operationsOf(cell: CellRecord): OperationCell[] {
    return this.operations.flatMap((op) => cell.ops[op] ?? []);
  }

  /** How long the load that is in scope lasts, by 100 ms, up to `endUs`. */
  durationUs(windows: readonly Window[], endUs: number): number {
    let slots = 0;
    for (const phase of this.#plan.load.phases) {
      if (!this.#phases.has(phase.index)) continue;
      const untilUs = Math.min(phase.startUs + phase.durationUs, endUs);
      for (let startUs = phase.startUs; startUs < untilUs; startUs += INTERVAL_US) {
        if (this.#hasTime(startUs + INTERVAL_US / 2, windows)) slots += Math.min(INTERVAL_US, untilUs - startUs) / INTERVAL_US;
      }
    }
    return slots * INTERVAL_US;
  }

  get closedLoop(): boolean {
    return this.#plan.load.phases.some((phase) => this.#phases.has(phase.index) && phase.kind === 'closed');
  }

  /** Why nothing was found, as far as the tags tell. */
  emptyNote(): string {
    if (this.#phases.size === 0) return 'no recorded phase has this name';
    return this.#during === null
      ? 'no operations'
      : `no operations during ${this.#during}${this.#faultId === null ? '' : ` of fault ${this.#faultId}`}`;
  }

  #hasTime(atUs: number, windows: readonly Window[]): boolean {
    return this.#during === null || isDuring(atUs, this.#during, this.#faultId, windows);
  }
}
