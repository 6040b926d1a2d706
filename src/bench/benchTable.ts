/** The results of the bench as Markdown: latest.md, and what ends its output. Called by main.ts. Pure. */
import { formatBytes, formatCount, formatUs } from '../base/units.js';
import { describeCase } from './accuracy.js';
import { type Figure, figureOf, NOISE_LIMIT_CORES, ratioOf, type WindowResult } from './arithmetic.js';
import type {
  AccuracySection,
  BenchFile,
  CaseResult,
  ContenderResult,
  LedgerSection,
  MemorySection,
  PacingSection,
  ProxySection,
  SectionHead,
  StartUpSection,
  ThroughputSection,
} from './benchResult.js';
import { contenderRatio, ledgerRatio, requirementsOf } from './requirements.js';

/** What kvbench says of itself and what the servers saw may differ by this: the two look at slightly different times. */
const OWN_FIGURE_TOLERANCE = 0.03;

export function renderBench({ sections }: BenchFile): string {
  const parts = [
    '# The benchmark of kvbench',
    '',
    'Made by `npm run bench`; the figures behind it are in latest.json. Read the ratios: absolute figures are those of the machine.',
  ];
  const { throughput, startUp, proxy, pacing, ledger, memory, accuracy } = sections;
  parts.push('', '## What is promised, and what was measured', '', ...requirementTable(sections));
  if (throughput !== undefined) parts.push(...renderThroughput(throughput));
  if (startUp !== undefined) parts.push(...renderStartUp(startUp));
  if (proxy !== undefined) parts.push(...renderProxy(proxy));
  if (pacing !== undefined) parts.push(...renderPacing(pacing));
  if (ledger !== undefined) parts.push(...renderLedger(ledger));
  if (memory !== undefined) parts.push(...renderMemory(memory));
  if (accuracy !== undefined) parts.push(...renderAccuracy(accuracy));
  return `${parts.join('\n')}\n`;
}

function requirementTable(sections: BenchFile['sections']): string[] {
  const rows = requirementsOf(sections).map(({ what, wanted, observed, ok }) => [
    what,
    wanted,
    observed ?? 'not measured',
    ok === null ? '–' : ok ? 'yes' : '**no**',
  ]);
  return table(['', 'wanted', 'measured', 'met'], rows);
}

function renderThroughput(section: ThroughputSection): string[] {
  return [...heading('Side by side', section), ...section.cases.flatMap((benchCase) => ['', `### ${benchCase.title}`, '', ...caseTable(benchCase)])];
}

function caseTable(benchCase: CaseResult): string[] {
  const header = ['generator', 'ops/s', 'spread', '× redis-benchmark', 'CPU µs/op', 'peak memory', 'server cores'];
  const rows = benchCase.contenders.map((contender) => {
    const { label, version, rounds } = contender;
    const ops = figure(rounds, ({ opsPerSec }) => opsPerSec);
    const ratio = contenderRatio(benchCase, contender.id, 'redis-benchmark', 'throughput');
    return [
      `${label} ${version}`,
      ops === null ? 'failed' : formatCount(ops.median),
      ops === null ? '–' : `${formatCount(ops.min)}–${formatCount(ops.max)}`,
      ratio === null ? '–' : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
      fixed(
        figure(rounds, ({ cpuUsPerOp }) => cpuUsPerOp),
        2,
      ),
      bytes(figure(rounds, ({ peakRssBytes }) => peakRssBytes)),
      fixed(
        figure(rounds, ({ serverCores }) => serverCores),
        2,
      ),
    ];
  });
  return [...table(header, rows), ...remarks(benchCase.contenders)];
}

/** Failures, noise, and kvbench's own figure beside the servers'. */
function remarks(contenders: readonly ContenderResult[]): string[] {
  const lines: string[] = [];
  for (const { label, rounds, ownOpsPerSec, unaccounted, failures } of contenders) {
    const own = ratioOf(
      ownOpsPerSec,
      rounds.map((round) => round?.opsPerSec ?? null),
    );
    if (own !== null) {
      const isClose = Math.abs(own.median - 1) <= OWN_FIGURE_TOLERANCE;
      const verdict = isClose ? 'they agree' : '**they disagree**';
      const wrong = unaccounted.filter((difference) => difference !== null && difference !== 0);
      const counts =
        wrong.length === 0 ? 'Every operation is accounted for.' : `**Counted differently from the servers, by ${wrong.join(', ')} operations.**`;
      lines.push(`- ${label}: in the same windows it says ${own.median.toFixed(3)} × what the servers say: ${verdict}. ${counts}`);
    }
    for (const failure of failures) lines.push(`- ${label}, ${failure}`);
  }
  const noise = figure(
    contenders.flatMap(({ rounds }) => rounds),
    ({ otherCores }) => otherCores,
  );
  lines.push(...noiseRemark(noise));
  return lines.length === 0 ? [] : ['', ...lines];
}

function noiseRemark(noise: Figure | null): string[] {
  if (noise === null || noise.max <= NOISE_LIMIT_CORES) return [];
  return [`- Something else used ${noise.median.toFixed(2)} cores meanwhile (at most ${noise.max.toFixed(2)}): the machine was not idle.`];
}

function renderStartUp(section: StartUpSection): string[] {
  const { helpMs, bareNodeMs, ratio } = section;
  const row = [fixed(helpMs, 0), fixed(bareNodeMs, 0), ratio.median.toFixed(2)];
  return [...heading('Start-up', section), '', ...table(['`kvbench --help`, ms', '`node -e 0`, ms', 'ratio'], [row])];
}

function renderLedger(section: LedgerSection): string[] {
  const header = ['kvbench wire', 'without, ops/s', 'with the ledger, ops/s', 'ratio', 'CPU µs/op, without', 'with'];
  const rows = section.cases.map(({ title, off, on }) => {
    const ops = ({ opsPerSec }: WindowResult): number => opsPerSec;
    const cpu = ({ cpuUsPerOp }: WindowResult): number | null => cpuUsPerOp;
    const ratio = ledgerRatio(off, on);
    const share = ratio === null ? '–' : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;
    return [title, fixed(figure(off, ops), 0), fixed(figure(on, ops), 0), share, fixed(figure(off, cpu), 2), fixed(figure(on, cpu), 2)];
  });
  const remarks = section.cases.flatMap((each) => each.failures.map((failure) => `- ${each.title}, ${failure}`));
  remarks.push(
    ...noiseRemark(
      figure(
        section.cases.flatMap(({ off, on }) => [...off, ...on]),
        ({ otherCores }) => otherCores,
      ),
    ),
  );
  return [...heading('The ledger', section), '', ...table(header, rows), ...(remarks.length > 0 ? ['', ...remarks] : [])];
}

function renderProxy(section: ProxySection): string[] {
  const header = ['redis-benchmark', 'direct, ops/s', 'through the proxy, ops/s', 'ratio'];
  const rows = section.cases.map(({ title, direct, proxied }) => {
    const ops = ({ opsPerSec }: WindowResult): number => opsPerSec;
    const ratio = ratioOf(
      proxied.map((window) => window?.opsPerSec ?? null),
      direct.map((window) => window?.opsPerSec ?? null),
    );
    return [title, fixed(figure(direct, ops), 0), fixed(figure(proxied, ops), 0), ratio === null ? '–' : ratio.median.toFixed(2)];
  });
  const windows = section.cases.flatMap(({ direct, proxied }) => [...direct, ...proxied]);
  const remarks = section.cases.flatMap((each) => each.failures.map((failure) => `- ${each.title}, ${failure}`));
  remarks.push(...noiseRemark(figure(windows, ({ otherCores }) => otherCores)));
  return [...heading('The embedded Toxiproxy without a toxic', section), '', ...table(header, rows), ...(remarks.length > 0 ? ['', ...remarks] : [])];
}

function renderPacing(section: PacingSection): string[] {
  const header = ['pacing', 'ops/s', 'dispatch lag p99', 'generator cores', 'CPU µs/op'];
  const rows = section.ways.map(({ pacing, dispatchLagP99Us, opsPerSec, cores, cpuUsPerOp }) => [
    pacing === section.chosen ? `${pacing} (the choice on this machine)` : pacing,
    fixed(opsPerSec, 0),
    dispatchLagP99Us === null ? '–' : `${formatUs(dispatchLagP99Us.median)} (${formatUs(dispatchLagP99Us.min)}–${formatUs(dispatchLagP99Us.max)})`,
    fixed(cores, 2),
    fixed(cpuUsPerOp, 2),
  ]);
  const noise = noiseRemark(figureOf(section.ways.flatMap(({ otherCores }) => otherCores?.values ?? [])));
  const title = `Open loop at ${formatCount(section.ratePerSec)}/s from one worker`;
  return [...heading(title, section), '', ...table(header, rows), ...(noise.length > 0 ? ['', ...noise] : [])];
}

function renderMemory(section: MemorySection): string[] {
  const header = ['run', 'ops/s', 'peak under load', 'peak with summary and report'];
  const rows = section.runs.map(({ durationSec, opsPerSec, peakRssLoadBytes, peakRssBytes }) => [
    `${durationSec} s`,
    formatCount(opsPerSec),
    formatBytes(peakRssLoadBytes),
    formatBytes(peakRssBytes),
  ]);
  return [...heading(`Memory at ${formatCount(section.ratePerSec)}/s, ${section.threads} workers`, section), '', ...table(header, rows)];
}

function renderAccuracy(section: AccuracySection): string[] {
  const cases = section.cases.flatMap((each) => ['', `### ${each.title}, client: ${each.client}`, '', '```', ...describeCase(each), '```']);
  return [...heading('Accuracy against a known server', section), ...cases];
}

function heading(title: string, { date, kvbench, machine, server, rounds, seconds, notes }: SectionHead): string[] {
  const { cpu, cores, memoryBytes, system, node, loadBefore } = machine;
  const how = [
    `${date.slice(0, 10)}, kvbench ${kvbench}`,
    `${cores} × ${cpu}, ${formatBytes(memoryBytes)}, ${system}, Node ${node}`,
    ...(server === null ? [] : [`server: ${server}`]),
    seconds === 0 ? `${rounds} starts` : `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s`,
    `load before: ${loadBefore}`,
  ];
  return ['', `## ${title}`, '', `${how.join(' · ')}.`, ...notes.flatMap((note) => ['', note])];
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}

function figure(windows: readonly (WindowResult | null)[], pick: (window: WindowResult) => number | null): Figure | null {
  return figureOf(windows.flatMap((window) => (window === null ? [] : [pick(window)])).filter((value) => value !== null));
}

function fixed(value: Figure | null, digits: number): string {
  if (value === null) return '–';
  return digits === 0 ? formatCount(value.median) : value.median.toFixed(digits);
}

function bytes(value: Figure | null): string {
  return value === null ? '–' : formatBytes(value.median);
}
