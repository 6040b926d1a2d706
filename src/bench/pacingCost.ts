/**
 * Dispatch lag and CPU of each way of pacing at several rates, as a table: `node dist/bench/pacingCost.js [SECONDS]` on an idle machine.
 * Not part of `npm run bench`, which measures the way that `auto` chooses. CPU is of this process: the workers, the pacing thread and
 * the merging of what they count.
 */
import { availableParallelism } from 'node:os';
import { monotonicUs } from '../base/clock.js';
import { formatCount, formatUs } from '../base/units.js';
import { LoadRunner } from '../load/loadRunner.js';
import { makePlan } from '../plan/makePlan.js';
import { type Pacing, type Plan, pacings } from '../plan/plan.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { Counts } from '../stats/hdr.js';
import { startLab } from '../topology/lab.js';
import type { Target } from '../topology/target.js';

const RATES_PER_SEC = [100, 1000, 5000, 20_000];
const DEFAULT_SECONDS = 5;
const LEAD_US = 100_000;
const lab = { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'redis-server', config: {} } as const;

function planOf(pacing: Pacing, ratePerSec: number, seconds: number): Plan {
  const profile = {
    target: { topology: 'standalone' },
    load: {
      client: 'wire',
      threads: 1,
      pacing,
      workload: { operations: { get: 1, set: 1 }, keys: { count: 10_000 }, preload: false },
      phases: [{ duration: `${seconds}s`, rate: `${ratePerSec}/s` }],
    },
  };
  return makePlan(profileFromObject(profile, 'pacing', process.cwd(), { faults: [], sets: [], env: {} }));
}

interface Measured {
  lag: Counts;
  response: Counts;
  cores: number;
}

async function measure(target: Target, plan: Plan): Promise<Measured> {
  const lag = new Counts();
  const response = new Counts();
  const runner = new LoadRunner(plan, target.endpoints(null), {
    interval(record) {
      for (const rest of record.rest ?? []) lag.add(rest.dispatchLag);
      for (const cell of record.cells) for (const operation of Object.values(cell.ops)) response.add(operation.response);
    },
    event() {},
  });
  try {
    await runner.connect();
    const before = process.cpuUsage();
    const startUs = monotonicUs();
    runner.start(startUs + LEAD_US);
    await runner.finished;
    const { user, system } = process.cpuUsage(before);
    return { lag, response, cores: (user + system) / (monotonicUs() - startUs) };
  } finally {
    await runner.terminate();
  }
}

function row(pacing: Pacing, ratePerSec: number, { lag, response, cores }: Measured): string {
  const at = (counts: Counts, percentile: number): string => formatUs(counts.percentileUs(percentile)).padStart(8);
  const lags = [50, 99, 99.9].map((percentile) => at(lag, percentile)).join(' ');
  const responses = [50, 99].map((percentile) => at(response, percentile)).join(' ');
  return `${pacing.padEnd(7)} ${`${formatCount(ratePerSec)}/s`.padStart(9)}  lag p50 p99 p99.9 ${lags}  response p50 p99 ${responses}  cores ${cores.toFixed(2)}`;
}

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? DEFAULT_SECONDS);
  const target = await startLab(lab, { onProgress: () => {}, signal: new AbortController().signal });
  try {
    process.stdout.write(`${availableParallelism()} cores, client wire, one worker, ${seconds} s each\n`);
    for (const ratePerSec of RATES_PER_SEC) {
      for (const pacing of pacings) process.stdout.write(`${row(pacing, ratePerSec, await measure(target, planOf(pacing, ratePerSec, seconds)))}\n`);
    }
  } finally {
    await target.close();
  }
}

await main();
