/**
 * Trials of the gate on made-up runs: recorded 100 ms intervals, drawn in blocks of a second, times a level per run and a drift within it, so that
 * runs of one thing differ as much as they are told to. Called by gateMain.ts; needs no server.
 */
import { hdrIndexOf, hdrLowestValueUs } from '../base/hdrIndex.js';
import { normalQuantile } from '../base/normal.js';
import { RandomStream } from '../base/random.js';
import type { LoadedRun, LoadedSide } from '../compare/loadSide.js';
import { type RunData, readRun } from '../result/readRun.js';
import type { CellRecord, SparseHistogram } from '../result/records.js';
import { type TrialSeries, trialRules, tryGate } from './gateTally.js';
import { syntheticLoadedRun, syntheticSide } from './syntheticRun.js';

/** Sub-stream of draws, apart from those of plans and made-up values. */
const TRIALS = 2002;
const SECONDS = 10;
const BLOCK_SLOTS = 10;
/** A recorded interval with fewer operations is in an outage or at the edge of a phase. */
const MIN_OPERATIONS = 20;

export interface Variation {
  /** Standard deviation of the logarithm between runs. */
  latency: number;
  throughput: number;
  /** From one second to the next within a run; half of it is carried over. */
  drift: number;
}

/** What shared two-core machines show between good runs, rounded up. */
export const usualVariation: Variation = { latency: 0.05, throughput: 0.015, drift: 0.05 };

interface Made {
  latencyFactor: number;
  throughputFactor: number;
}

export class Recording {
  readonly #slots: SparseHistogram[][];

  /** Intervals of a result folder with a usual number of answers. */
  constructor(data: RunData) {
    const slots = new Map<number, SparseHistogram[]>();
    for (const { cells } of data.intervals()) {
      for (const { phase, slot, ops } of cells) {
        if (!data.run.plan.load.phases[phase]?.record) continue;
        const list = slots.get(slot) ?? [];
        slots.set(slot, list);
        for (const { response } of Object.values(ops)) list.push(response);
      }
    }
    const counts = new Map([...slots].map(([slot, list]) => [slot, list.reduce((sum, sparse) => sum + totalOf(sparse), 0)]));
    const usual = [...counts.values()].sort((a, b) => a - b)[counts.size >> 1] ?? 0;
    this.#slots = [...slots].filter(([slot]) => (counts.get(slot) ?? 0) >= Math.max(MIN_OPERATIONS, usual * 0.9)).map(([, list]) => list);
    if (this.#slots.length < BLOCK_SLOTS) throw new Error('the recording has no second of steady load');
  }

  static read(dir: string): Recording {
    return new Recording(readRun(dir));
  }

  get slotCount(): number {
    return this.#slots.length;
  }

  /** @param index any run number: another run each */
  makeRun(index: number, variation: Variation, { latencyFactor, throughputFactor }: Made): LoadedRun {
    const draws = new RandomStream(index, TRIALS);
    let next = 0;
    const normal = (): number => normalQuantile(Math.min(1 - 1e-9, Math.max(1e-9, draws.unit(next++))));
    const level = latencyFactor * Math.exp(variation.latency * normal());
    const pace = throughputFactor * Math.exp(variation.throughput * normal());
    const cells: CellRecord['ops'][] = [];
    let drift = 0;
    for (let second = 0; second < SECONDS; second++) {
      drift = 0.5 * drift + variation.drift * Math.sqrt(0.75) * normal();
      const start = draws.below(next++, this.#slots.length);
      for (let i = 0; i < BLOCK_SLOTS; i++) {
        const recorded = this.#slots[(start + i) % this.#slots.length] as SparseHistogram[];
        const count = recorded.reduce((sum, sparse) => sum + totalOf(sparse), 0);
        // Who answers slower does less.
        const ok = Math.max(1, Math.round(count * pace * Math.exp(-0.2 * drift)));
        cells.push({ get: { planned: ok, ok, fail: 0, info: 0, dropped: 0, response: scaled(recorded, level * Math.exp(drift)) } });
      }
    }
    return syntheticLoadedRun({ seed: index, seconds: SECONDS, latencyUs: () => 0, closedLoop: true, cell: (slot) => cells[slot] ?? {} });
  }
}

function totalOf(sparse: SparseHistogram): number {
  let total = 0;
  for (let i = 1; i < sparse.length; i += 2) total += sparse[i] as number;
  return total;
}

/** Every value times a factor, added up. */
function scaled(histograms: readonly SparseHistogram[], factor: number): SparseHistogram {
  const counts = new Map<number, number>();
  for (const sparse of histograms) {
    let index = 0;
    for (let i = 0; i + 1 < sparse.length; i += 2) {
      index += sparse[i] as number;
      const to = hdrIndexOf(Math.round(hdrLowestValueUs(index) * factor));
      counts.set(to, (counts.get(to) ?? 0) + (sparse[i + 1] as number));
    }
  }
  const result: number[] = [];
  let previous = 0;
  for (const [index, count] of [...counts].sort(([a], [b]) => a - b)) {
    result.push(index - previous, count);
    previous = index;
  }
  return result;
}

export interface SyntheticTrials {
  recording: Recording;
  variation: Variation;
  /** A/A comparisons. */
  same: number;
  /** Of each change. */
  power: number;
  /** Another one, other made-up runs. */
  seed: number;
}

const same: Made = { latencyFactor: 1, throughputFactor: 1 };

/** @param say told after every tenth trial */
export function runSyntheticTrials(
  { recording, variation, same: sameTrials, power, seed }: SyntheticTrials,
  say: (text: string) => void,
): TrialSeries[] {
  let index = seed * 1_000_000;
  const side = (label: string, runs: number, made: Made): LoadedSide =>
    syntheticSide(
      label,
      Array.from({ length: runs }, () => recording.makeRun(index++, variation, made)),
    );
  const trials = (title: string, count: number, candidate: Made, rules: readonly string[], limit: TrialSeries['limit']): TrialSeries => {
    let hits = 0;
    let significant = 0;
    for (let trial = 0; trial < count; trial++) {
      const pairs = 5 + (trial % 3);
      const outcome = tryGate(side('base', pairs, same), side('candidate', pairs, candidate), rules);
      if ('atMost' in limit ? outcome.isCalled : outcome.failed) hits++;
      if (outcome.isSignificant) significant++;
      if ((trial + 1) % 10 === 0) say(`${title}: ${trial + 1} of ${count}`);
    }
    return {
      title,
      trials: count,
      hits,
      limit,
      note: `${significant} significant, whatever their size; gate of ${rules.length === 1 ? 'one rule' : `${rules.length} rules`}`,
    };
  };
  return [
    trials('A/A, made up: called slower or faster', sameTrials, same, Object.values(trialRules), { atMost: 0.02 }),
    trials('+20 % p99, made up: found in 5 to 7 pairs', power, { ...same, latencyFactor: 1.2 }, [trialRules.latency], { atLeast: 0.9 }),
    trials('5 % less throughput, made up: found in 5 to 7 pairs', power, { ...same, throughputFactor: 0.95 }, [trialRules.throughput], {
      atLeast: 0.8,
    }),
  ];
}
