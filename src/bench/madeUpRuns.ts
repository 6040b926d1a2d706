/**
 * Made-up runs of 10 s: each is one recorded run, drawn at random and moved a little, with its seconds in another order, so that runs of one thing
 * differ as the recorded ones did. Used by gateTrials.ts. Deterministic: everything comes from the number of the run.
 */
import { KvbenchError } from '../base/errors.js';
import { normalQuantile } from '../base/normal.js';
import { RandomStream } from '../base/random.js';
import type { LoadedRun } from '../compare/loadSide.js';
import type { CellRecord } from '../result/records.js';
import { Counts } from '../stats/hdr.js';
import type { RecordedRun, RecordedSlot } from './recordedRuns.js';
import { scaledSum } from './sparseSum.js';
import { syntheticLoadedRun } from './syntheticRun.js';

/** Sub-streams of draws, apart from those of plans and made-up values. */
const TRIALS = 2002;
const SECONDS = 10;
/** A second: what neighbouring intervals have in common stays together. */
const BLOCK_SLOTS = 10;
/** With fewer there is nothing to draw levels from. */
const LEVEL_RUNS = 6;

/** How a made-up run differs from what was recorded. */
export interface Made {
  latencyFactor: number;
  throughputFactor: number;
}

/** Standard deviations of the logarithm between runs. */
export interface Spread {
  latency: number;
  throughput: number;
}

/** For a single recorded run: what shared two-core machines show between good runs, rounded up. */
const usualSpread: Spread = { latency: 0.05, throughput: 0.015 };
/** Likewise, from one second to the next within a run; half of it is carried over. */
const usualDrift = 0.05;

export class MadeUpRuns {
  /** Between the recorded runs, p99 and throughput; null: there is one run. */
  readonly recorded: Spread | null;
  readonly #runs: readonly RecordedRun[];
  readonly #p99: Levels;
  readonly #pace: Levels;

  /**
   * @param runs of one kind of load @param p99Spread instead of what was recorded between runs (for a single run: instead of the usual 5 %, to
   * which come its drift and its seconds). Throws RESULT_NOT_READABLE: too few runs, or no second of load.
   */
  constructor(runs: readonly RecordedRun[], p99Spread: number | null = null) {
    if (runs.length !== 1 && runs.length < LEVEL_RUNS) throw unfit(`${runs.length} recorded runs of a kind are too few to know how runs differ`);
    if (runs.some(({ slots }) => slots.length < BLOCK_SLOTS)) throw unfit('a recorded run has no second of steady load');
    this.#runs = runs;
    const isOne = runs.length === 1;
    const p99 = runs.map(({ slots }) => logP99(slots));
    const pace = runs.map(({ slots }) => logPace(slots));
    this.recorded = isOne ? null : { latency: deviationOf(p99), throughput: deviationOf(pace) };
    this.#p99 = new Levels(p99, p99Spread ?? this.recorded?.latency ?? usualSpread.latency);
    this.#pace = new Levels(pace, this.recorded?.throughput ?? usualSpread.throughput);
  }

  /** @param index any number: another run each */
  make(index: number, { latencyFactor, throughputFactor }: Made): LoadedRun {
    const draws = new RandomStream(index, TRIALS);
    let next = 0;
    const normal = (): number => normalQuantile(Math.min(1 - 1e-9, Math.max(1e-9, draws.unit(next++))));
    const from = draws.below(next++, this.#runs.length);
    const level = latencyFactor * Math.exp(this.#p99.change(from, normal()));
    const pace = throughputFactor * Math.exp(this.#pace.change(from, normal()));
    const drift = driftOf(this.recorded === null ? usualDrift : 0, normal);
    const source = (this.#runs[from] as RecordedRun).slots;
    const below = (limit: number): number => draws.below(next++, limit);
    const slots = this.recorded === null ? drawnSeconds(source, below) : shuffledSeconds(source, below);
    const cells = slots.map(([count, response], i): CellRecord['ops'] => {
      const drifted = drift[Math.floor(i / BLOCK_SLOTS)] as number;
      // Who answers slower does less.
      const ok = Math.round(count * pace * Math.exp(-0.2 * drifted));
      return { get: { planned: ok, ok, fail: 0, info: 0, dropped: 0, response: scaledSum([response], level * Math.exp(drifted)) } };
    });
    return syntheticLoadedRun({ seed: index, seconds: SECONDS, latencyUs: () => 0, closedLoop: true, cell: (slot) => cells[slot] ?? {} });
  }
}

/**
 * How a drawn run is moved, so that made-up runs differ by a known standard deviation although there are few recorded ones: its distance from the
 * mean is stretched, and blurred by a normal distribution as wide as Silverman's rule says (a smoothed bootstrap that keeps the variance: Silverman
 * & Young 1987).
 */
class Levels {
  readonly #offsets: readonly number[];
  readonly #stretch: number;
  readonly #blur: number;

  /** @param wanted standard deviation between made-up runs */
  constructor(levels: readonly number[], wanted: number) {
    const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
    this.#offsets = levels.map((level) => level - mean);
    const drawn = Math.sqrt(this.#offsets.reduce((sum, offset) => sum + offset ** 2, 0) / levels.length);
    const bandwidth = 1.06 * levels.length ** -0.2;
    const kept = drawn > 0 ? 1 / Math.sqrt(1 + bandwidth ** 2) : 0;
    this.#stretch = drawn > 0 ? (wanted / drawn) * kept : 1;
    this.#blur = wanted * Math.sqrt(1 - kept ** 2);
  }

  /** What is to be added to the logarithm. */
  change(run: number, normal: number): number {
    return (this.#offsets[run] as number) * (this.#stretch - 1) + this.#blur * normal;
  }
}

/**
 * All seconds of a run in another order, from a beginning drawn at random; of a longer run ten of them. None twice: what is by chance within a run is in
 * its level already, and drawing seconds with replacement would add it again (where one second has half of the slow answers, that is more than all runs
 * differ by).
 */
function shuffledSeconds(slots: readonly RecordedSlot[], below: (limit: number) => number): RecordedSlot[] {
  const begin = below(slots.length);
  const seconds = Array.from({ length: Math.floor(slots.length / BLOCK_SLOTS) }, (_, i) => begin + i * BLOCK_SLOTS);
  for (let i = seconds.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [seconds[i], seconds[j]] = [seconds[j] as number, seconds[i] as number];
  }
  return Array.from({ length: SECONDS }, (_, i) => seconds[i % seconds.length] as number).flatMap((start) => blockFrom(slots, start));
}

/** Ten seconds of a run, each drawn anew: all that a single run can give. */
function drawnSeconds(slots: readonly RecordedSlot[], below: (limit: number) => number): RecordedSlot[] {
  return Array.from({ length: SECONDS }, () => blockFrom(slots, below(slots.length))).flat();
}

/** Circular. */
function blockFrom(slots: readonly RecordedSlot[], start: number): RecordedSlot[] {
  return Array.from({ length: BLOCK_SLOTS }, (_, i) => slots[(start + i) % slots.length] as RecordedSlot);
}

/** Of each second. */
function driftOf(deviation: number, normal: () => number): number[] {
  let drift = 0;
  return Array.from({ length: SECONDS }, () => {
    drift = 0.5 * drift + deviation * Math.sqrt(0.75) * normal();
    return drift;
  });
}

function logP99(slots: readonly RecordedSlot[]): number {
  const counts = new Counts();
  for (const [, response] of slots) counts.add(response);
  return Math.log(counts.percentileUs(99) ?? 1);
}

function logPace(slots: readonly RecordedSlot[]): number {
  return Math.log(
    Math.max(
      1,
      slots.reduce((sum, [ok]) => sum + ok, 0),
    ) / slots.length,
  );
}

function unfit(message: string): KvbenchError {
  const hint = `Give ${LEVEL_RUNS} runs or more of a kind of load (12 and more are better), or one, whose differences are made up.`;
  return new KvbenchError('RESULT_NOT_READABLE', message, hint);
}

/** Of a sample; 0 of fewer than two. */
export function deviationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
}
