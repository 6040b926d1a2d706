/**
 * The `toxic` fault: a bad network between the clients and a node, or between nodes, made by Toxiproxy's toxics, a link that goes up and
 * down, and dropped connections. Used through the registry; it only ever touches proxies of this run.
 */
import { assert } from '../../base/assert.js';
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError, messageOf } from '../../base/errors.js';
import { parseDurationUs } from '../../base/units.js';
import type { NodeView } from '../../topology/target.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';
import { type LinkChannel, type LinkRef, linkChannels, linkText } from '../links.js';
import type { ProxyControl } from '../proxyControl.js';
import { selectorsOfMembers } from '../sideParams.js';
import { endsOf } from '../sides.js';
import { type ToxicParams, toxicParamsSchema } from '../toxicParams.js';
import { waitUntilUs } from '../waitUntil.js';

export const toxic: FaultKind<ToxicParams> = {
  kind: 'toxic',
  summary:
    'Makes links bad, those of clients to a node or those between nodes: latency, narrow, lossy, cut, reset or flapping links (toxics of Toxiproxy).',
  healSummary: 'The toxics are removed and the link is enabled.',
  params: toxicParamsSchema,
  needs: 'proxy',
  selector: 'optional',
  shading: { color: '#2980b9', label: 'toxic' },
  example: '{ at: 8s, for: 5s, fault: toxic, node: "master[0]", toxics: [{ type: latency, attributes: { latency: 100 } }] }',
  needsMesh: (params) => channelsOf(params).some((channel) => channel !== 'client'),
  selectorsOf: ({ from, to }) => [...selectorsOfMembers('from', from ?? []), ...selectorsOfMembers('to', to ?? [])],
  aim(scope, selected, { from, to }) {
    const ends = endsOf(scope, from, to);
    const named = new Set([...(ends.from?.nodes ?? []), ...(ends.to?.nodes ?? [])]);
    const isHit = ({ id }: NodeView): boolean => (selected.length > 0 ? selected.some((node) => node.id === id) : named.size === 0 || named.has(id));
    return { targets: scope.view.nodes.filter(isHit), sides: [], ends };
  },
  async inject(context, targets, params) {
    const links = linksOf(context, targets, params);
    if (links.length === 0) throw new KvbenchError('FAULT_FAILED', 'no link is what node, link, from and to say together');
    return injectIntoEach(context, links, (link) => new BadLink(context, link, params).inject());
  },
};

function channelsOf({ link, from, to }: ToxicParams): readonly LinkChannel[] {
  if (link === undefined) return from || to ? linkChannels : ['client'];
  return typeof link === 'string' ? [link] : link;
}

/** A node's links are those that lead to it, and those it opens itself. */
function linksOf({ proxies, aim }: FaultContext, targets: readonly NodeView[], params: ToxicParams): LinkRef[] {
  assert(proxies, 'a toxic without proxies');
  const channels = channelsOf(params);
  const { from = null, to = null } = aim.ends ?? {};
  const isTarget = (nodeId: string): boolean => targets.some(({ id }) => id === nodeId);
  return proxies.links.filter((link) => {
    if (!channels.includes(link.channel)) return false;
    const isClients = link.channel === 'client';
    if (from && !(isClients ? from.clients : from.nodes).includes(link.from)) return false;
    if (to && !to.nodes.includes(link.to)) return false;
    return isTarget(link.to) || (!isClients && isTarget(link.from));
  });
}

/** The fault on one link. */
class BadLink {
  readonly #context: FaultContext;
  readonly #proxies: ProxyControl;
  readonly #link: LinkRef;
  readonly #params: ToxicParams;
  readonly #toxicNames: string[];
  readonly #ending = new AbortController();
  #cycle: Promise<void> = Promise.resolve();

  constructor(context: FaultContext, link: LinkRef, params: ToxicParams) {
    assert(context.proxies, 'a toxic without proxies');
    this.#context = context;
    this.#proxies = context.proxies;
    this.#link = link;
    this.#params = params;
    this.#toxicNames = params.toxics.map((_, i) => `kvbench-f${context.faultId}-${i + 1}`);
  }

  async inject(): Promise<ActiveFault> {
    const injectedAtUs = monotonicUs();
    try {
      for (const [i, toxic] of this.#params.toxics.entries()) {
        await this.#proxies.addToxic(this.#link, this.#toxicNames[i] ?? '', { ...toxic, attributes: { ...toxic.attributes } });
      }
      const first = this.#params.steps[0];
      await this.#apply(first?.enabled ?? true);
      if (first) this.#cycle = this.#goThroughSteps();
    } catch (error) {
      await this.#heal().catch((later) => this.#context.note(`${linkText(this.#link)}: ${messageOf(later)}`));
      throw error;
    }
    return { injectedAtUs, heal: () => this.#heal(), isHealed: () => this.#isHealed() };
  }

  /** Dropping connections comes after the toxics, so that those who come back meet them. */
  async #apply(enabled: boolean): Promise<void> {
    const { holds, faultId } = this.#context;
    if (!enabled) return holds.links.close(this.#link, faultId);
    await holds.links.open(this.#link, faultId);
    if (this.#params.dropConnections) await holds.links.drop(this.#link);
  }

  /** The first step is applied already. A step that fails is told once and the cycle goes on: the next may work. */
  async #goThroughSteps(): Promise<void> {
    const { steps } = this.#params;
    let dueUs = monotonicUs();
    let told = false;
    for (let i = 0; ; i++) {
      dueUs += parseDurationUs(steps[i % steps.length]?.for ?? '') ?? 0;
      await waitUntilUs(dueUs, this.#ending.signal);
      const next = steps[(i + 1) % steps.length];
      if (this.#ending.signal.aborted || !next) return;
      try {
        await this.#apply(next.enabled);
      } catch (error) {
        if (!told) this.#context.note(`fault ${this.#context.faultId}: a step on ${linkText(this.#link)} failed: ${messageOf(error)}`);
        told = true;
      }
    }
  }

  async #heal(): Promise<void> {
    this.#ending.abort();
    await this.#cycle;
    const { holds, faultId } = this.#context;
    const results = await Promise.allSettled([
      holds.links.open(this.#link, faultId),
      ...this.#toxicNames.map((name) => this.#proxies.removeToxic(this.#link, name)),
    ]);
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
  }

  async #isHealed(): Promise<boolean> {
    const left = await Promise.all(this.#toxicNames.map((name) => this.#proxies.hasToxic(this.#link, name)));
    return !left.includes(true) && (await this.#context.holds.links.isOpen(this.#link, this.#context.faultId));
  }
}
