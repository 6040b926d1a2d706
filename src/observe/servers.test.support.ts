/**
 * Real servers for the tests of this folder: processes, a fake Target over them, and waiting for an event with a limit.
 * Used by tests only; leaves no process and no folder behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { EventOf, EventRecord, EventType, NodeRecord, RunSink } from '../result/records.js';
import { noAccess, openControl } from '../topology/connection.js';
import type { Target, TargetNode } from '../topology/target.js';

const WAIT_LIMIT_MS = 30_000;

export interface TestServer {
  node: TargetNode;
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Kills it (SIGKILL) and resolves when it has gone. */
  kill(): Promise<void>;
  /** Starts it again with the same port, folder and log. */
  start(): Promise<void>;
  client(): Redis;
}

export interface TestServers {
  servers: TestServer[];
  target: Target;
  close(): Promise<void>;
}

/** Starts a server for each node (`n1`, `n2`, …); they answer when it resolves. Replication and slots are the test's to make. */
export async function startServers(mode: Target['mode'], nodes: readonly TestNodeRecord[], args: readonly string[] = []): Promise<TestServers> {
  const folder = await mkdtemp(join(tmpdir(), 'kvbench-observe-'));
  const clients: Redis[] = [];
  const children = new Map<string, ChildProcess>();
  const ports = await freePorts(nodes.length);
  const servers = ports.map((port, index): TestServer => {
    const node: TargetNode = { id: `n${index + 1}`, host: '127.0.0.1', port, logFile: join(folder, `n${index + 1}.log`) };
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--logfile', node.logFile ?? '', '--save', ''];
    const cluster = mode === 'cluster' ? ['--cluster-enabled', 'yes', '--cluster-config-file', `${node.id}.conf`] : [];
    return {
      node,
      get pid() {
        return children.get(node.id)?.pid ?? 0;
      },
      signal: (signal) => void process.kill(children.get(node.id)?.pid ?? 0, signal),
      kill: () => killed(children.get(node.id)),
      start: async () => {
        const child = spawn('redis-server', [...own, ...cluster, '--repl-diskless-sync-delay', '0', ...args], { stdio: 'ignore' });
        children.set(node.id, child);
        await answers(port);
      },
      client: () => {
        const client = new Redis({ host: '127.0.0.1', port, maxRetriesPerRequest: 0, retryStrategy: () => null });
        client.on('error', () => undefined);
        clients.push(client);
        return client;
      },
    };
  });
  const close = async (): Promise<void> => {
    for (const client of clients) if (client.status !== 'end') client.disconnect();
    await Promise.all([...children.values()].map(killed));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(servers.map((server) => server.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return { servers, target: fakeTarget(servers, mode, nodes), close };
}

/** What is in `run.json` of a node; the rest is found by its address. */
export type TestNodeRecord = Pick<NodeRecord, 'role' | 'slots' | 'masterId'>;

function fakeTarget(servers: readonly TestServer[], mode: Target['mode'], nodes: readonly TestNodeRecord[]): Target {
  const unused = (): never => {
    throw new Error('not part of this test target');
  };
  return {
    kind: 'lab',
    mode,
    nodes: servers.map((server) => server.node),
    processes: null,
    describe: () => ({
      topology: mode,
      server: 'redis',
      version: '7',
      nodes: servers.map(({ node }, i) => ({
        id: node.id,
        address: `${node.host}:${node.port}`,
        shard: null,
        role: nodes[i]?.role ?? 'unknown',
        slots: nodes[i]?.slots ?? [],
        masterId: nodes[i]?.masterId ?? null,
      })),
      clusterNodeTimeoutMs: null,
      fullCoverage: null,
      settings: {},
      proxied: false,
    }),
    currentView: unused,
    control(nodeId) {
      const node = servers.find((server) => server.node.id === nodeId)?.node;
      return openControl(node?.host ?? '', node?.port ?? 0, noAccess);
    },
    endpoints: unused,
    keysPerNode: unused,
    close: unused,
  };
}

/** The next port to try: tests of one file run side by side and must not find the same ones. */
let nextPort = 12_000 + (process.pid % 8000);

async function freePorts(count: number): Promise<number[]> {
  // Below the ephemeral range and with a free bus port beside each, as a cluster needs.
  const ports: number[] = [];
  while (ports.length < count) {
    const port = nextPort++;
    if ((await isFree(port)) && (await isFree(port + 10_000))) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function answers(port: number): Promise<void> {
  await until(`an answer on port ${port}`, async () => {
    const probe = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
    probe.on('error', () => undefined);
    try {
      await probe.connect();
      return true;
    } catch {
      return false;
    } finally {
      if (probe.status === 'ready') probe.disconnect();
    }
  });
}

function killed(child: ChildProcess | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

/** Asks every 10 ms until the answer is yes; fails loudly after the limit. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(WAIT_LIMIT_MS);
  while (!(await isSo())) {
    if (limit.aborted) throw new Error(`waited ${WAIT_LIMIT_MS} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A sink that keeps everything and lets a test wait for what it needs. */
export class EventLog implements RunSink {
  readonly events: EventRecord[] = [];

  interval(): void {}

  event(record: EventRecord): void {
    this.events.push(record);
  }

  /** All events of a type so far, from `from` on (an index into `events`). */
  of<T extends EventType>(type: T, from = 0): EventOf<T>[] {
    return this.events.slice(from).filter((event): event is EventOf<T> => event.type === type);
  }

  /** The first such event from `from` on, now or to come. */
  async waitFor<T extends EventType>(type: T, what: string, fits: (event: EventOf<T>) => boolean, from = 0): Promise<EventOf<T>> {
    await until(`the event ${type} (${what})`, () => this.of(type, from).some(fits)).catch((error: Error) => {
      throw new Error(
        `${error.message}; seen: ${this.events
          .slice(from)
          .map((event) => JSON.stringify(event))
          .join('\n')}`,
      );
    });
    return this.of(type, from).find(fits) as EventOf<T>;
  }
}
