/** `kvbench run` as a child process of the bench: its profile, its start, and what its summary said. Used by everything that measures kvbench. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRun } from '../result/readRun.js';
import type { Summary } from '../result/summary.js';
import { KEY_COUNT, VALUE_BYTES } from './cases.js';
import type { BenchChild, Children } from './children.js';

export const kvbenchProgram = fileURLToPath(new URL('../cli/main.js', import.meta.url));
/** On stderr, without a terminal, when the phases begin: the one before, and the one that is measured. */
export const WARM_UP_BEGINS = /phase warm-up/;
export const STEADY_BEGINS = /phase steady/;
/** Start, preload, warm-up. */
export const START_LIMIT_US = 120_000_000;
/** From the end of the load to the last word: clean-up of the keys, summary, report. */
export const END_LIMIT_US = 120_000_000;

export interface KvbenchLoad {
  client: 'wire' | 'ioredis';
  port: number;
  mode: 'standalone' | 'cluster';
  threads: number;
  connections: number;
  warmUpSec: number;
  steadySec: number;
  /** Keys of a phase that say how much: `{ clients, pipeline }` or `{ rate }`. */
  intensity: Record<string, number | string>;
  keyCount?: number;
  preload?: boolean;
  /** More keys of `load`. */
  more?: Record<string, number | string>;
}

/** The profile as an object; written as JSON, which is YAML. */
export function benchProfile(load: KvbenchLoad): object {
  return {
    name: 'bench',
    seed: 42,
    target: { topology: 'external', url: `redis://127.0.0.1:${load.port}`, mode: load.mode },
    load: {
      client: load.client,
      threads: load.threads,
      connections: load.connections,
      timeout: '10s',
      ...load.more,
      workload: {
        name: 'bench',
        operations: { get: 1, set: 1 },
        keys: { count: load.keyCount ?? KEY_COUNT, distribution: 'uniform', prefix: 'kvbench:' },
        values: { size: `${VALUE_BYTES}B` },
        preload: load.preload ?? true,
      },
      phases: [
        { name: 'warm-up', duration: `${load.warmUpSec}s`, ...load.intensity, record: false },
        { name: 'steady', duration: `${load.steadySec}s`, ...load.intensity },
      ],
    },
  };
}

export interface KvbenchRun {
  child: BenchChild;
  /** The result folder. */
  dir: string;
}

let runCount = 0;

/** Starts it in `folder`, where its profile and results go too. */
export function startKvbench(children: Children, folder: string, load: KvbenchLoad): KvbenchRun {
  const name = `run-${++runCount}`;
  const profile = join(folder, `${name}.yaml`);
  const dir = join(folder, name);
  writeFileSync(profile, JSON.stringify(benchProfile(load)));
  const child = children.start(`kvbench (${load.client})`, process.execPath, [kvbenchProgram, 'run', profile, '--out', dir], folder);
  return { child, dir };
}

/** Waits for its own end and reads what it said of itself. Throws when it ended with an error. */
export async function finishKvbench({ child, dir }: KvbenchRun): Promise<Summary> {
  await child.finished(END_LIMIT_US);
  return JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as Summary;
}

/** Operations that ended ok per second in this time (µs since t0), as the run recorded them; intervals that are partly in it count in part. */
export function recordedRate({ dir }: Pick<KvbenchRun, 'dir'>, { beginUs, endUs }: { beginUs: number; endUs: number }): number {
  let operations = 0;
  for (const interval of readRun(dir).intervals()) {
    const insideUs = Math.min(endUs, interval.endUs) - Math.max(beginUs, interval.startUs);
    if (insideUs <= 0) continue;
    const ok = interval.cells.flatMap(({ ops }) => Object.values(ops)).reduce((sum, cell) => sum + cell.ok, 0);
    operations += ok * (insideUs / (interval.endUs - interval.startUs));
  }
  return (operations / (endUs - beginUs)) * 1_000_000;
}
