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
import { noAccess, openControl } from './connection.js';
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
import { claimLoopbackBlock, type LoopbackBlock } from './loopback.js';
import { PortPicker } from './ports.js';
import { Supervisor } from './supervisorClient.js';
import type { Growth, LabNetwork, ProcessControl, Target, TargetMode, TargetNode, TopologyView } from './target.js';
import { type CoreNode, TargetCore } from './targetCore.js';

export interface StartOptions {
  /** What is going on, for a person, a line each. */
  onProgress(text: string): void;
  /** Aborted: the start is given up, and everything removed. */
  signal: AbortSignal;
  /** Stands between the nodes; absent: they talk to each other directly. */
  network?: LabNetwork | null;
}

/** Every server's start is tried again with other ports when somebody took one in between. */
const START_ATTEMPTS = 6;
const HOST = '127.0.0.1';

type StartedNode = NodePlace & { id: string };

/** Throws SERVER_NOT_FOUND or LAB_FAILED. */
export async function startLab(plan: LabPlan, options: StartOptions): Promise<Target> {
  const server = findServer(plan.server, process.env);
  const mesh = options.network ? await openMeshPlaces(server, plan, options.network) : null;
  let supervisor: Supervisor | null = null;
  try {
    supervisor = await Supervisor.launch();
    return await startOn(supervisor, { server, plan, mesh }, options);
  } catch (thrown) {
    await supervisor?.stop();
    await mesh?.block.release();
    if (thrown instanceof KvbenchError) throw thrown;
    throw new KvbenchError('LAB_FAILED', messageOf(thrown), undefined, thrown);
  }
}

/** In a lab with a link mesh: an address for each node, and the network that listens there. */
interface MeshPlaces {
  block: LoopbackBlock;
  network: LabNetwork;
}

/** Servers can be told where their own connections come from since Redis 7.0. */
async function openMeshPlaces(server: ServerProgram, plan: LabPlan, network: LabNetwork): Promise<MeshPlaces> {
  if (fixedBusPortDistance(server) === null) return { block: await claimLoopbackBlock(serverCount(plan) + (plan.sentinel?.count ?? 0)), network };
  throw new KvbenchError(
    'LAB_FAILED',
    `network faults between nodes need Redis 7.0 or newer, or Valkey (bind-source-addr); this is ${server.product}-server ${server.version}`,
    'Name another server with target.server or --server.',
  );
}

function serverCount({ masters, replicasPerMaster }: LabPlan): number {
  return masters * (1 + replicasPerMaster);
}

async function startOn(
  supervisor: Supervisor,
  { server, plan, mesh }: Pick<StartContext, 'server' | 'plan' | 'mesh'>,
  options: StartOptions,
): Promise<Target> {
  const processes = new LabProcesses(supervisor);
  const count = serverCount(plan);
  const watched = plan.sentinel ? ` and ${plan.sentinel.count} ${plan.sentinel.count === 1 ? 'sentinel' : 'sentinels'}` : '';
  options.onProgress(`Starting ${count} ${server.product}-server ${server.version}${watched} …`);
  const context: StartContext = { server, plan, processes, ports: new PortPicker(), mesh, signal: options.signal };
  try {
    const nodes = await allOrFirstError(Array.from({ length: count }, (_, i) => startServer(`n${i + 1}`, context)));
    await mesh?.network.connect(nodes);
    const core = await form(nodes, context, options);
    await core.describeNow(server.product, server.version);
    return new LabTarget(core, context, supervisor);
  } catch (error) {
    context.ports.release();
    throw error;
  }
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
  /** Null: the nodes talk to each other directly. */
  mesh: MeshPlaces | null;
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
  const meshPlace = await placeInMesh(id, context);
  for (let attempt = 1; ; attempt++) {
    const place = await pickPlace(context, meshPlace);
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

type Surroundings = Pick<NodePlace, 'host' | 'sourceHost' | 'announce'>;

/** The network listens for it before it starts, so that the ports it is to announce are taken for certain. */
async function placeInMesh(id: string, { plan, mesh }: StartContext): Promise<Surroundings | null> {
  if (mesh === null) return null;
  const host = mesh.block.address(Number(id.slice(1)) + (id.startsWith('s') ? serverCount(plan) : 0));
  return { host, sourceHost: host, announce: { host, ...(await mesh.network.listen({ id, host })) } };
}

async function pickPlace({ server, plan, ports }: StartContext, meshPlace: Surroundings | null): Promise<NodePlace> {
  const alone = meshPlace ?? { host: HOST, sourceHost: null, announce: null };
  const { host } = alone;
  const distance = fixedBusPortDistance(server);
  if (plan.topology !== 'cluster') return { ...alone, port: await ports.next(host), busPort: null };
  return { ...alone, ...(distance === null ? { port: await ports.next(host), busPort: await ports.next(host) } : await ports.nextPair(distance)) };
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
    const asAnnounced = nodes.map(({ id, announce, host, port, busPort }) => ({ id, ...(announce ?? { host, port, busPort }) }));
    return await work({ nodes: asAnnounced, masters: plan.masters, poller, tracker, signal, onProgress, logTail }, tracker);
  } finally {
    poller.close();
  }
}

/** Starts the sentinels of a master that has its replicas, and waits until they know all. */
async function watchOver(servers: readonly StartedNode[], plan: SentinelPlan, context: StartContext, options: StartOptions): Promise<CoreNode[]> {
  const [master] = servers;
  assert(master, 'a lab without a master');
  const sentinels = await allOrFirstError(Array.from({ length: plan.count }, (_, i) => startSentinel(`s${i + 1}`, context, plan, master)));
  await context.mesh?.network.connect(sentinels);
  return withMaker('sentinel', sentinels, context, options, async (maker) => {
    await acquaintSentinels(maker, servers.length - 1);
    return coreNodes(sentinels, context.processes).map((node) => ({ ...node, watches: MASTER_NAME }));
  });
}

function coreNodes(nodes: readonly StartedNode[], processes: LabProcesses, clusterIds?: Map<string, string>): CoreNode[] {
  return nodes.map((node) => ({
    id: node.id,
    host: node.host,
    port: node.port,
    ...(node.announce ? { announced: announced(node) } : {}),
    logFile: processes.logFile(node.id),
    clusterId: clusterIds?.get(node.id) ?? null,
  }));
}

/** Waits for all, so that nothing goes on in the background once this has thrown. */
async function allOrFirstError<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  return Promise.all(promises);
}

function growthOf(core: TargetCore, context: StartContext): Growth {
  const listeners: ((change: { node: TargetNode; state: 'added' | 'retired' }) => void)[] = [];
  const tell = (node: TargetNode, state: 'added' | 'retired'): void => {
    for (const listener of listeners) listener({ node, state });
  };
  let count = core.nodes.length;
  return {
    async addNode() {
      const started = await startServer(`n${++count}`, { ...context, signal: new AbortController().signal });
      const [node] = coreNodes([started], context.processes);
      assert(node, 'a node that was started');
      const redis = openControl(node.host, node.port, noAccess);
      const clusterId = String(await redis.call('CLUSTER', 'MYID').finally(() => redis.disconnect()));
      core.add({ ...node, clusterId });
      tell(node, 'added');
      return { ...node, busPort: started.busPort };
    },
    retireNode(nodeId) {
      const node = core.nodes.find(({ id }) => id === nodeId);
      if (!node) return;
      core.retire(nodeId);
      tell(node, 'retired');
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

class LabTarget implements Target {
  readonly kind = 'lab';
  readonly mode: TargetMode;
  readonly nodes: readonly TargetNode[];
  readonly processes: ProcessControl;
  readonly growth?: Growth;
  readonly #core: TargetCore;
  readonly #supervisor: Supervisor;
  readonly #mesh: MeshPlaces | null;
  readonly #ports: PortPicker;

  constructor(core: TargetCore, context: StartContext, supervisor: Supervisor) {
    this.mode = core.mode;
    this.nodes = core.nodes;
    this.processes = context.processes;
    // A new node would be outside the mesh: nothing could be cut around it.
    if (core.mode === 'cluster' && !context.mesh) this.growth = growthOf(core, context);
    this.#core = core;
    this.#supervisor = supervisor;
    this.#mesh = context.mesh;
    this.#ports = context.ports;
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
    await this.#mesh?.block.release();
    this.#ports.release();
  }
}
