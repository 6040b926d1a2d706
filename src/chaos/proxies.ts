/**
 * The proxies of a run: one in front of every node, in the embedded server or in a Toxiproxy that runs already. Made by cli/run's stage
 * when the plan has network faults, used by faults through `ProxyControl`. On a shared Toxiproxy it only ever touches what it created.
 */
import { type Toxic, Toxiproxy, type Proxy as ToxiproxyProxy } from 'toxiproxy-node-client';
import { assert } from '../base/assert.js';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { Plan } from '../plan/plan.js';
import type { Target, TargetNode } from '../topology/target.js';
import type { ProxyControl, ToxicSpec } from './proxyControl.js';
import { startEmbeddedToxiproxy } from './toxiproxy/embedded.js';
import { ToxiproxyHttp, ToxiproxyReplyError } from './toxiproxyHttp.js';
import { noJournal, type UndoEntry, type UndoLog } from './undoJournal.js';

/**
 * Listening ports are tried from here on, below the range from which the system takes ports for outgoing connections: while a proxy is
 * disabled its port is free, and a reconnecting client must not be given it.
 */
const FIRST_PORT = 22_000;
const PORT_COUNT = 10_000;
const PORT_ATTEMPTS = 200;
/** How long a port that is taken for the moment may keep a proxy from being enabled again. */
const ENABLE_LIMIT_US = 5_000_000;
const ENABLE_RETRY_US = 50_000;

/** @throws PROXY_FAILED when the server can't be started or reached, or refuses; then nothing of it is left. */
export async function createProxies(target: Pick<Target, 'nodes'>, where: Plan['toxiproxy'], journal: UndoLog = noJournal): Promise<ProxyControl> {
  assert(where.kind !== 'none', 'proxies made for a plan without any');
  const embedded = where.kind === 'embedded' ? await startEmbedded() : null;
  const url = where.kind === 'url' ? where.url.replace(/\/+$/, '') : (embedded?.url ?? '');
  // An embedded server ends with this process, and its proxies with it.
  const proxies = new Proxies(url, embedded, embedded ? noJournal : journal);
  try {
    await proxies.create(target.nodes);
    return proxies;
  } catch (error) {
    await proxies.close().catch(() => undefined);
    throw error;
  }
}

type Embedded = Awaited<ReturnType<typeof startEmbeddedToxiproxy>>;

async function startEmbedded(): Promise<Embedded> {
  try {
    return await startEmbeddedToxiproxy();
  } catch (error) {
    throw new KvbenchError('PROXY_FAILED', `The embedded Toxiproxy did not start: ${messageOf(error)}`, 'Run `kvbench doctor`.', error);
  }
}

class Proxies implements ProxyControl {
  readonly natMap: Record<string, { host: string; port: number }> = {};
  readonly #url: string;
  readonly #client: Toxiproxy;
  readonly #embedded: Embedded | null;
  readonly #journal: UndoLog;
  readonly #entries = new Map<string, UndoEntry>();
  readonly #proxyOf = new Map<string, ToxiproxyProxy>();
  readonly #toxics = new Map<string, Toxic<Record<string, number>>>();

  constructor(url: string, embedded: Embedded | null, journal: UndoLog) {
    this.#url = url;
    this.#journal = journal;
    this.#embedded = embedded;
    this.#client = new Toxiproxy(url);
    this.#client.api = new ToxiproxyHttp();
  }

  async create(nodes: readonly TargetNode[]): Promise<void> {
    await this.#ask('be reached', () => this.#client.getVersion());
    const nowUs = monotonicUs();
    const run = `kvbench-${process.pid}-${nowUs.toString(36)}`;
    let offset = nowUs % PORT_COUNT;
    for (const node of nodes) {
      const { proxy, tries } = await this.#createOne(node, `${run}-${node.id}`, offset);
      offset += tries;
      this.#proxyOf.set(node.id, proxy);
      this.natMap[`${node.host}:${node.port}`] = { host: this.#reachableHost(), port: portOf(proxy.listen) };
    }
  }

  async addToxic(nodeId: string, name: string, toxic: ToxicSpec): Promise<void> {
    const body = { name, type: toxic.type, stream: toxic.stream, toxicity: toxic.toxicity, attributes: toxic.attributes };
    // The client's types lack packet_loss; its code passes any type on.
    const asked = body as Parameters<typeof ToxiproxyProxy.prototype.addToxic<Record<string, number>>>[0];
    const added = await this.#ask(`add a "${toxic.type}" toxic for ${nodeId}`, () => this.#proxy(nodeId).addToxic(asked));
    this.#toxics.set(`${nodeId} ${name}`, added);
  }

  async removeToxic(nodeId: string, name: string): Promise<void> {
    const toxic = this.#toxics.get(`${nodeId} ${name}`);
    if (!toxic) return;
    await this.#ask(`remove toxic ${name} for ${nodeId}`, () => toxic.remove().catch(unlessGone));
    this.#toxics.delete(`${nodeId} ${name}`);
  }

  async hasToxic(nodeId: string, name: string): Promise<boolean> {
    const found = await this.#ask(`look for toxic ${name} of ${nodeId}`, () => this.#proxy(nodeId).getToxic(name).catch(unlessGone));
    return found !== undefined;
  }

  async setEnabled(nodeId: string, enabled: boolean): Promise<void> {
    const proxy = this.#proxy(nodeId);
    const limitUs = monotonicUs() + ENABLE_LIMIT_US;
    await this.#ask(`${enabled ? 'enable' : 'disable'} the proxy of ${nodeId}`, async () => {
      for (;;) {
        try {
          return await proxy.update({ enabled, listen: proxy.listen, upstream: proxy.upstream });
        } catch (error) {
          if (!isPortTaken(error) || monotonicUs() > limitUs) throw error;
          await sleepUs(ENABLE_RETRY_US);
        }
      }
    });
  }

  async isEnabled(nodeId: string): Promise<boolean> {
    const proxy = await this.#ask(`look at the proxy of ${nodeId}`, () => this.#client.get(this.#proxy(nodeId).name));
    return proxy.enabled;
  }

  async isClean(): Promise<boolean> {
    const clean = await Promise.all(
      [...this.#proxyOf.values()].map(async (proxy) => {
        const look = (): Promise<{ data: { enabled: boolean; toxics: unknown[] } }> => this.#client.api.get(proxy.getPath());
        const { data } = await this.#ask(`look at the proxy ${proxy.name}`, look);
        return data.enabled && data.toxics.length === 0;
      }),
    );
    return clean.every(Boolean);
  }

  async close(): Promise<void> {
    const proxies = [...this.#proxyOf];
    this.#proxyOf.clear();
    if (this.#embedded) return this.#embedded.close();
    const results = await Promise.allSettled(
      proxies.map(async ([nodeId, proxy]) => {
        await proxy.remove().catch(unlessGone);
        await this.#entries.get(nodeId)?.done();
      }),
    );
    const left = proxies.filter((_, i) => results[i]?.status === 'rejected').map(([, proxy]) => proxy.name);
    if (left.length === 0) return;
    const why = messageOf(results.find((result) => result.status === 'rejected')?.reason);
    throw new KvbenchError(
      'PROXY_FAILED',
      `Toxiproxy at ${this.#url} still has ${left.join(', ')}: ${why}`,
      `Delete them: DELETE ${this.#url}/proxies/NAME`,
    );
  }

  /** Tries one port after the other until one is free on Toxiproxy's machine. */
  async #createOne(node: TargetNode, name: string, offset: number): Promise<{ proxy: ToxiproxyProxy; tries: number }> {
    const upstream = `${node.host.includes(':') ? `[${node.host}]` : node.host}:${node.port}`;
    this.#entries.set(node.id, await this.#journal.add({ kind: 'toxiproxy', url: this.#url, proxy: name }));
    for (let tries = 1; ; tries++) {
      const port = FIRST_PORT + ((offset + tries) % PORT_COUNT);
      try {
        const body = { name, listen: `${this.#listenHost()}:${port}`, upstream, enabled: true };
        return { proxy: await this.#client.createProxy(body), tries };
      } catch (error) {
        if (isPortTaken(error) && tries < PORT_ATTEMPTS) continue;
        throw this.#failure(`make a proxy for ${node.id} (${upstream})`, error);
      }
    }
  }

  /** A Toxiproxy elsewhere must listen where this machine can reach it. */
  #listenHost(): string {
    return this.#isLocal() ? '127.0.0.1' : '0.0.0.0';
  }

  #reachableHost(): string {
    return this.#isLocal() ? '127.0.0.1' : new URL(this.#url).hostname.replace(/^\[|\]$/g, '');
  }

  #isLocal(): boolean {
    return /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(this.#url).hostname);
  }

  #proxy(nodeId: string): ToxiproxyProxy {
    const proxy = this.#proxyOf.get(nodeId);
    if (!proxy) throw new KvbenchError('PROXY_FAILED', `There is no proxy in front of ${nodeId}`);
    return proxy;
  }

  async #ask<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw this.#failure(what, error);
    }
  }

  #failure(what: string, error: unknown): KvbenchError {
    const reached = error instanceof ToxiproxyReplyError && error.status > 0;
    const hint = reached
      ? 'The words are those of Toxiproxy: its version may be too old for this toxic.'
      : `Is it running? Try: curl ${this.#url}/version. Or use \`toxiproxy: embedded\`.`;
    return new KvbenchError('PROXY_FAILED', `Toxiproxy at ${this.#url} could not ${what}: ${messageOf(error)}`, hint, error);
  }
}

/** What is not there any more needs no removing. */
function unlessGone(error: unknown): undefined {
  if (error instanceof ToxiproxyReplyError && error.status === 404) return undefined;
  throw error;
}

function isPortTaken(error: unknown): boolean {
  return /address already in use|EADDRINUSE/i.test(messageOf(error));
}

function portOf(listen: string): number {
  return Number(listen.slice(listen.lastIndexOf(':') + 1));
}
