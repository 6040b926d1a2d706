/** Counts of operations by outcome and reason with their response times, for the whole run, a phase or a window. Used by summarize.ts. */
import { assert } from '../base/assert.js';
import type { OperationName } from '../plan/plan.js';
import type { OperationCell } from '../result/records.js';
import type { OperationCounts } from '../result/summary.js';
import { OperationLatency } from './hdr.js';

export class Tally {
  planned = 0;
  ok = 0;
  fail = 0;
  info = 0;
  dropped = 0;
  readonly byReason = new Map<string, number>();
  readonly latency = new OperationLatency();

  add(op: OperationName, cell: OperationCell): void {
    this.planned += cell.planned;
    this.ok += cell.ok;
    this.fail += cell.fail;
    this.info += cell.info;
    this.dropped += cell.dropped;
    if (cell.reasons) {
      for (const [reason, count] of Object.entries(cell.reasons)) this.byReason.set(reason, (this.byReason.get(reason) ?? 0) + count);
    }
    this.latency.add(op, cell.response);
  }

  get total(): number {
    return this.ok + this.fail + this.info + this.dropped;
  }

  /** @param closedLoop then nothing was planned */
  counts(closedLoop: boolean): OperationCounts {
    const { ok, fail, info, dropped, total } = this;
    const reasons = [...this.byReason].sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1));
    return { planned: closedLoop ? null : this.planned, total, ok, fail, info, dropped, byReason: Object.fromEntries(reasons) };
  }

  /** `planned = ok + fail + info + dropped`, and every one that is not ok has its reason. Throws when the records break this. */
  assertConserved(where: string, expectedPlanned: number | null): void {
    if (expectedPlanned !== null) {
      assert(this.planned === expectedPlanned, `${where}: ${expectedPlanned} operations were planned, but ${this.planned} came due`);
      assert(this.total === this.planned, `${where}: ${this.planned} operations came due, but ${this.total} have an outcome`);
    }
    let reasoned = 0;
    for (const count of this.byReason.values()) reasoned += count;
    assert(reasoned === this.total - this.ok, `${where}: ${this.total - this.ok} operations were not ok, but ${reasoned} have a reason`);
  }
}
