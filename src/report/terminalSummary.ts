/**
 * The end-of-test summary on the terminal, in the manner of k6: verdict and sentence first, thresholds, figures, what broke and when,
 * advice last. Called by the commands that end with a summary; pure, and sections without content are left out.
 */
import { formatCount, formatSeconds, formatUs } from '../base/units.js';
import type { RunRecord } from '../result/records.js';
import type { OperationCounts, PhaseSummary, Summary, ThresholdResult, WindowSummary } from '../result/summary.js';
import { type Mark, SummaryPage } from './summaryPage.js';
import { addConsistency } from './terminalConsistency.js';
import { addGenerator, addServers } from './terminalGenerator.js';
import { addGroups } from './terminalGroups.js';
import { addLag } from './terminalLag.js';
import { addFaults, addGaps, addHealing } from './terminalOutages.js';
import { addPlacement } from './terminalPlacement.js';
import { addTimes } from './terminalTimes.js';
import { shareText, timeText } from './textLayout.js';

/** Little's law holds when what was measured is this close to what was asked. */
const LITTLES_LAW_TOLERANCE = 0.05;
const timeMetrics = new Set(['latency', 'service', 'queue', 'dispatch_lag', 'gap', 'rto']);
const verdictMarks: Readonly<Record<Summary['verdict'], Mark>> = { passed: 'good', failed: 'bad', aborted: 'bad', interrupted: 'warning' };

/**
 * Ends with a line break. Plain text when `color` is false.
 * @param options `width`: columns of the terminal; commands to copy are not broken, whatever it is
 */
export function renderTerminalSummary(summary: Summary, run: RunRecord, options: { color: boolean; width: number }): string {
  const page = new SummaryPage(options);
  addHead(page, summary, run);
  // A saturated generator makes every figure below its own: that comes before them.
  if (summary.generator.saturated) addGenerator(page, summary);
  addThresholds(page, summary.thresholds);
  addOperations(page, summary);
  addTimes(page, summary);
  addPhases(page, summary.phases);
  addWindows(page, summary.windows);
  addFaults(page, summary);
  addHealing(page, summary);
  addGaps(page, summary, run);
  addGroups(page, summary);
  addConsistency(page, summary);
  addLag(page, summary);
  addPlacement(page, summary);
  addServers(page, summary);
  if (!summary.generator.saturated) addGenerator(page, summary);
  addAdvice(page, summary.advice);
  page.line('');
  return page.text();
}

function addHead(page: SummaryPage, summary: Summary, run: RunRecord): void {
  const mark = verdictMarks[summary.verdict];
  const { bold, dim } = page.colors;
  const verdict = page.paintOf(mark)(bold(summary.verdict.toUpperCase()));
  const exit = summary.exitCode === 0 ? '' : `, exit code ${summary.exitCode}`;
  page.line('');
  page.heading(`${page.mark(mark)} ${verdict}${exit}  ${dim(`${run.name}, ${formatUs(summary.durationMs * 1000)}, seed ${summary.seed}`)}`);
  if (summary.target) page.line(dim(targetText(summary.target)));
  page.line('');
  page.prose(summary.sentence, bold);
}

function targetText({ topology, server, version, nodes }: NonNullable<Summary['target']>): string {
  const masters = nodes.filter(({ role }) => role === 'master').length;
  const replicas = nodes.filter(({ role }) => role === 'replica').length;
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  const sentinels = nodes.filter(({ role }) => role === 'sentinel').length;
  const watched = sentinels > 0 ? `, ${counted(sentinels, 'sentinel')}` : '';
  const size = nodes.length > 1 ? `, ${counted(masters, 'master')} and ${counted(replicas, 'replica')}${watched}` : '';
  return `${server} ${version}, ${topology}${size}`;
}

function addThresholds(page: SummaryPage, thresholds: readonly ThresholdResult[]): void {
  if (thresholds.length === 0) return;
  const failed = thresholds.filter(({ ok }) => !ok).length;
  page.section('THRESHOLDS', failed === 0 ? undefined : `${failed} of ${thresholds.length} failed`);
  page.table(
    thresholds.map((threshold) => [threshold.metric, `'${threshold.expression}'`, observedText(threshold)]),
    ['left', 'left', 'left'],
    thresholds.map(({ ok }) => (ok ? 'good' : 'bad')),
  );
}

function observedText({ metric, expression, observed, note }: ThresholdResult): string {
  const name = metric.replace(/\{.*/s, '');
  // An rto without a value is not one without samples: its note says that clients never recovered.
  if (observed === null) return name === 'rto' && note !== undefined ? note : `no samples${note === undefined ? '' : `: ${note}`}`;
  const aggregate = expression.replace(/\s*[<>=!].*/s, '');
  return `${aggregate}=${valueText(name, aggregate, observed)}${note === undefined ? '' : ` (${note})`}`;
}

function valueText(metricName: string, aggregate: string, observed: number): string {
  if (aggregate === 'count') return formatCount(observed);
  if (timeMetrics.has(metricName)) return formatUs(observed);
  if (metricName === 'availability' || metricName === 'errors') return shareText(observed);
  return metricName === 'throughput' ? `${formatCount(observed)}/s` : formatCount(observed);
}

function addOperations(page: SummaryPage, { ops, warmUp, throughputOpsPerSec, availability, client }: Summary): void {
  page.section('OPERATIONS');
  const counts: [label: string, count: number, meaning: string][] = [
    ['ok', ops.ok, ''],
    ['fail', ops.fail, 'did not happen'],
    ['info', ops.info, 'sent, and nobody knows'],
    ['dropped', ops.dropped, 'never sent'],
  ];
  const all: [label: string, count: number] = ops.planned === null ? ['total', ops.total] : ['planned', ops.planned];
  const columns = formatCount(Math.max(all[1], ...counts.map(([, count]) => count))).length;
  page.rawRow(all[0], page.colors.cyan(formatCount(all[1]).padStart(columns)));
  for (const [label, count, meaning] of counts) {
    const share = (all[1] === 0 ? '' : shareText(count / all[1])).padStart(9);
    const color = count > 0 && label !== 'ok' ? page.colors.red : page.colors.cyan;
    page.rawRow(
      label,
      `${color(formatCount(count).padStart(columns))} ${share}${count > 0 && meaning !== '' ? `  ${page.colors.dim(meaning)}` : ''}`,
    );
  }
  const reasons = reasonsText(ops.byReason);
  if (reasons !== '') page.row('reasons', reasons, page.colors.red);
  page.row('throughput', `${formatCount(throughputOpsPerSec)}/s ok`);
  if (availability.rate !== null) {
    const degraded = availability.degradedMs > 0 ? `, degraded for ${formatSeconds(availability.degradedMs)}` : '';
    page.row('availability', `${shareText(availability.rate)}${degraded}`);
  }
  if (warmUp.total > 0) {
    const notOk = warmUp.total - warmUp.ok;
    page.row('warm-up', `${formatCount(warmUp.total)}, not counted above${notOk === 0 ? '' : `, ${formatCount(notOk)} of them not ok`}`);
  }
  if (Object.values(client).some((count) => count > 0)) {
    const { attempts, retries, reconnects, slotRefreshes } = client;
    const rest = [`${formatCount(retries)} retries`, `${formatCount(reconnects)} reconnects`, `${formatCount(slotRefreshes)} slot refreshes`];
    page.row('client', `${formatCount(attempts)} attempts, ${rest.join(', ')}`);
    const { waits, waitShort = 0 } = client;
    if (waits !== undefined) {
      const fellShort = waitShort === 0 ? 'none fell short' : `${formatCount(waitShort)} fell short (${shareText(waitShort / waits)})`;
      page.row('confirmations', `${formatCount(waits)} of writes, ${fellShort}`, waitShort === 0 ? undefined : page.colors.red);
    }
  }
}

/** The most frequent first. */
function reasonsText(byReason: Readonly<Record<string, number>>): string {
  return Object.entries(byReason)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${formatCount(count)}`)
    .join(', ');
}

/** A single open phase has no more to tell than the run as a whole. */
function addPhases(page: SummaryPage, phases: readonly PhaseSummary[]): void {
  const recorded = phases.filter(({ record }) => record);
  if (recorded.length > 1) {
    page.section('PHASES');
    page.table(
      recorded.map((phase) => [phase.name, ...stretchCells(phase), `${formatCount(phase.throughputOpsPerSec)}/s`]),
      ['left', 'right', 'left', 'right', 'right', 'left', 'left', 'right'],
    );
  }
  const closed = recorded.flatMap(({ name, littlesLaw }) => (littlesLaw === null ? [] : [{ name, littlesLaw }]));
  if (closed.length === 0) return;
  page.section('LITTLE’S LAW', 'operations in flight = throughput × mean response');
  for (const { name, littlesLaw } of closed) {
    const { inFlightExpected, inFlightMeasured } = littlesLaw;
    const holds = Math.abs(inFlightMeasured - inFlightExpected) <= inFlightExpected * LITTLES_LAW_TOLERANCE;
    const off = holds ? '' : `, off by ${shareText(Math.abs(inFlightMeasured / inFlightExpected - 1))}`;
    page.line(`${page.mark(holds ? 'good' : 'warning')} ${name}: ${inFlightExpected} asked, ${inFlightMeasured.toFixed(1)} measured${off}`);
  }
}

function addWindows(page: SummaryPage, windows: readonly WindowSummary[]): void {
  if (windows.length === 0) return;
  page.section('WINDOWS', 'by intended start');
  page.table(
    windows.map((window) => [`${window.name}${window.faultId === null ? '' : ` ${window.faultId}`}`, ...stretchCells(window)]),
    ['left', 'right', 'left', 'right', 'right', 'left', 'left'],
  );
}

/** From, to, operations, how many ok, med and p(99) of a stretch of the run. */
function stretchCells({ startMs, endMs, ops, latencyUs }: PhaseSummary | WindowSummary): string[] {
  const asked = askedOf(ops);
  return [
    timeText(startMs * 1000),
    `– ${timeText(endMs * 1000)}`,
    `${formatCount(asked)} ops`,
    asked === 0 ? '–' : `${shareText(ops.ok / asked)} ok`,
    `med=${formatUs(latencyUs.all?.p50 ?? null)}`,
    `p(99)=${formatUs(latencyUs.all?.p99 ?? null)}`,
  ];
}

function askedOf(ops: OperationCounts): number {
  return ops.planned ?? ops.total;
}

/** The command stands on a line of its own, unbroken: it is there to be copied. */
function addAdvice(page: SummaryPage, advice: string | null): void {
  if (advice === null) return;
  const [, reason = advice, command] = /^(.*?)\s*\bTry: (.*)$/s.exec(advice) ?? [];
  page.section('TRY NEXT');
  if (reason !== '') page.prose(reason);
  if (command !== undefined) page.line(page.colors.cyan(command));
}
