/**
 * One row of a comparison: is the change more than chance, and how large can it be? Pure. docs/comparing.md tells the method to users; what
 * is decided here has to stand there. Called by compare.ts.
 */
import type { NoiseRow } from './baselineFolder.js';
import type { ComparisonRow, RowVerdict } from './comparison.js';
import type { Measure } from './measures.js';
import { hodgesLehmann, mannWhitney, smallestP } from './rankTest.js';
import type { Observed } from './sides.js';
import { studentTQuantile, studentTTwoSided } from './studentT.js';

export interface JudgeSettings {
  /** 0..1 */
  confidence: number;
  /** Relative: a change that is smaller, whatever its sign, is none that matters. */
  sameWithin: number;
}

/** What is significant but smaller than this is called `~`. */
const TRIVIAL_RELATIVE = 0.01;
/** HDR's three digits and whole µs. */
const RESOLUTION_RELATIVE = 0.001;
/** Runs that show how much runs differ. */
export const NOISE_RUNS = 3;

/** A row of a stored noise floor, and how many runs it comes from. */
export type StoredNoise = NoiseRow & { runs: number };

interface Extent {
  /** Absolute: no change that matters, in the unit of the row. */
  same: number;
  trivial: number;
}

/** Of what has one value per run. */
const extents: Readonly<Record<string, Extent>> = {
  us: { same: 100_000, trivial: 10_000 },
  ratio: { same: 0.0005, trivial: 0.0001 },
  count: { same: 0, trivial: 0 },
  perSecond: { same: 0, trivial: 0 },
  generator_utilization: { same: 0.05, trivial: 0.02 },
};

/** What a test found, in the row's own unit. */
interface Finding {
  change: number;
  low: number;
  high: number;
  pValue: number;
  /** Null: not asked beside it. */
  pRanks: number | null;
  decidedBy: NonNullable<ComparisonRow['decidedBy']>;
  same: number;
  trivial: number;
  /** Whose spread it was judged by, for the reason. */
  by: string;
}

/** Null: neither side has it. @param noise stored floor of this row, for sides with too few runs of their own */
export function judgeRow(
  measure: Measure,
  base: Observed,
  candidate: Observed,
  settings: JudgeSettings,
  noise: StoredNoise | null,
): ComparisonRow | null {
  if (base.value === null && candidate.value === null) return null;
  if (base.value === null || candidate.value === null) {
    const [who, note] = base.value === null ? ['the candidate', base.note] : ['the base', candidate.note];
    return rowOf(
      measure,
      base,
      candidate,
      null,
      { verdict: 'inconclusive', reason: `only ${who} has a value (the other: ${note ?? 'none'})` },
      settings,
    );
  }
  const finding = find(base, candidate, settings, noise, measure);
  if (typeof finding === 'string') return rowOf(measure, base, candidate, null, { verdict: 'inconclusive', reason: finding }, settings);
  return rowOf(measure, base, candidate, finding, decide(finding, measure.betterIs, base.value, settings), settings);
}

/** Why there is no finding, in words, when nothing can be tested. */
function find(base: Observed, candidate: Observed, settings: JudgeSettings, noise: StoredNoise | null, measure: Measure): Finding | string {
  const a = valuesOf(base);
  const b = valuesOf(candidate);
  const alpha = 1 - settings.confidence;
  // A hair's breadth for the rounding of 1 − 0.95.
  const ranksCanTell = smallestP(a.length, b.length) <= alpha + 1e-9;
  const isStreamed = base.logVariance !== null && candidate.logVariance !== null;
  if (ranksCanTell) return isStreamed ? ofResamples(base, candidate, settings, measure) : ofRanks(a, b, base, settings, measure);
  const own = a.length >= b.length ? a : b;
  const spread = noise ?? spreadOf(own, isStreamed);
  if (spread !== null && spread.runs >= NOISE_RUNS) {
    const by =
      noise === null
        ? `the spread of ${own === a ? 'the base' : 'the candidate'}'s ${own.length} runs`
        : `the stored noise floor of ${spread.runs} runs`;
    return ofNoise(base, candidate, { ...spread, by, stored: noise !== null }, settings, isStreamed, measure);
  }
  if (a.length === 1 || b.length === 1)
    return 'a single run cannot show how much runs differ: repeat it (4 runs of each side can tell), or save a baseline';
  return `${a.length} and ${b.length} runs cannot tell: their smallest p is ${smallestP(a.length, b.length).toFixed(3)}; 4 of each can (0.029)`;
}

/** Latency and throughput: the interval from resampled histograms, and a rank test over runs that has to agree. */
function ofResamples(base: Observed, candidate: Observed, { confidence }: JudgeSettings, { unit }: Measure): Finding | string {
  const valueA = base.value as number;
  const valueB = candidate.value as number;
  const a = valuesOf(base);
  const b = valuesOf(candidate);
  const varianceA = base.logVariance?.() ?? Number.NaN;
  const varianceB = candidate.logVariance?.() ?? Number.NaN;
  if (!Number.isFinite(varianceA + varianceB)) return 'a part of the runs has no value at all, so no interval can be given';
  const resolution = Math.max(1 / Math.max(valueA, 1), RESOLUTION_RELATIVE) / Math.sqrt(6);
  const error = Math.hypot(Math.sqrt(varianceA + varianceB), unit === 'perSecond' ? 0 : resolution);
  const df = welchDf(varianceA, a.length, varianceB, b.length);
  const change = Math.log(Math.max(valueB, 1e-9) / Math.max(valueA, 1e-9));
  const half = studentTQuantile(0.5 + confidence / 2, df) * error;
  const pResampled = error === 0 ? (change === 0 ? 1 : 0) : studentTTwoSided(change / error, df);
  const inUnit = (log: number): number => (Math.exp(log) - 1) * valueA;
  return {
    change: valueB - valueA,
    low: inUnit(change - half),
    high: inUnit(change + half),
    pValue: pResampled,
    pRanks: mannWhitney(a, b),
    decidedBy: 'bootstrap and ranks',
    same: Number.NaN,
    trivial: TRIVIAL_RELATIVE * valueA,
    by: `${a.length} and ${b.length} runs`,
  };
}

/** One value per run: the shift of Hodges and Lehmann with the exact interval of the rank test. */
function ofRanks(a: readonly number[], b: readonly number[], base: Observed, { confidence }: JudgeSettings, measure: Measure): Finding {
  const { estimate, interval } = hodgesLehmann(a, b, confidence);
  const extent = extentOf(measure);
  return {
    change: estimate,
    low: interval?.low ?? Number.NEGATIVE_INFINITY,
    high: interval?.high ?? Number.POSITIVE_INFINITY,
    pValue: mannWhitney(a, b),
    pRanks: null,
    decidedBy: 'ranks',
    same: extent.same,
    trivial: Math.max(extent.trivial, measure.unit === 'us' ? TRIVIAL_RELATIVE * finite(base.value) : 0),
    by: `${a.length} and ${b.length} runs`,
  };
}

interface Spread {
  deviation: number;
  widest: number;
  runs: number;
}

/** Too few runs to rank: a prediction interval from how much runs of one thing are known to differ. */
function ofNoise(
  base: Observed,
  candidate: Observed,
  spread: Spread & { by: string; stored: boolean },
  { confidence }: JudgeSettings,
  isLog: boolean,
  measure: Measure,
): Finding | string {
  const valueA = base.value as number;
  const valueB = candidate.value as number;
  if (!Number.isFinite(valueA) || !Number.isFinite(valueB)) return 'a run never recovered; too few runs to tell what that means';
  const df = spread.runs - 1;
  const resolution = isLog ? Math.max(1 / Math.max(valueA, 1), RESOLUTION_RELATIVE) / Math.sqrt(6) : 0;
  const error = Math.hypot(spread.deviation * Math.sqrt(1 / valuesOf(base).length + 1 / valuesOf(candidate).length), resolution);
  const change = isLog ? Math.log(Math.max(valueB, 1e-9) / Math.max(valueA, 1e-9)) : valueB - valueA;
  // What was seen between runs of the same thing is no change, whatever a normal distribution says.
  const floor = spread.stored ? spread.widest : 0;
  const half = Math.max(studentTQuantile(0.5 + confidence / 2, df) * error, floor);
  const p = error === 0 ? (change === 0 ? 1 : 0) : studentTTwoSided(change / error, df);
  const inUnit = (value: number): number => (isLog ? (Math.exp(value) - 1) * valueA : value);
  const extent = extentOf(measure);
  return {
    change: valueB - valueA,
    low: inUnit(change - half),
    high: inUnit(change + half),
    pValue: Math.abs(change) <= floor ? Math.max(p, 2 / (spread.runs + 1)) : p,
    pRanks: null,
    decidedBy: 'noise floor',
    same: isLog ? Number.NaN : extent.same,
    trivial: isLog ? TRIVIAL_RELATIVE * valueA : extent.trivial,
    by: spread.by,
  };
}

/** How much runs of one thing differ; null: too few, or one that never ended. Logarithms for latency and throughput. */
export function spreadOf(values: readonly number[], isLog: boolean): Spread | null {
  if (values.length < NOISE_RUNS || !values.every((value) => Number.isFinite(value) && (!isLog || value > 0))) return null;
  const scaled = isLog ? values.map(Math.log) : values;
  const mean = scaled.reduce((sum, value) => sum + value, 0) / scaled.length;
  const deviation = Math.sqrt(scaled.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (scaled.length - 1));
  return { deviation, widest: Math.max(...scaled) - Math.min(...scaled), runs: scaled.length };
}

function decide(finding: Finding, betterIs: 'lower' | 'higher', baseValue: number, { confidence, sameWithin }: JudgeSettings): Decision {
  const { change, low, high, by } = finding;
  // Both have to agree.
  const pValue = Math.max(finding.pValue, finding.pRanks ?? 0);
  const relative = (value: number): string => percentText(baseValue === 0 ? Number.NaN : value / Math.abs(baseValue));
  if (pValue <= 1 - confidence + 1e-9 && change !== 0) {
    if (Math.abs(change) < finding.trivial) return { verdict: '~', reason: `more than chance (p ${pText(pValue)}), but too small to matter` };
    const isBetter = betterIs === 'lower' ? change < 0 : change > 0;
    return { verdict: isBetter ? 'faster' : 'slower', reason: `more than chance (p ${pText(pValue)}, ${by})` };
  }
  const same = Math.max(
    Number.isNaN(finding.same) ? 0 : finding.same,
    Number.isNaN(finding.same) || finding.same >= 100_000 ? sameWithin * Math.abs(baseValue) : 0,
  );
  if (low >= -same && high <= same) return { verdict: '~', reason: `any change is small (${by})` };
  const from = baseValue === 0 || !Number.isFinite(baseValue) ? '' : `: from ${relative(low)} to ${relative(high)} is possible`;
  return { verdict: 'inconclusive', reason: `chance can explain it (p ${pText(pValue)}, ${by})${from}` };
}

interface Decision {
  verdict: RowVerdict;
  reason: string;
}

function rowOf(
  measure: Measure,
  base: Observed,
  candidate: Observed,
  finding: Finding | null,
  decision: Decision,
  { confidence }: JudgeSettings,
): ComparisonRow {
  const baseValue = finiteOrNull(base.value);
  const candidateValue = finiteOrNull(candidate.value);
  const plain = baseValue === null || candidateValue === null ? null : candidateValue - baseValue;
  const change = finding === null ? plain : finiteOrNull(finding.change);
  const relativeTo = (value: number | null): number | null => (value === null || baseValue === null || baseValue === 0 ? null : value / baseValue);
  const low = finding === null ? null : finiteOrNull(finding.low);
  const high = finding === null ? null : finiteOrNull(finding.high);
  return {
    ...measure,
    base: { value: baseValue, perRun: base.perRun.map(finiteOrNull), samples: base.samples },
    candidate: { value: candidateValue, perRun: candidate.perRun.map(finiteOrNull), samples: candidate.samples },
    change: { absolute: change, relative: relativeTo(change) },
    interval: finding === null ? null : { low, high, lowRelative: relativeTo(low), highRelative: relativeTo(high), confidence },
    pValue: finding?.pValue ?? null,
    pRanks: finding?.pRanks ?? null,
    decidedBy: finding?.decidedBy ?? null,
    noise: low === null || high === null ? null : relativeTo((high - low) / 2),
    ...decision,
  };
}

/** Welch 1947, Satterthwaite 1946. */
function welchDf(varianceA: number, runsA: number, varianceB: number, runsB: number): number {
  const sum = varianceA + varianceB;
  if (sum === 0) return runsA + runsB - 2;
  return sum ** 2 / (varianceA ** 2 / (runsA - 1) + varianceB ** 2 / (runsB - 1));
}

function valuesOf({ perRun }: Observed): number[] {
  return perRun.filter((value) => value !== null);
}

function extentOf({ metric, unit }: Measure): Extent {
  return extents[metric] ?? (extents[unit] as Extent);
}

function finite(value: number | null): number {
  return value !== null && Number.isFinite(value) ? Math.abs(value) : 0;
}

function finiteOrNull(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : value;
}

export function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** 0.123 → `+12.3 %`. */
export function percentText(ratio: number): string {
  if (!Number.isFinite(ratio)) return ratio > 0 ? 'any' : ratio < 0 ? 'none' : '–';
  const digits = Math.abs(ratio) >= 1 ? 0 : 1;
  return `${ratio >= 0 ? '+' : '−'}${Math.abs(ratio * 100).toFixed(digits)} %`;
}
