/**
 * What a worker counts: completions by the phase and 100 ms slot of their intended start, and service, queue and dispatch lag
 * by phase and intended second. The engine calls it per operation and takes the sums at each interval's end. It never
 * looks at a clock and never averages.
 */
import { INTERVAL_US, reasons } from '../result/records.js';
import { OutcomeIndex } from './client.js';
import { HistogramPool } from './histogramPool.js';
import type { WorkerCell, WorkerRest } from './messages.js';

const SECOND_US = 1_000_000;
/** More than any slot of a run of a month. */
const SLOT_RANGE = 2 ** 26;

/**
 * HOT: numbers of the cells in use, by (phase, slot of the intended start, operation). Runs ask for the same cell again and again: the last
 * one per operation is remembered.
 */
class CellTable {
  phases: number[] = [];
  slots: number[] = [];
  operations: number[] = [];
  readonly #numbers = new Map<number, number>();
  /** Where the slot of the last cell starts; NaN: there is none. */
  readonly #lastStartUs: Float64Array;
  readonly #lastPhase: Int32Array;
  readonly #lastCell: Int32Array;

  constructor(
    readonly slotUs: number,
    readonly operationCount: number,
    readonly onNew: (cell: number) => void,
  ) {
    this.#lastStartUs = new Float64Array(operationCount).fill(Number.NaN);
    this.#lastPhase = new Int32Array(operationCount);
    this.#lastCell = new Int32Array(operationCount);
  }

  cellOf(phase: number, intendedUs: number, operation: number): number {
    const sinceUs = intendedUs - (this.#lastStartUs[operation] as number);
    if (sinceUs >= 0 && sinceUs < this.slotUs && this.#lastPhase[operation] === phase) return this.#lastCell[operation] as number;
    return this.#find(phase, Math.floor(intendedUs / this.slotUs), operation);
  }

  #find(phase: number, slot: number, operation: number): number {
    const key = (phase * SLOT_RANGE + slot) * this.operationCount + operation;
    const cell = this.#numbers.get(key) ?? this.#add(key, phase, slot, operation);
    this.#lastStartUs[operation] = slot * this.slotUs;
    this.#lastPhase[operation] = phase;
    this.#lastCell[operation] = cell;
    return cell;
  }

  get size(): number {
    return this.phases.length;
  }

  clear(): void {
    this.phases = [];
    this.slots = [];
    this.operations = [];
    this.#numbers.clear();
    this.#lastStartUs.fill(Number.NaN);
  }

  #add(key: number, phase: number, slot: number, operation: number): number {
    const cell = this.size;
    this.phases.push(phase);
    this.slots.push(slot);
    this.operations.push(operation);
    this.#numbers.set(key, cell);
    this.onNew(cell);
    return cell;
  }
}

/** Per cell: planned, then the four outcomes, then the reasons. */
const PLANNED_AT = 0;
const OUTCOME_AT = 1;
const REASON_AT = 5;
const COUNTS_PER_CELL = REASON_AT + reasons.length;

/** HOT: the counts of one worker. */
export class Recorder {
  readonly #pool = new HistogramPool();
  readonly #cells: CellTable;
  #counts = new Uint32Array(64 * COUNTS_PER_CELL);
  readonly #response: number[] = [];
  readonly #rest: CellTable;
  readonly #service: number[] = [];
  readonly #queue: number[] = [];
  readonly #lags = new CellTable(SECOND_US, 1, (cell) => {
    this.#lag[cell] = this.#pool.acquire();
  });
  readonly #lag: number[] = [];
  #dispatchLagP99Us = 0;

  /** @param operationCount operation indices are below it */
  constructor(operationCount: number) {
    this.#cells = new CellTable(INTERVAL_US, operationCount, (cell) => this.#addCell(cell));
    this.#rest = new CellTable(SECOND_US, operationCount, (cell) => this.#addRest(cell));
  }

  /** An operation came due. `dispatchLagUs`: how late the pacer was with it. */
  planned(phase: number, operation: number, intendedUs: number, dispatchLagUs: number): void {
    const at = this.#cells.cellOf(phase, intendedUs, operation) * COUNTS_PER_CELL + PLANNED_AT;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#pool.record(this.#lag[this.#lags.cellOf(phase, intendedUs, 0)] as number, dispatchLagUs);
  }

  /** An operation ended. Times since t0; `sentUs` and `dispatchedUs` count for ok and info only. `reason` is -1 for ok. */
  completed(
    phase: number,
    operation: number,
    intendedUs: number,
    dispatchedUs: number,
    outcome: OutcomeIndex,
    reason: number,
    sentUs: number,
    doneUs: number,
  ): void {
    const cell = this.#cells.cellOf(phase, intendedUs, operation);
    const base = cell * COUNTS_PER_CELL;
    const outcomeAt = base + OUTCOME_AT + outcome;
    this.#counts[outcomeAt] = (this.#counts[outcomeAt] as number) + 1;
    if (reason >= 0) this.#counts[base + REASON_AT + reason] = (this.#counts[base + REASON_AT + reason] as number) + 1;
    if (outcome !== OutcomeIndex.ok && outcome !== OutcomeIndex.info) return;
    this.#pool.record(this.#response[cell] as number, doneUs - intendedUs);
    const rest = this.#rest.cellOf(phase, intendedUs, operation);
    this.#pool.record(this.#service[rest] as number, doneUs - sentUs);
    this.#pool.record(this.#queue[rest] as number, sentUs - dispatchedUs);
  }

  /** Everything counted since the last take; the counts start again from 0. */
  takeCells(): WorkerCell[] {
    const taken: WorkerCell[] = [];
    for (let cell = 0; cell < this.#cells.size; cell++) {
      const base = cell * COUNTS_PER_CELL;
      const byReason: [number, number][] = [];
      for (let reason = 0; reason < reasons.length; reason++) {
        const count = this.#counts[base + REASON_AT + reason] as number;
        if (count > 0) byReason.push([reason, count]);
      }
      const histogram = this.#response[cell] as number;
      taken.push({
        phase: this.#cells.phases[cell] as number,
        slot: this.#cells.slots[cell] as number,
        op: this.#cells.operations[cell] as number,
        planned: this.#counts[base + PLANNED_AT] as number,
        byOutcome: [0, 1, 2, 3].map((outcome) => this.#counts[base + OUTCOME_AT + outcome] as number) as [number, number, number, number],
        byReason,
        response: this.#pool.toSparse(histogram),
      });
      this.#pool.release(histogram);
    }
    this.#counts.fill(0, 0, this.#cells.size * COUNTS_PER_CELL);
    this.#cells.clear();
    return taken;
  }

  /** Service, queue and dispatch lag since the last take. */
  takeRest(): WorkerRest[] {
    const taken: WorkerRest[] = [];
    this.#dispatchLagP99Us = this.#pool.percentileUs(this.#lag.slice(0, this.#lags.size), 99);
    for (let cell = 0; cell < this.#rest.size; cell++) {
      const where = { phase: this.#rest.phases[cell] as number, second: this.#rest.slots[cell] as number, op: this.#rest.operations[cell] as number };
      taken.push({ ...where, what: 'service', histogram: this.#takeHistogram(this.#service[cell] as number) });
      taken.push({ ...where, what: 'queue', histogram: this.#takeHistogram(this.#queue[cell] as number) });
    }
    for (let cell = 0; cell < this.#lags.size; cell++) {
      const where = { phase: this.#lags.phases[cell] as number, second: this.#lags.slots[cell] as number, op: -1 };
      taken.push({ ...where, what: 'dispatchLag', histogram: this.#takeHistogram(this.#lag[cell] as number) });
    }
    this.#rest.clear();
    this.#lags.clear();
    return taken;
  }

  /** p99 of the dispatch lag that the last `takeRest` took, for the generator's own health. */
  get dispatchLagP99Us(): number {
    return this.#dispatchLagP99Us;
  }

  #takeHistogram(id: number): WorkerRest['histogram'] {
    const histogram = this.#pool.toSparse(id);
    this.#pool.release(id);
    return histogram;
  }

  #addCell(cell: number): void {
    if (this.#counts.length < (cell + 1) * COUNTS_PER_CELL) {
      const grown = new Uint32Array(this.#counts.length * 2);
      grown.set(this.#counts);
      this.#counts = grown;
    }
    this.#response[cell] = this.#pool.acquire();
  }

  #addRest(cell: number): void {
    this.#service[cell] = this.#pool.acquire();
    this.#queue[cell] = this.#pool.acquire();
  }
}
