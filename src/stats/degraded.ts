/**
 * How long the store was degraded: 100 ms intervals of recorded load in which less than 99 % was answered ok, a shard was silent though
 * asked, or the profile's objective did not hold. Used by summarize.ts.
 */
import type { Plan } from '../plan/plan.js';
import { INTERVAL_US, type IntervalRecord } from '../result/records.js';
import { type Outcome, Probe } from './probe.js';
import type { Window } from './windows.js';

export const DEGRADED_OK_SHARE = 0.99;
const INTERVALS_PER_SECOND = 10;

export class Degraded {
  readonly #plan: Plan;
  /** Judged over each interval, or over each second where that is how often the metric comes. */
  readonly #probes: readonly Probe[];
  /** Judged over the whole: then the gaps are degraded times. */
  readonly #gapProbes: readonly Probe[];
  readonly #indices = new Set<number>();

  constructor(plan: Plan) {
    this.#plan = plan;
    const probes = plan.objective.map((objective) => new Probe(objective, plan));
    this.#gapProbes = probes.filter(({ threshold }) => threshold.name === 'gap' || threshold.name === 'rto');
    this.#probes = probes.filter((probe) => !this.#gapProbes.includes(probe));
  }

  interval(record: IntervalRecord, windows: readonly Window[]): void {
    if (!this.#isRecorded(record.startUs)) return;
    if (isNotOk(record)) this.#indices.add(record.index);
    for (const probe of this.#probes) this.#judge(probe, record, windows);
    for (const probe of this.#gapProbes) probe.interval(record, windows);
  }

  /** @param outcome of the whole run */
  durationMs(outcome: Outcome): number {
    for (const probe of this.#gapProbes) {
      if (probe.result(outcome).ok) continue;
      for (const gap of outcome.gaps) {
        if (gap.shard !== 'any') continue;
        for (let index = Math.round(gap.startUs / INTERVAL_US); index < Math.round(gap.endUs / INTERVAL_US); index++) this.#indices.add(index);
      }
    }
    return (this.#indices.size * INTERVAL_US) / 1000;
  }

  #judge(probe: Probe, record: IntervalRecord, windows: readonly Window[]): void {
    const { name } = probe.threshold;
    if (name !== 'service' && name !== 'queue' && name !== 'dispatch_lag') {
      if (isBroken(probe, record, windows)) this.#indices.add(record.index);
      return;
    }
    for (const rest of record.rest ?? []) {
      if (!isBroken(probe, { ...record, rest: [rest] }, windows)) continue;
      for (let i = 0; i < INTERVALS_PER_SECOND; i++) this.#indices.add(rest.second * INTERVALS_PER_SECOND + i);
    }
  }

  #isRecorded(atUs: number): boolean {
    return this.#plan.load.phases.some(({ record, startUs, durationUs }) => record && atUs >= startUs && atUs < startUs + durationUs);
  }
}

/** Whether what is in this record does not hold; nothing in it is nothing wrong. */
function isBroken(probe: Probe, record: IntervalRecord, windows: readonly Window[]): boolean {
  probe.clear();
  probe.interval(record, windows);
  const { ok, observed } = probe.result({ gaps: [], faults: [], windows, endUs: record.endUs, durationUs: INTERVAL_US, live: true });
  return observed !== null && !ok;
}

function isNotOk(record: IntervalRecord): boolean {
  let ok = 0;
  let total = 0;
  for (const cell of record.cells) {
    for (const operation of Object.values(cell.ops)) {
      ok += operation.ok;
      total += operation.ok + operation.fail + operation.info + operation.dropped;
    }
  }
  return (total > 0 && ok / total < DEGRADED_OK_SHARE) || record.shards.some((shard) => shard.ok === 0 && shard.overdueSinceUs !== null);
}
