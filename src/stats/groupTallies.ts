/**
 * What each group of clients got, in the whole run and while a fault had the network cut. Fed interval by interval by summarize.ts; by
 * completion, so that what a cut-off master acknowledged is counted when it did. Pure.
 */
import { clientGroupsOf, type Plan } from '../plan/plan.js';
import { type EventRecord, type FaultSide, type GroupRecord, INTERVAL_US, type IntervalRecord } from '../result/records.js';
import type { ClientGroupSummary, GroupCutSummary, GroupShardSummary } from '../result/summary.js';

/** A fault that had the network cut, all of it, µs since t0. */
interface CutTime {
  faultId: number;
  sides: readonly FaultSide[];
  fromUs: number;
  toUs: number;
}

export class GroupTallies {
  readonly #groups: ClientGroupSummary[];
  readonly #cuts: readonly CutTime[];
  readonly #recordedFromUs: number;

  /** @param recordedFromUs start of the first recorded phase; what was completed before is left out */
  constructor(plan: Plan, events: readonly EventRecord[], recordedFromUs: number) {
    this.#cuts = cutTimes(events);
    this.#recordedFromUs = recordedFromUs;
    this.#groups = (plan.load.clientGroups === undefined ? [] : clientGroupsOf(plan)).map(({ name, threads }) => ({
      name,
      threads,
      ok: 0,
      fail: 0,
      info: 0,
      dropped: 0,
      byReason: {},
      cuts: this.#cuts.map(({ faultId, sides }): GroupCutSummary => {
        const side = sides.findIndex(({ clients }) => clients.includes(name));
        return { faultId, side: side < 0 ? null : side, nodes: sides[side]?.nodes ?? null, ok: 0, notOk: 0, shards: [] };
      }),
    }));
  }

  interval({ startUs, groups = [] }: IntervalRecord): void {
    if (startUs < this.#recordedFromUs) return;
    for (const record of groups) {
      const group = this.#groups.find(({ name }) => name === record.group);
      if (!group) continue;
      for (const outcome of ['ok', 'fail', 'info', 'dropped'] as const) group[outcome] += record[outcome];
      for (const [reason, count] of Object.entries(record.reasons ?? {})) group.byReason[reason] = (group.byReason[reason] ?? 0) + count;
      for (const [i, { fromUs, toUs }] of this.#cuts.entries()) {
        // Only intervals that lie in the cut: what was answered just before it is none of its.
        if (startUs >= fromUs && startUs + INTERVAL_US <= toUs) addToCut(group.cuts[i], record, startUs);
      }
    }
  }

  /** Null in a plan without groups. */
  summaries(): ClientGroupSummary[] | null {
    return this.#groups.length === 0 ? null : this.#groups;
  }
}

function cutTimes(events: readonly EventRecord[]): CutTime[] {
  const cuts = new Map<number, CutTime>();
  for (const event of events) {
    if (event.type !== 'fault' || !event.sides) continue;
    if (event.state === 'injected')
      cuts.set(event.faultId, {
        faultId: event.faultId,
        sides: event.sides,
        fromUs: event.cutCompleteUs ?? event.tUs,
        toUs: Number.MAX_SAFE_INTEGER,
      });
    const cut = cuts.get(event.faultId);
    if (cut && event.state === 'healing') cut.toUs = Math.min(cut.toUs, event.tUs);
  }
  return [...cuts.values()].sort((a, b) => a.faultId - b.faultId);
}

function addToCut(cut: GroupCutSummary | undefined, record: GroupRecord, startUs: number): void {
  if (!cut) return;
  cut.ok += record.ok;
  cut.notOk += record.fail + record.info + record.dropped;
  for (const { shard, kind, ok, notOk } of record.shards) {
    let seen = cut.shards.find((other) => other.shard === shard && other.kind === kind);
    if (!seen) {
      seen = { shard, kind, ok: 0, notOk: 0, firstOkMs: null, lastOkMs: null };
      cut.shards.push(seen);
      cut.shards.sort(byShard);
    }
    seen.ok += ok;
    seen.notOk += notOk;
    if (ok === 0) continue;
    seen.firstOkMs ??= startUs / 1000;
    seen.lastOkMs = (startUs + INTERVAL_US) / 1000;
  }
}

function byShard(a: GroupShardSummary, b: GroupShardSummary): number {
  return a.shard - b.shard || a.kind.localeCompare(b.kind);
}
