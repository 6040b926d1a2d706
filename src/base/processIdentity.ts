/**
 * Tells a process from a later one with the same number. Used where a pid is read from a file: undo journals, labs that go on running.
 * It only looks.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const PS_LIMIT_MS = 2_000;

/** A process, and when it started, in words that only have to be equal. */
export interface ProcessIdentity {
  pid: number;
  started: string;
}

/** Null when there is no such process (a zombie is none). */
export function identityOf(pid: number): ProcessIdentity | null {
  const started = process.platform === 'linux' ? startByProc(pid) : startByPs(pid);
  return started === null ? null : { pid, started };
}

/** Whether the very process still runs. */
export function isStillRunning(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.started === identity.started;
}

/** `stat` is `pid (name) state …` with the start time, in ticks since the machine's own start, as field 22; with the boot's id it is unique. */
function startByProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19] ?? ''}`;
  } catch {
    return null;
  }
}

function startByPs(pid: number): string | null {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      timeout: PS_LIMIT_MS,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.trim() === '' ? null : text.trim();
  } catch {
    return null;
  }
}
