/** Keeps the servers' own logs in the result folder, before the lab's folder goes. Called by run.ts. */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from '../topology/target.js';

/** Copies each node's log to `nodes/<id>.log`; nodes without one (external targets) are left out. */
export function keepNodeLogs(target: Target, dir: string): void {
  const logs = target.nodes.filter((node) => node.logFile !== null && existsSync(node.logFile));
  if (logs.length === 0) return;
  mkdirSync(join(dir, 'nodes'), { recursive: true });
  for (const node of logs) copyFileSync(node.logFile as string, join(dir, 'nodes', `${node.id}.log`));
}
