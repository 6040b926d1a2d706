/**
 * What a comparison needs of one run's intervals: counts and histograms by phase, operation and 100 ms of intended start (a second for
 * what is kept by the second), from one pass over the file. Used by compare.ts; memory grows with the length of the run.
 */
import { INTERVAL_US, type SparseHistogram } from '../result/records.js';
import { isDuring, type Window, type WindowName } from '../stats/windows.js';
import type { LoadedRun } from './loadSide.js';

const SECOND_US = 1_000_000;
/** So many units of time are enough for blocks; longer runs have longer units. */
const UNIT_LIMIT = 400;

/** Which operations: null takes all. Warm-up is in no selection. */
export interface Selection {
  op: string | null;
  phase: string | null;
  during: WindowName | null;
  faultId: number | null;
}

/** Some time of a run in one piece, with what was due in it. */
export interface Unit {
  histograms: SparseHistogram[];
  ok: number;
  total: number;
  planned: number;
}

export type SecondMetric = 'service' | 'queue' | 'dispatch_lag';

interface OperationSlot {
  histograms: SparseHistogram[];
  ok: number;
  total: number;
  planned: number;
}

interface Slot {
  atUs: number;
  phase: string;
  ops: Map<string, OperationSlot>;
}

interface Second {
  atUs: number;
  phase: string;
  service: Map<string, SparseHistogram[]>;
  queue: Map<string, SparseHistogram[]>;
  dispatchLag: SparseHistogram[];
}

export class RunSamples {
  readonly operations: ReadonlySet<string>;
  readonly closedLoop: boolean;
  readonly #slots: Slot[];
  readonly #seconds: Second[];
  readonly #windows: readonly Window[];

  constructor({ data, summary }: LoadedRun) {
    const { phases } = data.run.plan.load;
    this.closedLoop = phases.some((phase) => phase.record && phase.kind === 'closed');
    this.#windows = summary.windows.flatMap(({ name, faultId, startMs, endMs }) =>
      faultId === null ? [] : [{ name, faultId, startUs: startMs * 1000, endUs: endMs * 1000 }],
    );
    const slots = new Map<string, Slot>();
    const seconds = new Map<string, Second>();
    const operations = new Set<string>();
    // Times in which nothing was due or answered count too: an outage is no shorter phase.
    for (const { index, name, record, startUs, durationUs } of phases) {
      if (!record) continue;
      const untilUs = Math.min(startUs + durationUs, summary.durationMs * 1000);
      for (let slot = Math.floor(startUs / INTERVAL_US); slot * INTERVAL_US < untilUs; slot++) {
        slots.set(`${index} ${slot}`, { atUs: (slot + 0.5) * INTERVAL_US, phase: name, ops: new Map() });
      }
    }
    for (const interval of data.intervals()) {
      for (const cell of interval.cells) {
        const slot = slots.get(`${cell.phase} ${cell.slot}`);
        if (slot) for (const [op, counted] of Object.entries(cell.ops)) addOperation(slot, op, counted, operations);
      }
      for (const rest of interval.rest ?? []) {
        const phase = phases[rest.phase];
        if (!phase?.record) continue;
        const key = `${rest.phase} ${rest.second}`;
        const second = seconds.get(key) ?? newSecond(rest.second, phase.name);
        seconds.set(key, second);
        addAll(second.service, rest.service);
        addAll(second.queue, rest.queue);
        second.dispatchLag.push(rest.dispatchLag);
      }
    }
    this.operations = operations;
    this.#slots = [...slots.values()].sort((a, b) => a.atUs - b.atUs);
    this.#seconds = [...seconds.values()].sort((a, b) => a.atUs - b.atUs);
  }

  /** Response times and outcomes, in the order of time. */
  units(selection: Selection): Unit[] {
    const slots = this.#slots.filter((slot) => this.#has(slot, selection));
    return grouped(slots, (slot) => {
      const wanted = selection.op === null ? [...slot.ops.values()] : [slot.ops.get(selection.op)];
      return wanted.filter((op) => op !== undefined);
    });
  }

  /** Times that are kept by the second. Dispatch lag is not kept by operation. */
  seconds(metric: SecondMetric, selection: Selection): Unit[] {
    const seconds = this.#seconds.filter((second) => this.#has(second, selection));
    return grouped(seconds, (second) => {
      const byOperation = metric === 'dispatch_lag' ? null : second[metric];
      const histograms =
        byOperation === null ? second.dispatchLag : selection.op === null ? [...byOperation.values()].flat() : (byOperation.get(selection.op) ?? []);
      return [{ histograms, ok: 0, total: 0, planned: 0 }];
    });
  }

  /** How long the selected load lasted, to 100 ms. */
  durationUs(selection: Selection): number {
    return this.#slots.filter((slot) => this.#has(slot, selection)).length * INTERVAL_US;
  }

  #has({ atUs, phase }: { atUs: number; phase: string }, selection: Selection): boolean {
    if (selection.phase !== null && selection.phase !== phase) return false;
    return selection.during === null || isDuring(atUs, selection.during, selection.faultId, this.#windows);
  }
}

function addOperation(
  slot: Slot,
  op: string,
  counted: { planned: number; ok: number; fail: number; info: number; dropped: number; response: SparseHistogram },
  operations: Set<string>,
): void {
  operations.add(op);
  let sum = slot.ops.get(op);
  if (sum === undefined) {
    sum = { histograms: [], ok: 0, total: 0, planned: 0 };
    slot.ops.set(op, sum);
  }
  if (counted.response.length > 0) sum.histograms.push(counted.response);
  sum.ok += counted.ok;
  sum.total += counted.ok + counted.fail + counted.info + counted.dropped;
  sum.planned += counted.planned;
}

function newSecond(second: number, phase: string): Second {
  return { atUs: (second + 0.5) * SECOND_US, phase, service: new Map(), queue: new Map(), dispatchLag: [] };
}

function addAll(to: Map<string, SparseHistogram[]>, from: Record<string, SparseHistogram>): void {
  for (const [op, sparse] of Object.entries(from)) {
    const list = to.get(op);
    if (list) list.push(sparse);
    else to.set(op, [sparse]);
  }
}

/** Neighbours together, so that there are at most UNIT_LIMIT. */
function grouped<T>(times: readonly T[], partsOf: (time: T) => readonly Unit[]): Unit[] {
  const perUnit = Math.max(1, Math.ceil(times.length / UNIT_LIMIT));
  const units: Unit[] = [];
  times.forEach((time, i) => {
    if (i % perUnit === 0) units.push({ histograms: [], ok: 0, total: 0, planned: 0 });
    const unit = units.at(-1) as Unit;
    for (const part of partsOf(time)) {
      for (const histogram of part.histograms) unit.histograms.push(histogram);
      unit.ok += part.ok;
      unit.total += part.total;
      unit.planned += part.planned;
    }
  });
  return units;
}
