/**
 * Asks one server once a second how it is: CPU, memory, traffic, evictions. Ticked by `observer.ts`, on a connection of its own, so that
 * a long INFO never delays the questions about roles. It never throws, never waits for anything, and a server that does not answer
 * simply has no samples for that time.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import type { ServerSample } from '../result/records.js';
import { parseInfo } from '../topology/infoReply.js';

/** Between two samples of a node. */
export const SAMPLE_INTERVAL_US = 1_000_000;
/** A connection that owes an answer for this long is replaced. */
const REPLACE_AFTER_US = 5_000_000;

export class ServerSampler {
  readonly #connect: () => Redis;
  readonly #emit: (sample: ServerSample, atUs: number) => void;
  #redis: Redis | null = null;
  #askedAtUs: number | null = null;
  #stopped = false;

  /** @param emit `atUs` in machine monotonic µs */
  constructor(connect: () => Redis, emit: (sample: ServerSample, atUs: number) => void) {
    this.#connect = connect;
    this.#emit = emit;
  }

  /** Asks for the next sample, unless the last one is still out. Call it every `SAMPLE_INTERVAL_US`. */
  tick(): void {
    if (this.#stopped) return;
    if (this.#askedAtUs !== null) {
      if (monotonicUs() - this.#askedAtUs > REPLACE_AFTER_US) this.#drop();
      return;
    }
    this.#askedAtUs = monotonicUs();
    if (!this.#redis) {
      this.#redis = this.#connect();
      this.#redis.on('error', () => undefined);
    }
    const redis = this.#redis;
    void this.#sample(redis).catch(() => {
      if (redis === this.#redis) this.#drop();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#drop();
  }

  async #sample(redis: Redis): Promise<void> {
    if (redis.status === 'wait') await redis.connect();
    const text = await redis.info();
    if (redis !== this.#redis) return;
    this.#askedAtUs = null;
    this.#emit(parseServerSample(text), monotonicUs());
  }

  #drop(): void {
    const redis = this.#redis;
    this.#redis = null;
    this.#askedAtUs = null;
    // ioredis would hold a timer of 2 s for a connection that has closed already.
    if (redis && redis.status !== 'close' && redis.status !== 'end') redis.disconnect();
  }
}

/** Reads the answer to INFO without arguments (Redis and Valkey, any version); null for what is not in it. */
export function parseServerSample(text: string): ServerSample {
  const fields = parseInfo(text);
  const scaled = (key: string, scale = 1): number | null => {
    const value = Number.parseFloat(fields.get(key) ?? '');
    return Number.isNaN(value) ? null : Math.round(value * scale);
  };
  return {
    cpuSysTotalUs: scaled('used_cpu_sys', 1_000_000),
    cpuUserTotalUs: scaled('used_cpu_user', 1_000_000),
    usedMemoryBytes: scaled('used_memory'),
    opsPerSec: scaled('instantaneous_ops_per_sec'),
    netInputTotalBytes: scaled('total_net_input_bytes'),
    netOutputTotalBytes: scaled('total_net_output_bytes'),
    keyspaceHitsTotal: scaled('keyspace_hits'),
    keyspaceMissesTotal: scaled('keyspace_misses'),
    evictedKeysTotal: scaled('evicted_keys'),
    expiredKeysTotal: scaled('expired_keys'),
    latestForkUs: scaled('latest_fork_usec'),
    connectedClients: scaled('connected_clients'),
  };
}
