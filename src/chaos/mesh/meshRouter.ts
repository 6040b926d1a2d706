/**
 * The listeners of the link mesh: whoever calls a node arrives here first, and is handed to the proxy of that one directed link, known by
 * the address it calls from. Runs in meshWorker.ts. It only carries bytes: what is cut or slow is the proxies' business.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ListenerKind, MeshRoute } from './meshMessages.js';

type Address = MeshRoute['proxy'];

export class MeshRouter {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #routes = new Map<string, Address>();

  /** Rejects with the system's error, e.g. EADDRINUSE. */
  listen(nodeId: string, kind: ListenerKind, host: string, port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (caller) => this.#accept(nodeId, kind, caller));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, () => {
        this.#servers.push(server);
        resolve();
      });
    });
  }

  /** Replaces all routes; connections that are there stay. */
  setRoutes(routes: readonly MeshRoute[]): void {
    this.#routes = new Map(routes.map(({ nodeId, kind, source, proxy }) => [`${nodeId} ${kind} ${source ?? ''}`, proxy]));
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #accept(nodeId: string, kind: ListenerKind, caller: Socket): void {
    this.#track(caller);
    const place = `${nodeId} ${kind} `;
    const proxy = this.#routes.get(place + (caller.remoteAddress ?? '')) ?? this.#routes.get(place);
    if (!proxy) return void caller.resetAndDestroy();
    const link = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true, noDelay: true });
    this.#track(link);
    // A closed link refuses: its callers are accepted here, and hung up on at once.
    link.once('error', () => caller.resetAndDestroy());
    caller.once('error', () => link.resetAndDestroy());
    link.once('connect', () => {
      caller.pipe(link);
      link.pipe(caller);
    });
    // What one side has sent before it went still reaches the other.
    link.once('close', () => caller.destroySoon());
    caller.once('close', () => link.destroySoon());
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
  }
}
