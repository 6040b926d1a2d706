/**
 * The link mesh of a lab: between every two nodes, in each direction, a proxy for replication and one for the cluster bus (or for what
 * sentinels say). Made by cli/run's stage for plans that need it; lab.ts asks it for the ports to announce and tells it where the
 * servers are. It must never let a call through that is not on a link of its own.
 */
import { Worker } from 'node:worker_threads';
import { KvbenchError, messageOf } from '../../base/errors.js';
import type { Plan } from '../../plan/plan.js';
import { PortPicker } from '../../topology/ports.js';
import type { LabNetwork, MeshNode, Target } from '../../topology/target.js';
import type { LinkRef } from '../links.js';
import { type LinkSpec, openProxies, type Proxies } from '../proxies.js';
import type { UndoLog } from '../undoJournal.js';
import type { ListenerKind, MeshCommand, MeshReply, MeshRoute } from './meshMessages.js';

/** A port that was free when looked at can be taken by somebody else before it is listened on. */
const LISTEN_ATTEMPTS = 6;
const CLOSE_LIMIT_MS = 5_000;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
type Address = MeshRoute['proxy'];

/** Opens the server for the proxies and the mesh's thread. Throws PROXY_FAILED. */
export async function openMesh(where: Plan['toxiproxy'], journal: UndoLog): Promise<LinkMesh> {
  return new LinkMesh(await openProxies(where, journal));
}

export class LinkMesh implements LabNetwork {
  readonly proxies: Proxies;
  readonly #worker: Worker;
  readonly #ports = new PortPicker();
  readonly #waiting = new Map<number, (problem: string | null) => void>();
  readonly #exited: Promise<void>;
  #lastId = 0;
  readonly #routes: MeshRoute[] = [];
  #nodes: readonly MeshNode[] = [];
  #closing: Promise<void> | null = null;

  constructor(proxies: Proxies) {
    this.proxies = proxies;
    this.#worker = new Worker(new URL('./meshWorker.js', import.meta.url), { name: 'mesh' });
    this.#worker.on('message', ({ id, problem }: MeshReply) => {
      this.#waiting.get(id)?.(problem);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
    });
    this.#worker.on('error', (error) => this.#ended(messageOf(error)));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#ended('the thread of the link mesh has ended');
        resolve();
      });
    });
    this.#worker.unref();
  }

  async listen({ id, host }: { id: string; host: string }): Promise<{ port: number; busPort: number }> {
    return { port: await this.#listen(id, 'main', host), busPort: await this.#listen(id, 'bus', host) };
  }

  async connect(nodes: readonly MeshNode[]): Promise<void> {
    const all = [...this.#nodes, ...nodes];
    const isNew = (node: MeshNode): boolean => nodes.includes(node);
    const pairs = all.flatMap((from) => all.filter((to) => to !== from && (isNew(from) || isNew(to))).map((to) => ({ from, to })));
    const links = pairs.flatMap(({ from, to }) => linksBetween(from, to));
    const places = await this.proxies.addLinks(links);
    this.#nodes = all;
    this.#routes.push(...links.map(({ link, source, kind }, i) => ({ nodeId: link.to, kind, source, proxy: places[i] as Address })));
    await this.#tell({ type: 'routes', routes: this.#routes });
  }

  /** The links of the clients, of each group to each node. Who else calls a node's announced port is a client of the first group. */
  async connectClients(target: Pick<Target, 'nodes'>, clientGroups: readonly string[]): Promise<void> {
    await this.proxies.addClientLinks(target.nodes, clientGroups);
    const strangers = target.nodes.flatMap(({ id, announced }): MeshRoute[] => {
      const proxy = announced && this.proxies.natMap[`${announced.host}:${announced.port}`];
      return proxy ? [{ nodeId: id, kind: 'main', source: null, proxy }] : [];
    });
    await this.#tell({ type: 'routes', routes: [...this.#routes, ...strangers] });
  }

  /** Ends the thread and removes the proxies. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const limit = setTimeout(() => void this.#worker.terminate(), CLOSE_LIMIT_MS);
    this.#tell({ type: 'close' }).catch(() => undefined);
    await this.#exited;
    clearTimeout(limit);
    this.#ports.release();
    await this.proxies.close();
  }

  async #listen(nodeId: string, kind: ListenerKind, host: string): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const port = await this.#ports.next(host);
      try {
        await this.#tell({ type: 'listen', nodeId, kind, host, port });
        return port;
      } catch (error) {
        if (!messageOf(error).includes('EADDRINUSE') || attempt === LISTEN_ATTEMPTS) throw error;
      }
    }
  }

  #tell(command: WithoutId<MeshCommand>): Promise<void> {
    const id = ++this.#lastId;
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (problem) => {
        if (problem === null) resolve();
        else reject(new KvbenchError('PROXY_FAILED', `the link mesh failed: ${problem}`, 'Run `kvbench doctor`.'));
      });
      this.#worker.postMessage({ ...command, id } as MeshCommand);
    });
  }

  #ended(problem: string): void {
    for (const settle of this.#waiting.values()) settle(problem);
    this.#waiting.clear();
  }
}

/** What one node calls another for. */
function linksBetween(from: MeshNode, to: MeshNode): (LinkSpec & { source: string; kind: ListenerKind })[] {
  const ofSentinel = isSentinel(from.id) || isSentinel(to.id);
  const link = (channel: LinkRef['channel']): LinkRef => ({ from: from.id, to: to.id, channel });
  const main = {
    link: link(ofSentinel ? 'sentinel' : 'replication'),
    upstream: { host: to.host, port: to.port },
    source: from.host,
    kind: 'main',
  } as const;
  if (from.busPort === null || to.busPort === null) return [main];
  return [main, { link: link('bus'), upstream: { host: to.host, port: to.busPort }, source: from.host, kind: 'bus' }];
}

function isSentinel(nodeId: string): boolean {
  return /^s\d+$/.test(nodeId);
}
