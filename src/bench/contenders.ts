/** Who is measured: how each generator is started for a case, and what of its arguments make it comparable. Used by throughput.ts. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { kvbenchVersion, packageRoot } from '../base/packageRoot.js';
import type { BareLoop } from './bareIoredis.js';
import type { BenchServers } from './benchServers.js';
import { type BenchCase, type ContenderId, KEY_COUNT, VALUE_BYTES } from './cases.js';
import type { BenchChild, Children } from './children.js';
import { finishKvbench, recordedRate, START_LIMIT_US, STEADY_BEGINS, startKvbench } from './kvbenchRun.js';
import type { WindowTimes } from './measure.js';

/** Before the window, once a generator says that it is steady; those that say nothing get more. */
const SETTLE_US = 300_000;
const SILENT_SETTLE_US = 1_500_000;
const WARM_UP_SEC = 2;
/** How much longer than settling and window a generator that ends itself must run. */
const MARGIN_SEC = 1.5;
/** More than any window needs; they are ended before. */
const ENDLESS = 2_000_000_000;
/** SETs of random keys per master, after which all but 1 % of the keys are there. */
const FILLING_SETS = 5 * KEY_COUNT;
const FILL_LIMIT_US = 120_000_000;

export interface BenchContext {
  children: Children;
  servers: BenchServers;
  folder: string;
  windowUs: number;
  signal: AbortSignal;
}

/** One process that is measured for one window. */
export interface StartedPart {
  child: BenchChild;
  /** Resolves when the window can begin. */
  steady(): Promise<void>;
  /** After the window: ends it; what it says of itself, if it tells. */
  finish(window: WindowTimes): Promise<OwnFigures | null>;
}

/** What a generator says of itself. */
export interface OwnFigures {
  /** In the same window. */
  opsPerSec: number;
  /** GETs and SETs it counts in all of its life, preload and warm-up included. */
  operations: number;
}

export interface Contender {
  id: ContenderId;
  label: string;
  version: string;
  /** One after the other, each in its own process; several are combined as an even mix. */
  parts: readonly string[];
  /** Puts the keys there that it does not write itself. */
  fill(context: BenchContext): Promise<void>;
  start(part: string, benchCase: BenchCase, context: BenchContext): StartedPart;
}

/** Those that are here, and a note for each that is not. */
export function findContenders(env: NodeJS.ProcessEnv): { contenders: Contender[]; missing: { id: ContenderId; note: string }[] } {
  const contenders: Contender[] = [kvbench('wire'), kvbench('ioredis'), bareIoredis()];
  const missing: { id: ContenderId; note: string }[] = [];
  for (const { id, program, make } of externalTools) {
    const path = findOnPath(program, env);
    if (path === null) missing.push({ id, note: `${program} is not on PATH: skipped` });
    else contenders.push(make(path));
  }
  return { contenders, missing };
}

const externalTools: readonly { id: ContenderId; program: string; make: (path: string) => Contender }[] = [
  { id: 'redis-benchmark', program: 'redis-benchmark', make: (path) => redisBenchmark('redis-benchmark', path) },
  { id: 'memtier', program: 'memtier_benchmark', make: memtier },
  { id: 'valkey-benchmark', program: 'valkey-benchmark', make: (path) => redisBenchmark('valkey-benchmark', path) },
];

/** @param more keys of `load` */
export function kvbench(client: 'wire' | 'ioredis', more: Record<string, number | string> = {}): Contender {
  return {
    id: client,
    label: `kvbench, client: ${client}`,
    version: kvbenchVersion,
    parts: ['mix'],
    fill: async () => {},
    start: (_part, benchCase, { children, folder, servers, windowUs, signal }) => {
      const run = startKvbench(children, folder, {
        client,
        port: servers.seed.port,
        mode: servers.mode,
        threads: 1,
        connections: benchCase.connectionsPerMaster,
        warmUpSec: WARM_UP_SEC,
        steadySec: windowUs / 1_000_000 + SETTLE_US / 1_000_000 + MARGIN_SEC,
        intensity: { clients: benchCase.clients, pipeline: benchCase.pipeline },
        more,
      });
      let steadyAtUs = 0;
      return {
        child: run.child,
        steady: async () => {
          await run.child.said(STEADY_BEGINS, START_LIMIT_US);
          steadyAtUs = monotonicUs();
          await sleepUs(SETTLE_US, signal);
        },
        finish: async ({ beginUs, endUs }) => {
          const summary = await finishKvbench(run);
          const steadyUs = WARM_UP_SEC * 1_000_000;
          const window = { beginUs: beginUs - steadyAtUs + steadyUs, endUs: endUs - steadyAtUs + steadyUs };
          return { opsPerSec: recordedRate(run, window), operations: KEY_COUNT + summary.ops.ok + summary.warmUp.ok };
        },
      };
    },
  };
}

function bareIoredis(): Contender {
  const program = fileURLToPath(new URL('./bareIoredis.js', import.meta.url));
  return {
    id: 'bare-ioredis',
    label: 'bare ioredis loop',
    version: (JSON.parse(readFileSync(join(packageRoot, 'node_modules', 'ioredis', 'package.json'), 'utf8')) as { version: string }).version,
    parts: ['mix'],
    fill: async () => {},
    start: (_part, { clients, pipeline, connectionsPerMaster }, { children, folder, servers, signal }) => {
      const { host, port } = servers.seed;
      const inFlight = clients * pipeline;
      const loop: BareLoop = {
        mode: servers.mode,
        host,
        port,
        connections: connectionsPerMaster,
        inFlight,
        keyCount: KEY_COUNT,
        valueBytes: VALUE_BYTES,
      };
      const child = children.start('bare ioredis loop', process.execPath, [program, JSON.stringify(loop)], folder);
      return {
        child,
        steady: () => child.said(STEADY_BEGINS, START_LIMIT_US).then(() => sleepUs(WARM_UP_SEC * 1_000_000, signal)),
        finish: () => endIt(child),
      };
    },
  };
}

/** It sends one kind of command at a time, so a window of SETs and one of GETs stand for the mix. */
export function redisBenchmark(id: 'redis-benchmark' | 'valkey-benchmark', path: string): Contender {
  return {
    id,
    label: id,
    version: firstVersion(path),
    parts: ['set', 'get'],
    fill: async (context) => {
      const { servers } = context;
      if (servers.mode === 'standalone') return servers.fill(KEY_COUNT, VALUE_BYTES, (index) => `key:${String(index).padStart(12, '0')}`);
      // In a cluster it names its keys by slots of its own choice, which only it knows.
      const load = { host: servers.seed.host, port: servers.seed.port, part: 'set', clients: 50, pipeline: 64, mode: servers.mode };
      const child = context.children.start(id, path, redisBenchmarkArguments(load, servers.nodes.length * FILLING_SETS), context.folder);
      await child.finished(FILL_LIMIT_US);
    },
    start: (part, { clients, pipeline }, context) => {
      const { servers } = context;
      const { host, port } = servers.seed;
      return startRedisBenchmark(path, { host, port, part, clients, pipeline, mode: servers.mode }, context);
    },
  };
}

export interface RedisBenchmarkLoad {
  host: string;
  port: number;
  part: string;
  clients: number;
  pipeline: number;
  mode: 'standalone' | 'cluster';
}

export function startRedisBenchmark(
  path: string,
  load: RedisBenchmarkLoad,
  { children, folder, signal }: { children: Children; folder: string; signal: AbortSignal },
): StartedPart {
  const child = children.start(basename(path), path, redisBenchmarkArguments(load), folder);
  return { child, steady: () => sleepUs(SILENT_SETTLE_US, signal), finish: () => endIt(child) };
}

export function redisBenchmarkArguments({ host, port, part, clients, pipeline, mode }: RedisBenchmarkLoad, requests = ENDLESS): string[] {
  const counts = ['-c', clients, '-P', pipeline, '-n', requests, '-d', VALUE_BYTES, '-r', KEY_COUNT].map(String);
  return ['-h', host, '-p', String(port), '-t', part, ...counts, '-q', ...(mode === 'cluster' ? ['--cluster'] : [])];
}

function memtier(path: string): Contender {
  return {
    id: 'memtier',
    label: 'memtier_benchmark',
    version: firstVersion(path),
    parts: ['mix'],
    fill: ({ servers }) => servers.fill(KEY_COUNT, VALUE_BYTES, (index) => `memtier-${index + 1}`),
    start: (_part, { connectionsPerMaster, pipeline }, { children, folder, servers, windowUs, signal }) => {
      const { host, port } = servers.seed;
      const numbers: Record<string, number | string> = {
        server: host,
        port,
        threads: 1,
        clients: connectionsPerMaster,
        pipeline,
        ratio: '1:1',
        'data-size': VALUE_BYTES,
        'key-minimum': 1,
        'key-maximum': KEY_COUNT,
        'key-pattern': 'R:R',
        'test-time': Math.ceil(windowUs / 1_000_000) + 60,
      };
      const args = [...Object.entries(numbers).map(([name, each]) => `--${name}=${each}`), '--hide-histogram'];
      const child = children.start('memtier_benchmark', path, servers.mode === 'cluster' ? [...args, '--cluster-mode'] : args, folder);
      return { child, steady: () => sleepUs(SILENT_SETTLE_US, signal), finish: () => endIt(child) };
    },
  };
}

async function endIt(child: BenchChild): Promise<null> {
  await child.end();
  return null;
}

function firstVersion(path: string): string {
  try {
    return /\d+\.\d+(\.\d+)?/.exec(execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 }))?.[0] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

export function findOnPath(name: string, env: NodeJS.ProcessEnv): string | null {
  for (const folder of (env.PATH ?? '').split(delimiter).filter((each) => each !== '')) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return null;
}
