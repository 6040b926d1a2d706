/** `kvbench verify`: counts again what a run lost, from its operation log, and says whether its summary agrees. */
import { ExitCode, KvbenchError } from '../base/errors.js';
import { formatCount } from '../base/units.js';
import { readRun } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { type Recount, recount } from '../verify/checker.js';
import type { VerifyArguments } from './main.js';
import type { Terminal } from './terminal.js';

interface Row {
  what: string;
  counted: number;
  /** What the summary says; null: it says nothing of the kind. */
  told: number | null;
  /** Above 0: something was lost or damaged. */
  isFinding: boolean;
}

/** 99: the summary says otherwise, or something is lost. Throws RESULT_NOT_READABLE. */
export async function verify(args: VerifyArguments, terminal: Terminal): Promise<ExitCode> {
  const data = readRun(args.run);
  if (data.summary === null)
    throw new KvbenchError('RESULT_NOT_READABLE', `${args.run} has no summary.json`, `Make it with: kvbench report ${args.run}`);
  const found = await recount(data);
  const rows = rowsOf(found, data.summary);
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const row of rows) terminal.data(`${mark(row)} ${row.what.padEnd(width)}  ${formatCount(row.counted).padStart(9)}${differenceText(row)}`);
  terminal.data(
    `  stale reads by the times in the log: ${formatCount(found.staleReads)} (summary: ${formatCount(data.summary.consistency?.staleReads ?? 0)})`,
  );
  const different = rows.filter(differs);
  const findings = rows.filter(({ isFinding, counted }) => isFinding && counted > 0);
  if (different.length > 0) terminal.data(`The summary says otherwise in ${different.length} of ${rows.length} counts.`);
  else terminal.data(`The summary agrees in all ${rows.length} counts${findings.length === 0 ? ', and nothing is lost' : ''}.`);
  return different.length + findings.length === 0 ? ExitCode.passed : ExitCode.thresholdFailed;
}

function rowsOf(found: Recount, { ops, warmUp, consistency }: Summary): Row[] {
  const count = (what: string, counted: number, told: number | null, isFinding = false): Row => ({ what, counted, told, isFinding });
  const told = consistency;
  return [
    count('operations ok', found.operations.ok, ops.ok + warmUp.ok),
    count('operations failed', found.operations.fail, ops.fail + warmUp.fail),
    count('operations unknown', found.operations.info, ops.info + warmUp.info),
    count('operations dropped', found.operations.dropped, ops.dropped + warmUp.dropped),
    count('keys checked', found.checkedKeys, told?.checkedKeys ?? null),
    count('lost writes', found.lostWrites, told?.lostWrites ?? null, true),
    count('resurrected keys', found.resurrectedKeys, told?.resurrectedKeys ?? null, true),
    count('corrupt values', found.corruptValues, told?.heldInTheEnd.corrupt ?? null, true),
    count('values of another key', found.foreignValues, told?.heldInTheEnd.foreign ?? null, true),
    count('values never written', found.neverWrittenValues, told?.heldInTheEnd.neverWritten ?? null, true),
    count('increments acknowledged', found.counters.acked, told?.counters.acked ?? null),
    count('increments in the end', found.counters.final, told?.counters.final ?? null),
    count('increments lost', found.counters.lost, told?.counters.lost ?? null, true),
    count('increments applied twice', found.counters.doubleApplied, told?.counters.doubleApplied ?? null, true),
  ];
}

function differs({ counted, told }: Row): boolean {
  return counted !== told;
}

function mark(row: Row): string {
  return differs(row) ? '≠' : row.isFinding && row.counted > 0 ? '✗' : '✓';
}

function differenceText(row: Row): string {
  if (!differs(row)) return '';
  return row.told === null ? '  the summary does not say' : `  the summary says ${formatCount(row.told)}`;
}
