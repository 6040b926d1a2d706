/**
 * Which faults hold which link closed. Faults overlap: a link is closed by the first fault that wants it and opened only by the last one
 * that lets go. Owned by `NodeHolds`, one per run. A client link also closes while its server is down, so that a dead server refuses.
 */
import { assert } from '../base/assert.js';
import { Lane } from './lane.js';
import { type LinkRef, linkKey } from './links.js';
import type { ProxyControl } from './proxyControl.js';

interface LinkBook {
  readonly link: LinkRef;
  /** Requests to the proxy, one at a time. */
  readonly lane: Lane;
  readonly closedBy: Set<number>;
  /** As last set; null after a failed attempt. */
  enabled: boolean | null;
}

export class LinkHolds {
  readonly #proxies: ProxyControl | null;
  readonly #isUp: (nodeId: string) => boolean;
  readonly #books = new Map<string, LinkBook>();

  /** @param isUp whether a server can be reached; asked for client links */
  constructor(proxies: ProxyControl | null, isUp: (nodeId: string) => boolean) {
    this.#proxies = proxies;
    this.#isUp = isUp;
  }

  /** Cuts the link: its connections are closed, new ones refused. */
  close(link: LinkRef, faultId: number): Promise<void> {
    const book = this.#book(link);
    book.closedBy.add(faultId);
    return this.#sync(book);
  }

  /** Lets go; the last one to do so opens the link, unless its server is down. */
  open(link: LinkRef, faultId: number): Promise<void> {
    const book = this.#book(link);
    book.closedBy.delete(faultId);
    return this.#sync(book);
  }

  /** Closes the connections there are; they can be opened again at once. Nothing to do where the link is closed. */
  drop(link: LinkRef): Promise<void> {
    const book = this.#book(link);
    return book.lane.run(async () => {
      assert(this.#proxies, 'a fault dropped connections without proxies');
      if (!this.#wanted(book)) return;
      book.enabled = null;
      await this.#proxies.setEnabled(link, false);
      await this.#proxies.setEnabled(link, true);
      book.enabled = true;
    });
  }

  /** Whether this fault does not close the link and connections get through, or are refused for another reason. */
  async isOpen(link: LinkRef, faultId: number): Promise<boolean> {
    const book = this.#book(link);
    assert(this.#proxies, 'a fault asked for a link without proxies');
    if (book.closedBy.has(faultId)) return false;
    return !this.#wanted(book) || (await this.#proxies.isEnabled(link));
  }

  /** The server of this node has come or gone: its client links follow. */
  async follow(nodeId: string): Promise<void> {
    await Promise.all(this.#clientBooks(nodeId).map((book) => this.#sync(book)));
  }

  /** Whether clients reach this node wherever no fault keeps them from it. */
  async isFollowing(nodeId: string): Promise<boolean> {
    const open = await Promise.all(
      this.#clientBooks(nodeId).map((book) => book.closedBy.size > 0 || this.#proxies === null || this.#proxies.isEnabled(book.link)),
    );
    return open.every(Boolean);
  }

  #clientBooks(nodeId: string): LinkBook[] {
    const links = this.#proxies?.links.filter(({ to, channel }) => channel === 'client' && to === nodeId) ?? [];
    return links.map((link) => this.#book(link));
  }

  #sync(book: LinkBook): Promise<void> {
    return book.lane.run(async () => {
      const wanted = this.#wanted(book);
      if (!this.#proxies || book.enabled === wanted) return;
      book.enabled = null;
      await this.#proxies.setEnabled(book.link, wanted);
      book.enabled = wanted;
    });
  }

  #wanted({ link, closedBy }: LinkBook): boolean {
    return closedBy.size === 0 && (link.channel !== 'client' || this.#isUp(link.to));
  }

  #book(link: LinkRef): LinkBook {
    const key = linkKey(link);
    let book = this.#books.get(key);
    if (!book) {
      book = { link, lane: new Lane(), closedBy: new Set(), enabled: true };
      this.#books.set(key, book);
    }
    return book;
  }
}
