/** Two sides compared, from their folders alone: rows, verdicts, warnings. Pure but for reading the intervals of the runs. Called by the commands diff and gate, and by bench:gate. */
import { kvbenchVersion } from '../base/packageRoot.js';
import type { NoiseRow } from './baselineFolder.js';
import { assertComparable, differencesOf } from './comparability.js';
import {
  COMPARISON_VERSION,
  type ComparedSide,
  type CompareLevel,
  type Comparison,
  type ComparisonRow,
  type ComparisonWarning,
} from './comparison.js';
import { judgeRow, percentText } from './judge.js';
import type { LoadedRun, LoadedSide } from './loadSide.js';
import { type Measure, measuresOf } from './measures.js';
import { byImportance, isPartOf } from './rowOrder.js';
import { foundText } from './rowText.js';
import { SideSamples } from './sides.js';

export interface CompareOptions {
  level: CompareLevel;
  /** 0..1 */
  confidence: number;
  /** Relative. */
  sameWithin: number;
  resamples: number;
  seed: number;
  /** Stored floor that fits both sides; null: none. */
  noiseFloor: { name: string; runs: number; rows: readonly NoiseRow[] } | null;
}

export const defaultCompareOptions: Omit<CompareOptions, 'level' | 'noiseFloor'> = { confidence: 0.95, sameWithin: 0.05, resamples: 1000, seed: 1 };

/** Both sides at once, so that what was measured for the rows serves the rules too. */
export class Pair {
  readonly base: SideSamples;
  readonly candidate: SideSamples;
  readonly #options: CompareOptions;
  readonly #rows = new Map<string, ComparisonRow | null>();

  constructor(base: LoadedSide, candidate: LoadedSide, options: CompareOptions) {
    this.#options = options;
    this.base = new SideSamples(base, options);
    this.candidate = new SideSamples(candidate, { ...options, seed: options.seed + 1 });
  }

  /** Why neither side has it. */
  whyNot(measure: Measure): string {
    return this.base.observe(measure).note ?? this.candidate.observe(measure).note ?? 'no value';
  }

  /** Null: neither side has it. */
  row(measure: Measure): ComparisonRow | null {
    const known = this.#rows.get(measure.id);
    if (known !== undefined) return known;
    const floor = this.#options.noiseFloor;
    const stored = floor?.rows.find(({ id }) => id === measure.id);
    const noise = floor && stored ? { ...stored, runs: floor.runs } : null;
    const row = judgeRow(measure, this.base.observe(measure), this.candidate.observe(measure), this.#options, noise);
    this.#rows.set(measure.id, row);
    return row;
  }
}

/** Without a gate. Throws NOT_COMPARABLE, RESULT_NOT_READABLE (a damaged line of intervals). */
export function compareSides(base: LoadedSide, candidate: LoadedSide, options: CompareOptions): { comparison: Comparison; pair: Pair } {
  assertComparable(base, candidate, options.level);
  const pair = new Pair(base, candidate, options);
  const operations = [...new Set([...pair.base.operations, ...pair.candidate.operations])].sort();
  const rows = measuresOf(base, candidate, operations).flatMap((measure) => {
    const row = pair.row(measure);
    return row === null || row.base.value === null || row.candidate.value === null ? [] : [row];
  });
  const { confidence, sameWithin, resamples, seed, noiseFloor } = options;
  const comparison: Comparison = {
    formatVersion: COMPARISON_VERSION,
    kind: 'comparison',
    kvbenchVersion,
    sentence: sentenceOf(rows, base.runs.length, candidate.runs.length),
    base: comparedSide(base),
    candidate: comparedSide(candidate),
    comparable: { level: options.level, differences: differencesOf(base, candidate) },
    method: { confidence, sameWithin, resamples, seed },
    noiseFloor: noiseFloor && rows.some((row) => row.decidedBy === 'noise floor') ? { name: noiseFloor.name, runs: noiseFloor.runs } : null,
    rows,
    gate: null,
    warnings: [],
  };
  comparison.warnings = warningsOf(comparison);
  return { comparison, pair };
}

function comparedSide({ label, source, runs }: LoadedSide): ComparedSide {
  return { label, source, profile: runs[0]?.data.run.name ?? '', runs: runs.map(comparedRun) };
}

function comparedRun({ data, summary }: LoadedRun): ComparedSide['runs'][number] {
  const { run } = data;
  return {
    id: run.id,
    dir: data.dir,
    startedAt: run.startedAt,
    seed: summary.seed,
    durationMs: summary.durationMs,
    verdict: summary.verdict,
    saturated: summary.generator.saturated,
    kvbenchVersion: run.kvbenchVersion,
    server: run.target === null ? 'unknown' : `${run.target.server} ${run.target.version}`,
    fingerprint: run.fingerprint,
  };
}

const MOST_NAMED = 3;
/** From so many runs of each side on, chance can be told from change by the runs themselves. */
const RUNS_TO_TELL = 4;

/** The changes that were found, what is worse and what matters most first; else what could be ruled out. */
function sentenceOf(rows: readonly ComparisonRow[], baseRuns: number, candidateRuns: number): string {
  const found = ['slower', 'faster'].flatMap((verdict) => byImportance(rows.filter((row) => row.verdict === verdict)));
  const named: ComparisonRow[] = [];
  for (const row of found) {
    if (named.length < MOST_NAMED && !named.some((whole) => isPartOf(row, whole))) named.push(row);
  }
  if (named.length > 0) {
    const more = found.length - named.length;
    return `${named.map((row) => `${row.id} ${foundText(row)}`).join('; ')}${more > 0 ? `; and ${more} more change${more === 1 ? '' : 's'}` : ''}`;
  }
  const open = rows.filter(({ verdict }) => verdict === 'inconclusive').length;
  if (open === 0) return `No change: all ${rows.length} figures are the same within what matters`;
  if (open === rows.length && Math.min(baseRuns, candidateRuns) < RUNS_TO_TELL)
    return `Nothing can be told yet: it takes ${RUNS_TO_TELL} runs or more of each side to tell change from chance, these are ${baseRuns} and ${candidateRuns}`;
  return `No change was found; ${open} of ${rows.length} figures vary too much to rule one out`;
}

/** Beyond this much run-to-run noise of all operations a machine is called noisy. */
const NOISY: readonly [id: string, limit: number][] = [
  ['throughput rate', 0.1],
  ['latency p(50)', 0.15],
  ['latency p(99)', 0.3],
];

function warningsOf({ base, candidate, comparable, rows, noiseFloor }: Comparison): ComparisonWarning[] {
  const warnings: ComparisonWarning[] = [];
  for (const [name, { runs }] of [['base', base] as const, ['candidate', candidate] as const]) {
    const saturated = runs.filter((run) => run.saturated).length;
    if (saturated > 0) {
      const text = `${saturated} of ${runs.length} runs of the ${name} had a saturated generator: their times are partly its own`;
      warnings.push({ kind: 'saturated', text });
    }
    for (const { id, verdict } of runs) {
      if (verdict === 'aborted')
        warnings.push({ kind: 'run', text: `${id} (${name}) was aborted by one of its thresholds: it is shorter than planned` });
    }
  }
  const noisy = NOISY.flatMap(([id, limit]) => {
    const noise = rows.find((row) => row.id === id)?.noise;
    return noise != null && noise > limit ? [`of ${id} below ${percentText(noise).replace('+', '±')}`] : [];
  });
  if (noisy.length > 0) warnings.push({ kind: 'noisy', text: `a change ${noisy.join(' or ')} cannot be seen: the runs differ too much` });
  const fewest = Math.min(base.runs.length, candidate.runs.length);
  if (fewest < RUNS_TO_TELL) {
    const floor = noiseFloor === null ? '' : `; judged by the noise floor of the baseline ${noiseFloor.name} (${noiseFloor.runs} runs)`;
    const text = `${base.runs.length} and ${candidate.runs.length} runs: from ${RUNS_TO_TELL} of each on chance can be told from change by the runs themselves${floor}`;
    warnings.push({ kind: 'few runs', text });
  }
  for (const { area, what, base: before, candidate: after } of comparable.differences) {
    if (area === 'seed' || area === 'kvbench' || isEffect(what, comparable.differences)) continue;
    warnings.push({ kind: 'not comparable', text: `${what} differs: ${before} → ${after}` });
  }
  return warnings;
}

/** A server's setting that the plan sets differently is one difference, not two. */
function isEffect(what: string, all: Comparison['comparable']['differences']): boolean {
  const setting = /^server\.settings\.(.+)$/.exec(what)?.[1];
  return setting !== undefined && all.some((other) => other.what === `target.config.${setting}`);
}
