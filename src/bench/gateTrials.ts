/**
 * Trials of the gate on made-up runs, which differ as recorded ones do: of the same thing, and of things that are worse by a known amount. Called by
 * gateMain.ts; needs no server.
 */
import type { LoadedSide } from '../compare/loadSide.js';
import { type TrialSeries, trialRules, tryGate } from './gateTally.js';
import { deviationOf, type Made, MadeUpRuns, type Spread } from './madeUpRuns.js';
import type { RecordedRun, RecordedRuns } from './recordedRuns.js';
import { syntheticSide } from './syntheticRun.js';

type Load = RecordedRun['load'];

export interface SyntheticTrials {
  recorded: RecordedRuns;
  /** Of p99 between made-up runs; null: as recorded. */
  p99Spread: number | null;
  /** Of each side; null: 5, 6 and 7 in turn. */
  pairs: number | null;
  /** A/A comparisons. */
  same: number;
  /** Of each change. */
  power: number;
  /** Another one, other made-up runs. */
  seed: number;
}

const same: Made = { latencyFactor: 1, throughputFactor: 1 };
const slower: Made = { ...same, latencyFactor: 1.2 };
const fewer: Made = { ...same, throughputFactor: 0.95 };

interface Series {
  title: string;
  count: number;
  candidate: Made;
  /** Taken in turn. */
  loads: readonly Load[];
  rules: readonly string[];
  limit: TrialSeries['limit'];
}

/** @param say told what was recorded, after every twentieth trial, and how much the runs that were made up differ */
export function runSyntheticTrials(trials: SyntheticTrials, say: (text: string) => void): TrialSeries[] {
  const { recorded, power } = trials;
  const sources = sourcesOf(recorded, trials.p99Spread, say);
  const throughputLoad = sources.has('closed') ? 'closed' : 'open';
  const pairsText = trials.pairs ?? '5 to 7';
  const made = new MadeSpread();
  const series: Series[] = [
    {
      title: 'A/A, made up: called slower or faster',
      count: trials.same,
      candidate: same,
      loads: [...sources.keys()],
      rules: Object.values(trialRules),
      limit: { atMost: 0.02 },
    },
    ...[...sources.keys()].map(
      (load): Series => ({
        title: `+20 % p99 (${load} loop), made up: found in ${pairsText} pairs`,
        count: power,
        candidate: slower,
        loads: [load],
        rules: [trialRules.latency],
        // As in the real part: of a server that is asked at a rate. At the limit of a server p99 is made by whatever holds it up, and is shown.
        limit: load === 'open' || !sources.has('open') ? { atLeast: 0.9 } : { shown: true },
      }),
    ),
    {
      title: `5 % less throughput, made up: found in ${pairsText} pairs`,
      count: power,
      candidate: fewer,
      loads: [throughputLoad],
      rules: [trialRules.throughput],
      limit: { atLeast: 0.8 },
    },
  ];
  let index = trials.seed * 1_000_000;
  const result = series.map(({ title, count, candidate, loads, rules, limit }): TrialSeries => {
    const counted = { hits: 0, significant: 0, plain: 0 };
    for (let trial = 0; trial < count; trial++) {
      const load = loads[trial % loads.length] as Load;
      const source = sources.get(load) as MadeUpRuns;
      const runs = trials.pairs ?? 5 + (Math.floor(trial / loads.length) % 3);
      const side = (label: string, how: Made): LoadedSide =>
        syntheticSide(
          label,
          Array.from({ length: runs }, () => source.make(index++, how)),
        );
      const base = side('base', same);
      const outcome = tryGate(base, side('candidate', candidate), rules);
      made.add(load, base);
      if ('atMost' in limit ? outcome.isCalled : outcome.failed) counted.hits++;
      if (outcome.isSignificant) counted.significant++;
      if (outcome.plainFails) counted.plain++;
      if ((trial + 1) % 20 === 0) say(`${title}: ${trial + 1} of ${count}`);
    }
    const plain = 'atMost' in limit ? '' : `; Student's t test of the runs' own values at 2 % alone: ${counted.plain}`;
    const note = `${counted.significant} significant, whatever their size; gate of ${rules.length === 1 ? 'one rule' : `${rules.length} rules`}${plain}`;
    return { title, trials: count, hits: counted.hits, limit, note };
  });
  for (const line of made.lines()) say(line);
  return result;
}

function sourcesOf({ header, runs }: RecordedRuns, p99Spread: number | null, say: (text: string) => void): Map<Load, MadeUpRuns> {
  const sources = new Map<Load, MadeUpRuns>();
  say(`recorded on ${header.machine}, against ${header.server}:`);
  for (const load of ['open', 'closed'] as const) {
    const own = runs.filter((run) => run.load === load);
    if (own.length === 0) continue;
    const source = new MadeUpRuns(own, p99Spread);
    sources.set(load, source);
    const saturated = own.filter((run) => run.saturated).length;
    const differ = source.recorded === null ? 'how runs differ is made up' : `standard deviation between runs: ${spreadText(source.recorded)}`;
    say(`  ${own.length} ${load}-loop runs, ${saturated === 0 ? '' : `${saturated} with a saturated generator, `}${differ}`);
  }
  return sources;
}

function spreadText({ latency, throughput }: Spread): string {
  return `p99 ${(latency * 100).toFixed(1)} %, throughput ${(throughput * 100).toFixed(2)} %`;
}

/** What made-up runs of the same thing really differ by. */
class MadeSpread {
  readonly #values = new Map<Load, { p99: number[]; pace: number[] }>();

  add(load: Load, { runs }: LoadedSide): void {
    const values = this.#values.get(load) ?? { p99: [], pace: [] };
    this.#values.set(load, values);
    for (const { summary } of runs) {
      values.p99.push(Math.log(Math.max(1, summary.latencyUs.all?.p99 ?? 1)));
      values.pace.push(Math.log(summary.throughputOpsPerSec));
    }
  }

  lines(): string[] {
    return [...this.#values].map(
      ([load, { p99, pace }]) =>
        `${p99.length} made-up ${load}-loop runs of the same thing differed by: ${spreadText({ latency: deviationOf(p99), throughput: deviationOf(pace) })}`,
    );
  }
}
