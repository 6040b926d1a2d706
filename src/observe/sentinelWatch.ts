/**
 * What a Sentinel of somebody else's says on its channels, where its log is out of reach. Started by the observer, one per sentinel; it
 * reconnects for as long as it runs, and never throws.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';

const RECONNECT_MS = 500;

export class SentinelWatch {
  readonly #open: () => Redis;
  readonly #masterName: string;
  readonly #heard: (text: string, atUs: number) => void;
  #redis: Redis | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #subscribed: (() => void) | null = null;
  /** Resolves with the first subscription, or when the sentinel cannot be reached. */
  readonly settled: Promise<void>;

  /** @param heard an event as its log has it, name first, and when it arrived (machine monotonic µs) */
  constructor(open: () => Redis, masterName: string, heard: (text: string, atUs: number) => void) {
    this.#open = open;
    this.#masterName = masterName;
    this.#heard = heard;
    this.settled = new Promise((resolve) => {
      this.#subscribed = resolve;
    });
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#redis?.disconnect();
  }

  #connect(): void {
    if (this.#stopped) return;
    const redis = this.#open();
    this.#redis = redis;
    redis.on('pmessage', (_pattern: string, channel: string, message: string) => {
      if (isAbout(this.#masterName, channel, message)) this.#heard(`${channel} ${message}`, monotonicUs());
    });
    redis.on('end', () => {
      this.#subscribed?.();
      this.#timer = setTimeout(() => this.#connect(), RECONNECT_MS);
      this.#timer.unref();
    });
    redis.psubscribe('*').then(
      () => this.#subscribed?.(),
      () => redis.disconnect(),
    );
  }
}

/** One sentinel can watch many masters; an event names its own as the instance, or behind an @. */
function isAbout(masterName: string, channel: string, message: string): boolean {
  return channel === '+tilt' || message.split(' ').includes(masterName);
}
