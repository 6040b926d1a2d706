/**
 * The `toxic` fault: a bad network between the clients and a node, made by Toxiproxy's toxics, a link that goes up and down, and dropped
 * connections. Used through the registry; it only ever touches proxies of this run. Replication and the cluster bus do not pass them.
 */
import { assert } from '../../base/assert.js';
import { monotonicUs } from '../../base/clock.js';
import { messageOf } from '../../base/errors.js';
import { parseDurationUs } from '../../base/units.js';
import type { ActiveFault, FaultContext, FaultKind } from '../fault.js';
import { injectIntoEach } from '../injectIntoEach.js';
import type { ProxyControl } from '../proxyControl.js';
import { type ToxicParams, toxicParamsSchema } from '../toxicParams.js';
import { waitUntilUs } from '../waitUntil.js';

export const toxic: FaultKind<ToxicParams> = {
  kind: 'toxic',
  summary: 'Makes the network between the clients and a node bad: latency, narrow, lossy, cut, reset or flapping links (toxics of Toxiproxy).',
  healSummary: 'The toxics are removed and the link is enabled.',
  params: toxicParamsSchema,
  needs: 'proxy',
  selector: 'optional',
  shading: { color: '#2980b9', label: 'toxic' },
  example: '{ at: 8s, for: 5s, fault: toxic, node: "master[0]", toxics: [{ type: latency, attributes: { latency: 100 } }] }',
  inject(context, targets, params) {
    return injectIntoEach(context, targets, ({ id }) => new BadLink(context, id, params).inject());
  },
};

/** The fault on the link of one node. */
class BadLink {
  readonly #context: FaultContext;
  readonly #proxies: ProxyControl;
  readonly #nodeId: string;
  readonly #params: ToxicParams;
  readonly #toxicNames: string[];
  readonly #ending = new AbortController();
  #cycle: Promise<void> = Promise.resolve();

  constructor(context: FaultContext, nodeId: string, params: ToxicParams) {
    assert(context.proxies, 'a toxic without proxies');
    this.#context = context;
    this.#proxies = context.proxies;
    this.#nodeId = nodeId;
    this.#params = params;
    this.#toxicNames = params.toxics.map((_, i) => `kvbench-f${context.faultId}-${i + 1}`);
  }

  async inject(): Promise<ActiveFault> {
    const injectedAtUs = monotonicUs();
    try {
      for (const [i, toxic] of this.#params.toxics.entries()) {
        await this.#proxies.addToxic(this.#nodeId, this.#toxicNames[i] ?? '', { ...toxic, attributes: { ...toxic.attributes } });
      }
      const first = this.#params.steps[0];
      await this.#apply(first?.enabled ?? true);
      if (first) this.#cycle = this.#goThroughSteps();
    } catch (error) {
      await this.#heal().catch((later) => this.#context.note(`${this.#nodeId}: ${messageOf(later)}`));
      throw error;
    }
    return { injectedAtUs, heal: () => this.#heal(), isHealed: () => this.#isHealed() };
  }

  /** Dropping connections comes after the toxics, so that those who come back meet them. */
  async #apply(enabled: boolean): Promise<void> {
    const { holds, faultId } = this.#context;
    if (!enabled) return holds.closeLink(this.#nodeId, faultId);
    await holds.openLink(this.#nodeId, faultId);
    if (this.#params.dropConnections) await holds.dropConnections(this.#nodeId);
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
        if (!told) this.#context.note(`fault ${this.#context.faultId}: a step on ${this.#nodeId} failed: ${messageOf(error)}`);
        told = true;
      }
    }
  }

  async #heal(): Promise<void> {
    this.#ending.abort();
    await this.#cycle;
    const { holds, faultId } = this.#context;
    const results = await Promise.allSettled([
      holds.openLink(this.#nodeId, faultId),
      ...this.#toxicNames.map((name) => this.#proxies.removeToxic(this.#nodeId, name)),
    ]);
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
  }

  async #isHealed(): Promise<boolean> {
    const left = await Promise.all(this.#toxicNames.map((name) => this.#proxies.hasToxic(this.#nodeId, name)));
    return !left.includes(true) && (await this.#context.holds.isLinkOpen(this.#nodeId, this.#context.faultId));
  }
}
