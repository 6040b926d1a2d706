/** The load generator and the servers on the terminal: whether the figures are the store's, and what it cost either side. Called by terminalSummary.ts; pure. */
import { formatBytes, formatCount, formatUs } from '../base/units.js';
import type { ServerSummary, Summary, WorkerSummary } from '../result/summary.js';
import type { SummaryPage } from './summaryPage.js';
import { shareText } from './textLayout.js';

/** The page has all of them. */
const MAX_SERVERS = 12;
const MAX_WORKERS = 8;

export function addGenerator(page: SummaryPage, { generator }: Summary): void {
  const { saturated, reasons, remedies = [], workers = [] } = generator;
  const { eventLoopUtilization, eventLoopDelayP99Us, dispatchLagP99Us, cpuSeconds, rssBytesMax } = generator;
  page.section('GENERATOR');
  if (saturated) {
    const { red, bold } = page.colors;
    page.prose('SATURATED: kvbench itself was the bottleneck. The figures below are its own, not the store’s.', (text) => red(bold(text)), '✗ ');
    for (const reason of reasons) page.prose(reason, red, '  - ');
    if (remedies.length > 0) page.prose('To change, the most promising first:', bold, '  ');
    for (const remedy of remedies) page.prose(remedy, bold, '  → ');
  } else {
    page.line(`${page.mark('good')} not saturated`);
  }
  page.row('event loop', `${shareText(eventLoopUtilization)} busy and ${formatUs(eventLoopDelayP99Us)} late (p99) in its worst second`);
  page.row('dispatch lag', `p(99)=${formatUs(dispatchLagP99Us)}`);
  page.row('resources', `${cpuSeconds.toFixed(1)} s of CPU, ${formatBytes(rssBytesMax)} at most`);
  const collections = collectionsText(workers);
  if (collections !== '') page.row('garbage collections', collections);
  if (workers.length > 1 && workers.length <= MAX_WORKERS) page.table(workers.map(workerCells), ['left', 'right', 'right', 'left', 'right', 'right']);
}

/** Empty when nobody counted. */
function collectionsText(workers: readonly WorkerSummary[]): string {
  const counted = workers.filter(({ gcCount }) => gcCount !== null);
  if (counted.length === 0) return '';
  const sum = (key: 'gcCount' | 'gcPauseUs'): number => counted.reduce((total, worker) => total + (worker[key] ?? 0), 0);
  const worst = Math.max(...counted.map(({ gcPauseWorstSecondUs }) => gcPauseWorstSecondUs ?? 0));
  return `${formatCount(sum('gcCount'))}, pauses of ${formatUs(sum('gcPauseUs'))} in all, ${formatUs(worst)} in the worst second of a worker`;
}

function workerCells(worker: WorkerSummary): string[] {
  return [
    `worker ${worker.worker}`,
    `${shareText(worker.eventLoopUtilization)} busy`,
    `${formatUs(worker.eventLoopDelayP99Us)} late`,
    `lag p(99)=${formatUs(worker.dispatchLagP99Us)}`,
    `${worker.cpuSeconds.toFixed(1)} s CPU`,
    worker.gcPauseUs === null ? '' : `gc ${formatUs(worker.gcPauseUs)}`,
  ];
}

export function addServers(page: SummaryPage, { servers = [] }: Summary): void {
  if (servers.length === 0) return;
  page.section('SERVERS', 'as they say themselves, once a second');
  const busiest = [...servers].sort((a, b) => (b.cpuSecondsPerSec.max ?? 0) - (a.cpuSecondsPerSec.max ?? 0)).slice(0, MAX_SERVERS);
  page.table(servers.filter((server) => busiest.includes(server)).map(serverCells), ['left', 'left', 'right', 'right', 'left', 'left']);
  const rest = servers.length - busiest.length;
  if (rest > 0) page.line(page.colors.dim(`and ${rest} more, less busy: see the report`));
}

function serverCells({
  node,
  cpuSecondsPerSec: cpu,
  memoryBytesMax,
  opsPerSecMax,
  hits,
  misses,
  evicted,
  expired,
  lastForkUs,
}: ServerSummary): string[] {
  const asked = (hits ?? 0) + (misses ?? 0);
  const rest = [
    ...(evicted ? [`${formatCount(evicted)} evicted`] : []),
    ...(expired ? [`${formatCount(expired)} expired`] : []),
    ...(lastForkUs ? [`fork ${formatUs(lastForkUs)}`] : []),
  ];
  return [
    node,
    cpu.mean === null ? 'CPU –' : `CPU ${cpu.mean.toFixed(2)}, max ${(cpu.max ?? cpu.mean).toFixed(2)}`,
    memoryBytesMax === null ? '–' : formatBytes(memoryBytesMax),
    opsPerSecMax === null ? '–' : `${formatCount(opsPerSecMax)}/s`,
    asked === 0 ? '' : `${shareText((hits ?? 0) / asked)} hits`,
    rest.join(', '),
  ];
}
