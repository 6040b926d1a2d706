/**
 * A lab: real servers that kvbench starts for one run, under the supervisor. Called by cli/run.
 * Whatever goes wrong on the way, it must leave no process and no folder behind.
 */
import type { Redis } from 'ioredis';
import { assert, unreachable } from '../base/assert.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { LoadEndpoints } from '../load/client.js';
import type { LabPlan, SentinelPlan } from '../plan/plan.js';
import type { RunTargetRecord } from '../result/records.js';
import { noAccess } from './connection.js';
import { findServer, type ServerProgram } from './findServer.js';
import { type ClusterMaker, formCluster, waitUntilInSync } from './formCluster.js';
import { acquaintSentinels, formReplication } from './formReplication.js';
import type { InSyncTracker } from './inSync.js';
import {
  announced,
  CONFIG_FILE,
  configComplaint,
  fixedBusPortDistance,
  hasConfigFile,
  MASTER_NAME,
  type NodePlace,
  sentinelConfig,
  serverArguments,
} from './labConfig.js';
import { isPortClash, LabProcesses, type ServerSpec } from './labProcesses.js';
import { PortPicker } from './ports.js';
import { Supervisor } from './supervisorClient.js';
import type { ProcessControl, Target, TargetMode, TargetNode, TopologyView } from './target.js';
import { type CoreNode, TargetCore } from './targetCore.js';

export interface StartOptions {
  /** What is going on, for a person, a line each. */
  onProgress(text: string): void;
  /** Aborted: the start is given up, and everything removed. */
  signal: AbortSignal;
}

/** Every server's start is tried again with other ports when somebody took one in between. */
const START_ATTEMPTS = 6;
const HOST = '127.0.0.1';

type StartedNode = NodePlace & { id: string };

/** Throws SERVER_NOT_FOUND or LAB_FAILED. */
export async function startLab(plan: LabPlan, options: StartOptions): Promise<Target> {
  const server = findServer(plan.server, process.env);
  const supervisor = await Supervisor.launch();
  try {
    return await startOn(supervisor, server, plan, options);
  } catch (thrown) {
    await supervisor.stop();
    if (thrown instanceof KvbenchError) throw thrown;
    throw new KvbenchError('LAB_FAILED', messageOf(thrown), undefined, thrown);
  }
}

async function startOn(supervisor: Supervisor, server: ServerProgram, plan: LabPlan, options: StartOptions): Promise<Target> {
  const processes = new LabProcesses(supervisor);
  const count = plan.masters * (1 + plan.replicasPerMaster);
  const watched = plan.sentinel ? ` and ${plan.sentinel.count} ${plan.sentinel.count === 1 ? 'sentinel' : 'sentinels'}` : '';
  options.onProgress(`Starting ${count} ${server.product}-server ${server.version}${watched} …`);
  const context = { server, plan, processes, ports: new PortPicker(), signal: options.signal };
  const nodes = await allOrFirstError(Array.from({ length: count }, (_, i) => startServer(`n${i + 1}`, context)));
  const core = await form(nodes, context, options);
  await core.describeNow(server.product, server.version);
  return new LabTarget(core, processes, supervisor);
}

/** Started servers become what the plan wants, ready to be loaded. */
async function form(nodes: readonly StartedNode[], context: StartContext, options: StartOptions): Promise<TargetCore> {
  const { plan, processes } = context;
  const { topology } = plan;
  switch (topology) {
    case 'standalone':
      return new TargetCore('standalone', coreNodes(nodes, processes), noAccess);
    case 'cluster':
      return withMaker('cluster', nodes, context, options, async (maker, tracker) => {
        const clusterIds = await formCluster(maker);
        if (plan.replicasPerMaster > 0) await waitUntilInSync(maker);
        return new TargetCore('cluster', coreNodes(nodes, processes, clusterIds), noAccess, tracker);
      });
    case 'replicated':
    case 'sentinel':
      return withMaker(topology, nodes, context, options, async (maker, tracker) => {
        await formReplication(maker);
        const sentinels = plan.sentinel ? await watchOver(nodes, plan.sentinel, context, options) : [];
        return new TargetCore(topology, [...coreNodes(nodes, processes), ...sentinels], noAccess, tracker);
      });
    default:
      return unreachable(topology);
  }
}

interface StartContext {
  server: ServerProgram;
  plan: LabPlan;
  processes: LabProcesses;
  ports: PortPicker;
  signal: AbortSignal;
}

function startServer(id: string, context: StartContext): Promise<StartedNode> {
  const { server, plan } = context;
  const busPortIsFixed = fixedBusPortDistance(server) !== null;
  const files = hasConfigFile(plan) ? { [CONFIG_FILE]: '' } : {};
  return startNode(id, context, (place) => ({ args: serverArguments(plan, place, busPortIsFixed), files }));
}

function startSentinel(id: string, context: StartContext, sentinel: SentinelPlan, master: NodePlace): Promise<StartedNode> {
  return startNode(id, context, (place) => ({
    args: [CONFIG_FILE, '--sentinel'],
    files: { [CONFIG_FILE]: sentinelConfig(sentinel, place, announced(master)) },
  }));
}

async function startNode(id: string, context: StartContext, specAt: (place: NodePlace) => Pick<ServerSpec, 'args' | 'files'>): Promise<StartedNode> {
  const { server, processes, signal } = context;
  for (let attempt = 1; ; attempt++) {
    const place = await pickPlace(context);
    const sizeBefore = processes.logText(id).length;
    await processes.launch(id, { program: server.path, host: place.host, port: place.port, ...specAt(place) });
    try {
      await processes.waitForAnswer(id, signal);
      return { id, ...place };
    } catch (thrown) {
      const log = processes.logText(id).slice(sizeBefore);
      if (isPortClash(log) && attempt < START_ATTEMPTS && !signal.aborted) continue;
      const complaint = configComplaint(log);
      if (complaint !== null) {
        throw new KvbenchError(
          'LAB_FAILED',
          `${server.product}-server ${server.version} does not accept its configuration: ${complaint}`,
          'correct target.config in the profile',
        );
      }
      throw new KvbenchError('LAB_FAILED', `a lab server did not start: ${messageOf(thrown)}`, processes.logTail(id));
    }
  }
}

async function pickPlace({ server, plan, ports }: StartContext): Promise<NodePlace> {
  const alone = { host: HOST, sourceHost: null, announce: null };
  const distance = fixedBusPortDistance(server);
  if (plan.topology !== 'cluster') return { ...alone, port: await ports.next(), busPort: null };
  return { ...alone, ...(distance === null ? { port: await ports.next(), busPort: await ports.next() } : await ports.nextPair(distance)) };
}

/** Gives `work` a poller of its own, which is closed after it. */
async function withMaker<T>(
  mode: TargetMode,
  nodes: readonly StartedNode[],
  { plan, processes }: StartContext,
  { onProgress, signal }: StartOptions,
  work: (maker: ClusterMaker, tracker: InSyncTracker) => Promise<T>,
): Promise<T> {
  const forming = new TargetCore(mode, coreNodes(nodes, processes), noAccess);
  const { poller, tracker } = forming;
  const logTail = (nodeId: string): string => processes.logTail(nodeId);
  try {
    return await work({ nodes, masters: plan.masters, poller, tracker, signal, onProgress, logTail }, tracker);
  } finally {
    poller.close();
  }
}

/** Starts the sentinels of a master that has its replicas, and waits until they know all. */
async function watchOver(servers: readonly StartedNode[], plan: SentinelPlan, context: StartContext, options: StartOptions): Promise<CoreNode[]> {
  const [master] = servers;
  assert(master, 'a lab without a master');
  const sentinels = await allOrFirstError(Array.from({ length: plan.count }, (_, i) => startSentinel(`s${i + 1}`, context, plan, master)));
  return withMaker('sentinel', sentinels, context, options, async (maker) => {
    await acquaintSentinels(maker, servers.length - 1);
    return coreNodes(sentinels, context.processes).map((node) => ({ ...node, watches: MASTER_NAME }));
  });
}

function coreNodes(nodes: readonly StartedNode[], processes: LabProcesses, clusterIds?: Map<string, string>): CoreNode[] {
  return nodes.map(({ id, host, port }) => ({ id, host, port, logFile: processes.logFile(id), clusterId: clusterIds?.get(id) ?? null }));
}

/** Waits for all, so that nothing goes on in the background once this has thrown. */
async function allOrFirstError<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(promises);
}

class LabTarget implements Target {
  readonly kind = 'lab';
  readonly mode: TargetMode;
  readonly nodes: readonly TargetNode[];
  readonly processes: ProcessControl;
  readonly #core: TargetCore;
  readonly #supervisor: Supervisor;

  constructor(core: TargetCore, processes: ProcessControl, supervisor: Supervisor) {
    this.mode = core.mode;
    this.nodes = core.nodes;
    this.processes = processes;
    this.#core = core;
    this.#supervisor = supervisor;
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

  async close(): Promise<void> {
    this.#core.poller.close();
    await this.#supervisor.stop();
  }
}
