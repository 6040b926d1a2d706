/**
 * What the end-to-end tests share: kvbench as a child process in a temporary folder, its results, and proof that nothing is left. Ends only
 * processes it started itself.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { sleepUs } from '../base/clock.js';
import type { EventRecord, IntervalRecord } from '../result/records.js';
import type { FaultSummary, Summary } from '../result/summary.js';

const program = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/** A folder that goes with the test file. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kvbench-e2e-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  finished: Promise<Finished>;
  /** Resolves when stdout or stderr has said it; rejects when the program ends first. */
  said(pattern: RegExp): Promise<void>;
}

/** Starts kvbench with its temporary folders below `options.temp`, so that what it leaves can be seen. */
export function startKvbench(args: string[], options: { cwd: string; env?: Record<string, string>; temp?: string }): Running {
  // The program starts as users start it: the runner's source maps cost a tenth of a second each time.
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', ...options.env };
  if (options.temp !== undefined) env.TMPDIR = options.temp;
  const child = spawn(process.execPath, [program, ...args], { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal, ...texts });
      for (const listener of listeners) listener();
    });
  });
  const said = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(texts.stdout + texts.stderr)) resolve();
        else if (child.exitCode !== null || child.signalCode !== null)
          reject(new Error(`kvbench ended without saying ${pattern}:\n${texts.stderr}\n${texts.stdout}`));
        else return;
        listeners.delete(look);
      };
      listeners.add(look);
      look();
    });
  return { child, finished, said };
}

/** Runs kvbench to its end. */
export function runKvbench(args: string[], options: { cwd: string; env?: Record<string, string>; temp?: string }): Promise<Finished> {
  return startKvbench(args, options).finished;
}

export interface Results {
  summary: Summary;
  events: EventRecord[];
  intervals: IntervalRecord[];
}

export function readResults(dir: string): Results {
  const lines = (name: string): unknown[] =>
    readFileSync(join(dir, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  return {
    summary: JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8')) as Summary,
    events: lines('events.ndjson').slice(1) as EventRecord[],
    intervals: lines('intervals.ndjson').slice(1) as IntervalRecord[],
  };
}

/** Every planned operation has ended in one of the four outcomes. */
export function assertNothingUnaccounted(summary: Summary): void {
  const { planned, total, ok, fail, info, dropped, byReason } = summary.ops;
  assert.equal(total, ok + fail + info + dropped);
  if (planned !== null) assert.equal(planned, total);
  const reasons = Object.values(byReason).reduce((sum, count) => sum + count, 0);
  assert.equal(reasons, fail + info + dropped, 'every operation that did not succeed has a reason');
}

/** Every milestone of a kill that was healed is there, in order. */
export function assertMilestones(fault: FaultSummary): void {
  const at = (name: keyof FaultSummary): number => {
    const value = fault[name];
    assert.ok(typeof value === 'number', `${name} of fault ${fault.id} is ${String(value)}`);
    return value;
  };
  assert.ok(at('injectedAtMs') <= at('firstErrorMs'), 'injected ≤ first error');
  assert.ok(at('injectedAtMs') < at('detectedMs'), 'injected < detected');
  assert.ok(at('detectedMs') < at('promotedMs'), 'detected < promoted');
  assert.ok(at('promotedMs') < at('clientRecoveredMs'), 'promoted < client recovered');
  assert.ok(at('healedAtMs') < at('redundancyRestoredMs'), 'redundancy is restored after the restart');
  assert.equal(at('rtoMs'), Math.round((at('clientRecoveredMs') - at('injectedAtMs')) * 1000) / 1000);
}

/**
 * No server left or was promoted unasked. A machine that gives servers or generator no core for a moment makes a short silence, and one that starves the
 * generator (which the summary says) longer ones; these are rightly told.
 */
export function assertNoIncidents(summary: Summary, silenceMaxMs = 500): void {
  const { incidents, generator, availability } = summary;
  const longestMs = generator.saturated ? Number.POSITIVE_INFINITY : silenceMaxMs;
  const unasked = incidents.filter(
    ({ kind, injectedAtMs, clientRecoveredMs }) =>
      kind !== 'outage' || (clientRecoveredMs ?? Number.POSITIVE_INFINITY) - (injectedAtMs ?? 0) > longestMs,
  );
  assert.deepEqual(unasked, [], JSON.stringify({ unasked, gaps: availability.gaps, saturated: generator.saturated }));
}

export function writeProfile(dir: string, name: string, yaml: string): string {
  const file = join(dir, name);
  writeFileSync(file, yaml);
  return file;
}

/** Polls until `look` gives something; the limit fails loudly. */
export async function eventually<T>(
  what: string,
  limitMs: number,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += 25) {
    const found = await look();
    if (found) return found;
    assert.ok(waitedMs < limitMs, `not within ${limitMs} ms: ${what}`);
    await sleepUs(25_000);
  }
}

/** Pids of processes whose command line, environment or working folder names `text`; Linux only. Servers overwrite the first two. */
export function processesNaming(text: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((pid) => ['cmdline', 'environ'].some((file) => readQuietly(`/proc/${pid}/${file}`).includes(text)) || folderOf(pid).includes(text))
    .map(Number);
}

function folderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** With spaces between the arguments; empty when the process has gone. */
export function commandLineOf(pid: number): string {
  return readQuietly(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Nothing runs that was started with this temporary folder, and the folder is empty. */
export async function assertNothingLeft(temp: string, limitMs = 5000): Promise<void> {
  await eventually(`no process of ${temp}`, limitMs, () => processesNaming(temp).length === 0);
  await eventually(`nothing in ${temp}`, limitMs, () => readdirSync(temp).filter((name) => !name.startsWith('node-compile-cache')).length === 0);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** A redis-server of the test's own; ended with the test file. */
export async function startServer(
  extraArgs: string[] = [],
  connect: Record<string, unknown> = {},
): Promise<{ port: number; client: Redis; child: ChildProcess }> {
  const port = await freePort();
  const dir = temporaryFolder();
  const serverProgram = process.env.KVBENCH_SERVER ?? 'redis-server';
  const child = spawn(serverProgram, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir, ...extraArgs], { stdio: 'ignore' });
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50, maxRetriesPerRequest: null, ...connect });
  client.on('error', () => undefined);
  after(() => {
    client.disconnect();
    child.kill('SIGKILL');
  });
  await client.ping();
  return { port, client, child };
}
