/**
 * Both sides of a comparison on one time axis, and their percentile spectra, as plain JSON: embedded by the comparison page, drawn by its
 * picture. Reads the intervals of each run once, in order, and holds the histograms of one run only; never averages percentiles.
 */
import type { RunData } from '../result/readRun.js';
import { INTERVAL_US, type IntervalRecord } from '../result/records.js';
import type { Summary } from '../result/summary.js';
import { spreadOf } from '../stats/groupSummary.js';
import { Counts } from '../stats/hdr.js';

/** The runs of one side; at least one. */
export interface OverlayInput {
  label: string;
  runs: readonly { data: RunData; summary: Summary }[];
}

/** All times in ms since the moment that all runs are aligned at. */
export interface ComparisonOverlay {
  startMs: number;
  endMs: number;
  /** Bucket i is [tMs[i], tMs[i] + bucketMs). */
  bucketMs: number;
  tMs: number[];
  /** What 0 is. */
  anchor: { kind: 'fault' | 't0'; text: string };
  sides: Record<SideName, OverlaySide>;
  /** `all` first, then by operation. */
  spectra: Record<string, Spectrum>;
  marks: OverlayMark[];
}

export type SideName = 'base' | 'candidate';

export interface OverlaySide {
  label: string;
  /** At each bucket, over the runs that were under load then; null where these are less than half of the runs. */
  median: OverlaySeries;
  /** Drawn thin; at most MAX_DRAWN_RUNS of `runCount`. */
  runs: (OverlaySeries & { id: string })[];
  runCount: number;
}

/** Per bucket; null: not under load, or (p99) nothing was answered. */
export interface OverlaySeries {
  /** Operations answered ok per second, by completion. */
  throughput: (number | null)[];
  /** Response time of ok and info, by completion. */
  p99Ms: (number | null)[];
}

/** Response times by percentile, at x = log10(1 / (1 − p)): 0 is the fastest operation, 1 is p90, 2 is p99. */
export interface Spectrum {
  x: number[];
  base: SpectrumSide;
  candidate: SpectrumSide;
}

/** In ms; null where fewer than SAMPLES_BEYOND operations lie beyond the percentile. */
export interface SpectrumSide {
  /** Of all runs merged. */
  mergedMs: (number | null)[];
  /** Of single runs; null where fewer than two have that percentile. */
  lowMs: (number | null)[];
  highMs: (number | null)[];
  count: number;
}

/** A moment of later faults, by the median of each side's runs. */
export interface OverlayMark {
  label: string;
  side: SideName;
  tMs: number;
}

const BUCKETS_MS = [200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];
const MAX_BUCKETS = 400;
export const MAX_DRAWN_RUNS = 24;
/** Ten operations beyond a percentile are the least that say anything of it. */
export const SAMPLES_BEYOND = 10;
const STEPS_PER_DECADE = 10;
const INTERVAL_MS = INTERVAL_US / 1000;

/** Reads all intervals of all runs, one run after the other. Throws RESULT_NOT_READABLE (a damaged line). */
export function buildComparisonOverlay(base: OverlayInput, candidate: OverlayInput): ComparisonOverlay {
  const summaries = [...base.runs, ...candidate.runs].map(({ summary }) => summary);
  const anchor = anchorOf(summaries);
  const anchorSlotOf = (summary: Summary): number => Math.round(anchorMsOf(summary, anchor.faultId) / INTERVAL_MS);
  const startSlot = Math.min(...summaries.map((summary) => 0 - anchorSlotOf(summary)));
  const endSlot = Math.max(...summaries.map((summary) => Math.ceil(summary.durationMs / INTERVAL_MS) - anchorSlotOf(summary)));
  const bucketMs = BUCKETS_MS.find((ms) => ((endSlot - startSlot) * INTERVAL_MS) / ms <= MAX_BUCKETS) ?? (BUCKETS_MS.at(-1) as number);
  const perBucket = bucketMs / INTERVAL_MS;
  const firstBucket = Math.floor(startSlot / perBucket);
  const bucketCount = Math.max(1, Math.ceil(endSlot / perBucket) - firstBucket);
  const read = (input: OverlayInput): ReadSide => {
    const side = new ReadSide(input.label);
    for (const { data, summary } of input.runs) {
      const run = new RunReader(perBucket, firstBucket, bucketCount, anchorSlotOf(summary), data);
      for (const interval of data.intervals()) run.add(interval);
      side.add(data.run.id, run);
    }
    return side;
  };
  const sides = { base: read(base), candidate: read(candidate) };
  return {
    startMs: startSlot * INTERVAL_MS,
    endMs: endSlot * INTERVAL_MS,
    bucketMs,
    tMs: Array.from({ length: bucketCount }, (_, i) => (firstBucket + i) * bucketMs),
    anchor: { kind: anchor.kind, text: anchor.text },
    sides: { base: sides.base.side(), candidate: sides.candidate.side() },
    spectra: spectraOf(sides.base, sides.candidate),
    marks: anchor.faultId === null ? [] : [...marksOf('base', base, anchor.faultId), ...marksOf('candidate', candidate, anchor.faultId)],
  };
}

interface Anchor {
  kind: 'fault' | 't0';
  text: string;
  faultId: number | null;
}

/** The first fault that was injected in every run; else t0. */
function anchorOf(summaries: readonly Summary[]): Anchor {
  const injected = (summary: Summary) => summary.faults.filter(({ injectedAtMs }) => injectedAtMs !== null);
  const candidates = injected(summaries[0] as Summary).sort((a, b) => (a.injectedAtMs ?? 0) - (b.injectedAtMs ?? 0));
  const common = candidates.find(({ id }) => summaries.every((summary) => injected(summary).some((fault) => fault.id === id)));
  if (common !== undefined) return { kind: 'fault', text: `injection of fault ${common.id} (${common.kind})`, faultId: common.id };
  const some = summaries.some((summary) => injected(summary).length > 0);
  return { kind: 't0', text: `t0${some ? ', since no fault was injected in every run' : ''}`, faultId: null };
}

function anchorMsOf({ faults }: Summary, faultId: number | null): number {
  return (faultId === null ? undefined : faults.find(({ id }) => id === faultId)?.injectedAtMs) ?? 0;
}

/** When other faults came and all were healed, as far as every run of the side says so. */
function marksOf(side: SideName, { runs }: OverlayInput, anchorId: number): OverlayMark[] {
  const ids = runs[0]?.summary.faults.map(({ id }) => id) ?? [];
  const at = (id: number, key: 'injectedAtMs' | 'healedAtMs'): number | null => {
    const times = runs.map(({ summary }) => summary.faults.find((fault) => fault.id === id)?.[key] ?? null);
    const since = times.map((time, i) => (time === null ? null : time - anchorMsOf((runs[i] as OverlayInput['runs'][number]).summary, anchorId)));
    return since.includes(null) ? null : (spreadOf(since)?.median ?? null);
  };
  return ids.flatMap((id) => {
    const kind = runs[0]?.summary.faults.find((fault) => fault.id === id)?.kind ?? '';
    const injected = id === anchorId ? null : at(id, 'injectedAtMs');
    const healed = at(id, 'healedAtMs');
    return [
      ...(injected === null ? [] : [{ label: `fault ${id} (${kind})`, side, tMs: injected }]),
      ...(healed === null ? [] : [{ label: `fault ${id} healed`, side, tMs: healed }]),
    ];
  });
}

/** One run in buckets of the common axis. */
class RunReader {
  readonly byOperation = new Map<string, Counts>();
  readonly #perBucket: number;
  readonly #firstBucket: number;
  readonly #anchorSlot: number;
  readonly #recorded: readonly boolean[];
  readonly #ok: number[];
  readonly #p99Ms: (number | null)[];
  readonly #open = new Counts();
  #bucket = 0;
  #lastSlot = -1;

  constructor(perBucket: number, firstBucket: number, bucketCount: number, anchorSlot: number, { run }: RunData) {
    this.#perBucket = perBucket;
    this.#firstBucket = firstBucket;
    this.#anchorSlot = anchorSlot;
    this.#recorded = run.plan.load.phases.map(({ record }) => record);
    this.#ok = Array.from({ length: bucketCount }, () => 0);
    this.#p99Ms = Array.from({ length: bucketCount }, () => null);
  }

  add({ startUs, cells }: IntervalRecord): void {
    const slot = Math.round(startUs / INTERVAL_US);
    const bucket = Math.floor((slot - this.#anchorSlot) / this.#perBucket) - this.#firstBucket;
    if (bucket < 0 || bucket >= this.#ok.length) return;
    if (bucket !== this.#bucket) {
      this.#closeBucket();
      this.#bucket = bucket;
    }
    this.#lastSlot = Math.max(this.#lastSlot, slot);
    for (const { phase, ops } of cells) {
      for (const [op, cell] of Object.entries(ops)) {
        this.#ok[bucket] = (this.#ok[bucket] as number) + cell.ok;
        this.#open.add(cell.response);
        if (this.#recorded[phase] === true && cell.response.length > 0) countsOf(this.byOperation, op).add(cell.response);
      }
    }
  }

  finish(): OverlaySeries {
    this.#closeBucket();
    return { throughput: this.#ok.map((ok, bucket) => this.#ratePerSec(ok, bucket)), p99Ms: this.#p99Ms };
  }

  /** Per second of the bucket's time that the run was under load; null where that is less than half of it. */
  #ratePerSec(ok: number, bucket: number): number | null {
    const first = (bucket + this.#firstBucket) * this.#perBucket + this.#anchorSlot;
    const slots = Math.min(first + this.#perBucket, this.#lastSlot + 1) - Math.max(first, 0);
    return slots * 2 < this.#perBucket ? null : Math.round((ok * 10_000) / (slots * INTERVAL_MS)) / 10;
  }

  #closeBucket(): void {
    if (this.#open.total === 0) return;
    this.#p99Ms[this.#bucket] = toMs(this.#open.percentileUs(99));
    this.#open.clear();
  }
}

/** The runs of a side, one after the other. */
class ReadSide {
  readonly merged = new Map<string, Counts>();
  readonly spectra: Map<string, (number | null)[]>[] = [];
  readonly #label: string;
  readonly #runs: (OverlaySeries & { id: string })[] = [];

  constructor(label: string) {
    this.#label = label;
  }

  add(id: string, run: RunReader): void {
    this.#runs.push({ id, ...run.finish() });
    const all = new Counts();
    for (const counts of run.byOperation.values()) all.merge(counts);
    const spectra = new Map<string, (number | null)[]>();
    for (const [op, counts] of [['all', all] as const, ...run.byOperation]) {
      countsOf(this.merged, op).merge(counts);
      spectra.set(op, spectrumMs(counts));
    }
    this.spectra.push(spectra);
  }

  side(): OverlaySide {
    const runs = this.#runs;
    const median = (key: keyof OverlaySeries): (number | null)[] =>
      (runs[0]?.[key] ?? []).map((_, i) => {
        const values = runs.map((run) => run[key][i] ?? null).filter((value) => value !== null);
        return values.length * 2 < runs.length ? null : (spreadOf(values)?.median ?? null);
      });
    return {
      label: this.#label,
      median: { throughput: median('throughput'), p99Ms: median('p99Ms') },
      runs: runs.slice(0, MAX_DRAWN_RUNS),
      runCount: runs.length,
    };
  }
}

function spectraOf(base: ReadSide, candidate: ReadSide): Record<string, Spectrum> {
  const operations = new Set([...base.merged.keys(), ...candidate.merged.keys()]);
  const ordered = ['all', ...[...operations].filter((op) => op !== 'all').sort()].filter((op) => operations.has(op));
  return Object.fromEntries(
    ordered.map((op): [string, Spectrum] => {
      const sides = { base: spectrumSide(base, op), candidate: spectrumSide(candidate, op) };
      const length = Math.max(sides.base.mergedMs.length, sides.candidate.mergedMs.length);
      return [op, { x: Array.from({ length }, (_, step) => step / STEPS_PER_DECADE), ...sides }];
    }),
  );
}

function spectrumSide({ merged, spectra }: ReadSide, op: string): SpectrumSide {
  const counts = merged.get(op) ?? new Counts();
  const mergedMs = spectrumMs(counts);
  const perRun = spectra.map((run) => run.get(op) ?? []);
  const range = (pick: (...values: number[]) => number): (number | null)[] =>
    mergedMs.map((_, i) => {
      const values = perRun.map((run) => run[i] ?? null).filter((value) => value !== null);
      return values.length < 2 ? null : pick(...values);
    });
  return { mergedMs, lowMs: range(Math.min), highMs: range(Math.max), count: counts.total };
}

/** At each tenth of a decade of 1 / (1 − p), as far as enough operations lie beyond. */
function spectrumMs(counts: Counts): (number | null)[] {
  if (counts.total < SAMPLES_BEYOND) return [];
  const steps = Math.floor(Math.log10(counts.total / SAMPLES_BEYOND) * STEPS_PER_DECADE + 1e-9);
  return Array.from({ length: steps + 1 }, (_, step) => toMs(counts.percentileUs(100 * (1 - 10 ** (-step / STEPS_PER_DECADE)))));
}

function countsOf(map: Map<string, Counts>, op: string): Counts {
  const known = map.get(op);
  if (known !== undefined) return known;
  const counts = new Counts();
  map.set(op, counts);
  return counts;
}

function toMs(us: number | null): number | null {
  return us === null ? null : us / 1000;
}
