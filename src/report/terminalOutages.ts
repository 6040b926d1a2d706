/** Faults, incidents and gaps of the end-of-test summary. Used by terminalSummary.ts; says nothing that the summary doesn't hold. */
import { formatUs } from '../base/units.js';
import type { RunRecord } from '../result/records.js';
import type { FaultSummary, Gap, SentinelSteps, Summary } from '../result/summary.js';
import { planDistance, targetsText } from './eventLine.js';
import { sidesText } from './groupSeries.js';
import type { Mark, SummaryPage } from './summaryPage.js';
import { timeText } from './textLayout.js';

/** More than this are in the report. */
const GAPS_SHOWN = 20;

type MilestoneKey = Extract<keyof FaultSummary, `${string}Ms`>;
const milestones: readonly (readonly [label: string, key: MilestoneKey])[] = [
  ['process gone', 'processGoneMs'],
  ['first error', 'firstErrorMs'],
  ['detected', 'detectedMs'],
  ['promoted', 'promotedMs'],
  ['client recovered', 'clientRecoveredMs'],
  ['p99 recovered', 'p99RecoveredMs'],
  ['healed', 'healedAtMs'],
  ['redundancy restored', 'redundancyRestoredMs'],
];

/** Beside `detected`, which is their +odown, and `promoted`. */
export const sentinelLabels: readonly (readonly [label: string, key: Exclude<keyof SentinelSteps, 'aborts'>, hint: string])[] = [
  ['sdown', 'sdownMs', 'one sentinel had no answer for down-after'],
  ['try failover', 'tryFailoverMs', 'a sentinel asked the others for their votes'],
  ['leader elected', 'electedMs', 'a majority of the sentinels chose who acts'],
  ['master switched', 'switchedMs', 'a sentinel told its clients the new master'],
];

export function addFaults(page: SummaryPage, summary: Summary): void {
  if (summary.faults.length > 0) page.section('FAULTS', 'milestones as time since the injection');
  for (const fault of summary.faults) addFault(page, fault, `${fault.kind} ${fault.id}`, missingOf(fault, summary, false));
  if (summary.incidents.length > 0) page.section('INCIDENTS', 'nobody scheduled them; milestones as time since they began');
  for (const incident of summary.incidents) addFault(page, incident, `${incident.kind} ${incident.id}`, missingOf(incident, summary, true));
}

/** Said when there was something to heal, or when something is not as it should be. */
export function addHealing(page: SummaryPage, { healing, faults, incidents }: Summary): void {
  if (!healing || (healing.whole && faults.length === 0 && incidents.length === 0)) return;
  page.section('HEALING', 'looked at once everything was healed');
  if (healing.holds.length > 0) page.prose(healing.holds.join(', '), undefined, `${page.mark('good')} `);
  for (const what of healing.missing) page.prose(what, page.paintOf('bad'), `${page.mark('bad')} `);
}

export function addGaps(page: SummaryPage, summary: Summary, run: RunRecord): void {
  const gaps = tellingGaps(summary.availability.gaps, run);
  if (gaps.length === 0) return;
  page.section('GAPS', `asked, and nothing answered; resolution ${formatUs(summary.availability.resolutionMs * 1000)}`);
  const longest = new Set([...gaps].sort((a, b) => b.durationMs - a.durationMs).slice(0, GAPS_SHOWN));
  const rows = gaps
    .filter((gap) => longest.has(gap))
    .map((gap) => [
      typeof gap.shard === 'number' ? `shard ${gap.shard}` : `${gap.shard}${gap.shard === 'all' ? ' shards' : ' shard'}`,
      gap.kind,
      `from ${timeText(gap.startMs * 1000)}`,
      `for ${formatUs(gap.durationMs * 1000)}`,
      causeText(gap, summary),
    ]);
  page.table(rows, ['left', 'left', 'right', 'right', 'left']);
  if (gaps.length > GAPS_SHOWN) page.line(page.colors.dim(`… and ${gaps.length - GAPS_SHOWN} shorter ones, see summary.json`));
}

function addFault(page: SummaryPage, fault: FaultSummary, name: string, missing: readonly MilestoneKey[]): void {
  const { mark, words } = statusOf(fault);
  const on = fault.sides ? `: ${sidesText(fault.kind, fault.sides)}` : fault.targets.length === 0 ? '' : `: ${targetsText(fault.targets)}`;
  page.prose(`${name}${on}, ${words}`, page.colors.bold, `${page.mark(mark)} `);
  if (fault.message !== null) page.prose(fault.message, page.paintOf(mark), '  ');
  const originMs = fault.injectedAtMs;
  if (originMs === null) return;
  const reached = milestones.flatMap(([label, key]) => {
    const atMs = fault[key];
    return atMs === null ? [] : [{ label, atMs, key }];
  });
  for (const { label, atMs, key } of [...reached, ...sentinelSteps(fault)].sort((a, b) => a.atMs - b.atMs)) {
    const offsetUs = (atMs - originMs) * 1000;
    const sign = offsetUs < 0 ? '' : '+';
    page.row(`  ${label}`, `${sign}${formatUs(offsetUs)}${key === 'clientRecoveredMs' && fault.rtoMs !== null ? ' = RTO' : ''}`);
  }
  for (const [label, key] of milestones) if (missing.includes(key)) page.row(`  ${label}`, 'not within the run', page.colors.red);
}

function sentinelSteps({ sentinel }: FaultSummary): { label: string; atMs: number; key: null }[] {
  if (sentinel === undefined) return [];
  return sentinelLabels.flatMap(([label, key]) => {
    const atMs = sentinel[key];
    return atMs === null ? [] : [{ label, atMs, key: null }];
  });
}

/** Milestones whose absence is news: what was broken and did not come back. */
function missingOf(fault: FaultSummary, { availability }: Summary, isIncident: boolean): MilestoneKey[] {
  if (fault.injectedAtMs === null) return [];
  const missing: MilestoneKey[] = [];
  const hadGap = !isIncident && availability.gaps.some((gap) => gap.faultId === fault.id && !gap.collateral);
  if (fault.clientRecoveredMs === null && hadGap) missing.push('clientRecoveredMs');
  if (fault.redundancyRestoredMs === null && fault.promotedMs !== null) missing.push('redundancyRestoredMs');
  return missing;
}

function statusOf(fault: FaultSummary): { mark: Mark; words: string } {
  const { injectedAtMs, plannedAtMs } = fault;
  const at = injectedAtMs === null ? '' : timeText(injectedAtMs * 1000);
  const late = injectedAtMs === null || plannedAtMs === null ? '' : `, ${planDistance((injectedAtMs - plannedAtMs) * 1000)}`;
  switch (fault.status) {
    case 'healed':
      return { mark: 'good', words: `injected at ${at}${late}` };
    case 'injected':
      return { mark: 'bad', words: `injected at ${at}${late}, not healed` };
    case 'failed':
      return { mark: 'bad', words: injectedAtMs === null ? 'failed' : `injected at ${at}${late}, failed` };
    case 'skipped':
      return { mark: 'none', words: 'skipped' };
    case 'planned':
      return { mark: 'none', words: 'not reached' };
    case 'observed':
      return { mark: 'warning', words: `at ${at}` };
  }
}

/** With one shard, `any` and `all` say what its own gaps say. */
function tellingGaps(gaps: readonly Gap[], run: RunRecord): Gap[] {
  const shards = new Set(run.target?.nodes.flatMap((node) => (node.shard === null ? [] : [node.shard])));
  return shards.size === 1 ? gaps.filter((gap) => typeof gap.shard === 'number') : [...gaps];
}

function causeText(gap: Gap, { faults }: Summary): string {
  if (gap.faultId === null) return 'no fault in force';
  const kind = faults.find((fault) => fault.id === gap.faultId)?.kind ?? 'fault';
  return `${kind} ${gap.faultId}${gap.collateral ? ', collateral' : ''}`;
}
