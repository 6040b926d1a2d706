/**
 * Keeps the operating system out of a measurement, as far as it lets itself be kept out: no core falls asleep, and the threads that matter come
 * before all others. Linux, with chrt and taskset (util-linux) and the right to real-time priorities. Used by accuracy.ts.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../base/errors.js';
import type { BenchChild, Children } from './children.js';

/** Real-time, first in first out: before everything of ordinary priority, behind the kernel's own interrupt threads (50). */
const FIFO_PRIORITY = '10';

const awakeProgram = fileURLToPath(new URL('./awakeCore.js', import.meta.url));

/** Why it cannot be had on this machine; null: it can. */
export function obstacleToQuiet(): string | null {
  if (process.platform !== 'linux') return 'it needs Linux';
  try {
    execFileSync('taskset', ['--cpu-list', '0', 'chrt', '--fifo', FIFO_PRIORITY, 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
    return null;
  } catch (error) {
    return messageOf(error).split('\n').filter(Boolean).join(': ');
  }
}

/** On each core a loop of idle priority: any other thread has the core at once, but need not wake it. To be ended by the caller. */
export function keepCoresAwake(children: Children, folder: string, limitSec: number): BenchChild[] {
  return Array.from({ length: availableParallelism() }, (_, core) => {
    const loop = [process.execPath, awakeProgram, String(limitSec)];
    return children.start(`the loop that keeps core ${core} awake`, 'taskset', ['--cpu-list', String(core), 'chrt', '--idle', '0', ...loop], folder);
  });
}

/**
 * Gives real-time priority to the threads of a process that have had the most CPU time so far.
 * @param butMain leaves its main thread out
 */
export function preferBusiest(pid: number, count: number, { butMain = false } = {}): void {
  const threads = readdirSync(`/proc/${pid}/task`)
    .filter((thread) => !(butMain && thread === String(pid)))
    .map((thread) => ({ thread, cpuNs: cpuNsOf(pid, thread) }))
    .sort((a, b) => b.cpuNs - a.cpuNs);
  for (const { thread } of threads.slice(0, count)) execFileSync('chrt', ['--fifo', '--pid', FIFO_PRIORITY, thread]);
}

/** The first figure of the scheduler's statistics. */
function cpuNsOf(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return 0; // Ended since the folder was listed.
  }
}
