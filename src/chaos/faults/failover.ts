/**
 * The `failover` fault: a replica takes over from its master on command, as operators do before maintenance. Used through the registry.
 * It only ever sends CLUSTER FAILOVER or SENTINEL FAILOVER; it ends no process and changes no setting.
 */
import { z } from 'zod';
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import { fieldsOf } from '../../topology/infoReply.js';
import type { NodeView } from '../../topology/target.js';
import { type Ask, untilTrue, withControl } from '../controlCommands.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';

/** Below the controller's limit for an injection. A plain failover that the master does not answer gives up after 5 s. */
const TAKE_OVER_LIMIT_US = 8_000_000;
/** The old master must be a replica that has caught up before it can take over again. */
const FAIL_BACK_LIMIT_US = 15_000_000;

const params = z.strictObject({
  mode: z
    .enum(['plain', 'force', 'takeover'])
    .default('plain')
    .describe(
      'plain: master and replica agree, nothing is lost. force: without the master’s part, by an election. takeover: without an election either; the replica just says so. Sentinels know only plain, choose the replica themselves, and do not ask the old master: until they turn it into a replica it goes on acknowledging writes, which are lost.',
    ),
  back: z.boolean().default(false).describe('Whether the heal gives the role back to the old master. Else the new one stays.'),
});
type FailoverParams = z.infer<typeof params>;

export const failover: FaultKind<FailoverParams> = {
  kind: 'failover',
  summary:
    'Has a replica take over from its master (CLUSTER FAILOVER, or SENTINEL FAILOVER where sentinels watch), as before maintenance. `node` is the master, or the replica that takes over.',
  healSummary: 'None needed: it is over when the roles have changed; with `back` the old master takes over again.',
  params,
  needs: 'none',
  topologies: ['cluster', 'sentinel', 'external'],
  selector: 'required',
  shading: { color: '#16a085', label: 'failover' },
  example: '{ at: 8s, fault: failover, node: "master of slot 0", mode: plain }',
  inject(context, targets, options) {
    return injectIntoEach(context, targets, (node) => takeOver(context, node, options));
  },
};

async function takeOver(context: FaultContext, node: NodeView, { mode, back }: FailoverParams): Promise<ActiveFault> {
  const sentinel = context.view().nodes.find((other) => other.role === 'sentinel' && other.reachable);
  if (sentinel) return bySentinel(context, sentinel.id, node, { mode, back });
  const replica = node.role === 'replica' ? node : replicaOf(node, context.view().nodes);
  const oldMasterId = replica.masterId ?? node.id;
  const injectedAtUs = monotonicUs();
  await changeRoles(context, replica.id, mode, TAKE_OVER_LIMIT_US);
  context.note(`${replica.id} took over from ${oldMasterId} ${Math.round((monotonicUs() - injectedAtUs) / 1000)} ms after CLUSTER FAILOVER`);
  if (!back) {
    const isMasterNow = (): Promise<boolean> => withControl(context, replica.id, isMaster);
    return { injectedAtUs, done: Promise.resolve(), heal: () => Promise.resolve(), isHealed: isMasterNow };
  }
  return {
    injectedAtUs,
    heal: () => failBack(context, oldMasterId),
    isHealed: () => withControl(context, oldMasterId, isMaster),
  };
}

/** The sentinel chooses who takes over, and settles the rest in its own time. */
async function bySentinel(context: FaultContext, sentinelId: string, node: NodeView, { mode, back }: FailoverParams): Promise<ActiveFault> {
  if (mode !== 'plain' || back)
    throw new KvbenchError('FAULT_FAILED', `SENTINEL FAILOVER knows neither mode: ${mode === 'plain' ? 'force' : mode} nor back`);
  const oldMasterId = node.role === 'replica' ? (node.masterId ?? node.id) : node.id;
  const injectedAtUs = monotonicUs();
  const oldMaster = context.view().nodes.find(({ id }) => id === oldMasterId);
  await withControl(context, sentinelId, async (ask) => ask('SENTINEL', 'FAILOVER', await nameOf(oldMaster?.address ?? '', ask)));
  const others = context.view().nodes.filter((other) => other.role === 'replica' && other.id !== oldMasterId && other.reachable);
  const anyIsMaster = async (): Promise<boolean> => {
    const roles = await Promise.all(others.map(({ id }) => withControl(context, id, isMaster).catch(() => false)));
    return roles.includes(true);
  };
  await untilTrue(`another than ${oldMasterId} is the master`, TAKE_OVER_LIMIT_US, anyIsMaster, context.signal);
  return { injectedAtUs, done: Promise.resolve(), heal: () => Promise.resolve(), isHealed: anyIsMaster };
}

/** By which the sentinel knows the master at this address; it can watch several. */
async function nameOf(address: string, ask: Ask): Promise<string> {
  const reply = await ask('SENTINEL', 'MASTERS');
  const masters = Array.isArray(reply) ? reply.map(fieldsOf) : [];
  const found = masters.find((fields) => `${fields.get('ip')}:${fields.get('port')}` === address) ?? (masters.length === 1 ? masters[0] : undefined);
  const name = found?.get('name');
  if (name !== undefined) return name;
  throw new KvbenchError('FAULT_FAILED', `the sentinel watches no master at ${address}`);
}

/** One in sync rather than one that is behind. */
function replicaOf(master: NodeView, nodes: readonly NodeView[]): NodeView {
  const replicas = nodes.filter((node) => node.role === 'replica' && node.masterId === master.id && node.reachable);
  const replica = replicas.find((node) => node.inSync) ?? replicas[0];
  if (replica) return replica;
  throw new KvbenchError('FAULT_FAILED', `${master.id} has no replica that could take over`, 'Set target.replicasPerMaster to at least 1.');
}

async function changeRoles(context: FaultContext, replicaId: string, mode: FailoverParams['mode'], limitUs: number): Promise<void> {
  await withControl(context, replicaId, async (ask) => {
    await ask('CLUSTER', 'FAILOVER', ...(mode === 'plain' ? [] : [mode.toUpperCase()]));
    await untilTrue(`${replicaId} is a master`, limitUs, () => isMaster(ask), context.signal);
  });
}

/** Right after a take-over the old master may still be a master in its own eyes, or not be in step yet: it is asked until it does. */
async function failBack(context: FaultContext, nodeId: string): Promise<void> {
  let refusal = '';
  await withControl(context, nodeId, async (ask) => {
    let sentUs = Number.NEGATIVE_INFINITY;
    await untilTrue(`${nodeId} is a master again`, FAIL_BACK_LIMIT_US, async () => {
      if (await isMaster(ask)) return true;
      if (monotonicUs() - sentUs > 1_000_000) {
        sentUs = monotonicUs();
        await ask('CLUSTER', 'FAILOVER').catch((error: unknown) => {
          refusal = messageOf(error);
        });
      }
      return false;
    }).catch((error: unknown) => {
      throw new KvbenchError('FAULT_FAILED', `${messageOf(error)}${refusal === '' ? '' : ` (${refusal})`}`);
    });
  });
}

async function isMaster(ask: Ask): Promise<boolean> {
  const role = await ask('ROLE');
  return Array.isArray(role) && role[0] === 'master';
}
