/**
 * What a worker sees of each shard, reads and writes apart: successes and failures per interval, what is overdue, and the spans of
 * 100 ms and more without a success. The engine tells it every operation; gaps are made of the spans of all workers later.
 */
import type { AccessKind } from '../plan/plan.js';
import type { EventRecord } from '../result/records.js';
import type { WorkerInterval } from './messages.js';
import { NONE, type OpenOperations } from './openOperations.js';

/** A span without a success is reported from this length on; an operation is overdue at this age. */
export const SPAN_MIN_US = 100_000;
/** Ticks come about every millisecond; between two further apart than this the worker stood still. */
export const STANDSTILL_MIN_US = 20_000;
const NEVER = -1;

/** HOT: counts per list (shard × 2 + kind). */
export class ShardWatch {
  readonly #ok: Uint32Array;
  readonly #notOk: Uint32Array;
  readonly #firstNotOkUs: Float64Array;
  readonly #lastSuccessUs: Float64Array;
  readonly #lastEndUs: Float64Array;
  readonly #lastAgeUs: Float64Array;
  readonly #askedSince: Float64Array;
  readonly #notOkSince: Float64Array;
  /** What the worker had stood still in all, at the last success. */
  readonly #standstillAtUs: Float64Array;
  #tickedUs = 0;
  #standstillUs = 0;

  /** @param uses the kinds of access that the workload has; the others are not watched */
  constructor(
    readonly worker: number,
    readonly operations: OpenOperations,
    readonly uses: { reads: boolean; writes: boolean },
    readonly onSpan: (event: EventRecord) => void,
  ) {
    const lists = operations.listCount;
    this.#ok = new Uint32Array(lists);
    this.#notOk = new Uint32Array(lists);
    this.#firstNotOkUs = new Float64Array(lists).fill(NEVER);
    this.#lastSuccessUs = new Float64Array(lists);
    this.#lastEndUs = new Float64Array(lists);
    this.#lastAgeUs = new Float64Array(lists);
    this.#askedSince = new Float64Array(lists);
    this.#notOkSince = new Float64Array(lists);
    this.#standstillAtUs = new Float64Array(lists);
  }

  /** The event loop runs. To be called about every millisecond. */
  ticked(nowUs: number): void {
    this.#standstillUs = this.#standstillUntil(nowUs);
    this.#tickedUs = nowUs;
  }

  /** An operation of this list came due. */
  asked(list: number): void {
    this.#askedSince[list] = (this.#askedSince[list] as number) + 1;
  }

  /** An operation ended and has left the open operations. Times since t0. */
  ended(list: number, isOk: boolean, intendedUs: number, doneUs: number): void {
    this.#lastEndUs[list] = doneUs;
    this.#lastAgeUs[list] = doneUs - intendedUs;
    if (isOk) {
      this.#ok[list] = (this.#ok[list] as number) + 1;
      if (doneUs - (this.#lastSuccessUs[list] as number) >= SPAN_MIN_US) {
        const overdue = doneUs - intendedUs >= SPAN_MIN_US || this.#overdueSinceUs(list, doneUs) !== null;
        this.#emitSpan(list, doneUs, overdue);
      }
      this.#lastSuccessUs[list] = doneUs;
      this.#standstillAtUs[list] = this.#standstillUntil(doneUs);
      this.#askedSince[list] = this.operations.openCount[list] as number;
      this.#notOkSince[list] = 0;
      return;
    }
    if (this.#firstNotOkUs[list] === NEVER) this.#firstNotOkUs[list] = doneUs;
    this.#notOk[list] = (this.#notOk[list] as number) + 1;
    this.#notOkSince[list] = (this.#notOkSince[list] as number) + 1;
  }

  /** The interval's counts, which start again from 0; lists with nothing to say are left out. */
  take(intervalEndUs: number): WorkerInterval['shards'] {
    const taken: WorkerInterval['shards'] = [];
    for (let list = 0; list < this.operations.listCount; list++) {
      const ok = this.#ok[list] as number;
      const notOk = this.#notOk[list] as number;
      const overdueSinceUs = this.#overdueSinceUs(list, intervalEndUs - 1);
      if (ok === 0 && notOk === 0 && overdueSinceUs === null) continue;
      const firstNotOkUs = this.#firstNotOkUs[list] as number;
      taken.push({
        shard: list >> 1,
        kind: kindOf(list),
        ok,
        notOk,
        firstNotOkUs: firstNotOkUs === NEVER ? null : firstNotOkUs,
        overdueSinceUs,
      });
    }
    this.#ok.fill(0);
    this.#notOk.fill(0);
    this.#firstNotOkUs.fill(NEVER);
    return taken;
  }

  /** Reports the spans that no success ended: up to the end of the load, or of the list's last operation in the drain. */
  closeSpans(loadEndUs: number): void {
    for (let list = 0; list < this.operations.listCount; list++) {
      if (!(kindOf(list) === 'read' ? this.uses.reads : this.uses.writes)) continue;
      const endUs = Math.max(loadEndUs, this.#lastEndUs[list] as number);
      if (endUs - (this.#lastSuccessUs[list] as number) < SPAN_MIN_US) continue;
      this.#emitSpan(list, endUs, (this.#notOkSince[list] as number) > 0 && (this.#lastAgeUs[list] as number) >= SPAN_MIN_US);
    }
  }

  #overdueSinceUs(list: number, nowUs: number): number | null {
    const oldest = this.operations.oldest(list);
    if (oldest === NONE) return null;
    const overdueSinceUs = (this.operations.intendedUs[oldest] as number) + SPAN_MIN_US;
    return overdueSinceUs <= nowUs ? overdueSinceUs : null;
  }

  /** In all, with the one that is on. */
  #standstillUntil(nowUs: number): number {
    const sinceTickUs = nowUs - this.#tickedUs;
    return sinceTickUs > STANDSTILL_MIN_US ? this.#standstillUs + sinceTickUs : this.#standstillUs;
  }

  #emitSpan(list: number, endUs: number, overdue: boolean): void {
    const startUs = this.#lastSuccessUs[list] as number;
    const standstillUs = this.#standstillUntil(endUs) - (this.#standstillAtUs[list] as number);
    this.onSpan({
      tUs: endUs,
      type: 'span',
      worker: this.worker,
      shard: list >> 1,
      kind: kindOf(list),
      startUs,
      endUs,
      asked: this.#askedSince[list] as number,
      notOk: this.#notOkSince[list] as number,
      overdue,
      standstillUs: Math.min(standstillUs, endUs - startUs),
    });
  }
}

function kindOf(list: number): AccessKind {
  return (list & 1) === 0 ? 'read' : 'write';
}
