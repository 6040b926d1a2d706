/** The schemas of `load.wait` and `load.waitAof`, and what they cannot be beside the rest of a profile. Called by loadSchema and loadProfile. */
import { z } from 'zod';
import type { ConfirmPlan } from '../plan/plan.js';
import { type Ground, labShapeOf } from './crossChecks.js';
import { duration, whole } from './fields.js';

/** Milliseconds on the wire: not below one. */
const timeout = () =>
  duration('1ms', '10m')
    .prefault('100ms')
    .describe('How long the server waits before it answers with what it has. The operation’s response includes it; below `load.timeout`.');

export const waitSchema = z.strictObject({
  replicas: whole(1, 100)
    .describe('So many replicas must have acknowledged the write.')
    .meta({ examples: [1] }),
  timeout: timeout(),
});

export const waitAofSchema = z.strictObject({
  local: whole(0, 1).default(1).describe('1: the server’s own append-only file must be synced.'),
  replicas: whole(0, 100).default(0).describe('So many replicas must have synced theirs.'),
  timeout: timeout(),
});

interface Confirmations {
  wait?: z.output<typeof waitSchema> | undefined;
  waitAof?: z.output<typeof waitAofSchema> | undefined;
}

/** Undefined: writes are not confirmed. */
export function confirmPlan({ wait, waitAof }: Confirmations): ConfirmPlan | undefined {
  const timeoutMs = (us: number): number => Math.ceil(us / 1000);
  if (wait) return { command: 'wait', local: 0, replicas: wait.replicas, timeoutMs: timeoutMs(wait.timeout) };
  if (!waitAof) return undefined;
  return { command: 'waitaof', local: waitAof.local === 1 ? 1 : 0, replicas: waitAof.replicas, timeoutMs: timeoutMs(waitAof.timeout) };
}

/** What would fall short every time, or never be seen, is a mistake. */
export function checkConfirmations({ tree, problems, target }: Ground, load: (Confirmations & { timeout: number }) | null): void {
  if (load === null) return;
  if (load.wait && load.waitAof)
    problems.add(tree.place(['load', 'waitAof'], 'key'), 'wait and waitAof exclude each other; a write is followed by one of them');
  if (load.waitAof && load.waitAof.local === 0 && load.waitAof.replicas === 0)
    problems.add(tree.place(['load', 'waitAof']), 'waitAof: local 0 and replicas 0 waits for nothing; set one of them to 1, or leave it out');
  for (const key of ['wait', 'waitAof'] as const) {
    const asked = load[key];
    if (!asked) continue;
    if (asked.timeout >= load.timeout) {
      const message = 'timeout: it must be below load.timeout, or the operation ends before the server answers';
      problems.add(tree.place(['load', key, 'timeout']), message);
    }
    const replicas = replicasOf(target);
    if (replicas !== null && asked.replicas > replicas) {
      const message = `replicas: ${asked.replicas}, but a master of this lab has ${replicas}; every write would fall short`;
      problems.add(tree.place(['load', key, 'replicas']), message);
    }
  }
}

/** Of each master; null: not known before the run. */
function replicasOf(target: Ground['target']): number | null {
  if (target === null || target.topology === 'external') return null;
  return labShapeOf(target)?.replicasPerMaster ?? null;
}
