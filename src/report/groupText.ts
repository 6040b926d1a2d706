/** A group of runs on the terminal: a line per run, the closing table. Pure, no colours. */
import Table from 'cli-table3';
import { formatCount, formatPercent, formatUs } from '../base/units.js';
import type { GroupRunSummary, RunsGroupSummary, Spread, VariantSummary } from '../result/runsGroup.js';

export const runMarks: Record<GroupRunSummary['verdict'], string> = { passed: '✓', failed: '✗', aborted: '✗', interrupted: '■' };

/** One measure of a variant, as tables and plots show it. */
export interface GroupMeasure {
  title: string;
  /** For a plot: what its figures are. */
  note: string;
  spread(variant: VariantSummary): Spread | null;
  value(run: GroupRunSummary): number | null;
  text(value: number): string;
  /** Worth a plot only when it is not 0 everywhere. */
  zeroIsNothing: boolean;
}

const timeUs = (us: number): string => formatUs(us);
const timeMs = (ms: number): string => formatUs(ms * 1000);
const gapMs = (ms: number): string => (ms === 0 ? 'none' : timeMs(ms));

export const groupMeasures: readonly GroupMeasure[] = [
  measure(
    'throughput',
    'operations answered ok per second',
    (v) => v.throughputOpsPerSec,
    (r) => r.throughputOpsPerSec,
    (n) => `${formatCount(n)}/s`,
  ),
  measure(
    'p50',
    'response time',
    (v) => v.latencyUs.p50,
    (r) => r.latencyUs?.p50 ?? null,
    timeUs,
  ),
  measure(
    'p99',
    'response time',
    (v) => v.latencyUs.p99,
    (r) => r.latencyUs?.p99 ?? null,
    timeUs,
  ),
  measure(
    'p99.9',
    'response time',
    (v) => v.latencyUs.p999,
    (r) => r.latencyUs?.p999 ?? null,
    timeUs,
  ),
  measure(
    'longest gap',
    'a shard answered nothing for so long',
    (v) => v.longestGapMs,
    (r) => r.longestGapMs,
    gapMs,
    true,
  ),
  measure(
    'RTO',
    'from the fault to the clients’ recovery',
    (v) => v.rtoMs,
    (r) => r.rtoMs,
    timeMs,
    true,
  ),
  measure(
    'lost writes',
    'acknowledged, and gone',
    (v) => v.lostWrites,
    (r) => r.lostWrites,
    (n) => formatCount(n),
    true,
  ),
  measure(
    'WAIT fell short',
    'confirmations of writes by too few replicas',
    (v) => v.waitShort,
    (r) => r.waitShort,
    (n) => formatCount(n),
    true,
  ),
  measure(
    'not ok',
    'operations that failed, were unknown or dropped',
    (v) => v.errors,
    (r) => r.errors,
    (n) => formatCount(n),
    true,
  ),
];

function measure(
  title: string,
  note: string,
  spread: GroupMeasure['spread'],
  value: GroupMeasure['value'],
  text: GroupMeasure['text'],
  zeroIsNothing = false,
): GroupMeasure {
  return { title, note, spread, value, text, zeroIsNothing };
}

/** `median (min to max)`; the range is left out where it is the median. */
export function spreadText(spread: Spread | null, text: (value: number) => string, none = '–'): string {
  if (spread === null) return none;
  const [low, middle, high] = [text(spread.min), text(spread.median), text(spread.max)];
  return low === high ? middle : `${middle} (${low} to ${high})`;
}

/** `3.19s + 1.09s + 70ms`: the medians of detection, election and client. */
export function splitText({ detectionMs, electionMs, clientMs }: VariantSummary): string {
  const parts = [detectionMs, electionMs, clientMs].map((part) => (part === null ? '–' : timeMs(part.median)));
  return parts.every((part) => part === '–') ? '–' : parts.join(' + ');
}

/** `  ✓ 4,000/s  p50 112µs  p99 340µs  longest gap 1.20s`. */
export function groupRunLine(run: GroupRunSummary): string {
  const parts = groupMeasures.flatMap(({ title, value, text, zeroIsNothing }) => {
    const found = value(run);
    return found === null || (found === 0 && zeroIsNothing) ? [] : [title === 'throughput' ? text(found) : `${title} ${text(found)}`];
  });
  return `  ${runMarks[run.verdict]} ${parts.join('  ')}`;
}

/** What a person reads at the end. Ends without a line break. */
export function renderGroupClosing(summary: RunsGroupSummary): string {
  const { variants, sentence } = summary;
  const shown = groupMeasures.filter(({ spread, zeroIsNothing }) =>
    variants.some((variant) => {
      const found = spread(variant);
      return found !== null && (!zeroIsNothing || found.max > 0);
    }),
  );
  // A row per measure and a column per variant: that is how many variants fit a terminal.
  const table = new Table({
    head: ['', ...variants.map((variant) => variant.name)],
    style: { head: [], border: [] },
    colAligns: ['left', ...variants.map(() => 'right' as const)],
  });
  table.push(['runs', ...variants.map(runsText)]);
  for (const { title, spread, text } of shown) {
    const none = title === 'lost writes' ? 'not checked' : '–';
    table.push([title, ...variants.map((variant) => spreadText(spread(variant), text, none).replace(' (', '\n('))]);
    if (title === 'RTO' && variants.some((variant) => splitText(variant) !== '–'))
      table.push(['= detection\n+ election\n+ client', ...variants.map((variant) => splitText(variant).replaceAll(' + ', '\n'))]);
  }
  table.push(['available', ...variants.map(({ availability }) => (availability === null ? '–' : formatPercent(availability.median)))]);
  const unchecked = variants.every((variant) => variant.lostWrites === null) ? ['Lost writes were not checked.'] : [];
  const saturated = variants
    .filter((variant) => variant.saturatedRuns > 0)
    .map((variant) => `${variant.name} (${variant.saturatedRuns} of ${variant.runs})`);
  const warning =
    saturated.length > 0 ? [`THE GENERATOR WAS SATURATED in runs of ${saturated.join(', ')}: these figures say nothing about the server.`] : [];
  return [
    `${sentence}.`,
    ...warning,
    ...decisionLines(summary),
    table.toString(),
    `Each figure is the median over the runs of a variant${summary.repeat > 1 ? ', with the least and the greatest' : ''}.`,
    ...unchecked,
  ].join('\n');
}

export const outcomeMarks = { pass: '✓', fail: '✗', inconclusive: '?' } as const;

/** What was asked of base and candidate, and what the last look says. */
function decisionLines({ decision }: RunsGroupSummary): string[] {
  if (decision === undefined) return [];
  if (decision === null) return ['No pair is whole: nothing can be said.'];
  const table = new Table({ head: ['rule', 'base', 'candidate', 'change', 'interval', ''], style: { head: [], border: [] } });
  for (const { rule, outcome, base, candidate, change, interval } of decision.rules)
    table.push([rule, base, candidate, change, interval, `${outcomeMarks[outcome]} ${outcome}`]);
  return [table.toString(), ...decision.rules.map(({ rule, reason }) => `${rule}: ${reason}.`), ...decision.warnings.map((text) => `! ${text}`)];
}

/** `3`, `2, 1 failed`. */
export function runsText({ runs, failedRuns }: VariantSummary): string {
  return failedRuns === 0 ? String(runs) : `${runs}, ${failedRuns} failed`;
}
