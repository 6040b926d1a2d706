/** What is measured of a side, by run and all together: the values that judge.ts compares. Each is computed once. Used by compare.ts and gate.ts. */
import { Counts } from '../stats/hdr.js';
import type { WindowName } from '../stats/windows.js';
import { percentileLogVariances, type ResampleSettings, rateLogVariance } from './bootstrap.js';
import type { LoadedRun, LoadedSide } from './loadSide.js';
import type { Measure } from './measures.js';
import { median } from './rankTest.js';
import { RunSamples, type SecondMetric, type Selection, type Unit } from './runSamples.js';
import { scalarOf } from './scalars.js';

/** Operations that must lie beyond a percentile in every run for it to be one. */
export const SAMPLES_BEYOND = 10;
/** Asked together, since resampling gives them all at once. */
export const usualPercentiles = [50, 90, 99, 99.9] as const;

export interface Observed {
  /** Null: there is none; infinite: it never ended. */
  value: number | null;
  /** In the order of the runs; null: that run has none. */
  perRun: (number | null)[];
  samples: number | null;
  /** Variance of log(value), were the runs made again; asked only where it decides. Null: one value per run is all there is. */
  logVariance: (() => number) | null;
  /** Why there is no value. */
  note: string | null;
}

interface Slice {
  runs: Unit[][];
  perRun: Counts[];
  merged: Counts;
  /** By percentile. */
  variances: Map<number, number>;
}

export class SideSamples {
  readonly side: LoadedSide;
  readonly operations: readonly string[];
  readonly #runs: readonly { loaded: LoadedRun; samples: RunSamples }[];
  readonly #settings: ResampleSettings;
  readonly #slices = new Map<string, Slice>();

  constructor(side: LoadedSide, settings: ResampleSettings) {
    this.side = side;
    this.#settings = settings;
    this.#runs = side.runs.map((loaded) => ({ loaded, samples: new RunSamples(loaded) }));
    this.operations = [...new Set(this.#runs.flatMap(({ samples }) => [...samples.operations]))].sort();
  }

  observe(measure: Measure): Observed {
    switch (measure.metric) {
      case 'latency':
      case 'service':
      case 'queue':
      case 'dispatch_lag':
        return this.#percentile(measure, measure.metric, Number(/[\d.]+/.exec(measure.aggregate)?.[0]));
      case 'throughput':
        return this.#throughput(selectionOf(measure));
      case 'availability':
      case 'errors':
        return this.#share(measure);
      default:
        return ofRuns(this.#runs.map(({ loaded }) => scalarOf(measure, loaded.summary)));
    }
  }

  #percentile(measure: Measure, metric: 'latency' | SecondMetric, percentile: number): Observed {
    const slice = this.#slice(metric, selectionOf(measure));
    const fewest = Math.min(...slice.perRun.map((counts) => counts.total));
    const beyond = Math.floor(fewest * (1 - percentile / 100) + 1e-9);
    if (beyond < SAMPLES_BEYOND) {
      const note = fewest === 0 ? 'no operations' : `only ${beyond} operations of a run lie beyond it; ${SAMPLES_BEYOND} are needed`;
      return { value: null, perRun: slice.perRun.map(() => null), samples: slice.merged.total, logVariance: null, note };
    }
    return {
      value: slice.merged.percentileUs(percentile),
      perRun: slice.perRun.map((counts) => counts.percentileUs(percentile)),
      samples: slice.merged.total,
      logVariance: () => this.#variance(slice, percentile),
      note: null,
    };
  }

  #variance(slice: Slice, percentile: number): number {
    const known = slice.variances.get(percentile);
    if (known !== undefined) return known;
    const wanted = [...new Set([...usualPercentiles, percentile])];
    const variances = percentileLogVariances(slice.runs, wanted, this.#settings);
    for (const [i, variance] of variances.entries()) slice.variances.set(wanted[i] as number, variance);
    return slice.variances.get(percentile) as number;
  }

  #slice(metric: 'latency' | SecondMetric, selection: Selection): Slice {
    const key = JSON.stringify([metric, selection]);
    const known = this.#slices.get(key);
    if (known) return known;
    const runs = this.#runs.map(({ samples }) => (metric === 'latency' ? samples.units(selection) : samples.seconds(metric, selection)));
    const perRun = runs.map((units) => {
      const counts = new Counts();
      for (const { histograms } of units) for (const histogram of histograms) counts.add(histogram);
      return counts;
    });
    const merged = new Counts();
    for (const counts of perRun) merged.merge(counts);
    const slice = { runs, perRun, merged, variances: new Map() };
    this.#slices.set(key, slice);
    return slice;
  }

  #throughput(selection: Selection): Observed {
    const runs = this.#runs.map(({ samples }) => ({ units: samples.units(selection), seconds: samples.durationUs(selection) / 1e6 }));
    const done = runs.map(({ units }) => units.reduce((sum, { ok }) => sum + ok, 0));
    const seconds = runs.reduce((sum, run) => sum + run.seconds, 0);
    const samples = done.reduce((sum, count) => sum + count, 0);
    if (samples === 0) return { value: null, perRun: runs.map(() => null), samples: 0, logVariance: null, note: 'no operations' };
    return {
      value: samples / seconds,
      perRun: runs.map((run, i) => (run.seconds === 0 ? null : (done[i] as number) / run.seconds)),
      samples,
      logVariance: () =>
        rateLogVariance(
          runs.map(({ units }) => units),
          this.#settings,
        ),
      note: null,
    };
  }

  /** One value per run: what fails does so in outages, of which a run has few. */
  #share(measure: Measure): Observed {
    const selection = selectionOf(measure);
    let samples = 0;
    const perRun = this.#runs.map(({ samples: run }) => {
      let ok = 0;
      let asked = 0;
      let total = 0;
      for (const unit of run.units(selection)) {
        ok += unit.ok;
        total += unit.total;
        asked += run.closedLoop ? unit.total : unit.planned;
      }
      samples += total;
      if (measure.metric === 'errors') return total === 0 ? null : (total - ok) / total;
      return asked === 0 ? null : ok / asked;
    });
    return { ...ofRuns(perRun), samples };
  }
}

function ofRuns(perRun: (number | null)[]): Observed {
  const values = perRun.filter((value) => value !== null).sort((a, b) => (a === b ? 0 : a < b ? -1 : 1));
  const none = values.length === 0;
  return { value: none ? null : median(values), perRun, samples: null, logVariance: null, note: none ? 'no value' : null };
}

function selectionOf({ tags }: Measure): Selection {
  const faultId = tags.fault === undefined ? null : Number(tags.fault);
  // A fault without a window means the time in which it was felt by the clients, as in thresholds.
  const during = (tags.during as WindowName | undefined) ?? (faultId === null ? null : 'fault');
  return { op: tags.op ?? null, phase: tags.phase ?? null, during, faultId };
}
