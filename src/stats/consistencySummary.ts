/** `summary.consistency` from the one event of the verification, and the sentence about what was lost. Pure; called by summarize.ts and narrative.ts. */
import { formatCount, formatSeconds } from '../base/units.js';
import type { Plan } from '../plan/plan.js';
import type { EventOf, EventRecord } from '../result/records.js';
import type { ConsistencySummary } from '../result/summary.js';

/** Null: no ledger was kept, or the run ended before anything was read back. */
export function consistencySummary(events: readonly EventRecord[], plan: Plan): ConsistencySummary | null {
  const record = events.findLast((event): event is EventOf<'consistency'> => event.type === 'consistency');
  if (record === undefined) return null;
  const { values, reads, lostSpan } = record;
  const counters = record.counters ?? { acked: 0, indeterminate: 0, final: 0, lost: 0, doubleApplied: 0, resent: 0 };
  return {
    checkedKeys: record.checkedKeys,
    ackedWrites: record.ackedWrites,
    indeterminateWrites: record.indeterminateWrites,
    lostWrites: record.lostWrites,
    staleReads: reads.stale,
    resurrectedKeys: record.resurrectedKeys,
    corruptValues: values.corrupt + reads.corrupt,
    counters,
    heldInTheEnd: values,
    unverifiedKeys: record.unverifiedKeys,
    keyStride: record.keyStride,
    lostKeys: record.lostKeys,
    isLowerBound: record.isLowerBound,
    foreignValues: values.foreign + reads.foreign,
    neverWrittenValues: values.neverWritten + reads.neverWritten,
    nonMonotonicReads: reads.nonMonotonic,
    checkedReads: reads.checked,
    unjudgedReads: reads.unjudged,
    readFrom: plan.load.readFrom,
    unstampedWrites: record.unstampedWrites,
    explained: record.explained,
    evictedKeys: record.evictedKeys,
    expiredKeys: record.expiredKeys,
    rpo:
      lostSpan === null
        ? null
        : {
            writes: record.lostWrites + counters.lost,
            firstMs: lostSpan.firstUs / 1000,
            lastMs: lostSpan.lastUs / 1000,
            spanMs: (lostSpan.lastUs - lostSpan.firstUs) / 1000,
          },
    lost: record.lost.map(({ shard, startUs, count, faultId }) => ({ shard, startMs: startUs / 1000, count, faultId })),
  };
}

/** What went wrong with the data, in a clause; null: nothing did. */
export function lossClause(consistency: ConsistencySummary | null): string | null {
  if (consistency === null) return null;
  const { lostWrites, ackedWrites, counters, rpo, resurrectedKeys, corruptValues, foreignValues, neverWrittenValues } = consistency;
  const parts: string[] = [];
  const atLeast = consistency.isLowerBound ? 'at least ' : '';
  if (lostWrites > 0) {
    const all = lostWrites >= ackedWrites ? 'all' : `${atLeast}${formatCount(lostWrites)} of`;
    const span = rpo === null ? '' : ` (acknowledged within ${formatSeconds(rpo.spanMs)})`;
    parts.push(`${all} ${formatCount(ackedWrites)} acknowledged writes are lost${span}`);
  }
  if (counters.lost > 0) parts.push(`${formatCount(counters.lost)} acknowledged increments are lost`);
  if (counters.doubleApplied > 0) parts.push(doubleText(counters.doubleApplied, counters.resent));
  if (resurrectedKeys > 0) parts.push(counted(resurrectedKeys, 'deleted key', 'came back'));
  if (corruptValues > 0) parts.push(counted(corruptValues, 'value', 'corrupt', true));
  if (foreignValues > 0) parts.push(counted(foreignValues, 'value', 'another key’s', true));
  if (neverWrittenValues > 0) parts.push(`${counted(neverWrittenValues, 'value', 'never written', true)}`);
  return parts.length === 0 ? null : parts.join(', ');
}

function doubleText(doubleApplied: number, resent: number): string {
  const by =
    resent === 0
      ? ''
      : resent === doubleApplied
        ? ' by the client, which sent them again'
        : `, ${formatCount(resent)} of them by a client that sent again`;
  return `${formatCount(doubleApplied)} ${doubleApplied === 1 ? 'increment was' : 'increments were'} applied twice${by}`;
}

function counted(count: number, what: string, verb: string, needsBe = false): string {
  const be = needsBe ? (count === 1 ? 'is ' : 'are ') : '';
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'} ${be}${verb}`;
}
