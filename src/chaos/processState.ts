/** Whether a process of this machine is stopped (SIGSTOP). Asked by `nodeHolds.ts`, which confirms a pause and its end by it. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const PS_LIMIT_MS = 2_000;

/** True when the process exists and is stopped. Reads /proc where there is one, else asks `ps`. */
export async function isProcessStopped(pid: number): Promise<boolean> {
  if (process.platform === 'linux') return stoppedByProc(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)], { timeout: PS_LIMIT_MS });
    return stdout.trim().startsWith('T');
  } catch {
    return false;
  }
}

/** `stat` is `pid (name) state …`, and the name may hold anything, brackets and spaces too. */
function stoppedByProc(stat: string): boolean {
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) === 'T';
}
