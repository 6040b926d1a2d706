/**
 * A connection for questions that nobody depends on: made when it is asked, thrown away when anything but the server's own refusal comes
 * back, made again with the next question. Used by the lag probe and the clocks. It never retries and never queues for long: the
 * commands of control connections end within 2 s.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';

/** After a lost connection the next attempt waits so long: a dead node must not be called a hundred times a second. */
const RECONNECT_AFTER_US = 100_000;

export class SideConnection {
  readonly #connect: () => Redis;
  #redis: Redis | null = null;
  #open = 0;
  #lostUs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(connect: () => Redis) {
    this.#connect = connect;
  }

  get isBusy(): boolean {
    return this.#open > 0;
  }

  /** @throws the server's refusal (`ReplyError`), or why there was no answer */
  async ask<T>(question: (redis: Redis) => Promise<T>, onConnect?: (redis: Redis) => Promise<unknown>): Promise<T> {
    if (this.#isClosed) throw new Error('closed');
    let redis = this.#redis;
    this.#open++;
    try {
      if (redis === null) {
        if (monotonicUs() - this.#lostUs < RECONNECT_AFTER_US) throw new Error('not connected');
        redis = this.#connect();
        this.#redis = redis;
        await this.#greet(redis, onConnect);
      }
      return await question(redis);
    } catch (error) {
      const isRefusal = error instanceof Error && error.name === 'ReplyError';
      if (!isRefusal && redis !== null && redis === this.#redis) this.#drop();
      throw error;
    } finally {
      this.#open--;
    }
  }

  /** A connection whose greeting was refused (by a server that loads) is no good for what comes after. */
  async #greet(redis: Redis, onConnect?: (redis: Redis) => Promise<unknown>): Promise<void> {
    try {
      if (redis.status === 'wait') await redis.connect();
      await onConnect?.(redis);
    } catch (error) {
      if (redis === this.#redis) this.#drop();
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  #drop(): void {
    const redis = this.#redis;
    this.#redis = null;
    this.#lostUs = monotonicUs();
    // ioredis would hold a timer of 2 s for a connection that has closed already.
    if (redis && redis.status !== 'close' && redis.status !== 'end') redis.disconnect();
  }
}
