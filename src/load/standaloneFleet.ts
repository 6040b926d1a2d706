/** `connections` single ioredis connections to one server. Made by ioredisClient.ts. It reconnects for ever. */
import { Redis } from 'ioredis';
import type { LoadPlan } from '../plan/plan.js';
import type { LoadEndpoints } from './client.js';
import type { ConnectionNews } from './connectionNews.js';
import { ConnectionWatch } from './connectionWatch.js';
import type { IoredisFleet } from './ioredisFleet.js';
import { reachOf, standaloneOptions } from './ioredisOptions.js';

export class StandaloneFleet implements IoredisFleet {
  readonly instances: Redis[] = [];
  readonly slotRefreshes = 0;
  readonly #watches: ConnectionWatch[] = [];
  #lastError: Error | null = null;

  constructor(
    readonly endpoints: LoadEndpoints,
    readonly load: LoadPlan,
    readonly connectionName: string,
    readonly news: ConnectionNews,
    readonly handshakeLimitUs: number,
  ) {}

  open(): void {
    const seed = this.endpoints.seeds[0];
    if (seed === undefined) throw new Error('bug in kvbench: no address to connect to');
    const reach = reachOf(this.endpoints, seed);
    for (let i = 0; i < this.load.connections; i++) {
      const redis = new Redis({
        ...standaloneOptions(this.endpoints, this.load.resend, `${this.connectionName}-${i}`, reach),
        lazyConnect: true,
      });
      redis.on('error', (error) => {
        this.#lastError = error;
      });
      let wasConnected = false;
      const hadConnection = (): boolean => {
        const had = wasConnected;
        wasConnected = true;
        return had;
      };
      this.#watches.push(new ConnectionWatch(redis, `${seed.host}:${seed.port}`, this.news, hadConnection));
      this.instances.push(redis);
      redis.connect().catch(() => {
        // It goes on trying by its retry strategy; the 'error' event has the reason.
      });
    }
  }

  isReady(): boolean {
    return this.instances.every((redis) => redis.status === 'ready');
  }

  nodes(): Redis[] {
    return this.instances;
  }

  noteConnectionFailure(): void {
    // There is nobody else to ask.
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
    for (const redis of this.instances) redis.disconnect();
  }
}
