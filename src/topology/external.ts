/**
 * A target that already runs and is not ours: reached by URL, entered as a guest (guestRules.ts), left as it was found (removeKeys.ts).
 * Called by cli/run. It must never FLUSH, signal a process, or touch a key outside the run's prefix.
 */
import type { Redis } from 'ioredis';
import { assert } from '../base/assert.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { LoadEndpoints } from '../load/client.js';
import type { ExternalPlan, Plan } from '../plan/plan.js';
import type { RunTargetRecord } from '../result/records.js';
import { type Access, addressOf, addressParts } from './connection.js';
import { discover, isSentinel } from './discover.js';
import { discoverBySentinel, type SentinelDiscovery } from './discoverSentinel.js';
import { checkFaults, checkForeignKeys, checkMemory, checkReplicasInSync, refused, replicaNotInSync } from './guestRules.js';
import type { StartOptions } from './lab.js';
import { login } from './login.js';
import { openClient, removeKeys } from './removeKeys.js';
import { readAccess } from './secret.js';
import type { Target, TargetMode, TargetNode, TopologyView } from './target.js';
import { TargetCore } from './targetCore.js';

const DEFAULT_PORT = 6379;

/** Throws TARGET_UNREACHABLE, TARGET_REFUSED, and what reading the secrets can throw. Nothing has been written to the target then. */
export async function connectExternal(plan: Plan, options: StartOptions): Promise<Target> {
  const target = plan.target;
  assert(target.kind === 'external', 'connectExternal of a lab');
  checkFaults(plan.chaos, plan.allow);
  const given = await readAccess(target);
  const { redis, access: seedAccess, seed } = await enter(target, given, options);
  let core: TargetCore | null = null;
  try {
    const found = await discoverFrom(redis, seed, target, { given, seedAccess }, options);
    const { access } = found;
    if (given.password !== null && access.password === null) options.onProgress('the target asks for no password; the one given is not used');
    core = new TargetCore(found.mode, found.nodes, access, undefined, seedAccess);
    await core.describeNow(found.product, found.version);
    options.onProgress(
      `connected to ${found.product} ${found.version}, ${found.mode}, ${found.nodes.length} node${found.nodes.length === 1 ? '' : 's'}`,
    );
    await keepGuestRules(core, plan, options);
    return new ExternalTarget(core, plan, options);
  } catch (thrown) {
    core?.poller.close();
    if (thrown instanceof KvbenchError) throw thrown;
    // No cause: an error of ioredis carries its command.
    throw new KvbenchError('TARGET_UNREACHABLE', `the target ${addressOf(seed.host, seed.port)} could not be looked at: ${messageOf(thrown)}`);
  } finally {
    redis.disconnect();
  }
}

/** The first of the addresses that answers. Throws what the last one that was tried says. */
async function enter(
  target: ExternalPlan,
  given: Access,
  { onProgress }: StartOptions,
): Promise<Awaited<ReturnType<typeof login>> & { seed: Address }> {
  const seeds = [seedOf(target.url), ...(target.sentinels ?? []).map(addressParts)];
  for (const [i, seed] of seeds.entries()) {
    try {
      return { ...(await login(seed.host, seed.port, given)), seed };
    } catch (thrown) {
      if (i === seeds.length - 1) throw thrown;
      onProgress(`${messageOf(thrown)}; the next sentinel is asked`);
    }
  }
  throw new Error('bug in kvbench: a target without an address');
}

async function discoverFrom(
  redis: Redis,
  seed: Address,
  target: ExternalPlan,
  { given, seedAccess }: { given: Access; seedAccess: Access },
  { onProgress }: StartOptions,
): Promise<SentinelDiscovery> {
  const { mode, masterName, sentinels } = target;
  if (!(await isSentinel(redis))) {
    const ofSentinel = masterName !== undefined ? 'master' : sentinels !== undefined ? 'sentinels' : null;
    if (mode === 'sentinel' || ofSentinel !== null) {
      throw refused(
        `${addressOf(seed.host, seed.port)} is no Sentinel`,
        mode === 'sentinel' ? 'give the address of a Sentinel as target.url, or leave target.mode out' : `leave target.${ofSentinel} out`,
      );
    }
    return { ...(await discover(redis, seed, mode)), access: seedAccess };
  }
  if (mode === 'standalone' || mode === 'cluster')
    throw refused(`the url is that of a Sentinel, not ${mode}`, 'set target.mode: sentinel, or leave it out');
  return discoverBySentinel(redis, seed, target, given, onProgress);
}

type Address = { host: string; port: number };

function seedOf(url: string): Address {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? DEFAULT_PORT : Number(port) };
}

async function keepGuestRules(core: TargetCore, plan: Plan, { onProgress, signal }: StartOptions): Promise<void> {
  const view = await core.currentView();
  const silent = view.nodes.find((node) => !node.reachable);
  if (silent) {
    throw new KvbenchError(
      'TARGET_UNREACHABLE',
      core.mode === 'sentinel'
        ? `the sentinels name ${silent.address}, which can't be reached from here`
        : `the cluster names the node ${silent.address}, which can't be reached from here`,
      core.mode === 'sentinel'
        ? 'run kvbench where its clients run, or let it announce an address that can be reached (replica-announce-ip, sentinel announce-ip)'
        : 'run kvbench where clients of the cluster run, or let the nodes announce addresses that can be reached (cluster-announce-ip)',
    );
  }
  const masters = view.nodes.filter((node) => node.role === 'master');
  const connections = masters.map((node) => ({ node, address: node.address, redis: core.control(node.id) }));
  try {
    for (const { node, redis } of connections) checkMemory(plan, node, await redis.info('memory'));
    await checkForeignKeys(connections, plan.load.workload.keys.prefix, { onProgress, signal });
  } finally {
    for (const { redis } of connections) redis.disconnect();
  }
  await checkReplicasInSync(() => notInSync(core), signal);
}

/** In a cluster, and behind sentinels, the nodes' view decides; a standalone master is asked for the replicas it knows. */
async function notInSync(core: TargetCore): Promise<string | null> {
  const view = await core.currentView();
  if (core.mode !== 'standalone') return replicaNotInSync(view);
  const [poll] = await core.poller.poll(core.nodes.map((node) => node.id));
  const inSync = core.tracker.replicasInSync(core.nodes[0]?.id ?? '');
  const behind = poll?.replication?.replicas.find((replica) => !inSync.has(replica.address));
  return behind ? `the replica ${behind.address} (${behind.state}) is not in sync with its master` : null;
}

class ExternalTarget implements Target {
  readonly kind = 'external';
  readonly mode: TargetMode;
  readonly nodes: readonly TargetNode[];
  readonly processes = null;
  readonly #core: TargetCore;
  readonly #plan: Plan;
  readonly #onProgress: (text: string) => void;
  #closed: Promise<void> | null = null;

  constructor(core: TargetCore, plan: Plan, options: StartOptions) {
    this.mode = core.mode;
    this.nodes = core.nodes;
    this.#core = core;
    this.#plan = plan;
    this.#onProgress = options.onProgress;
  }

  describe(): RunTargetRecord {
    return this.#core.describe();
  }

  currentView(): Promise<TopologyView> {
    return this.#core.currentView();
  }

  control(nodeId: string): Redis {
    return this.#core.control(nodeId);
  }

  endpoints(proxies: Record<string, { host: string; port: number }> | null): LoadEndpoints {
    return this.#core.endpoints(proxies);
  }

  keysPerNode(): Promise<Record<string, number>> {
    return this.#core.keysPerNode();
  }

  close(): Promise<void> {
    this.#closed ??= this.#leave();
    return this.#closed;
  }

  async #leave(): Promise<void> {
    this.#core.poller.close();
    const client = openClient(this.#core.endpoints(null));
    try {
      await removeKeys(client, this.#plan.load.workload, this.#onProgress);
    } finally {
      client.disconnect();
    }
  }
}
