/**
 * CPU time and peak memory of processes, as the system accounts for them (Linux: /proc). Used by measure.ts on generators and servers
 * alike; on other systems every answer is null, and the bench says so.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { monotonicUs } from '../base/clock.js';

export interface ProcessUsage {
  /** User and system time of all its threads, also of those that have ended. */
  cpuUs: number;
  /** Highest resident size it ever had (VmHWM). */
  peakRssBytes: number;
}

/** Of a process and all its descendants. Null when it has gone, or where there is no /proc. */
export function treeUsage(pid: number): ProcessUsage | null {
  const own = processUsage(pid);
  if (own === null) return null;
  const parents = parentsOfAll();
  const isOurs = (candidate: number): boolean => {
    for (let parent = parents.get(candidate); parent !== undefined; parent = parents.get(parent)) if (parent === pid) return true;
    return false;
  };
  const usage = { ...own };
  for (const other of parents.keys()) {
    const its = isOurs(other) ? processUsage(other) : null;
    usage.cpuUs += its?.cpuUs ?? 0;
    usage.peakRssBytes += its?.peakRssBytes ?? 0;
  }
  return usage;
}

/** Of one process. Null when it has gone, or where there is no /proc. */
export function processUsage(pid: number): ProcessUsage | null {
  try {
    const peakKb = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const fields = statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    // Fields 14 and 15 of proc(5), utime and stime; the first of `fields` is the third, state.
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuUs: ticks * tickUs(), peakRssBytes: Number(peakKb ?? 0) * 1024 };
  } catch {
    return null;
  }
}

/** CPU time that everything on this machine has used since it started, but waiting and idling. Null where there is no /proc. */
export function machineBusyUs(): number | null {
  try {
    const [, user, nice, system, , , irq, softirq, steal] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).map(Number);
    return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0) + (steal ?? 0)) * tickUs();
  } catch {
    return null;
  }
}

/** What follows the program's name, which may itself hold spaces and parentheses. */
function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function parentsOfAll(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      parents.set(Number(entry), Number(statFields(readFileSync(`/proc/${entry}/stat`, 'utf8'))[1]));
    } catch {
      // Gone since the folder was listed.
    }
  }
  return parents;
}

/** Watches what is not ours: call it at the begin of a time, and the result at its end. Cores that all but these processes kept busy; null: unknown. */
export function watchOthers(pids: readonly number[]): () => number | null {
  const before = othersUs(pids);
  const beganUs = monotonicUs();
  return () => {
    const after = othersUs(pids);
    return before === null || after === null ? null : Math.max(0, after - before) / (monotonicUs() - beganUs);
  };
}

function othersUs(pids: readonly number[]): number | null {
  const machineUs = machineBusyUs();
  const usages = pids.map(treeUsage);
  if (machineUs === null || usages.some((usage) => usage === null)) return null;
  const { user, system } = process.cpuUsage();
  return usages.reduce((rest, usage) => rest - (usage?.cpuUs ?? 0), machineUs) - user - system;
}

/**
 * Watches how long threads that were ready to run had to wait for a core: call it at the begin of a time, and the result at its end. By name
 * of process, all its threads together (those that live at both ends), and `steal`, what the host took of the cores; in ms. Null: unknown.
 */
export function watchWaits<K extends string>(pids: Record<K, number>): () => Record<K | 'steal', number> | null {
  const look = (): Record<K | 'steal', Map<string, number>> => {
    const waits = { steal: new Map([['all', stealUs()]]) } as Record<K | 'steal', Map<string, number>>;
    for (const name of Object.keys(pids) as K[]) waits[name] = waitsOf(pids[name]);
    return waits;
  };
  try {
    const before = look();
    return () => {
      try {
        const after = look();
        const waited = {} as Record<K | 'steal', number>;
        for (const name of Object.keys(after) as (K | 'steal')[]) {
          const ids = [...after[name].keys()].filter((id) => before[name].has(id));
          waited[name] = ids.reduce((sum, id) => sum + (after[name].get(id) ?? 0) - (before[name].get(id) ?? 0), 0) / 1000;
        }
        return waited;
      } catch {
        return null;
      }
    };
  } catch {
    return () => null;
  }
}

/** µs by thread: the second figure of the scheduler's statistics, ns. */
function waitsOf(pid: number): Map<string, number> {
  const waits = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      waits.set(thread, Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[1]) / 1000);
    } catch {
      // Ended since the folder was listed.
    }
  }
  return waits;
}

function stealUs(): number {
  return Number((readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/)[8] ?? 0) * tickUs();
}

let knownTickUs = 0;

function tickUs(): number {
  if (knownTickUs === 0) knownTickUs = 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).trim());
  return knownTickUs;
}
