/**
 * The `fork` fault: a snapshot or a rewrite of the append-only file under load: the server forks, and every page it then changes is
 * copied. Used through the registry. What it leaves on disk is what the server itself would leave.
 */
import { z } from 'zod';
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError } from '../../base/errors.js';
import { parseInfo } from '../../topology/infoReply.js';
import { type Ask, hasNoProcess, untilTrue, withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

/** How long the child may work; a heal can do nothing but wait for it. */
const WORK_LIMIT_US = 600_000_000;
/** Below the limit of a heal. */
const HEAL_WAIT_US = 20_000_000;

const params = z.strictObject({
  by: z
    .enum(['bgsave', 'bgrewriteaof'])
    .default('bgsave')
    .describe('bgsave: a snapshot (dump.rdb). bgrewriteaof: the append-only file is written anew; with appendonly off too.'),
});
type ForkParams = z.infer<typeof params>;

export const fork: FaultKind<ForkParams> = {
  kind: 'fork',
  summary: 'Has a server fork for a snapshot or a rewrite of its append-only file while it is under load; tells fork time and duration.',
  healSummary: 'It ends by itself; the heal waits for the child.',
  params,
  needs: 'none',
  selector: 'required',
  shading: { color: '#6e2c00', label: 'fork' },
  example: '{ at: 8s, fault: fork, node: "master[0]", by: bgsave }',
  inject(context, targets, { by }) {
    return injectIntoEach(context, targets, ({ id }) => forkOn(context, id, by));
  },
};

async function forkOn(context: FaultContext, nodeId: string, by: ForkParams['by']): Promise<ActiveFault> {
  const injectedAtUs = monotonicUs();
  await withControl(context, nodeId, async (ask) => {
    await ask(by.toUpperCase());
    const info = await persistence(ask);
    if (info.get('aof_rewrite_scheduled') === '1') {
      throw new KvbenchError('FAULT_FAILED', `${nodeId} has another child at work already and put ${by} off`);
    }
  });
  const isOver = (): Promise<boolean> => (hasNoProcess(context, nodeId) ? Promise.resolve(true) : withControl(context, nodeId, (ask) => over(ask)));
  const wait = async (limitUs: number): Promise<void> => untilTrue(`${by} of ${nodeId} is done`, limitUs, isOver);
  const done = wait(WORK_LIMIT_US).then(() => tell(context, nodeId, by, injectedAtUs));
  done.catch(() => undefined);
  return { injectedAtUs, done, heal: () => wait(HEAL_WAIT_US), isHealed: isOver };
}

async function tell(context: FaultContext, nodeId: string, by: ForkParams['by'], sinceUs: number): Promise<void> {
  if (hasNoProcess(context, nodeId)) return;
  const ms = Math.round((monotonicUs() - sinceUs) / 1000);
  await withControl(context, nodeId, async (ask) => {
    const forkUs = parseInfo(String(await ask('INFO', 'stats'))).get('latest_fork_usec') ?? '?';
    const status = (await persistence(ask)).get(by === 'bgsave' ? 'rdb_last_bgsave_status' : 'aof_last_bgrewrite_status') ?? '?';
    context.note(`${by} of ${nodeId}: the fork took ${forkUs} µs, all of it ${ms} ms (${status})`);
  }).catch(() => undefined);
}

async function over(ask: Ask): Promise<boolean> {
  const info = await persistence(ask);
  return info.get('rdb_bgsave_in_progress') !== '1' && info.get('aof_rewrite_in_progress') !== '1';
}

async function persistence(ask: Ask): Promise<Map<string, string>> {
  return parseInfo(String(await ask('INFO', 'persistence')));
}
