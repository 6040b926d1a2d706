/** What each group of clients saw in an interval: the sums of its workers. Called by loadRunner.ts where the plan has groups; pure. */
import { type GroupRecord, type Reason, reasons } from '../result/records.js';
import type { WorkerInterval } from './messages.js';

/** @param groupOf of a worker */
export function groupRecords(parts: readonly WorkerInterval[], groupOf: (worker: number) => string): GroupRecord[] {
  const records = new Map<string, GroupRecord>();
  for (const part of parts) {
    const group = groupOf(part.worker);
    let record = records.get(group);
    if (record === undefined) {
      record = { group, ok: 0, fail: 0, info: 0, dropped: 0, shards: [] };
      records.set(group, record);
    }
    addPart(record, part);
  }
  return [...records.values()];
}

function addPart(record: GroupRecord, part: WorkerInterval): void {
  const byReason = new Map(Object.entries(record.reasons ?? {}));
  for (const { byOutcome, byReason: counts } of part.cells) {
    record.ok += byOutcome[0];
    record.fail += byOutcome[1];
    record.info += byOutcome[2];
    record.dropped += byOutcome[3];
    for (const [index, count] of counts) {
      const reason: Reason = reasons[index] ?? 'other';
      byReason.set(reason, (byReason.get(reason) ?? 0) + count);
    }
  }
  if (byReason.size > 0) record.reasons = Object.fromEntries(byReason);
  for (const { shard, kind, ok, notOk } of part.shards) {
    if (ok === 0 && notOk === 0) continue;
    const known = record.shards.find((other) => other.shard === shard && other.kind === kind);
    if (known === undefined) record.shards.push({ shard, kind, ok, notOk });
    else {
      known.ok += ok;
      known.notOk += notOk;
    }
  }
}
