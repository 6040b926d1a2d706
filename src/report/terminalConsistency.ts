/** The summary's section on what was read back after the run: lost writes first, what explains what is missing last. Called by terminalSummary.ts. */
import { formatCount, formatSeconds } from '../base/units.js';
import type { ConsistencySummary, Summary } from '../result/summary.js';
import type { SummaryPage } from './summaryPage.js';

export function addConsistency(page: SummaryPage, { consistency }: Pick<Summary, 'consistency'>): void {
  if (consistency === null) return;
  const title = consistency.keyStride === 1 ? undefined : `one key of ${formatCount(consistency.keyStride)} tracked`;
  page.section('CONSISTENCY', title);
  for (const { label, text, isBad } of consistencyRows(consistency)) page.row(label, text, isBad ? page.colors.red : undefined);
}

/** What there is to say, in the order of its weight; also for the report. */
export function consistencyRows(consistency: ConsistencySummary): { label: string; text: string; isBad: boolean }[] {
  const { counters, rpo, explained, unverifiedKeys } = consistency;
  const rows = [
    { label: 'lost writes', text: lostText(consistency), isBad: consistency.lostWrites > 0 },
    ...(rpo === null ? [] : [{ label: 'recovery point', text: rpoText(rpo), isBad: true }]),
    { label: 'violations', text: violationsText(consistency), isBad: true },
    ...(counters.acked + counters.indeterminate === 0
      ? []
      : [{ label: 'counters', text: countersText(counters), isBad: counters.lost + counters.doubleApplied > 0 }]),
    { label: 'reads', text: readsText(consistency), isBad: consistency.readFrom === 'master' && consistency.staleReads > 0 },
    { label: 'explained', text: explainedText(explained), isBad: false },
    { label: 'checked', text: checkedText(consistency), isBad: unverifiedKeys > 0 },
  ];
  return rows.filter(({ text }) => text !== '');
}

function lostText({ lostWrites, ackedWrites, lostKeys, isLowerBound, indeterminateWrites }: ConsistencySummary): string {
  const unknown = indeterminateWrites === 0 ? '' : `; ${formatCount(indeterminateWrites)} more of unknown outcome`;
  if (lostWrites === 0) return `none of ${formatCount(ackedWrites)} acknowledged${unknown}`;
  const least = isLowerBound ? 'at least ' : '';
  return `${least}${formatCount(lostWrites)} of ${formatCount(ackedWrites)} acknowledged, of ${formatCount(lostKeys)} keys${unknown}`;
}

function rpoText({ writes, spanMs, firstMs, lastMs }: NonNullable<ConsistencySummary['rpo']>): string {
  return `${formatCount(writes)} writes within ${formatSeconds(spanMs)}, acknowledged from ${formatSeconds(firstMs)} to ${formatSeconds(lastMs)}`;
}

function violationsText({ resurrectedKeys, corruptValues, foreignValues, neverWrittenValues }: ConsistencySummary): string {
  return listed([
    [resurrectedKeys, 'deleted keys came back'],
    [corruptValues, 'corrupt values'],
    [foreignValues, 'values of another key'],
    [neverWrittenValues, 'values never written'],
  ]);
}

function countersText({ acked, indeterminate, final, lost, doubleApplied, resent }: ConsistencySummary['counters']): string {
  const sums = `${formatCount(acked)} acknowledged${indeterminate === 0 ? '' : `, ${formatCount(indeterminate)} unknown`}, ${formatCount(final)} in the end`;
  const by = resent === 0 ? '' : `, ${formatCount(resent)} of them sent again by the client`;
  const wrong = listed([
    [lost, 'lost'],
    [doubleApplied, `applied twice${by}`],
  ]);
  return wrong === '' ? sums : `${wrong}; ${sums}`;
}

function readsText({ staleReads, nonMonotonicReads, unjudgedReads, checkedReads, readFrom }: ConsistencySummary): string {
  if (checkedReads === 0) return '';
  const of = `of ${formatCount(checkedReads)}`;
  const found = listed([
    [staleReads, `stale${readFrom === 'replica' ? ', as replicas may answer' : ''}`],
    [nonMonotonicReads, 'older than the same worker had read'],
    [unjudgedReads, 'more that could not be remembered'],
  ]);
  return found === '' ? `none stale ${of}` : `${found}, ${of}`;
}

function explainedText({ overwrittenByIndeterminate, deletedByIndeterminate, expired, evicted }: ConsistencySummary['explained']): string {
  return listed([
    [overwrittenByIndeterminate, 'overwritten by an older write of unknown outcome'],
    [deletedByIndeterminate, 'deleted by a DEL of unknown outcome'],
    [expired, 'expired'],
    [evicted, 'gone from servers that evicted keys'],
  ]);
}

function checkedText({ checkedKeys, unverifiedKeys, unstampedWrites }: ConsistencySummary): string {
  const short = unstampedWrites === 0 ? '' : `; ${formatCount(unstampedWrites)} values were too short for a version`;
  const open = unverifiedKeys === 0 ? '' : `, ${formatCount(unverifiedKeys)} could not be`;
  return `${formatCount(checkedKeys)} keys read back${open}${short}`;
}

function listed(parts: readonly (readonly [count: number, what: string])[]): string {
  return parts.flatMap(([count, what]) => (count === 0 ? [] : `${formatCount(count)} ${what}`)).join(', ');
}
