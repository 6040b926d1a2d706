/** The shape of docs/bench/latest.json, and how a part that was measured anew replaces its old self there. Used by main.ts and the table. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { wallClockMs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import type { Figure, WindowResult } from './arithmetic.js';
import { describeMachine, type Machine } from './machine.js';

export const BENCH_FORMAT_VERSION = 1;

/** Every part says for itself when, where and how long it was measured: parts can be repeated one by one. */
export interface SectionHead {
  /** ISO 8601. */
  date: string;
  kvbench: string;
  machine: Machine;
  server: string | null;
  rounds: number;
  /** Of one window. */
  seconds: number;
  /** What a reader has to know about these figures. */
  notes: string[];
}

export interface ThroughputSection extends SectionHead {
  cases: CaseResult[];
}

export interface CaseResult {
  id: string;
  title: string;
  contenders: ContenderResult[];
}

export interface ContenderResult {
  id: string;
  label: string;
  version: string;
  /** Null: that round failed. */
  rounds: (WindowResult | null)[];
  /** What the generator says of itself in the same window, per round; null where it says nothing. */
  ownOpsPerSec: (number | null)[];
  /** All GETs and SETs of its life that it counts, less those that the servers executed: 0 when nothing is unaccounted for. */
  unaccounted: (number | null)[];
  /** Why rounds failed. */
  failures: string[];
}

export interface StartUpSection extends SectionHead {
  helpMs: Figure;
  bareNodeMs: Figure;
  ratio: Figure;
}

export interface ProxySection extends SectionHead {
  cases: { id: string; title: string; direct: (WindowResult | null)[]; proxied: (WindowResult | null)[]; failures: string[] }[];
}

export interface PacingSection extends SectionHead {
  ratePerSec: number;
  /** What kvbench chooses by itself on this machine. */
  chosen: string;
  ways: {
    pacing: string;
    dispatchLagP99Us: Figure | null;
    opsPerSec: Figure | null;
    /** CPU cores the generator's processes used. */
    cores: Figure | null;
    cpuUsPerOp: Figure | null;
    otherCores: Figure | null;
  }[];
}

export interface LedgerSection extends SectionHead {
  cases: { id: string; title: string; off: (WindowResult | null)[]; on: (WindowResult | null)[]; failures: string[] }[];
}

export interface MemorySection extends SectionHead {
  ratePerSec: number;
  threads: number;
  runs: { durationSec: number; opsPerSec: number; peakRssLoadBytes: number; peakRssBytes: number }[];
}

export interface AccuracyRow {
  /** E.g. `p99` or `throughput`. */
  what: string;
  expected: number;
  observed: number;
  /** What the server really did, by its own clock; null where that is not the same question. */
  delivered: number | null;
  tolerance: number;
  unit: 'us' | '1/s';
  ok: boolean;
  /** Within the tolerance of what the server really did. */
  okOfDelivered: boolean | null;
}

export interface Lateness {
  p50: number;
  p99: number;
  p999: number;
}

export interface AccuracyCase {
  id: string;
  title: string;
  client: string;
  rows: AccuracyRow[];
  /** How late the known server answered after the moment it should have. */
  serverLatenessUs: Lateness | null;
  /** How late kvbench sent, after the intended time. Null: a closed loop; absent in older files. */
  dispatchLagUs?: Lateness | null;
  /**
   * How long threads that were ready to run waited for a core (all threads of each together), and what the host took of the cores, while it
   * was measured. Null where the system does not tell; absent in older files.
   */
  waitsMs?: { generator: number; server: number; steal: number } | null;
  /** Round trips of an independent program. */
  probeUs: { p50: number; p99: number } | null;
  /** CPU cores that neither kvbench, the known server nor the bench kept busy; null where the system does not tell. */
  otherCores: number | null;
  failure: string | null;
}

export interface AccuracySection extends SectionHead {
  cases: AccuracyCase[];
}

export interface BenchSections {
  throughput?: ThroughputSection;
  startUp?: StartUpSection;
  proxy?: ProxySection;
  pacing?: PacingSection;
  ledger?: LedgerSection;
  memory?: MemorySection;
  accuracy?: AccuracySection;
}

export interface BenchFile {
  benchFormatVersion: typeof BENCH_FORMAT_VERSION;
  sections: BenchSections;
}

export function makeHead(options: { server: string | null; rounds: number; seconds: number; notes?: string[] }): SectionHead {
  return {
    date: new Date(wallClockMs()).toISOString(),
    kvbench: kvbenchVersion,
    machine: describeMachine(),
    server: options.server,
    rounds: options.rounds,
    seconds: options.seconds,
    notes: options.notes ?? [],
  };
}

export function emptyBench(): BenchFile {
  return { benchFormatVersion: BENCH_FORMAT_VERSION, sections: {} };
}

/** What an earlier run left in `folder`; empty when there is nothing. Throws RESULT_NOT_READABLE on a file of another kind. */
export function readBench(folder: string): BenchFile {
  const file = join(folder, 'latest.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return emptyBench();
  }
  try {
    const found = JSON.parse(text) as Partial<BenchFile>;
    if (found.benchFormatVersion !== BENCH_FORMAT_VERSION || typeof found.sections !== 'object') throw new Error('it has another format');
    return found as BenchFile;
  } catch (error) {
    throw new KvbenchError(
      'RESULT_NOT_READABLE',
      `${file} is no result of the bench: ${messageOf(error)}`,
      'Move it away, or name another folder with --out.',
    );
  }
}

/** Writes latest.json and latest.md, each complete or not at all. */
export function writeBench(folder: string, bench: BenchFile, markdown: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of [
    ['latest.json', `${JSON.stringify(bench, null, 2)}\n`],
    ['latest.md', markdown],
  ] as const) {
    const file = join(folder, name);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }
}
