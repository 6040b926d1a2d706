/** Doubles for the tests of this folder: a process control that really signals, proxies in memory, a sink that remembers, small plans. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { ALL_CLIENTS, type FaultPlan, type NodeSelector, type Plan } from '../plan/plan.js';
import type { EventOf, EventRecord, IntervalRecord, RunSink } from '../result/records.js';
import type { NodeView, ProcessChange, ProcessControl, TopologyView } from '../topology/target.js';
import type { FaultEnvironment } from './fault.js';
import type { LinkRef } from './links.js';
import type { ProxyControl, ToxicSpec } from './proxyControl.js';
import { noJournal } from './undoJournal.js';

/** Waits until `look` says so; throws with `what` when it never does. */
export async function waitFor(what: string, look: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  const limitUs = monotonicUs() + limitMs * 1000;
  while (!(await look())) {
    if (monotonicUs() > limitUs) throw new Error(`still waiting after ${limitMs} ms: ${what}`);
    await sleepUs(2_000);
  }
}

export class RememberingSink implements RunSink {
  readonly events: EventRecord[] = [];

  interval(_record: IntervalRecord): void {}

  event(record: EventRecord): void {
    this.events.push(record);
  }

  faultEvents(faultId?: number): EventOf<'fault'>[] {
    return this.events.filter((event) => event.type === 'fault').filter((event) => faultId === undefined || event.faultId === faultId);
  }

  states(faultId: number): string[] {
    return this.faultEvents(faultId).map((event) => event.state);
  }

  first(faultId: number, state: EventOf<'fault'>['state']): EventOf<'fault'> {
    const found = this.faultEvents(faultId).find((event) => event.state === state);
    if (!found) throw new Error(`fault ${faultId} was never ${state}: ${this.states(faultId).join(', ')}`);
    return found;
  }
}

export function nodeView(id: string, changes: Partial<NodeView> = {}): NodeView {
  return { id, address: `127.0.0.1:${id.slice(1)}`, role: 'master', shard: 0, slots: [], masterId: null, reachable: true, inSync: false, ...changes };
}

export function viewOf(nodes: NodeView[]): TopologyView {
  return { atUs: 0, nodes };
}

export function selectNode(index: number): NodeSelector {
  return { text: `node[${index}]`, by: 'node', index };
}

export function faultPlan(id: number, changes: Partial<FaultPlan> = {}): FaultPlan {
  return {
    id,
    kind: 'fake',
    trigger: { kind: 'at', atUs: 0 },
    forUs: null,
    selector: selectNode(0),
    params: {},
    needsProxy: false,
    shading: { color: '#000', label: 'fake' },
    ...changes,
  };
}

/** A plan of one phase of `loadUs` with these faults. */
export function planOf(chaos: FaultPlan[], loadUs: number, changes: Partial<Plan> = {}): Plan {
  const phase = {
    index: 0,
    name: 'steady',
    record: true,
    startUs: 0,
    durationUs: loadUs,
    kind: 'closed' as const,
    clients: 1,
    pipeline: 1,
    operationLimit: null,
  };
  return {
    name: 'test',
    description: '',
    seed: 1,
    target: { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'redis-server', config: {} },
    toxiproxy: { kind: 'none' },
    load: {
      client: 'ioredis',
      threads: 1,
      connections: 1,
      maxInFlight: 1,
      maxQueued: 1,
      timeoutUs: 1_000_000,
      resend: 'never',
      readFrom: 'master',
      pacing: 'timer',
      workload: {
        name: 'w',
        operations: { get: 1, set: 0, incr: 0, del: 0 },
        keys: { count: 1, prefix: '', perTag: 0, distribution: { kind: 'uniform' } },
        values: { kind: 'fixed', bytes: 1 },
        ttlMs: 0,
        preload: false,
        readModifyWrite: 0,
        checksum: false,
      },
      phases: [phase],
    },
    chaos,
    objective: [],
    thresholds: [],
    allow: [],
    ...changes,
  };
}

export function environment(changes: Partial<FaultEnvironment> = {}): FaultEnvironment & { notes: string[] } {
  const notes: string[] = [];
  const view = (): TopologyView => viewOf([nodeView('n1'), nodeView('n2', { shard: 1 })]);
  const control = (nodeId: string): never => {
    throw new Error(`nobody can be connected to ${nodeId} here`);
  };
  return {
    processes: null,
    proxies: null,
    journal: noJournal,
    clientGroups: [ALL_CLIENTS],
    view,
    control,
    note: (text) => notes.push(text),
    signal: new AbortController().signal,
    notes,
    ...changes,
  };
}

/** The link of all clients to a node. */
export function clientLink(nodeId: string, from = ALL_CLIENTS): LinkRef {
  return { from, to: nodeId, channel: 'client' };
}

/** The links of a mesh of these nodes, without those of clients. */
export function meshLinks(nodeIds: readonly string[]): LinkRef[] {
  return nodeIds.flatMap((from) =>
    nodeIds.filter((to) => to !== from).flatMap((to): LinkRef[] => (['bus', 'replication'] as const).map((channel) => ({ from, to, channel }))),
  );
}

/** What was done to each proxy, in order. Client links go by the name of their node. */
export class MemoryProxies implements ProxyControl {
  readonly natMap = {};
  readonly toxics = new Map<string, ToxicSpec>();
  readonly disabled = new Set<string>();
  readonly calls: string[] = [];
  /** Type of a toxic that is refused. */
  refuse: string | null = null;

  constructor(readonly links: LinkRef[] = [clientLink('n1'), clientLink('n2')]) {}

  natMapOf(): Record<string, never> {
    return {};
  }

  async addToxic(link: LinkRef, name: string, toxic: ToxicSpec): Promise<void> {
    if (toxic.type === this.refuse) throw new KvbenchError('PROXY_FAILED', 'invalid toxic type');
    this.calls.push(`${nameOf(link)} add ${toxic.type}`);
    this.toxics.set(`${nameOf(link)} ${name}`, toxic);
  }

  async removeToxic(link: LinkRef, name: string): Promise<void> {
    this.toxics.delete(`${nameOf(link)} ${name}`);
  }

  async hasToxic(link: LinkRef, name: string): Promise<boolean> {
    return this.toxics.has(`${nameOf(link)} ${name}`);
  }

  async countToxics(name: string): Promise<number> {
    return [...this.toxics.keys()].filter((key) => key.endsWith(` ${name}`)).length;
  }

  async setEnabled(link: LinkRef, enabled: boolean): Promise<void> {
    this.calls.push(`${nameOf(link)} ${enabled ? 'enable' : 'disable'}`);
    if (enabled) this.disabled.delete(nameOf(link));
    else this.disabled.add(nameOf(link));
  }

  async isEnabled(link: LinkRef): Promise<boolean> {
    return !this.disabled.has(nameOf(link));
  }

  async isClean(): Promise<boolean> {
    return this.toxics.size === 0 && this.disabled.size === 0;
  }

  async close(): Promise<void> {}
}

function nameOf(link: LinkRef): string {
  if (link.channel !== 'client') return `${link.from}>${link.to} ${link.channel}`;
  return link.from === ALL_CLIENTS ? link.to : `${link.from}>${link.to}`;
}

/** Real redis-servers, one per node id, as children of the test. */
export class RealProcesses implements ProcessControl {
  readonly starts: string[] = [];
  readonly removed: string[] = [];
  readonly #ports: Record<string, number>;
  readonly #folder: string;
  readonly #children = new Map<string, ChildProcess>();
  readonly #listeners: ((change: ProcessChange) => void)[] = [];

  constructor(ports: Record<string, number>, folder: string) {
    this.#ports = ports;
    this.#folder = folder;
  }

  pidOf(nodeId: string): number | null {
    return this.#children.get(nodeId)?.pid ?? null;
  }

  isRunning(nodeId: string): boolean {
    return this.#children.has(nodeId);
  }

  async signal(nodeId: string, signal: NodeJS.Signals): Promise<{ atUs: number }> {
    const child = this.#children.get(nodeId);
    if (!child?.kill(signal)) throw new KvbenchError('FAULT_FAILED', `no process of ${nodeId}`);
    return { atUs: monotonicUs() };
  }

  async start(nodeId: string): Promise<void> {
    if (this.isRunning(nodeId)) throw new Error(`${nodeId} was started twice`);
    this.starts.push(nodeId);
    const port = this.#ports[nodeId] ?? 0;
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', this.#folder, '--logfile', `${nodeId}.log`];
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    this.#children.set(nodeId, child);
    child.once('exit', (exitCode, signal) => {
      this.#children.delete(nodeId);
      const change: ProcessChange = { node: nodeId, pid: child.pid ?? 0, state: 'exited', exitCode, signal, atUs: monotonicUs() };
      for (const listener of this.#listeners) listener(change);
    });
    await waitFor(`${nodeId} answers`, async () => (await ping(port, 200)) === 'pong');
  }

  replaceProgram(nodeId: string, program: string): void {
    throw new Error(`${nodeId} cannot be made ${program} here`);
  }

  async removeData(nodeId: string): Promise<void> {
    if (this.isRunning(nodeId)) throw new Error(`${nodeId} runs`);
    this.removed.push(nodeId);
  }

  async waitForExit(nodeId: string, timeoutUs: number): Promise<{ atUs: number }> {
    await waitFor(`${nodeId} exits`, () => !this.isRunning(nodeId), timeoutUs / 1000);
    return { atUs: monotonicUs() };
  }

  onChange(listener: (change: ProcessChange) => void): void {
    this.#listeners.push(listener);
  }

  async endAll(): Promise<void> {
    for (const child of this.#children.values()) child.kill('SIGKILL');
    await waitFor('all servers are gone', () => this.#children.size === 0);
  }
}

/** One PING on a connection of its own. */
export function ping(port: number, limitMs: number): Promise<'pong' | 'silent' | 'refused' | 'closed'> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const end = (result: 'pong' | 'silent' | 'refused' | 'closed'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end('silent'), limitMs);
    socket.once('data', () => end('pong'));
    socket.once('close', () => end('closed'));
    socket.once('error', (error) => end('code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'closed'));
  });
}
