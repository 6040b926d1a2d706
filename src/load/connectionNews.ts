/** What the load clients tell about their connections: counted, and told at most so often. Made by each client; it never sends anything. */
import { monotonicUs } from '../base/clock.js';
import type { Reason } from '../result/records.js';
import type { ClientListener } from './client.js';

/** The same news about the same address is told at most this often: an outage makes thousands of refused connections. */
const NEWS_GAP_US = 100_000;

/** The news of all connections of a client. */
export class ConnectionNews {
  /** Connections made to an address that had been connected before. */
  reconnects = 0;
  /** Why a connection of this client last failed or closed. */
  lastReason: Reason = 'closed';
  readonly #toldUs = new Map<string, number>();

  constructor(readonly listener: ClientListener) {}

  tell(address: string, state: 'closed' | 'failed' | 'ready', reason: Reason | ''): void {
    const key = `${address} ${state} ${reason}`;
    const nowUs = monotonicUs();
    if (nowUs - (this.#toldUs.get(key) ?? Number.NEGATIVE_INFINITY) < NEWS_GAP_US) return;
    this.#toldUs.set(key, nowUs);
    this.listener.connection(address, state, reason);
  }
}
