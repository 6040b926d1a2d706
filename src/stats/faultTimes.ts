/** When each fault began and ended, and whom it hit: from events alone. Used to attribute gaps and to shape windows. */
import type { EventRecord, NodeRef } from '../result/records.js';

/** After its heal a fault still explains what it left behind: a rejoining server, connections made anew. */
export const SETTLE_US = 5_000_000;
/** Other shards have no such excuse for long. */
export const COLLATERAL_SETTLE_US = 1_000_000;

export interface FaultTimes {
  faultId: number;
  kind: string;
  /** When the injection started; its effect can come before its confirmation. */
  beganUs: number;
  /** Confirmed; null: not (yet). */
  injectedAtUs: number | null;
  healedAtUs: number | null;
  targets: NodeRef[];
  /** Shards of the targets. */
  shards: Set<number>;
}

/** Collects fault events; faults that were never injected are not in the list. */
export class FaultTimesCollector {
  readonly #byId = new Map<number, FaultTimes>();

  event(event: EventRecord): void {
    if (event.type !== 'fault') return;
    const known = this.#byId.get(event.faultId);
    if (event.state === 'injecting' || event.state === 'injected') {
      const times = known ?? {
        faultId: event.faultId,
        kind: event.kind,
        beganUs: event.tUs,
        injectedAtUs: null,
        healedAtUs: null,
        targets: [],
        shards: new Set<number>(),
      };
      if (event.targets.length > 0) {
        times.targets = event.targets;
        times.shards = shardsOf(event.targets);
      }
      if (event.state === 'injected') times.injectedAtUs = event.tUs;
      this.#byId.set(event.faultId, times);
    } else if (event.state === 'healed' && known) {
      known.healedAtUs = event.tUs;
    } else if (event.state === 'failed' && known && known.injectedAtUs === null) {
      this.#byId.delete(event.faultId);
    }
  }

  /** In the order they began. */
  list(): FaultTimes[] {
    return [...this.#byId.values()].sort((a, b) => a.beganUs - b.beganUs);
  }
}

export function faultTimesOf(events: Iterable<EventRecord>): FaultTimes[] {
  const collector = new FaultTimesCollector();
  for (const event of events) collector.event(event);
  return collector.list();
}

/** The shards that these nodes serve. */
export function shardsOf(targets: readonly NodeRef[]): Set<number> {
  return new Set(targets.flatMap((target) => (target.shard === null ? [] : [target.shard])));
}

export interface Cause {
  faultId: number | null;
  collateral: boolean;
}

/**
 * The latest fault in force on the shard while it was silent; else, as collateral, the latest in force on another one.
 * @param slackUs a silence starts at the last success, so up to one interval between operations before its fault
 */
export function causeOf(shard: number, startUs: number, endUs: number, faults: readonly FaultTimes[], slackUs = 100_000): Cause {
  const own = faults.filter((fault) => fault.shards.has(shard) && inForce(fault, startUs, endUs, SETTLE_US));
  const hit = latestBefore(own, startUs + slackUs);
  if (hit) return { faultId: hit.faultId, collateral: false };
  const others = faults.filter((fault) => !fault.shards.has(shard) && inForce(fault, startUs, endUs, COLLATERAL_SETTLE_US));
  const other = latestBefore(others, startUs + slackUs);
  return other ? { faultId: other.faultId, collateral: other.shards.size > 0 } : { faultId: null, collateral: false };
}

function inForce(fault: FaultTimes, startUs: number, endUs: number, settleUs: number): boolean {
  const untilUs = fault.healedAtUs === null ? Number.POSITIVE_INFINITY : fault.healedAtUs + settleUs;
  return fault.beganUs <= endUs && startUs <= untilUs;
}

/** Of faults that overlap a silence: the latest that began before it; if none did, the first one in it. */
function latestBefore(faults: readonly FaultTimes[], startUs: number): FaultTimes | undefined {
  return faults.findLast((fault) => fault.beganUs <= startUs) ?? faults[0];
}
