/**
 * Whether the load generator was itself the bottleneck: from its own signals alone (event loop, dispatch lag), never from a slow
 * server. Recorded phases only. Used by summarize.ts.
 */
import { formatUs } from '../base/units.js';
import type { EventRecord, GeneratorSample } from '../result/records.js';
import type { GeneratorSummary, WorkerSummary } from '../result/summary.js';
import { type GeneratorSetting, saturationRemedies } from './saturationRemedies.js';

/** A worker's event loop that is busier than this has no time left for a burst … */
export const UTILIZATION_LIMIT = 0.95;
/** … and one whose timers come later than this in one of a hundred cases has no control over its pace, … */
export const EVENT_LOOP_DELAY_LIMIT_US = 100_000;
/** … when either lasts for so many seconds in a row. */
export const SATURATED_SECONDS = 3;
/** Operations that leave later than this in one of a hundred cases make the latency the generator's. */
export const DISPATCH_LAG_LIMIT_US = 20_000;

interface WorkerState {
  busySeconds: number;
  busySecondsMax: number;
  delayedSeconds: number;
  delayedSecondsMax: number;
  cpuUs: number;
  utilizationMax: number;
  delayMaxUs: number;
  lagMaxUs: number;
  /** Null before the first sample that says. */
  gcCount: number | null;
  gcPauseUs: number;
  gcPauseMaxUs: number;
}

export class GeneratorHealth {
  readonly #workers = new Map<number, WorkerState>();
  #rssBytesMax = 0;

  /** One second of one worker. @param recorded false in warm-up, which is judged by nobody */
  sample(sample: GeneratorSample, recorded: boolean): void {
    const worker = this.#workerOf(sample.worker);
    worker.cpuUs = Math.max(worker.cpuUs, sample.cpuUs);
    this.#rssBytesMax = Math.max(this.#rssBytesMax, sample.rssBytes);
    if (sample.gcCount !== undefined) {
      worker.gcCount = (worker.gcCount ?? 0) + sample.gcCount;
      worker.gcPauseUs += sample.gcPauseUs ?? 0;
    }
    if (!recorded) return;
    worker.utilizationMax = Math.max(worker.utilizationMax, sample.eventLoopUtilization);
    worker.delayMaxUs = Math.max(worker.delayMaxUs, sample.eventLoopDelayP99Us);
    worker.lagMaxUs = Math.max(worker.lagMaxUs, sample.dispatchLagP99Us);
    worker.gcPauseMaxUs = Math.max(worker.gcPauseMaxUs, sample.gcPauseUs ?? 0);
    worker.busySeconds = sample.eventLoopUtilization > UTILIZATION_LIMIT ? worker.busySeconds + 1 : 0;
    worker.busySecondsMax = Math.max(worker.busySecondsMax, worker.busySeconds);
    worker.delayedSeconds = sample.eventLoopDelayP99Us > EVENT_LOOP_DELAY_LIMIT_US ? worker.delayedSeconds + 1 : 0;
    worker.delayedSecondsMax = Math.max(worker.delayedSecondsMax, worker.delayedSeconds);
  }

  /** What a worker says at its end is more than its last second. */
  event(event: EventRecord): void {
    if (event.type !== 'thread') return;
    const worker = this.#workerOf(event.worker);
    worker.cpuUs = Math.max(worker.cpuUs, event.cpuUs);
    this.#rssBytesMax = Math.max(this.#rssBytesMax, event.rssBytesMax);
  }

  /**
   * @param dispatchLagP99Us of all recorded operations; 0 when there were none
   * @param setting what the remedies depend on
   */
  summary(dispatchLagP99Us: number, setting: GeneratorSetting): GeneratorSummary {
    const reasons: string[] = [];
    const workers = [...this.#workers.values()];
    let cpuUs = 0;
    for (const [id, worker] of this.#workers) {
      cpuUs += worker.cpuUs;
      if (worker.busySecondsMax >= SATURATED_SECONDS) {
        reasons.push(`the event loop of worker ${id} was more than ${UTILIZATION_LIMIT * 100} % busy for ${worker.busySecondsMax} s on end`);
      }
      if (worker.delayedSecondsMax >= SATURATED_SECONDS) {
        reasons.push(
          `the event loop of worker ${id} was more than ${formatUs(EVENT_LOOP_DELAY_LIMIT_US)} late (p99) for ${worker.delayedSecondsMax} s on end`,
        );
      }
    }
    if (dispatchLagP99Us > DISPATCH_LAG_LIMIT_US) {
      reasons.push(`operations left ${formatUs(dispatchLagP99Us)} late (p99); more than ${formatUs(DISPATCH_LAG_LIMIT_US)} is too much`);
    }
    return {
      saturated: reasons.length > 0,
      reasons,
      eventLoopUtilization: Math.max(0, ...workers.map(({ utilizationMax }) => utilizationMax)),
      dispatchLagP99Us,
      eventLoopDelayP99Us: Math.max(0, ...workers.map(({ delayMaxUs }) => delayMaxUs)),
      cpuSeconds: secondsOf(cpuUs),
      rssBytesMax: this.#rssBytesMax,
      remedies: reasons.length > 0 ? saturationRemedies(setting) : [],
      workers: [...this.#workers].map(workerSummary).sort((a, b) => a.worker - b.worker),
    };
  }

  #workerOf(id: number): WorkerState {
    let worker = this.#workers.get(id);
    if (!worker) {
      worker = {
        busySeconds: 0,
        busySecondsMax: 0,
        delayedSeconds: 0,
        delayedSecondsMax: 0,
        cpuUs: 0,
        utilizationMax: 0,
        delayMaxUs: 0,
        lagMaxUs: 0,
        gcCount: null,
        gcPauseUs: 0,
        gcPauseMaxUs: 0,
      };
      this.#workers.set(id, worker);
    }
    return worker;
  }
}

function workerSummary([worker, state]: [number, WorkerState]): WorkerSummary {
  const counted = state.gcCount !== null;
  return {
    worker,
    eventLoopUtilization: state.utilizationMax,
    eventLoopDelayP99Us: state.delayMaxUs,
    dispatchLagP99Us: state.lagMaxUs,
    cpuSeconds: secondsOf(state.cpuUs),
    gcCount: state.gcCount,
    gcPauseUs: counted ? state.gcPauseUs : null,
    gcPauseWorstSecondUs: counted ? state.gcPauseMaxUs : null,
  };
}

function secondsOf(us: number): number {
  return Math.round(us / 1000) / 1000;
}
