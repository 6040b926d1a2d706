/**
 * `connections` single ioredis connections to the one master there is: a server, a master with replicas, or whoever the sentinels name.
 * With readFrom: replica each has connections to replicas beside it. Made by ioredisClient.ts. It reconnects for ever.
 */
import { type Command, Redis } from 'ioredis';
import { unreachable } from '../base/assert.js';
import type { LoadPlan } from '../plan/plan.js';
import type { LoadEndpoints } from './client.js';
import type { ConnectionNews } from './connectionNews.js';
import { ConnectionWatch } from './connectionWatch.js';
import type { IoredisFleet, IoredisInstance } from './ioredisFleet.js';
import { announcedAddresses, type ConnectionOptions, reachOf, sentinelOptions, standaloneOptions } from './ioredisOptions.js';

type Address = LoadEndpoints['seeds'][number];

export class StandaloneFleet implements IoredisFleet {
  readonly instances: IoredisInstance[] = [];
  readonly slotRefreshes = 0;
  readonly #masters: Redis[] = [];
  readonly #readers: Redis[] = [];
  readonly #watches: ConnectionWatch[] = [];
  readonly #announced: Map<string, string>;
  #lastError: Error | null = null;

  constructor(
    readonly endpoints: LoadEndpoints,
    readonly load: LoadPlan,
    readonly connectionName: string,
    readonly news: ConnectionNews,
    readonly handshakeLimitUs: number,
  ) {
    this.#announced = announcedAddresses(endpoints);
  }

  open(): void {
    const [master] = this.endpoints.seeds;
    if (master === undefined) throw new Error('bug in kvbench: no address to connect to');
    for (let i = 0; i < this.load.connections; i++) {
      const name = `${this.connectionName}-${i}`;
      const redis = this.#connect(this.#optionsOf(name, master, 'master'), master);
      this.#masters.push(redis);
      const readers = this.load.readFrom === 'replica' ? this.#connectReaders(name) : [];
      this.#readers.push(...readers);
      this.instances.push(readers.length === 0 ? redis : new SplitReads(redis, readers));
    }
  }

  isReady(): boolean {
    return this.#masters.every((redis) => redis.status === 'ready');
  }

  nodes(): Redis[] {
    return this.#masters;
  }

  noteConnectionFailure(): void {
    // There is nobody else to ask; who follows sentinels hears from them.
  }

  lookAfter(): void {
    for (const watch of this.#watches) watch.endIfHanging(this.handshakeLimitUs);
  }

  shardOfAddress(): number {
    return 0;
  }

  lastError(): Error | null {
    return this.#lastError;
  }

  close(): void {
    for (const redis of [...this.#masters, ...this.#readers]) redis.disconnect();
  }

  /** To each replica; with sentinels to one that they name. */
  #connectReaders(name: string): Redis[] {
    const { mode, seeds } = this.endpoints;
    switch (mode) {
      case 'standalone':
      case 'cluster':
        return [];
      case 'replicated':
        return seeds.slice(1).map((replica) => this.#connect(this.#optionsOf(name, replica, 'slave'), replica));
      case 'sentinel': {
        const first = seeds[1] ?? seeds[0];
        return first === undefined ? [] : [this.#connect(this.#optionsOf(name, first, 'slave'), first)];
      }
      default:
        return unreachable(mode);
    }
  }

  #optionsOf(name: string, address: Address, role: 'master' | 'slave'): ConnectionOptions {
    const { endpoints, load } = this;
    if (endpoints.mode === 'sentinel') return sentinelOptions(endpoints, load.resend, name, role);
    return standaloneOptions(endpoints, load.resend, name, reachOf(endpoints, address));
  }

  /** @param first where it is expected to connect to */
  #connect(options: ConnectionOptions, first: Address): Redis {
    const redis = new Redis({ ...options, lazyConnect: true });
    const connected = new Set<string>();
    let address = `${first.host}:${first.port}`;
    redis.on('connect', () => {
      address = this.#addressNow(redis) ?? address;
    });
    redis.on('error', (error) => {
      this.#lastError = error;
    });
    const hadConnection = (): boolean => {
      const had = connected.has(address);
      connected.add(address);
      return had;
    };
    this.#watches.push(new ConnectionWatch(redis, () => address, this.news, hadConnection));
    redis.connect().catch(() => {
      // It goes on trying by its retry strategy; the 'error' event has the reason.
    });
    return redis;
  }

  /** Sentinels may have led it elsewhere. As the node announces itself, not its proxy. */
  #addressNow(redis: Redis): string | null {
    if (this.endpoints.mode !== 'sentinel') return null;
    const { remoteAddress, remotePort } = (redis as unknown as { stream: { remoteAddress?: string; remotePort?: number } }).stream;
    const reach = `${remoteAddress}:${remotePort}`;
    return remoteAddress === undefined ? null : (this.#announced.get(reach) ?? reach);
  }
}

/** HOT: reads go to connected replicas in turn, to the master while there is none; all else to the master. */
class SplitReads implements IoredisInstance {
  #turn = 0;

  constructor(
    readonly master: Redis,
    readonly replicas: readonly Redis[],
  ) {}

  /** Of the master; a replica alone still takes reads. */
  get status(): string {
    return this.master.status;
  }

  sendCommand(command: Command): unknown {
    return (command.name === 'get' || command.isReadOnly ? this.#reader() : this.master).sendCommand(command);
  }

  #reader(): Redis {
    for (let tries = this.replicas.length; tries > 0; tries--) {
      this.#turn = this.#turn + 1 < this.replicas.length ? this.#turn + 1 : 0;
      const replica = this.replicas[this.#turn] as Redis;
      if (replica.status === 'ready') return replica;
    }
    return this.master;
  }
}
