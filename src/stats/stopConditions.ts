/** Conditions that end a running run (`safety.stop`): each judged over its last so many seconds. A sink among others; asked by cli. */
import type { Plan, StopPlan } from '../plan/plan.js';
import { type EventRecord, INTERVAL_US, type IntervalRecord, type RunSink } from '../result/records.js';
import { Probe } from './probe.js';

interface Watched {
  stop: StopPlan;
  probe: Probe;
  intervals: number;
}

export class StopConditions implements RunSink {
  readonly #watched: readonly Watched[];
  readonly #last: IntervalRecord[] = [];
  readonly #keep: number;

  constructor(plan: Plan) {
    this.#watched = (plan.safety?.stop ?? []).map((stop) => ({
      stop,
      probe: new Probe(stop.threshold, plan),
      intervals: Math.ceil(stop.windowUs / INTERVAL_US),
    }));
    this.#keep = Math.max(10, ...this.#watched.map(({ intervals }) => intervals));
  }

  interval(record: IntervalRecord): void {
    this.#last.push(record);
    if (this.#last.length > this.#keep) this.#last.shift();
  }

  event(_event: EventRecord): void {
    // Conditions are about operations alone.
  }

  /** The first condition that held for its whole time up to now; null: none. */
  reached(): StopPlan | null {
    return this.#watched.find((watched) => this.#holds(watched))?.stop ?? null;
  }

  /** Share of the operations of the last second that did not end ok, 0..1; null: none ended. */
  errorRate(): number | null {
    let ok = 0;
    let total = 0;
    for (const record of this.#last.slice(-10)) {
      for (const cell of record.cells) {
        for (const operation of Object.values(cell.ops)) {
          ok += operation.ok;
          total += operation.ok + operation.fail + operation.info + operation.dropped;
        }
      }
    }
    return total === 0 ? null : 1 - ok / total;
  }

  #holds({ stop, probe, intervals }: Watched): boolean {
    if (this.#last.length < intervals) return false;
    probe.clear();
    for (const record of this.#last.slice(-intervals)) probe.interval(record, []);
    const endUs = this.#last.at(-1)?.endUs ?? 0;
    const { observed, ok } = probe.result({ gaps: [], faults: [], windows: [], endUs, durationUs: intervals * INTERVAL_US, live: true });
    // Nothing answered at all is a throughput of zero; of the others it says nothing.
    if (observed === null) return stop.threshold.name === 'throughput' && isZeroWithin(stop);
    return ok;
  }
}

function isZeroWithin({ threshold: { comparator, limit } }: StopPlan): boolean {
  return comparator === '<' ? limit > 0 : comparator === '<=' ? limit >= 0 : comparator === '==' && limit === 0;
}
