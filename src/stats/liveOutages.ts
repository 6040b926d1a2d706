/**
 * Outages as they happen, from intervals alone and so to 100 ms: what the milestones and thresholds of a running run go by. The summary
 * takes the exact spans instead (gaps.ts).
 */
import type { AccessKind } from '../plan/plan.js';
import type { IntervalRecord } from '../result/records.js';

/** So many intervals in a row with successes end an outage. */
const STABLE_INTERVALS = 5;

export interface LiveOutage {
  shard: number;
  kind: AccessKind;
  startUs: number;
  /** End of the first interval with a success, so never before what led to it; null while it lasts. */
  endUs: number | null;
}

interface State {
  shard: number;
  kind: AccessKind;
  /** End of the last interval with a success, or start of the first one watched. */
  lastOkUs: number;
  outage: LiveOutage | null;
  /** Since when there are successes again, not yet for long enough. */
  okSinceUs: number | null;
  okIntervals: number;
}

export class LiveOutages {
  readonly #states = new Map<string, State>();
  readonly #past: LiveOutage[] = [];
  readonly #onEnd: (outage: LiveOutage) => void;

  /** @param onEnd told when an outage is over for good */
  constructor(onEnd: (outage: LiveOutage) => void = () => undefined) {
    this.#onEnd = onEnd;
  }

  interval(record: IntervalRecord): void {
    for (const { shard, kind, ok, notOk, overdueSinceUs } of record.shards) {
      if (ok === 0 && notOk === 0 && overdueSinceUs === null) continue;
      const key = `${shard} ${kind}`;
      let state = this.#states.get(key);
      if (!state) {
        state = { shard, kind, lastOkUs: record.startUs, outage: null, okSinceUs: null, okIntervals: 0 };
        this.#states.set(key, state);
      }
      if (ok > 0) this.#success(state, record);
      else this.#silence(state);
    }
  }

  /** Those that last, and those that are over. */
  all(): LiveOutage[] {
    return [...this.#past, ...this.open()];
  }

  /** Shards and kinds that were asked something. */
  shards(): { shard: number; kind: AccessKind }[] {
    return [...this.#states.values()].map(({ shard, kind }) => ({ shard, kind }));
  }

  open(): LiveOutage[] {
    return [...this.#states.values()].flatMap(({ outage }) => (outage ? [outage] : []));
  }

  #silence(state: State): void {
    state.okSinceUs = null;
    state.okIntervals = 0;
    state.outage ??= { shard: state.shard, kind: state.kind, startUs: state.lastOkUs, endUs: null };
  }

  #success(state: State, record: IntervalRecord): void {
    state.lastOkUs = record.endUs;
    if (!state.outage) return;
    state.okSinceUs ??= record.endUs;
    state.okIntervals++;
    if (state.okIntervals < STABLE_INTERVALS) return;
    const outage = { ...state.outage, endUs: state.okSinceUs };
    state.outage = null;
    state.okSinceUs = null;
    state.okIntervals = 0;
    this.#past.push(outage);
    this.#onEnd(outage);
  }
}
