/**
 * The toxics of one proxy, in order per direction, and what has to follow a change of them: every live connection. Owned by tcpProxy.ts.
 * All changes are synchronous: when the API answers, they are in force.
 */
import type { Connection } from './connection.js';
import { toxicAlreadyExists, toxicNotFound } from './errors.js';
import { type Direction, Toxic } from './toxic.js';

export class ToxicChains {
  readonly byDirection: Readonly<Record<Direction, Toxic[]>> = { upstream: [], downstream: [] };
  readonly #connections: ReadonlySet<Connection>;

  /** @param connections the live ones of the proxy */
  constructor(connections: ReadonlySet<Connection>) {
    this.#connections = connections;
  }

  /** Upstream toxics first. */
  get all(): readonly Toxic[] {
    return [...this.byDirection.upstream, ...this.byDirection.downstream];
  }

  /** Throws 404. */
  get(name: string): Toxic {
    const found = this.all.find((toxic) => toxic.name === name);
    if (found === undefined) throw toxicNotFound();
    return found;
  }

  /** Adds a toxic at the end of its direction's chain, live connections included. Throws 400, 409. */
  add(body: unknown): Toxic {
    const toxic = new Toxic(body);
    if (this.all.some(({ name }) => name === toxic.name)) throw toxicAlreadyExists();
    this.byDirection[toxic.stream].push(toxic);
    for (const connection of this.#connections) connection.links[toxic.stream].addToxic(toxic);
    return toxic;
  }

  /** Throws 400, 404. */
  update(name: string, body: unknown): Toxic {
    const toxic = this.get(name);
    toxic.update(body);
    for (const connection of this.#connections) connection.links[toxic.stream].updateToxic(toxic);
    return toxic;
  }

  /** Throws 404. */
  remove(name: string): void {
    const toxic = this.get(name);
    const chain = this.byDirection[toxic.stream];
    chain.splice(chain.indexOf(toxic), 1);
    for (const connection of this.#connections) connection.links[toxic.stream].removeToxic(toxic);
  }

  removeAll(): void {
    for (const toxic of this.all) this.remove(toxic.name);
  }
}
