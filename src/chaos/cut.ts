/** Cuts links, as the network faults (partition, isolate, one-way, bridge) need it. It only ever touches proxies of this run. */
import { z } from 'zod';
import { assert } from '../base/assert.js';
import { monotonicUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { ActiveFault, FaultContext } from './fault.js';
import { type LinkRef, linkKey } from './links.js';

export const cutModeParam = z
  .enum(['drop', 'refuse'])
  .default('drop')
  .describe(
    'drop: what is sent gets lost and nobody is told, as when a cable is cut or a firewall drops; connections stay open until somebody gives up, and are closed by the heal. refuse: connections are closed and new ones refused, as by a firewall that rejects.',
  );

/** Both directions of a dropped link. */
const streams = ['upstream', 'downstream'] as const;

/** Cuts all these links at once; undoes what it did when one of them fails. */
export async function cutLinks(context: FaultContext, links: readonly LinkRef[], mode: 'drop' | 'refuse'): Promise<ActiveFault> {
  const unique = [...new Map(links.map((link) => [linkKey(link), link])).values()];
  const cut = new Cut(context, unique, mode);
  const injectedAtUs = monotonicUs();
  try {
    await allOrFirstFailure(unique.map((link) => cut.close(link)));
  } catch (error) {
    await cut.heal().catch((later) => context.note(`fault ${context.faultId}: undoing a failed cut: ${messageOf(later)}`));
    throw error;
  }
  return { injectedAtUs, heal: () => cut.heal(), isHealed: () => cut.isHealed() };
}

class Cut {
  readonly #context: FaultContext;
  readonly #links: readonly LinkRef[];
  readonly #mode: 'drop' | 'refuse';

  constructor(context: FaultContext, links: readonly LinkRef[], mode: 'drop' | 'refuse') {
    this.#context = context;
    this.#links = links;
    this.#mode = mode;
  }

  /** A timeout of 0 drops what it is given, for ever. */
  async close(link: LinkRef): Promise<void> {
    const { proxies, holds, faultId } = this.#context;
    assert(proxies, 'a cut without proxies');
    if (this.#mode === 'refuse') return holds.links.close(link, faultId);
    const attributes = { timeout: 0 };
    await allOrFirstFailure(
      streams.map((stream) => proxies.addToxic(link, this.#toxic(stream), { type: 'timeout', stream, toxicity: 1, attributes })),
    );
  }

  /** Removing a timeout closes the connections it was on, so that those who waited on them connect again at once. */
  async heal(): Promise<void> {
    const { proxies, holds, faultId } = this.#context;
    assert(proxies, 'a cut without proxies');
    await allOrFirstFailure(
      this.#links.flatMap((link) =>
        this.#mode === 'refuse' ? [holds.links.open(link, faultId)] : streams.map((stream) => proxies.removeToxic(link, this.#toxic(stream))),
      ),
    );
  }

  async isHealed(): Promise<boolean> {
    const { proxies, holds, faultId } = this.#context;
    assert(proxies, 'a cut without proxies');
    if (this.#mode === 'refuse') return (await Promise.all(this.#links.map((link) => holds.links.isOpen(link, faultId)))).every(Boolean);
    const left = await Promise.all(streams.map((stream) => proxies.countToxics(this.#toxic(stream))));
    return left.every((count) => count === 0);
  }

  #toxic(stream: string): string {
    return `kvbench-f${this.#context.faultId}-cut-${stream}`;
  }
}

/** Waits for all, so that nothing goes on once this has thrown. */
async function allOrFirstFailure(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
