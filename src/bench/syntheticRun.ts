/**
 * Runs made up from a distribution, as folders or in memory: what the statistics of comparisons are tried on, where the truth is known. Used by
 * gateTrials.ts and by tests. Deterministic: everything comes from the seed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../base/random.js';
import type { LoadedRun, LoadedSide } from '../compare/loadSide.js';
import type { Plan } from '../plan/plan.js';
import type { RunData } from '../result/readRun.js';
import { type CellRecord, type EventRecord, FORMAT_VERSION, INTERVAL_US, type IntervalRecord, type RunRecord } from '../result/records.js';
import { sparseFromValues } from '../result/sparseHistogram.js';
import type { Summary } from '../result/summary.js';
import { summarize } from '../stats/summarize.js';
import { type SyntheticOptions, syntheticPlan, syntheticRecord } from '../stats/syntheticPlan.test.support.js';

/** Sub-streams of draws, apart from those of plans. */
const VALUES = 2001;
/** Of the first run; each later one begins a minute after the one before. */
const FIRST_START_MS = Date.UTC(2026, 0, 1);
const RUN_EVERY_MS = 60_000;

export interface SyntheticRunOptions {
  /** Also what its draws come from. */
  seed: number;
  /** Name of its folder; default `run-<seed>`. */
  id?: string;
  seconds?: number;
  /** Completed in each 100 ms. */
  opsPerSlot?: number;
  /** Of get: the time that a share u (uniform in 0..1) of operations stays within, in a slot. */
  latencyUs(u: number, slot: number): number;
  /** Closed loop: then `opsPerSlot` is what came out. */
  closedLoop?: boolean;
  /** Of every slot, instead of drawing each operation. */
  cell?(slot: number): CellRecord['ops'];
  plan?: SyntheticOptions;
  changePlan?(plan: Plan): void;
  changeRun?(run: RunRecord): void;
  changeSummary?(summary: Summary): void;
}

/** A run in memory, as `loadSide` would give it. */
export function syntheticLoadedRun(options: SyntheticRunOptions): LoadedRun {
  const { seed, seconds = 10, closedLoop = false } = options;
  const plan = syntheticPlan({
    shards: 1,
    workers: 1,
    topology: 'standalone',
    ratePerShard: (options.opsPerSlot ?? 100) * 10,
    phases: [{ name: 'steady', durationUs: seconds * 1_000_000, ...(closedLoop ? { clients: 10 } : {}) }],
    ...options.plan,
  });
  plan.seed = seed;
  options.changePlan?.(plan);
  const run = syntheticRecord(plan, { shards: 1, topology: 'standalone' });
  run.id = options.id ?? `run-${seed}`;
  run.startedAt = new Date(FIRST_START_MS + seed * RUN_EVERY_MS).toISOString();
  options.changeRun?.(run);
  const intervals = makeIntervals(options, seconds * 10);
  const endUs = seconds * 1_000_000;
  const events: EventRecord[] = [
    { tUs: 0, type: 'run', state: 't0' },
    { tUs: endUs, type: 'run', state: 'loadEnd' },
    { tUs: endUs, type: 'run', state: 'drained' },
    { tUs: endUs, type: 'run', state: 'end' },
  ];
  const data: RunData = { dir: run.id, run, events, intervals: () => intervals, summary: null, truncated: false };
  const summary = summarize(data);
  options.changeSummary?.(summary);
  return { data: { ...data, summary }, summary };
}

/** Several runs as one side. */
export function syntheticSide(label: string, runs: LoadedRun[]): LoadedSide {
  return { label, source: label, runs, group: null, baseline: null };
}

/** Writes it as a result folder below `parent`; returns the folder. */
export function writeSyntheticRun(parent: string, options: SyntheticRunOptions): string {
  const { data, summary } = syntheticLoadedRun(options);
  const dir = join(parent, data.run.id);
  mkdirSync(dir, { recursive: true });
  const lines = (type: string, records: Iterable<unknown>): string =>
    `${[{ formatVersion: FORMAT_VERSION, type }, ...records].map((record) => JSON.stringify(record)).join('\n')}\n`;
  writeFileSync(join(dir, 'run.json'), `${JSON.stringify(data.run, null, 2)}\n`);
  writeFileSync(join(dir, 'intervals.ndjson'), lines('intervals', data.intervals()));
  writeFileSync(join(dir, 'events.ndjson'), lines('events', data.events));
  writeFileSync(join(dir, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
  return dir;
}

function makeIntervals(options: SyntheticRunOptions, slots: number): IntervalRecord[] {
  const draws = new RandomStream(options.seed, VALUES);
  const { opsPerSlot = 100 } = options;
  return Array.from({ length: slots }, (_, slot): IntervalRecord => {
    const drawn = (): CellRecord['ops'] => {
      const values = Array.from({ length: opsPerSlot }, (_, i) => options.latencyUs(draws.unit(slot * opsPerSlot + i), slot));
      return { get: { planned: opsPerSlot, ok: opsPerSlot, fail: 0, info: 0, dropped: 0, response: sparseFromValues(values) } };
    };
    const ops = options.cell?.(slot) ?? drawn();
    const ok = Object.values(ops).reduce((sum, op) => sum + op.ok, 0);
    return {
      index: slot,
      startUs: slot * INTERVAL_US,
      endUs: (slot + 1) * INTERVAL_US,
      cells: [{ phase: 0, slot, ops }],
      shards: [{ shard: 0, kind: 'read', ok, notOk: 0, firstNotOkUs: null, overdueSinceUs: null }],
      inFlight: 0,
      queued: 0,
    };
  });
}
