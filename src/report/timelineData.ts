/**
 * The main timeline of a run as plain JSON: rates and response times per bucket, bands and marks. Called by writeReport; the page
 * embeds it and the picture draws it. Reads the intervals once, in order; merges histograms and never averages percentiles.
 */
import { loadEndUs } from '../plan/plan.js';
import type { RunData } from '../result/readRun.js';
import { INTERVAL_US, type IntervalRecord } from '../result/records.js';
import type { Summary } from '../result/summary.js';
import { Counts } from '../stats/hdr.js';
import { type GroupSeries, GroupSeriesBuilder } from './groupSeries.js';
import { type LagSeries, lagSeries } from './lagSeries.js';
import { lostBands, type TimelineLost } from './lostLanes.js';
import { type ServerSeries, serverSeries } from './serverSeries.js';
import { faultBands, gapBands, incidentBands, timelineMarks } from './timelineBands.js';

/** All times in ms since t0. */
export interface TimelineData {
  startMs: number;
  endMs: number;
  /** Width of a bucket; bucket i is [i × bucketMs, (i + 1) × bucketMs). */
  bucketMs: number;
  phases: TimelinePhase[];
  throughput: TimelineRates;
  /** By operation and for `all`: response times of ok and info, in ms; null where nothing was answered. */
  response: Record<string, TimelineLatency>;
  /** Per second, by reason; only reasons that occurred. */
  reasons: Record<string, number[]>;
  faults: TimelineBand[];
  incidents: TimelineBand[];
  gaps: TimelineGap[];
  marks: TimelineMark[];
  /** Null: no server said anything of itself. */
  servers: ServerSeries | null;
  /** Acknowledged writes that are gone; absent where none is. */
  lost?: TimelineLost[];
  /** Of replicas; absent where it was not measured. */
  lag?: LagSeries;
  /** By group of clients; absent where the plan has none. */
  groups?: GroupSeries[];
}

export interface TimelinePhase {
  name: string;
  record: boolean;
  startMs: number;
  endMs: number;
}

/** Completions per second and bucket. */
export interface TimelineRates {
  /** Start of each bucket. */
  tMs: number[];
  ok: number[];
  fail: number[];
  info: number[];
  dropped: number[];
  /** Operations that came due per second; null in closed loop. */
  planned: number[] | null;
}

export interface TimelineLatency {
  p50: (number | null)[];
  p99: (number | null)[];
  max: (number | null)[];
}

export interface TimelineBand {
  id: number;
  kind: string;
  /** `kill 1: n1 (shard 0)`. */
  label: string;
  /** CSS colour. */
  color: string;
  startMs: number;
  /** Null: still in force at the end. */
  endMs: number | null;
  /** `n1 (shard 0)`. */
  targets: string;
}

export interface TimelineGap {
  shard: number | 'any' | 'all';
  kind: 'read' | 'write';
  startMs: number;
  endMs: number;
  /** `shard 0 writes: no answer 4.35 s`. */
  label: string;
  faultId: number | null;
  /** The fault hit another shard. */
  collateral: boolean;
}

/** `kill`: the injection of a kill; `injected`: of any other fault. */
export type MarkKind =
  | 'kill'
  | 'injected'
  | 'incident'
  | 'firstError'
  | 'detected'
  | 'promoted'
  | 'clientRecovered'
  | 'healed'
  | 'redundancyRestored';

export interface TimelineMark {
  tMs: number;
  kind: MarkKind;
  label: string;
}

/** Up to here every interval is a bucket. */
const FINE_UP_TO_MS = 120_000;
const COARSE_BUCKETS_MS = [1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];
/** Keeps the page of a long run below 2 MB. */
const MAX_BUCKETS = 2000;

/** The timeline of a run and its summary. */
export function buildTimelineData(data: RunData, summary: Summary): TimelineData {
  const { plan } = data.run;
  const bucketMs = bucketMsOf(Math.max(summary.durationMs, loadEndUs(plan) / 1000));
  const builder = new TimelineBuilder(bucketMs);
  for (const interval of data.intervals()) builder.add(interval);
  const series = builder.finish();
  const faults = faultBands(summary, plan);
  const incidents = incidentBands(summary);
  const gaps = gapBands(summary);
  const lost = lostBands(summary.consistency?.lost ?? []);
  const marks = timelineMarks(summary, data.run);
  const dataEndMs = series.lastEndMs > 0 ? series.lastEndMs : summary.durationMs;
  const endMs = Math.max(dataEndMs, ...marks.map(({ tMs }) => tMs), ...gaps.map((gap) => gap.endMs));
  const open = plan.load.phases.every(({ kind }) => kind === 'open');
  const lag = plan.replicationLag === undefined ? null : lagSeries(data.events, plan.replicationLag.everyUs, bucketMs, endMs);
  const { tMs, planned, ok, fail, info, dropped } = series.rates;
  return {
    startMs: 0,
    endMs,
    bucketMs,
    phases: summary.phases.map(({ name, record, startMs, endMs }) => ({ name, record, startMs, endMs })),
    throughput: { tMs, ok, fail, info, dropped, planned: open ? planned : null },
    response: series.response,
    reasons: series.reasons,
    faults,
    incidents,
    gaps,
    marks,
    servers: serverSeries(data.events, endMs),
    ...(lost.length === 0 ? {} : { lost }),
    ...(lag === null ? {} : { lag }),
    ...(series.groups === null ? {} : { groups: series.groups }),
  };
}

/** 100 ms for short runs; beyond, the narrowest of a row of round widths that keeps the number of buckets in bounds. */
export function bucketMsOf(durationMs: number): number {
  if (durationMs <= FINE_UP_TO_MS) return INTERVAL_US / 1000;
  return COARSE_BUCKETS_MS.find((bucketMs) => durationMs / bucketMs <= MAX_BUCKETS) ?? (COARSE_BUCKETS_MS.at(-1) as number);
}

const outcomeKeys = ['planned', 'ok', 'fail', 'info', 'dropped'] as const;

/** Collects intervals, in order, into buckets; holds the histograms of one bucket only. */
class TimelineBuilder {
  readonly #bucketMs: number;
  readonly #rates = { planned: [], ok: [], fail: [], info: [], dropped: [] } as Record<(typeof outcomeKeys)[number], number[]>;
  readonly #reasons = new Map<string, number[]>();
  readonly #response = new Map<string, TimelineLatency>();
  readonly #open = new Map<string, Counts>();
  readonly #groups: GroupSeriesBuilder;
  #bucket = 0;
  #lastEndMs = 0;

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
    this.#groups = new GroupSeriesBuilder(bucketMs);
  }

  add(interval: IntervalRecord): void {
    const bucket = Math.max(0, Math.floor(interval.startUs / 1000 / this.#bucketMs));
    if (bucket > this.#bucket) {
      this.#closeBucket();
      this.#bucket = bucket;
    }
    this.#lastEndMs = Math.max(this.#lastEndMs, interval.endUs / 1000);
    this.#groups.add(interval, bucket);
    for (const { ops } of interval.cells) {
      for (const [op, cell] of Object.entries(ops)) {
        for (const key of outcomeKeys) increase(this.#rates[key], this.#bucket, cell[key]);
        for (const [reason, count] of Object.entries(cell.reasons ?? {}))
          increase(
            entryOf(this.#reasons, reason, () => []),
            this.#bucket,
            count,
          );
        if (cell.response.length === 0) continue;
        entryOf(this.#open, op, () => new Counts()).add(cell.response);
        entryOf(this.#open, 'all', () => new Counts()).add(cell.response);
      }
    }
  }

  finish(): {
    rates: Record<(typeof outcomeKeys)[number], number[]> & { tMs: number[] };
    response: Record<string, TimelineLatency>;
    reasons: Record<string, number[]>;
    groups: GroupSeries[] | null;
    lastEndMs: number;
  } {
    this.#closeBucket();
    const length = Math.ceil(this.#lastEndMs / this.#bucketMs);
    const perSecond = (counts: readonly number[]): number[] =>
      Array.from({ length }, (_, i) => Math.round(((counts[i] ?? 0) * 1_000_000) / this.#bucketMs) / 1000);
    const padded = (values: readonly (number | null)[]): (number | null)[] => Array.from({ length }, (_, i) => values[i] ?? null);
    const { planned, ok, fail, info, dropped } = this.#rates;
    return {
      rates: {
        tMs: Array.from({ length }, (_, i) => i * this.#bucketMs),
        planned: perSecond(planned),
        ok: perSecond(ok),
        fail: perSecond(fail),
        info: perSecond(info),
        dropped: perSecond(dropped),
      },
      response: Object.fromEntries(
        [...this.#response].map(([op, { p50, p99, max }]) => [op, { p50: padded(p50), p99: padded(p99), max: padded(max) }]),
      ),
      reasons: Object.fromEntries([...this.#reasons].map(([reason, counts]) => [reason, perSecond(counts)])),
      groups: this.#groups.finish(length),
      lastEndMs: this.#lastEndMs,
    };
  }

  #closeBucket(): void {
    for (const [op, counts] of this.#open) {
      if (counts.total === 0) continue;
      const series = entryOf(this.#response, op, () => ({ p50: [], p99: [], max: [] }));
      series.p50[this.#bucket] = toMs(counts.percentileUs(50));
      series.p99[this.#bucket] = toMs(counts.percentileUs(99));
      series.max[this.#bucket] = toMs(counts.percentileUs(100));
      counts.clear();
    }
  }
}

function increase(counts: number[], index: number, by: number): void {
  counts[index] = (counts[index] ?? 0) + by;
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function toMs(us: number | null): number | null {
  return us === null ? null : us / 1000;
}
