/**
 * How much a percentile or a rate of a side would vary if its runs were made again: a hierarchical block bootstrap. Runs are drawn with
 * replacement, then circular blocks of each run's units, so that what hangs together in time stays together; a percentile is that of the
 * merged histograms. Pure: its draws are a function of the seed. Called by streamed.ts.
 * Sources: Davison & Hinkley 1997, section 3.8 (hierarchical data); Politis & Romano 1992 (circular blocks).
 */
import { HDR_INDEX_COUNT, hdrHighestValueUs, hdrLowestValueUs } from '../base/hdrIndex.js';
import { RandomStream, Stream } from '../base/random.js';
import { addSparse } from '../result/sparseHistogram.js';
import { blockLength } from './blockLength.js';
import type { Unit } from './runSamples.js';

/** A histogram is held in so many bins, the finer the nearer to the tails; in each, values are interpolated by rank. */
const BIN_LIMIT = 256;

export interface ResampleSettings {
  resamples: number;
  seed: number;
}

/** Variance of the logarithm of each percentile of a side's merged histogram, were its runs made again. NaN: some of a run has no value. */
export function percentileLogVariances(runs: readonly (readonly Unit[])[], percentiles: readonly number[], settings: ResampleSettings): number[] {
  const bins = makeBins(runs);
  const prefixes = runs.map((units) => prefixSums(units, bins));
  const blocks = runs.map((units, i) => percentileBlock(prefixes[i] as Float64Array, units.length, bins.lowUs.length, bins.medianBin));
  return variances({ runs, prefixes, blocks }, settings, percentiles.length, (sums, i) =>
    Math.log(Math.max(percentileOf(sums, bins, percentiles[i] as number), 1)),
  );
}

/** Variance of the logarithm of what a side does per unit, were its runs made again. NaN: some of a run did nothing. */
export function rateLogVariance(runs: readonly (readonly Unit[])[], settings: ResampleSettings): number {
  const prefixes = runs.map((units) => {
    const sums = new Float64Array(2 * (units.length + 1));
    units.forEach(({ ok }, i) => {
      sums[2 * i + 2] = (sums[2 * i] as number) + ok;
      sums[2 * i + 3] = i + 1;
    });
    return sums;
  });
  const blocks = runs.map((units) => blockLength(units.map(({ ok }) => ok)));
  const [variance] = variances({ runs, prefixes, blocks }, settings, 1, (sums) => Math.log((sums[0] as number) / (sums[1] as number)));
  return variance as number;
}

interface Resampled {
  runs: readonly (readonly Unit[])[];
  prefixes: readonly Float64Array[];
  blocks: readonly number[];
}

/**
 * Drawing runs and then blocks counts what happens within runs twice (Davison & Hinkley 1997, section 3.8): once in how the runs differ and
 * once in the blocks. With n runs, V(runs and blocks) = (n − 1) / n · (between + within) / n + within / n, and V(blocks) = within / n, so that
 * (V(runs and blocks) − V(blocks)) · n / (n − 1) is what is wanted. It is never less than V(blocks): few runs can agree by chance.
 */
function variances(data: Resampled, settings: ResampleSettings, count: number, statistic: (sums: Float64Array, i: number) => number): number[] {
  const n = data.runs.length;
  const within = momentsOf(data, settings, false, count, statistic);
  if (n < 2) return within;
  const both = momentsOf(data, settings, true, count, statistic);
  return within.map((variance, i) => Math.max((((both[i] as number) - variance) * n) / (n - 1), variance));
}

function momentsOf(
  data: Resampled,
  settings: ResampleSettings,
  drawsRuns: boolean,
  count: number,
  statistic: (sums: Float64Array, i: number) => number,
): number[] {
  const moments = Array.from({ length: count }, () => new Moments());
  resample(data, settings, drawsRuns, (sums) => {
    for (const [i, moment] of moments.entries()) moment.add(statistic(sums, i));
  });
  return moments.map((moment) => moment.variance());
}

/** HOT: adds up the blocks of each resample. `sums` is used again: read it at once. */
function resample(
  { runs, prefixes, blocks }: Resampled,
  { resamples, seed }: ResampleSettings,
  drawsRuns: boolean,
  use: (sums: Float64Array) => void,
): void {
  const width = (prefixes[0]?.length ?? 0) / ((runs[0]?.length ?? 0) + 1);
  const sums = new Float64Array(width);
  const draws = new RandomStream(seed, drawsRuns ? Stream.resample : Stream.resampleBlocks);
  let draw = 0;
  for (let b = 0; b < resamples; b++) {
    sums.fill(0);
    for (let i = 0; i < runs.length; i++) {
      const run = drawsRuns ? draws.below(draw++, runs.length) : i;
      const length = (runs[run] as readonly Unit[]).length;
      const prefix = prefixes[run] as Float64Array;
      const block = blocks[run] as number;
      for (let taken = 0; taken < length; taken += block) {
        const start = draws.below(draw++, length);
        const end = start + Math.min(block, length - taken);
        addRange(sums, prefix, start, Math.min(end, length));
        if (end > length) addRange(sums, prefix, 0, end - length);
      }
    }
    use(sums);
  }
}

function addRange(sums: Float64Array, prefix: Float64Array, from: number, to: number): void {
  const width = sums.length;
  const high = to * width;
  const low = from * width;
  for (let k = 0; k < width; k++) sums[k] = (sums[k] as number) + (prefix[high + k] as number) - (prefix[low + k] as number);
}

interface Bins {
  /** By HDR index. */
  binOf: Uint16Array;
  /** The lowest and the highest value in it that occurs. */
  lowUs: number[];
  highUs: number[];
  /** Where the median of all lies. */
  medianBin: number;
}

/** Edges at even steps of the logit of the rank: near p99 a bin holds about a tenth of what lies above it. */
function makeBins(runs: readonly (readonly Unit[])[]): Bins {
  const pooled = new Uint32Array(HDR_INDEX_COUNT);
  let total = 0;
  for (const units of runs) for (const { histograms } of units) for (const histogram of histograms) total += addSparse(pooled, histogram);
  const span = 2 * Math.log(2 * total + 1);
  const bins: Bins = { binOf: new Uint16Array(HDR_INDEX_COUNT), lowUs: [], highUs: [], medianBin: 0 };
  let seen = 0;
  let step = -1;
  for (let index = 0; index < HDR_INDEX_COUNT; index++) {
    const count = pooled[index] as number;
    if (count === 0) continue;
    const rank = (seen + count / 2) / total;
    const nextStep = Math.floor(((Math.log(rank / (1 - rank)) / span + 0.5) * BIN_LIMIT) | 0);
    if (nextStep !== step) {
      step = nextStep;
      bins.lowUs.push(hdrLowestValueUs(index));
      bins.highUs.push(0);
    }
    const bin = bins.lowUs.length - 1;
    bins.highUs[bin] = hdrHighestValueUs(index);
    bins.binOf[index] = bin;
    if (seen < total / 2) bins.medianBin = bin;
    seen += count;
  }
  return bins;
}

/** Row u + 1 holds the counts of units 0..u. */
function prefixSums(units: readonly Unit[], { binOf, lowUs }: Bins): Float64Array {
  const width = lowUs.length;
  const sums = new Float64Array(width * (units.length + 1));
  units.forEach(({ histograms }, u) => {
    const row = (u + 1) * width;
    sums.copyWithin(row, row - width, row);
    for (const histogram of histograms) {
      let index = 0;
      for (let i = 0; i + 1 < histogram.length; i += 2) {
        index += histogram[i] as number;
        const bin = row + (binOf[index] as number);
        sums[bin] = (sums[bin] as number) + (histogram[i + 1] as number);
      }
    }
  });
  return sums;
}

/** Block length by what moves a percentile: the share of a unit's operations above the median of all, and above the tail's beginning. */
function percentileBlock(prefix: Float64Array, units: number, width: number, medianBin: number): number {
  const tailBin = medianBin + Math.floor((width - medianBin) / 3);
  const shares = [medianBin, tailBin].map((from) =>
    Array.from({ length: units }, (_, u) => {
      let above = 0;
      let all = 0;
      for (let k = 0; k < width; k++) {
        const count = (prefix[(u + 1) * width + k] as number) - (prefix[u * width + k] as number);
        all += count;
        if (k > from) above += count;
      }
      return all === 0 ? 0 : above / all;
    }),
  );
  return Math.max(...shares.map(blockLength));
}

function percentileOf(sums: Float64Array, { lowUs, highUs }: Bins, percentile: number): number {
  let total = 0;
  for (let k = 0; k < sums.length; k++) total += sums[k] as number;
  if (total === 0) return Number.NaN;
  // From the top: the interesting percentiles are there.
  const above = (1 - percentile / 100) * total;
  let seen = 0;
  for (let k = sums.length - 1; k >= 0; k--) {
    const count = sums[k] as number;
    if (seen + count > above) return (highUs[k] as number) - (((highUs[k] as number) - (lowUs[k] as number)) * (above - seen)) / count;
    seen += count;
  }
  return lowUs[0] as number;
}

/** Mean and variance in one pass (Welford 1962). */
class Moments {
  #count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    this.#count++;
    const off = value - this.#mean;
    this.#mean += off / this.#count;
    this.#squares += off * (value - this.#mean);
  }

  variance(): number {
    return this.#count < 2 ? 0 : this.#squares / (this.#count - 1);
  }
}
