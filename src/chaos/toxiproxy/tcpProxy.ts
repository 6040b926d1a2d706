/**
 * One proxy: a listener, the connections through it and its toxics. Made by proxyCollection.ts, which calls start, stop and update one at
 * a time. The upstream is dialled when a client is accepted; if that fails the client reads the end of the stream, as with Toxiproxy.
 * A node that is to look killed has its proxy disabled through the API: then there is no listener, and connecting is refused.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { mix32 } from '../../base/random.js';
import { type Address, formatAddress, listenError, parseAddress, resolveAddress } from './address.js';
import { Connection } from './connection.js';
import { ApiError } from './errors.js';
import type { Metrics } from './metrics.js';
import type { JsonObject } from './requestBody.js';
import { StaticReading } from './staticReading.js';
import { ToxicChains } from './toxicChains.js';

/** How long a client whose upstream could not be reached may take to close its side. */
const REFUSED_CLIENT_LIMIT_MS = 1_000;
/** `base/random.ts` leaves stream numbers from here on to us. */
const FIRST_RANDOM_STREAM = 1_000;

export interface ProxySettings {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
}

export interface ProxyContext {
  readonly seed: number;
  readonly metrics: Metrics;
}

export class TcpProxy {
  readonly name: string;
  readonly toxics: ToxicChains;
  readonly #context: ProxyContext;
  readonly #connections = new Set<Connection>();
  /** Every socket, those still dialling included. */
  readonly #sockets = new Set<Socket>();
  #listen: string;
  #upstream: string;
  #server: Server | null = null;
  #acceptedCount = 0;

  /** Not started yet. */
  constructor(settings: ProxySettings, context: ProxyContext) {
    this.name = settings.name;
    this.#listen = settings.listen;
    this.#upstream = settings.upstream;
    this.#context = context;
    this.toxics = new ToxicChains(this.#connections);
  }

  /** The resolved address once it was started, the text it was given before. */
  get listen(): string {
    return this.#listen;
  }

  get upstream(): string {
    return this.#upstream;
  }

  get enabled(): boolean {
    return this.#server !== null;
  }

  toJSON(): JsonObject {
    return { name: this.name, listen: this.#listen, upstream: this.#upstream, enabled: this.enabled, Logger: {}, toxics: this.toxics.all };
  }

  /** Listens; nothing happens if it does already. Throws 500 with the reason, and stays as it was. */
  async start(): Promise<void> {
    if (this.#server !== null) return;
    let address: Address;
    try {
      address = await resolveAddress(this.#listen);
    } catch (error) {
      throw error instanceof ApiError ? new ApiError(`listen tcp: ${error.message}`, error.status) : error;
    }
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
    this.#listen = await listening(server, address);
    this.#server = server;
  }

  /** Closes the listener and both sides of every connection; the toxics stay. Resolves when connecting is refused. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Whether these addresses are others than its own; the listen address is compared resolved. Throws 500 when it cannot be. */
  async differs(listen: string, upstream: string): Promise<boolean> {
    return formatAddress(await resolveAddress(listen)) !== this.#listen || upstream !== this.#upstream;
  }

  /** New addresses drop all connections; the same ones leave them alone. Throws 500 when it cannot be started. */
  async update(listen: string, upstream: string, enabled: boolean): Promise<void> {
    if (await this.differs(listen, upstream)) {
      await this.stop();
      this.#listen = listen;
      this.#upstream = upstream;
    }
    if (enabled) await this.start();
    else await this.stop();
  }

  #accept(client: Socket): void {
    const connectionNumber = this.#acceptedCount++;
    this.#track(client);
    let address: Address;
    try {
      address = parseAddress(this.#upstream);
    } catch {
      return refuse(client);
    }
    const reading = new StaticReading();
    const upstream = connect({
      host: address.host === '' ? 'localhost' : address.host,
      port: address.port,
      allowHalfOpen: true,
      noDelay: true,
      onread: reading.options,
    });
    this.#track(upstream);
    const giveUp = (): void => {
      upstream.destroy();
    };
    const refuseClient = (): void => refuse(client);
    client.once('close', giveUp);
    upstream.once('close', refuseClient);
    upstream.once('connect', () => {
      client.removeListener('close', giveUp);
      upstream.removeListener('close', refuseClient);
      this.#join(client, upstream, reading, connectionNumber);
    });
  }

  #join(client: Socket, upstream: Socket, reading: StaticReading, connectionNumber: number): void {
    const { metrics, seed } = this.#context;
    const connection: Connection = new Connection({
      client,
      upstream,
      upstreamReading: reading,
      toxics: this.toxics.byDirection,
      traffic: {
        upstream: metrics.traffic('upstream', this.name, this.#listen, this.#upstream),
        downstream: metrics.traffic('downstream', this.name, this.#listen, this.#upstream),
      },
      seed,
      randomStreams: { upstream: this.#randomStream(connectionNumber * 2), downstream: this.#randomStream(connectionNumber * 2 + 1) },
      onClosed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.start();
  }

  /** The n-th link of this proxy draws the same in every run with the same seed, whatever other proxies do. */
  #randomStream(linkNumber: number): number {
    let hash = 0;
    for (const letter of this.name) hash = mix32(hash ^ (letter.codePointAt(0) ?? 0));
    return FIRST_RANDOM_STREAM + mix32(hash + linkNumber);
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    // A connection looks at its errors itself; before that, 'close' says enough.
    socket.on('error', () => {});
  }
}

/** The client reads the end of the stream; it is drained so that no reset takes its place. */
function refuse(client: Socket): void {
  if (client.destroyed) return;
  client.resume();
  client.end();
  const limit = setTimeout(() => client.destroy(), REFUSED_CLIENT_LIMIT_MS);
  client.once('close', () => clearTimeout(limit));
}

/** The address it listens on. Throws 500 `listen tcp …`. */
function listening(server: Server, address: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
    server.listen({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) }, () => {
      const bound = server.address();
      if (bound === null || typeof bound === 'string') return reject(new ApiError('listen tcp: no address', 500));
      resolve(formatAddress({ host: bound.address, port: bound.port }));
    });
  });
}
