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
  verdictWord,
} from './comparison.js';
import { judgeRow, percentText } from './judge.js';
import type { LoadedRun, LoadedSide } from './loadSide.js';
import { type Measure, measuresOf } from './measures.js';
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
    sentence: sentenceOf(rows),
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

/** The changes that were found, the largest first; else what could be ruled out. */
function sentenceOf(rows: readonly ComparisonRow[]): string {
  const found = rows.filter(({ verdict }) => verdict === 'faster' || verdict === 'slower');
  const size = ({ change }: ComparisonRow): number => Math.abs(change.relative ?? Number.POSITIVE_INFINITY);
  const worst = [...found].sort((a, b) => Number(b.verdict === 'slower') - Number(a.verdict === 'slower') || size(b) - size(a));
  const named = worst
    .slice(0, 3)
    .map((row) => `${row.id} ${row.change.relative === null ? '' : `${percentText(row.change.relative)} `}${verdictWord(row)}`);
  const count = (verdict: ComparisonRow['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  if (named.length > 0) return `${named.join('; ')}${found.length > named.length ? `; and ${found.length - named.length} more changes` : ''}`;
  if (count('inconclusive') === 0) return `No change: all ${rows.length} figures are the same within what matters`;
  return `No change was found; ${count('inconclusive')} of ${rows.length} figures vary too much (or have too few runs) to rule one out`;
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
  for (const [id, limit] of NOISY) {
    const noise = rows.find((row) => row.id === id)?.noise;
    if (noise != null && noise > limit)
      warnings.push({ kind: 'noisy', text: `noisy runs: a change of ${id} below ${percentText(noise).replace('+', '±')} cannot be seen with these` });
  }
  const fewest = Math.min(base.runs.length, candidate.runs.length);
  if (fewest < 4) {
    const floor = noiseFloor === null ? '' : `; judged by the noise floor of the baseline ${noiseFloor.name} (${noiseFloor.runs} runs)`;
    const text = `${base.runs.length} and ${candidate.runs.length} runs: from 4 of each on they can be told from chance by themselves${floor}`;
    warnings.push({ kind: 'few runs', text });
  }
  for (const { area, what, base: before, candidate: after } of comparable.differences) {
    if (area === 'seed' || area === 'kvbench') continue;
    warnings.push({ kind: 'not comparable', text: `${what} differs: ${before} → ${after}` });
  }
  return warnings;
}
