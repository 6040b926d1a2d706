/**
 * A lab: real servers that kvbench starts for one run, under the supervisor. Called by cli/run.
 * Whatever goes wrong on the way, it must leave no process and no folder behind.
 */
import type { Redis } from 'ioredis';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { LoadEndpoints } from '../load/client.js';
import type { LabPlan } from '../plan/plan.js';
import type { RunTargetRecord } from '../result/records.js';
import { noAccess } from './connection.js';
import { findServer, type ServerProgram } from './findServer.js';
import { type ClusterMaker, formCluster, waitUntilInSync } from './formCluster.js';
import { configComplaint, fixedBusPortDistance, serverArguments } from './labConfig.js';
import { isPortClash, LabProcesses } from './labProcesses.js';
import { PortPicker } from './ports.js';
import { Supervisor } from './supervisorClient.js';
import type { ProcessControl, Target, TargetNode, TopologyView } from './target.js';
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

interface StartedNode {
  id: string;
  host: string;
  port: number;
  busPort: number;
}

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
  const count = plan.topology === 'standalone' ? 1 : plan.masters * (1 + plan.replicasPerMaster);
  options.onProgress(`Starting ${count} ${server.product}-server ${server.version} …`);
  const ports = new PortPicker();
  const ids = Array.from({ length: count }, (_, i) => `n${i + 1}`);
  const nodes = await allOrFirstError(ids.map((id) => startNode(id, { server, plan, processes, ports, signal: options.signal })));
  const core =
    plan.topology === 'cluster'
      ? await makeCluster(plan, nodes, processes, options)
      : new TargetCore('standalone', coreNodes(nodes, processes, null), noAccess);
  await core.describeNow(server.product, server.version);
  return new LabTarget(core, processes, supervisor);
}

interface StartContext {
  server: ServerProgram;
  plan: LabPlan;
  processes: LabProcesses;
  ports: PortPicker;
  signal: AbortSignal;
}

async function startNode(id: string, { server, plan, processes, ports, signal }: StartContext): Promise<StartedNode> {
  const distance = fixedBusPortDistance(server);
  for (let attempt = 1; ; attempt++) {
    const { port, busPort } = distance === null ? { port: await ports.next(), busPort: await ports.next() } : await ports.nextPair(distance);
    const sizeBefore = processes.logText(id).length;
    await processes.launch(id, { program: server.path, args: serverArguments(plan, port, distance === null ? busPort : null), host: HOST, port });
    try {
      await processes.waitForAnswer(id, signal);
      return { id, host: HOST, port, busPort };
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

async function makeCluster(
  plan: LabPlan,
  nodes: readonly StartedNode[],
  processes: LabProcesses,
  { onProgress, signal }: StartOptions,
): Promise<TargetCore> {
  const forming = new TargetCore('cluster', coreNodes(nodes, processes, null), noAccess);
  const maker: ClusterMaker = {
    nodes,
    masters: plan.masters,
    poller: forming.poller,
    tracker: forming.tracker,
    signal,
    onProgress,
    logTail: (nodeId) => processes.logTail(nodeId),
  };
  try {
    const clusterIds = await formCluster(maker);
    if (plan.replicasPerMaster > 0) await waitUntilInSync(maker);
    return new TargetCore('cluster', coreNodes(nodes, processes, clusterIds), noAccess, forming.tracker);
  } finally {
    forming.poller.close();
  }
}

function coreNodes(nodes: readonly StartedNode[], processes: LabProcesses, clusterIds: Map<string, string> | null): CoreNode[] {
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
  readonly mode: 'standalone' | 'cluster';
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
