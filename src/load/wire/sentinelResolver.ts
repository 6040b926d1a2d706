/**
 * Who is master now, by the sentinels. Used by WireClient: asked when connections or replies hint at a change, and telling by itself when a
 * sentinel announces one. It keeps a subscription to each sentinel, which reconnects for ever, and never throws out of an event.
 */
import { Redis, type RedisOptions } from 'ioredis';
import type { LoadEndpoints } from '../client.js';
import { tlsOptions } from '../loginOptions.js';
import { addressOf, reachable, type SlotRange } from './clusterMap.js';

/** The longest that the sentinels may take to answer; a stopped one must not hold up the others. */
const ASK_LIMIT_MS = 500;
const RECONNECT_MIN_MS = 20;
const RECONNECT_MAX_MS = 500;
const LAST_SLOT = 16_383;
const CHANNEL = '+switch-master';

interface Answer {
  /** host:port as announced. */
  master: string;
  /** Grows with each failover: the sentinel with the highest has heard of the last one. */
  epoch: number;
  replicas: string[];
}

export class SentinelResolver {
  readonly #endpoints: LoadEndpoints;
  readonly #wantsReplicas: boolean;
  readonly #masterName: string;
  readonly #addresses: string[];
  readonly #subscriptions: Redis[] = [];
  readonly #onSwitch: () => void;

  /** @param onSwitch a sentinel says that the master is another one now: ask again */
  constructor(endpoints: LoadEndpoints, wantsReplicas: boolean, onSwitch: () => void) {
    this.#endpoints = endpoints;
    this.#wantsReplicas = wantsReplicas;
    this.#masterName = endpoints.sentinels?.masterName ?? '';
    this.#addresses = (endpoints.sentinels?.seeds ?? []).map(({ host, port }) => addressOf(host, port));
    this.#onSwitch = onSwitch;
  }

  /** Begins to listen. */
  open(): void {
    for (const address of this.#addresses) {
      const redis = this.#connection(address, {
        retryStrategy: (attempt: number) => Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(attempt, 10)),
      });
      redis.on('message', (_channel: string, text: string) => {
        if (text.split(' ')[0] === this.#masterName) this.#onSwitch();
      });
      // What was said while it was not connected is gone: ask.
      let wasConnected = false;
      redis.on('ready', () => {
        redis.subscribe(CHANNEL).catch(() => undefined);
        if (wasConnected) this.#onSwitch();
        wasConnected = true;
      });
      redis.connect().catch(() => undefined);
      this.#subscriptions.push(redis);
    }
  }

  /** All sentinels at once, and of those that answer in time the one that has heard of the latest failover; null: none answered. */
  async ask(): Promise<SlotRange[] | null> {
    const answers = await Promise.all(this.#addresses.map((address) => this.#askOne(address).catch(() => null)));
    let best: Answer | null = null;
    for (const answer of answers) if (answer !== null && (best === null || answer.epoch > best.epoch)) best = answer;
    return best === null ? null : [{ from: 0, to: LAST_SLOT, address: best.master, replicas: best.replicas }];
  }

  close(): void {
    for (const redis of this.#subscriptions) redis.disconnect();
  }

  async #askOne(sentinel: string): Promise<Answer | null> {
    const redis = this.#connection(sentinel, { commandTimeout: ASK_LIMIT_MS, retryStrategy: () => null });
    try {
      await redis.connect();
      // The sentinel that acts names the promoted replica here already, while its record of the master still has the old address.
      const [address, master, replicas] = await Promise.all([
        redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#masterName),
        redis.call('SENTINEL', 'MASTER', this.#masterName),
        this.#wantsReplicas ? redis.call('SENTINEL', 'REPLICAS', this.#masterName) : [],
      ]);
      if (!Array.isArray(address)) return null;
      const listed = Array.isArray(replicas) ? replicas.map(fieldsOf) : [];
      return {
        master: addressOf(String(address[0]), Number(address[1])),
        epoch: Number(fieldsOf(master).get('config-epoch') ?? 0),
        replicas: listed.filter(isUp).map((replica) => addressOf(replica.get('ip') ?? '', Number(replica.get('port')))),
      };
    } finally {
      redis.disconnect();
    }
  }

  #connection(address: string, more: { commandTimeout?: number; retryStrategy: (attempt: number) => number | null }): Redis {
    const redis = new Redis({
      ...reachable(this.#endpoints, address),
      ...loginOptions(this.#endpoints),
      lazyConnect: true,
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      connectTimeout: ASK_LIMIT_MS,
      connectionName: 'kvbench-wire-sentinel',
      ...more,
    });
    redis.on('error', () => undefined);
    return redis;
  }
}

/** TLS as to the servers; their login where the sentinels want it. */
function loginOptions({ sentinels, username, password, tls }: LoadEndpoints): Pick<RedisOptions, 'username' | 'password' | 'tls'> {
  return {
    ...(sentinels?.login === true && username !== null ? { username } : {}),
    ...(sentinels?.login === true && password !== null ? { password } : {}),
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
  };
}

/** Alternating names and values. */
function fieldsOf(reply: unknown): Map<string, string> {
  const fields = new Map<string, string>();
  if (Array.isArray(reply)) for (let i = 0; i + 1 < reply.length; i += 2) fields.set(String(reply[i]), String(reply[i + 1]));
  return fields;
}

function isUp(replica: ReadonlyMap<string, string>): boolean {
  return !/s_down|o_down|disconnected/.test(replica.get('flags') ?? '');
}
