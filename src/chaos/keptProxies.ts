/**
 * The proxies of a lab in the background, as another process than its keeper uses them: `inject`, `run --lab`. Others may use them at the
 * same time: toxics have names of this process, what it does stands in the undo journal first, and it never removes a proxy.
 */
import { assert } from '../base/assert.js';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { noAccess } from '../topology/connection.js';
import type { KeptNetwork } from '../topology/labState.js';
import type { TargetNode } from '../topology/target.js';
import { announcedAddress } from '../topology/targetCore.js';
import { type LinkRef, linkKey } from './links.js';
import { type MadeLink, Proxies } from './proxies.js';
import type { NatMap, ProxyControl, ToxicSpec } from './proxyControl.js';
import { undoStep } from './undo.js';
import { noJournal, type UndoEntry, type UndoLog, type UndoStep } from './undoJournal.js';

/** Throws PROXY_FAILED when they cannot be reached. */
export async function attachProxies(network: KeptNetwork, nodes: readonly TargetNode[], journal: UndoLog): Promise<ProxyControl> {
  const made = madeLinks(network);
  const proxies = new Proxies(network.url, null, noJournal);
  await proxies.adopt(made);
  const natMaps = new Map<string, NatMap>(network.clientGroups.map((group) => [group, {}]));
  for (const { link, host, port } of made) {
    const node = nodes.find(({ id }) => id === link.to);
    const natMap = link.channel === 'client' ? natMaps.get(link.from) : undefined;
    if (node && natMap) natMap[announcedAddress(node)] = { host, port };
  }
  return new KeptProxies(proxies, network, natMaps, journal);
}

/**
 * Removes every toxic and opens every link, whoever did it; for when nobody uses them. Throws PROXY_FAILED, also when it did not take.
 * @returns how many links were not well
 */
export async function cleanProxies(network: KeptNetwork): Promise<number> {
  const proxies = new Proxies(network.url, null, noJournal);
  await proxies.adopt(madeLinks(network));
  const { toxics, closed } = await proxies.blemishes();
  const links = new Set([...toxics.map(({ proxy }) => proxy), ...closed]);
  if (links.size === 0) return 0;
  const steps: UndoStep[] = [
    ...toxics.map((toxic): UndoStep => ({ kind: 'toxiproxy', url: network.url, ...toxic })),
    ...closed.map((proxy): UndoStep => ({ kind: 'openProxy', url: network.url, proxy })),
  ];
  for (const step of steps) await undoStep(step, () => Promise.resolve(noAccess));
  if (await proxies.isClean()) return links.size;
  throw new KvbenchError('PROXY_FAILED', `a proxy at ${network.url} is disabled or has toxics`, 'Somebody else is at work there.');
}

function madeLinks({ links }: KeptNetwork): MadeLink[] {
  return links.map(({ from, to, channel, ...place }) => ({ link: { from, to, channel }, ...place }));
}

class KeptProxies implements ProxyControl {
  readonly links: readonly LinkRef[];
  readonly #proxies: Proxies;
  readonly #network: KeptNetwork;
  readonly #natMaps: Map<string, NatMap>;
  readonly #journal: UndoLog;
  /** What of ours is in force: toxics by link and name, closed links by link. */
  readonly #entries = new Map<string, UndoEntry>();
  /** Faults of two processes have the same numbers. */
  readonly #mark = `-${process.pid}-${monotonicUs().toString(36)}`;

  constructor(proxies: Proxies, network: KeptNetwork, natMaps: Map<string, NatMap>, journal: UndoLog) {
    this.links = proxies.links;
    this.#proxies = proxies;
    this.#network = network;
    this.#natMaps = natMaps;
    this.#journal = journal;
  }

  get natMap(): NatMap {
    return this.natMapOf(this.#network.clientGroups[0] ?? '');
  }

  natMapOf(clientGroup: string): NatMap {
    const natMap = this.#natMaps.get(clientGroup);
    assert(natMap, `no client group ${clientGroup}`);
    return natMap;
  }

  async addToxic(link: LinkRef, name: string, toxic: ToxicSpec): Promise<void> {
    const own = name + this.#mark;
    const { url } = this.#network;
    const entry = await this.#journal.add({ kind: 'toxiproxy', url, proxy: this.#proxyName(link), toxic: own });
    this.#entries.set(`${linkKey(link)} ${own}`, entry);
    try {
      await this.#proxies.addToxic(link, own, toxic);
    } catch (error) {
      await this.#crossOut(`${linkKey(link)} ${own}`);
      throw error;
    }
  }

  async removeToxic(link: LinkRef, name: string): Promise<void> {
    const own = name + this.#mark;
    await this.#proxies.removeToxic(link, own);
    await this.#crossOut(`${linkKey(link)} ${own}`);
  }

  hasToxic(link: LinkRef, name: string): Promise<boolean> {
    return this.#proxies.hasToxic(link, name + this.#mark);
  }

  countToxics(name: string): Promise<number> {
    return this.#proxies.countToxics(name + this.#mark);
  }

  async setEnabled(link: LinkRef, enabled: boolean): Promise<void> {
    const key = linkKey(link);
    if (!enabled && !this.#entries.has(key)) {
      this.#entries.set(key, await this.#journal.add({ kind: 'openProxy', url: this.#network.url, proxy: this.#proxyName(link) }));
    }
    await this.#proxies.setEnabled(link, enabled);
    if (enabled) await this.#crossOut(key);
  }

  isEnabled(link: LinkRef): Promise<boolean> {
    return this.#proxies.isEnabled(link);
  }

  /** What others have in force is theirs. */
  async isClean(): Promise<boolean> {
    const { toxics } = await this.#proxies.blemishes();
    return this.#entries.size === 0 && !toxics.some(({ toxic }) => toxic.endsWith(this.#mark));
  }

  async close(): Promise<void> {}

  async #crossOut(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    await entry?.done();
  }

  #proxyName({ from, to, channel }: LinkRef): string {
    const link = this.#network.links.find((candidate) => candidate.from === from && candidate.to === to && candidate.channel === channel);
    assert(link, 'a link that the lab has not');
    return link.proxy;
  }
}
