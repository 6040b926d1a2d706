/**
 * The proxies of a run, one for every link, in the embedded server or in a Toxiproxy that runs already. Made by cli/run's stage when the
 * plan has network faults, used by faults through `ProxyControl`. On a shared Toxiproxy it only ever touches what it created.
 */
import { type Toxic, Toxiproxy, type Proxy as ToxiproxyProxy } from 'toxiproxy-node-client';
import { assert } from '../base/assert.js';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { ALL_CLIENTS, type Plan } from '../plan/plan.js';
import { PortPicker } from '../topology/ports.js';
import type { Target, TargetNode } from '../topology/target.js';
import { announcedAddress } from '../topology/targetCore.js';
import { type LinkRef, linkKey, linkText } from './links.js';
import type { NatMap, ProxyControl, ToxicSpec } from './proxyControl.js';
import { startEmbeddedToxiproxy } from './toxiproxy/embedded.js';
import { ToxiproxyHttp, ToxiproxyReplyError } from './toxiproxyHttp.js';
import { noJournal, type UndoEntry, type UndoLog } from './undoJournal.js';

/**
 * On a Toxiproxy of another machine listening ports are tried from here on, below the range from which the system takes ports for outgoing
 * connections: while a proxy is disabled its port is free, and a reconnecting client must not be given it.
 */
const FIRST_PORT = 22_000;
const PORT_COUNT = 10_000;
const PORT_ATTEMPTS = 200;
/** How long a port that is taken for the moment may keep a proxy from being enabled again. */
const ENABLE_LIMIT_US = 5_000_000;
const ENABLE_RETRY_US = 50_000;

/** So many proxies are made at the same time. */
const CREATE_AT_ONCE = 8;

/** A link that was made: its proxy's name in Toxiproxy, and where that listens. */
export interface MadeLink {
  link: LinkRef;
  proxy: string;
  host: string;
  port: number;
}

/** A link to make. */
export interface LinkSpec {
  link: LinkRef;
  /** Where it leads. */
  upstream: { host: string; port: number };
}

/**
 * A server without proxies yet.
 * @throws PROXY_FAILED when it can't be started or reached; then nothing of it is left
 */
export async function openProxies(where: Plan['toxiproxy'], journal: UndoLog = noJournal): Promise<Proxies> {
  assert(where.kind !== 'none', 'proxies made for a plan without any');
  const embedded = where.kind === 'embedded' ? await startEmbedded() : null;
  const url = where.kind === 'url' ? where.url.replace(/\/+$/, '') : (embedded?.url ?? '');
  // An embedded server ends with this process, and its proxies with it.
  const proxies = new Proxies(url, embedded, embedded ? noJournal : journal);
  try {
    await proxies.reach();
    return proxies;
  } catch (error) {
    await proxies.close().catch(() => undefined);
    throw error;
  }
}

/**
 * A proxy in front of every node, for each group of clients.
 * @throws PROXY_FAILED when the server can't be started or reached, or refuses; then nothing of it is left.
 */
export async function createProxies(
  target: Pick<Target, 'nodes'>,
  where: Plan['toxiproxy'],
  journal: UndoLog = noJournal,
  clientGroups: readonly string[] = [ALL_CLIENTS],
): Promise<ProxyControl> {
  const proxies = await openProxies(where, journal);
  try {
    await proxies.addClientLinks(target.nodes, clientGroups);
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

export class Proxies implements ProxyControl {
  readonly links: LinkRef[] = [];
  readonly #natMaps = new Map<string, NatMap>();
  /** Of the control API. */
  readonly url: string;
  readonly #client: Toxiproxy;
  readonly #embedded: Embedded | null;
  readonly #journal: UndoLog;
  readonly #entries = new Map<string, UndoEntry>();
  readonly #proxyOf = new Map<string, ToxiproxyProxy>();
  readonly #toxics = new Map<string, Toxic<Record<string, number>>>();
  readonly #run = `kvbench-${process.pid}-${monotonicUs().toString(36)}`;
  readonly #ports = new PortPicker();
  #nextOffset = monotonicUs() % PORT_COUNT;

  constructor(url: string, embedded: Embedded | null, journal: UndoLog) {
    this.url = url;
    this.#journal = journal;
    this.#embedded = embedded;
    this.#client = new Toxiproxy(url);
    this.#client.api = new ToxiproxyHttp();
  }

  get natMap(): NatMap {
    return [...this.#natMaps.values()][0] ?? {};
  }

  natMapOf(clientGroup: string): NatMap {
    const natMap = this.#natMaps.get(clientGroup);
    assert(natMap, `no client group ${clientGroup}`);
    return natMap;
  }

  /** All links there are. */
  get made(): MadeLink[] {
    return this.links.map((link) => {
      const proxy = this.#proxy(link);
      return { link, proxy: proxy.name, host: this.#reachableHost(), port: portOf(proxy.listen) };
    });
  }

  /** Takes links that another process has made; they must not be closed then. Throws PROXY_FAILED when one is not there. */
  async adopt(made: readonly MadeLink[]): Promise<void> {
    const all = await this.#ask('tell its proxies', () => this.#client.getAll());
    for (const { link, proxy } of made) {
      const found = all[proxy];
      if (!found) throw new KvbenchError('PROXY_FAILED', `Toxiproxy at ${this.url} has no ${proxy} (${linkText(link)}) any more`);
      this.#proxyOf.set(linkKey(link), found);
      this.links.push(link);
    }
  }

  async reach(): Promise<void> {
    await this.#ask('be reached', () => this.#client.getVersion());
  }

  /** Makes the proxies of more links; in the order of `specs` where each is reached. Throws PROXY_FAILED. */
  async addLinks(specs: readonly LinkSpec[]): Promise<{ host: string; port: number }[]> {
    const places: { host: string; port: number }[] = [];
    const waiting = [...specs.entries()];
    const makeNext = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [at, { link, upstream }] = next;
        const proxy = await this.#createOne(link, upstream);
        this.#proxyOf.set(linkKey(link), proxy);
        places[at] = { host: this.#reachableHost(), port: portOf(proxy.listen) };
      }
    };
    const results = await Promise.allSettled(Array.from({ length: CREATE_AT_ONCE }, makeNext));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    this.links.push(...specs.map(({ link }) => link));
    return places;
  }

  /** A link from each group of clients to each node. */
  async addClientLinks(nodes: readonly TargetNode[], clientGroups: readonly string[]): Promise<void> {
    const specs = clientGroups.flatMap((from) =>
      nodes.map((node) => ({ link: { from, to: node.id, channel: 'client' } as const, upstream: { host: node.host, port: node.port }, node })),
    );
    const places = await this.addLinks(specs);
    for (const group of clientGroups) this.#natMaps.set(group, {});
    for (const [i, { link, node }] of specs.entries()) {
      const place = places[i];
      if (place) this.natMapOf(link.from)[announcedAddress(node)] = place;
    }
  }

  async addToxic(link: LinkRef, name: string, toxic: ToxicSpec): Promise<void> {
    const body = { name, type: toxic.type, stream: toxic.stream, toxicity: toxic.toxicity, attributes: toxic.attributes };
    // The client's types lack packet_loss; its code passes any type on.
    const asked = body as Parameters<typeof ToxiproxyProxy.prototype.addToxic<Record<string, number>>>[0];
    const added = await this.#ask(`add a "${toxic.type}" toxic to ${linkText(link)}`, () => this.#proxy(link).addToxic(asked));
    this.#toxics.set(`${linkKey(link)} ${name}`, added);
  }

  async removeToxic(link: LinkRef, name: string): Promise<void> {
    const toxic = this.#toxics.get(`${linkKey(link)} ${name}`);
    if (!toxic) return;
    await this.#ask(`remove toxic ${name} from ${linkText(link)}`, () => toxic.remove().catch(unlessGone));
    this.#toxics.delete(`${linkKey(link)} ${name}`);
  }

  async hasToxic(link: LinkRef, name: string): Promise<boolean> {
    const found = await this.#ask(`look for toxic ${name} of ${linkText(link)}`, () => this.#proxy(link).getToxic(name).catch(unlessGone));
    return found !== undefined;
  }

  async countToxics(name: string): Promise<number> {
    const all = await this.#states();
    return all.filter(({ toxics }) => toxics.some((toxic) => toxic.name === name)).length;
  }

  async setEnabled(link: LinkRef, enabled: boolean): Promise<void> {
    const proxy = this.#proxy(link);
    const limitUs = monotonicUs() + ENABLE_LIMIT_US;
    await this.#ask(`${enabled ? 'enable' : 'disable'} ${linkText(link)}`, async () => {
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

  async isEnabled(link: LinkRef): Promise<boolean> {
    const proxy = await this.#ask(`look at ${linkText(link)}`, () => this.#client.get(this.#proxy(link).name));
    return proxy.enabled;
  }

  /** Every toxic on a link, whoever put it there, and the links that let nobody through. */
  async blemishes(): Promise<{ toxics: { proxy: string; toxic: string }[]; closed: string[] }> {
    const all = await this.#states();
    return {
      toxics: all.flatMap(({ name, toxics }) => toxics.map((toxic) => ({ proxy: name, toxic: toxic.name }))),
      closed: all.filter(({ enabled }) => !enabled).map(({ name }) => name),
    };
  }

  async isClean(): Promise<boolean> {
    const all = await this.#states();
    return all.length === this.#proxyOf.size && all.every(({ enabled, toxics }) => enabled && toxics.length === 0);
  }

  async close(): Promise<void> {
    const proxies = [...this.#proxyOf];
    this.#proxyOf.clear();
    this.#ports.release();
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
      `Toxiproxy at ${this.url} still has ${left.join(', ')}: ${why}`,
      `Delete them: DELETE ${this.url}/proxies/NAME`,
    );
  }

  /** The proxies of this run that are there, as they are now; one request. */
  async #states(): Promise<ProxyState[]> {
    const look = (): Promise<{ data: Record<string, ProxyState> }> => this.#client.api.get(`${this.url}/proxies`);
    const { data } = await this.#ask('tell its proxies', look);
    const own = new Set([...this.#proxyOf.values()].map(({ name }) => name));
    return Object.values(data).filter(({ name }) => own.has(name));
  }

  /** Tries one port after the other until one is free on Toxiproxy's machine. */
  async #createOne(link: LinkRef, { host, port: upstreamPort }: LinkSpec['upstream']): Promise<ToxiproxyProxy> {
    const name = `${this.#run}-${linkKey(link)}`;
    const upstream = `${host.includes(':') ? `[${host}]` : host}:${upstreamPort}`;
    this.#entries.set(linkKey(link), await this.#journal.add({ kind: 'toxiproxy', url: this.url, proxy: name }));
    for (let tries = 1; ; tries++) {
      const port = this.#isLocal() ? await this.#ports.next() : FIRST_PORT + (this.#nextOffset++ % PORT_COUNT);
      try {
        return await this.#client.createProxy({ name, listen: `${this.#listenHost()}:${port}`, upstream, enabled: true });
      } catch (error) {
        if (isPortTaken(error) && tries < PORT_ATTEMPTS) continue;
        throw this.#failure(`make a proxy for ${linkText(link)} (${upstream})`, error);
      }
    }
  }

  /** A Toxiproxy elsewhere must listen where this machine can reach it. */
  #listenHost(): string {
    return this.#isLocal() ? '127.0.0.1' : '0.0.0.0';
  }

  #reachableHost(): string {
    return this.#isLocal() ? '127.0.0.1' : new URL(this.url).hostname.replace(/^\[|\]$/g, '');
  }

  #isLocal(): boolean {
    return /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(this.url).hostname);
  }

  #proxy(link: LinkRef): ToxiproxyProxy {
    const proxy = this.#proxyOf.get(linkKey(link));
    if (!proxy) throw new KvbenchError('PROXY_FAILED', `There is no proxy for ${linkText(link)}`);
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
      : `Is it running? Try: curl ${this.url}/version. Or use \`toxiproxy: embedded\`.`;
    return new KvbenchError('PROXY_FAILED', `Toxiproxy at ${this.url} could not ${what}: ${messageOf(error)}`, hint, error);
  }
}

/** A proxy as Toxiproxy tells it. */
interface ProxyState {
  name: string;
  enabled: boolean;
  toxics: { name: string }[];
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
