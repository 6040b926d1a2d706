/** How many keys the servers say they evicted and expired: two ways for a key to be gone that are no loss of a write. A sink of the run's stream. */
import type { EventRecord, RunSink } from '../result/records.js';

export class ServerLosses implements RunSink {
  readonly #evicted = new Totals();
  readonly #expired = new Totals();

  interval(): void {}

  event(event: EventRecord): void {
    if (event.type !== 'server') return;
    this.#evicted.add(event.node, event.sample.evictedKeysTotal);
    this.#expired.add(event.node, event.sample.expiredKeysTotal);
  }

  /** What a node says when it is asked again, in INFO's words. */
  info(node: string, text: string): void {
    const field = (name: string): number | null => {
      const found = new RegExp(`^${name}:(\\d+)`, 'm').exec(text);
      return found === null ? null : Number(found[1]);
    };
    this.#evicted.add(node, field('evicted_keys'));
    this.#expired.add(node, field('expired_keys'));
  }

  get evictedKeys(): number {
    return this.#evicted.sum();
  }

  get expiredKeys(): number {
    return this.#expired.sum();
  }
}

/** Totals that start again from 0 when a server does. */
class Totals {
  readonly #before = new Map<string, number>();
  readonly #last = new Map<string, number>();

  add(node: string, total: number | null): void {
    if (total === null) return;
    const last = this.#last.get(node) ?? 0;
    if (total < last) this.#before.set(node, (this.#before.get(node) ?? 0) + last);
    this.#last.set(node, total);
  }

  sum(): number {
    let sum = 0;
    for (const count of [...this.#before.values(), ...this.#last.values()]) sum += count;
    return sum;
  }
}
