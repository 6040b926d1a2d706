/** Makes one IntervalRecord of the workers' shares of it: counts are added, nothing is averaged. Called by loadRunner.ts; pure. */
import type { OperationName } from '../plan/plan.js';
import {
  type CellRecord,
  INTERVAL_US,
  type IntervalRecord,
  type RestRecord,
  reasons,
  type ShardRecord,
  type SparseHistogram,
} from '../result/records.js';
import type { WorkerHistogram, WorkerInterval } from './messages.js';

/**
 * @param parts of the same index, of every worker that was still running
 * @param names of the operations by index
 */
export function mergeIntervals(index: number, parts: readonly WorkerInterval[], names: readonly OperationName[]): IntervalRecord {
  const rest = mergeRest(parts, names);
  const generator = parts.flatMap((part) => (part.generator === null ? [] : [part.generator]));
  return {
    index,
    startUs: index * INTERVAL_US,
    endUs: (index + 1) * INTERVAL_US,
    cells: mergeCells(parts, names),
    shards: mergeShards(parts),
    inFlight: parts.reduce((sum, part) => sum + part.inFlight, 0),
    queued: parts.reduce((sum, part) => sum + part.queued, 0),
    ...(rest.length > 0 ? { rest } : {}),
    ...(generator.length > 0 ? { generator } : {}),
  };
}

function mergeCells(parts: readonly WorkerInterval[], names: readonly OperationName[]): CellRecord[] {
  const groups = grouped(
    parts.flatMap((part) => part.cells),
    (cell) => `${cell.phase} ${cell.slot} ${cell.op}`,
  );
  const records = new Map<string, CellRecord>();
  for (const cells of groups) {
    const [first] = cells;
    if (first === undefined) continue;
    const key = `${first.phase} ${first.slot}`;
    let record = records.get(key);
    if (record === undefined) {
      record = { phase: first.phase, slot: first.slot, ops: {} };
      records.set(key, record);
    }
    const countOf = (outcome: 0 | 1 | 2 | 3): number => cells.reduce((sum, cell) => sum + cell.byOutcome[outcome], 0);
    const byReason = new Map<number, number>();
    for (const [reason, count] of cells.flatMap((cell) => cell.byReason)) byReason.set(reason, (byReason.get(reason) ?? 0) + count);
    record.ops[nameOf(first.op, names)] = {
      planned: cells.reduce((sum, cell) => sum + cell.planned, 0),
      ok: countOf(0),
      fail: countOf(1),
      info: countOf(2),
      dropped: countOf(3),
      ...(byReason.size > 0 ? { reasons: Object.fromEntries([...byReason].map(([reason, count]) => [reasons[reason] ?? 'other', count])) } : {}),
      response: mergeHistograms(cells.map((cell) => cell.response)),
    };
  }
  return [...records.values()].sort((a, b) => a.phase - b.phase || a.slot - b.slot);
}

function mergeShards(parts: readonly WorkerInterval[]): ShardRecord[] {
  const groups = grouped(
    parts.flatMap((part) => part.shards),
    (shard) => `${shard.shard} ${shard.kind}`,
  );
  const merged = groups.map(addShards);
  return merged.sort((a, b) => a.shard - b.shard || a.kind.localeCompare(b.kind));
}

function addShards(shares: readonly ShardRecord[]): ShardRecord {
  const total: ShardRecord = {
    shard: shares[0]?.shard ?? 0,
    kind: shares[0]?.kind ?? 'read',
    ok: 0,
    notOk: 0,
    firstNotOkUs: null,
    overdueSinceUs: null,
  };
  for (const share of shares) {
    total.ok += share.ok;
    total.notOk += share.notOk;
    total.firstNotOkUs = earliest(total.firstNotOkUs, share.firstNotOkUs);
    total.overdueSinceUs = earliest(total.overdueSinceUs, share.overdueSinceUs);
  }
  return total;
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function mergeRest(parts: readonly WorkerInterval[], names: readonly OperationName[]): RestRecord[] {
  const groups = grouped(
    parts.flatMap((part) => part.rest),
    (rest) => `${rest.phase} ${rest.second} ${rest.what} ${rest.op}`,
  );
  const records = new Map<string, RestRecord>();
  for (const group of groups) {
    const [first] = group;
    if (first === undefined) continue;
    const key = `${first.phase} ${first.second}`;
    let record = records.get(key);
    if (record === undefined) {
      record = { phase: first.phase, second: first.second, service: {}, queue: {}, dispatchLag: [] };
      records.set(key, record);
    }
    const histogram = mergeHistograms(group.map((rest) => rest.histogram));
    if (first.what === 'dispatchLag') record.dispatchLag = histogram;
    else record[first.what][nameOf(first.op, names)] = histogram;
  }
  return [...records.values()].sort((a, b) => a.phase - b.phase || a.second - b.second);
}

/** Adds histograms and writes them as steps of the index and counts. */
export function mergeHistograms(histograms: readonly WorkerHistogram[]): SparseHistogram {
  const merged: SparseHistogram = [];
  const at = new Array<number>(histograms.length).fill(0);
  let last = 0;
  for (;;) {
    let lowest = Number.POSITIVE_INFINITY;
    for (const [h, histogram] of histograms.entries()) lowest = Math.min(lowest, histogram.indices[at[h] as number] ?? Number.POSITIVE_INFINITY);
    if (lowest === Number.POSITIVE_INFINITY) return merged;
    let count = 0;
    for (const [h, histogram] of histograms.entries()) {
      if (histogram.indices[at[h] as number] !== lowest) continue;
      count += histogram.counts[at[h] as number] as number;
      at[h] = (at[h] as number) + 1;
    }
    merged.push(lowest - last, count);
    last = lowest;
  }
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function nameOf(op: number, names: readonly OperationName[]): OperationName {
  const name = names[op];
  if (name === undefined) throw new Error(`bug in kvbench: operation ${op}`);
  return name;
}
