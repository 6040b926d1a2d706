/** What kvbench promises of its own speed and accuracy, against what was measured. Used by benchTable.ts. Pure; it never hides a miss. */
import { type Figure, ratioOf, type WindowResult } from './arithmetic.js';
import type { BenchSections, CaseResult, ContenderResult } from './benchResult.js';

export interface Requirement {
  what: string;
  wanted: string;
  /** Null: not measured. */
  observed: string | null;
  ok: boolean | null;
}

/** Highest dispatch lag at 20,000/s from one worker, and limits of memory and start-up. */
const LAG_LIMIT_US = 500;
const MEMORY_LIMIT_BYTES = 200_000_000;
const MEMORY_GROWTH_LIMIT = 1.1;
const START_UP_LIMIT = 3;
const LEDGER_LIMIT = 0.9;
/** What the real Toxiproxy leaves of redis-benchmark's direct throughput. */
const proxyGoals = [
  { caseId: 'standalone', limit: 0.42 },
  { caseId: 'standalone-16', limit: 0.53 },
];

const ratioGoals: readonly { caseId: string; own: string; other: string; of: 'throughput' | 'cpu'; limit: number }[] = [
  { caseId: 'standalone', own: 'wire', other: 'redis-benchmark', of: 'throughput', limit: 1.2 },
  { caseId: 'standalone', own: 'wire', other: 'memtier', of: 'throughput', limit: 1.05 },
  { caseId: 'standalone-16', own: 'wire', other: 'redis-benchmark', of: 'throughput', limit: 1 },
  { caseId: 'standalone-16', own: 'wire', other: 'memtier', of: 'throughput', limit: 1 },
  { caseId: 'cluster', own: 'wire', other: 'redis-benchmark', of: 'throughput', limit: 1 },
  { caseId: 'standalone', own: 'ioredis', other: 'bare-ioredis', of: 'throughput', limit: 0.9 },
  { caseId: 'standalone', own: 'wire', other: 'redis-benchmark', of: 'cpu', limit: 1 },
  { caseId: 'standalone-16', own: 'wire', other: 'redis-benchmark', of: 'cpu', limit: 1.2 },
];

export function requirementsOf(sections: BenchSections): Requirement[] {
  return [
    ...ratioGoals.map((goal) => ratioRequirement(sections, goal)),
    ledgerRequirement(sections),
    ...proxyRequirements(sections),
    ...accuracyRequirements(sections),
    ...otherRequirements(sections),
  ];
}

/** Throughput, or CPU time per operation, of one contender over that of another, round by round. Null when either is missing. */
export function contenderRatio(benchCase: CaseResult, ownId: string, otherId: string, of: 'throughput' | 'cpu'): Figure | null {
  const own = benchCase.contenders.find(({ id }) => id === ownId);
  const other = benchCase.contenders.find(({ id }) => id === otherId);
  if (own === undefined || other === undefined) return null;
  const valuesOf = ({ rounds }: ContenderResult): (number | null)[] =>
    rounds.map((round) => (round === null ? null : of === 'cpu' ? round.cpuUsPerOp : round.opsPerSec));
  return ratioOf(valuesOf(own), valuesOf(other));
}

function ratioRequirement({ throughput }: BenchSections, { caseId, own, other, of, limit }: (typeof ratioGoals)[number]): Requirement {
  const benchCase = throughput?.cases.find(({ id }) => id === caseId);
  const ratio = benchCase === undefined ? null : contenderRatio(benchCase, own, other, of);
  const value = of === 'cpu' ? 'CPU per operation' : 'throughput';
  return {
    what: `${caseId}: ${value} of ${own} / ${other}`,
    wanted: `${of === 'cpu' ? 'at most' : 'at least'} ${limit.toFixed(2)} ×`,
    observed: ratio === null ? null : `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
    ok: ratio === null ? null : of === 'cpu' ? ratio.median <= limit : ratio.median >= limit,
  };
}

/** Throughput with the ledger over that without, round by round. */
export function ledgerRatio(off: readonly (WindowResult | null)[], on: readonly (WindowResult | null)[]): Figure | null {
  const ops = (window: WindowResult | null): number | null => window?.opsPerSec ?? null;
  return ratioOf(on.map(ops), off.map(ops));
}

function ledgerRequirement({ ledger }: BenchSections): Requirement {
  const plain = ledger?.cases.find(({ id }) => id === 'standalone');
  const ratio = plain === undefined ? null : ledgerRatio(plain.off, plain.on);
  return {
    what: 'standalone: throughput of wire with the ledger / without',
    wanted: `at least ${LEDGER_LIMIT.toFixed(2)} ×`,
    observed: ratio === null ? null : `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
    ok: ratio === null ? null : ratio.median >= LEDGER_LIMIT,
  };
}

function proxyRequirements({ proxy }: BenchSections): Requirement[] {
  return proxyGoals.map(({ caseId, limit }) => {
    const measured = proxy?.cases.find(({ id }) => id === caseId);
    const ops = (window: WindowResult | null): number | null => window?.opsPerSec ?? null;
    const ratio = measured === undefined ? null : ratioOf(measured.proxied.map(ops), measured.direct.map(ops));
    return {
      what: `${caseId}: throughput of redis-benchmark through the embedded Toxiproxy / direct`,
      wanted: `at least ${limit.toFixed(2)} ×`,
      observed: ratio === null ? null : `${ratio.median.toFixed(2)} × (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
      ok: ratio === null ? null : ratio.median >= limit,
    };
  });
}

function accuracyRequirements({ accuracy }: BenchSections): Requirement[] {
  const goals = [
    { prefix: 'delay-', what: 'known delay of 1, 5, 20 ms at 2,000/s', wanted: 'p50 to p99.9 within 0.15 ms or 2 %' },
    { prefix: 'quiet-delay-', what: 'the same on a quiet machine', wanted: 'p50 to p99.9 within 0.15 ms or 2 %' },
    { prefix: 'stall', what: 'known stall of 1 s in 10 s', wanted: 'p92, p95, p99 within 20 ms' },
  ];
  return goals.map(({ prefix, what, wanted }) => {
    const cases = accuracy?.cases.filter(({ id }) => id.startsWith(prefix)) ?? [];
    const rows = cases.flatMap(({ rows }) => rows);
    const failures = cases.filter(({ failure }) => failure !== null).length;
    const good = rows.filter(({ ok }) => ok).length;
    const isMeasured = cases.length > 0;
    const failed = failures === 0 ? '' : `, ${failures} runs failed`;
    return {
      what,
      wanted,
      observed: isMeasured ? `${good} of ${rows.length} figures${failed}` : null,
      ok: isMeasured ? good === rows.length && failures === 0 : null,
    };
  });
}

function otherRequirements({ pacing, memory, startUp }: BenchSections): Requirement[] {
  const chosen = pacing?.ways.find((way) => way.pacing === pacing.chosen);
  const lagUs = chosen?.dispatchLagP99Us?.median ?? null;
  const short = memory?.runs[0];
  const long = memory?.runs.at(-1);
  const hasMemory = short !== undefined && long !== undefined && memory !== undefined && memory.runs.length > 1;
  const growth = hasMemory ? long.peakRssBytes / short.peakRssBytes : Number.NaN;
  return [
    {
      what: 'open loop at 20,000/s from one worker: dispatch lag p99',
      wanted: `at most ${LAG_LIMIT_US / 1000} ms`,
      observed: lagUs === null ? null : `${(lagUs / 1000).toFixed(2)} ms, ${chosen?.cores?.median.toFixed(2) ?? '?'} cores (${pacing?.chosen})`,
      ok: lagUs === null ? null : lagUs <= LAG_LIMIT_US,
    },
    {
      what: 'peak memory at 20,000/s, two workers: 10 minutes against 1',
      wanted: `at most ${MEMORY_GROWTH_LIMIT.toFixed(2)} ×, under ${MEMORY_LIMIT_BYTES / 1_000_000} MB`,
      observed: hasMemory ? `${growth.toFixed(2)} ×, ${(long.peakRssBytes / 1_000_000).toFixed(0)} MB` : null,
      ok: hasMemory ? growth <= MEMORY_GROWTH_LIMIT && long.peakRssBytes < MEMORY_LIMIT_BYTES : null,
    },
    {
      what: 'start-up: kvbench --help / node -e 0',
      wanted: `at most ${START_UP_LIMIT} ×`,
      observed: startUp === undefined ? null : `${startUp.ratio.median.toFixed(2)} ×`,
      ok: startUp === undefined ? null : startUp.ratio.median <= START_UP_LIMIT,
    },
  ];
}
