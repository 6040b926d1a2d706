/**
 * The `full-sync` fault: a replica loses what it has and must be given all of it again by its master, under load. Used through the
 * registry; only on servers and folders of kvbench's own. A restart without data is the one way that no backlog can make a partial one of.
 */
import { z } from 'zod';
import { assert } from '../../base/assert.js';
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import { parseInfo } from '../../topology/infoReply.js';
import type { NodeView } from '../../topology/target.js';
import { untilTrue, withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

/** A copy of a big data set takes its time; a heal can only wait for it within its own limit. */
const SYNC_LIMIT_US = 600_000_000;

const params = z.strictObject({});
type FullSyncParams = z.infer<typeof params>;

export const fullSync: FaultKind<FullSyncParams> = {
  kind: 'full-sync',
  summary:
    'Restarts a replica without its data, so that its master must send all of it again; tells how long that took, how many bytes, and that it was a full one. `node` is the replica, or the master whose replica it is.',
  healSummary: 'Heals by itself when the replica’s link to its master is up again.',
  params,
  needs: 'process',
  topologies: ['cluster', 'replicated', 'sentinel'],
  takesDown: true,
  selector: 'required',
  shading: { color: '#4a235a', label: 'full sync' },
  example: '{ at: 8s, fault: full-sync, node: "replica of master[0]" }',
  inject(context, targets) {
    return injectIntoEach(context, targets, (node) => emptyReplica(context, node));
  },
};

interface MasterCounts {
  full: number;
  partial: number;
  outputBytes: number;
}

async function emptyReplica(context: FaultContext, node: NodeView): Promise<ActiveFault> {
  const { holds, faultId, processes } = context;
  assert(processes, 'a full sync without processes');
  const replicas = context.view().nodes.filter((other) => other.role === 'replica' && other.masterId === node.id && other.reachable);
  const replica = node.role === 'replica' ? node : replicas[0];
  if (!replica?.masterId) throw new KvbenchError('FAULT_FAILED', `${node.id} neither is a replica of a known master nor has one`);
  const { id, masterId } = replica;
  const before = await countsOf(context, masterId);
  const injectedAtUs = await holds.takeDown(id, faultId, 'SIGKILL');
  const restart = async (): Promise<void> => {
    try {
      await processes.removeData(id);
    } finally {
      await holds.releaseDown(id, faultId);
    }
  };
  const done = restart()
    .then(() => untilTrue(`${id} has its data again`, SYNC_LIMIT_US, () => isLinked(context, id), context.signal))
    .then(() => tell(context, id, masterId, before, injectedAtUs));
  done.catch((error: unknown) => context.note(`fault ${faultId}: ${messageOf(error)}`));
  return {
    injectedAtUs,
    done,
    heal: () => holds.releaseDown(id, faultId),
    isHealed: async () => (await holds.isUpAgain(id, faultId)) && (await isLinked(context, id)),
  };
}

async function isLinked(context: FaultContext, id: string): Promise<boolean> {
  const info = await withControl(context, id, (ask) => ask('INFO', 'replication')).catch(() => '');
  return parseInfo(String(info)).get('master_link_status') === 'up';
}

async function countsOf(context: FaultContext, masterId: string): Promise<MasterCounts> {
  const info = parseInfo(String(await withControl(context, masterId, (ask) => ask('INFO', 'stats'))));
  const number = (name: string): number => Number(info.get(name) ?? 0);
  // Before Redis 7.0 only all output is counted, that to clients too.
  const outputBytes = number(info.has('total_net_repl_output_bytes') ? 'total_net_repl_output_bytes' : 'total_net_output_bytes');
  return { full: number('sync_full'), partial: number('sync_partial_ok'), outputBytes };
}

async function tell(context: FaultContext, id: string, masterId: string, before: MasterCounts, sinceUs: number): Promise<void> {
  const after = await countsOf(context, masterId);
  const kinds = `${after.full - before.full} full, ${after.partial - before.partial} partial`;
  const ms = Math.round((monotonicUs() - sinceUs) / 1000);
  context.note(`${id} has its data again after ${ms} ms: ${after.outputBytes - before.outputBytes} bytes of replication from ${masterId} (${kinds})`);
}
