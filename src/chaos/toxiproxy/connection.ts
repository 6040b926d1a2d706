/**
 * A client's connection and the one made for it to the upstream, joined by two links. Made by tcpProxy.ts when both are open. It owns the
 * way a connection ends: a half-close is passed on as one, a reset as a reset, and nothing is left open when either side has gone.
 */
import type { Socket } from 'node:net';
import { monotonicUs } from '../../base/clock.js';
import { RandomStream } from '../../base/random.js';
import { Link } from './link.js';
import type { Traffic } from './metrics.js';
import type { StaticReading } from './staticReading.js';
import type { Direction, Toxic } from './toxic.js';
import type { Ending } from './toxics/stage.js';

/** A connection of which one direction has ended is closed when the other has carried nothing for so long: a silent peer keeps no socket. */
const HALF_CLOSED_LIMIT_US = 60_000_000;
const HALF_CLOSED_CHECK_MS = 5_000;

export interface ConnectionOptions {
  readonly client: Socket;
  readonly upstream: Socket;
  /** How the upstream is read. */
  readonly upstreamReading: StaticReading;
  readonly toxics: Readonly<Record<Direction, readonly Toxic[]>>;
  readonly traffic: Readonly<Record<Direction, Traffic>>;
  readonly seed: number;
  /** Numbers of streams of `base/random.ts`, one per direction, unlike those of any other connection. */
  readonly randomStreams: Readonly<Record<Direction, number>>;
  /** Both sockets are closed. */
  readonly onClosed: () => void;
}

export class Connection {
  /** By direction. */
  readonly links: Readonly<Record<Direction, Link>>;
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #onClosed: () => void;
  #halfClosedTimer: NodeJS.Timeout | null = null;
  #openSockets = 2;

  constructor(options: ConnectionOptions) {
    this.#client = options.client;
    this.#upstream = options.upstream;
    this.#onClosed = options.onClosed;
    const makeLink = (direction: Direction, source: Socket, destination: Socket): Link =>
      new Link({
        source,
        reading: direction === 'downstream' ? options.upstreamReading : null,
        destination,
        toxics: options.toxics[direction],
        traffic: options.traffic[direction],
        random: new RandomStream(options.seed, options.randomStreams[direction]),
        onEnded: (ending) => this.#linkEnded(ending, source, destination),
      });
    this.links = {
      upstream: makeLink('upstream', this.#client, this.#upstream),
      downstream: makeLink('downstream', this.#upstream, this.#client),
    };
  }

  start(): void {
    this.#watch(this.#client, this.links.upstream, this.links.downstream, this.#upstream);
    this.#watch(this.#upstream, this.links.downstream, this.links.upstream, this.#client);
    this.links.upstream.start();
    this.links.downstream.start();
  }

  /** Closes both sockets at once, whatever is under way. */
  destroy(): void {
    this.#client.destroy();
    this.#upstream.destroy();
  }

  #watch(socket: Socket, from: Link, to: Link, other: Socket): void {
    let wasReset = false;
    socket.on('error', (error: NodeJS.ErrnoException) => {
      wasReset = error.code === 'ECONNRESET';
    });
    socket.on('close', () => {
      // If its ending has already come out, the half of the other side that is still open has nobody to talk to.
      if (from.ended) other.destroySoon();
      else from.sourceEnded(wasReset ? 'reset' : 'close');
      to.destinationClosed();
      this.#openSockets--;
      if (this.#openSockets > 0) return;
      if (this.#halfClosedTimer !== null) clearInterval(this.#halfClosedTimer);
      for (const link of Object.values(this.links)) link.destinationClosed();
      this.#onClosed();
    });
  }

  #linkEnded(ending: Ending, source: Socket, destination: Socket): void {
    if (ending === 'abort') source.resetAndDestroy();
    else if (ending !== 'reset' && source.destroyed) destination.destroySoon();
    this.#limitHalfClosed();
  }

  #limitHalfClosed(): void {
    if (this.#halfClosedTimer !== null || this.#openSockets === 0) return;
    let bytesBefore = -1;
    let quietSinceUs = monotonicUs();
    this.#halfClosedTimer = setInterval(() => {
      const bytes = this.#client.bytesRead + this.#upstream.bytesRead;
      const isBusy = this.links.upstream.busy || this.links.downstream.busy;
      if (bytes !== bytesBefore || isBusy) quietSinceUs = monotonicUs();
      else if (monotonicUs() - quietSinceUs >= HALF_CLOSED_LIMIT_US) this.destroy();
      bytesBefore = bytes;
    }, HALF_CLOSED_CHECK_MS);
    this.#halfClosedTimer.unref();
  }
}
