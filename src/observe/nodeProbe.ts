/**
 * Asks one node about itself, again and again, on a connection of its own. Ticked by `observer.ts` for all nodes at once. It never
 * waits for another node, never throws, never leaves a rejected promise, and costs nothing while its node is stopped or dead.
 *
 * At most one question is out at a time. A node that does not answer within `REPLY_LIMIT_US` counts as unreachable (noticed at the next
 * tick); the question stays out, so that a resumed node is seen the moment it answers. A closed connection is seen at once and made
 * again at each tick.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { parseMasterAddress } from '../topology/infoReply.js';

/** Between two questions to a node, and between two attempts to connect. */
export const POLL_INTERVAL_US = 100_000;
/** A node that is silent for longer is unreachable. */
export const REPLY_LIMIT_US = 300_000;
/** For TCP, TLS, login and the end of loading; beyond it the attempt is given up and the node is unreachable. */
export const CONNECT_LIMIT_US = 2_000_000;
/** After a pause of our own process as long as this between two ticks nobody is judged at once. */
const STANDSTILL_US = 2 * POLL_INTERVAL_US;
/** A connection that owes an answer for this long is replaced: a network may have forgotten it. */
const REPLACE_AFTER_US = 5_000_000;

/** What a node said. A text is null where the node refused the command (its message is in `refusal`) or was not asked. */
export interface ProbeAnswer {
  /** Machine monotonic µs of the answer. */
  atUs: number;
  /** Since the question before that was answered, or since the probe began: what changed did so somewhere in this time. */
  sinceUs: number;
  replication: string | null;
  clusterNodes: string | null;
  clusterInfo: string | null;
  /** Of a sentinel: `host:port` of the master it watches, null where it knows none; absent of other nodes. */
  sentinelMaster?: string | null;
  refusal: string | null;
}

/** What a node is asked: every one for its replication, in a cluster for its nodes too; a sentinel for the master it watches. */
export type ProbeQuestions = { of: 'server' } | { of: 'clusterNode' } | { of: 'sentinel'; masterName: string };

export interface ProbeListener {
  answer(nodeId: string, answer: ProbeAnswer): void;
  /** Only changes, and the first state if it is unreachable. Comes before the first answer of a node that is back. */
  reachable(nodeId: string, change: { reachable: boolean; atUs: number; sinceUs: number; reason: string }): void;
}

export class NodeProbe {
  /** Resolves with the first answer or the first failure: at most `CONNECT_LIMIT_US` + `REPLY_LIMIT_US` + a tick after the first tick. */
  readonly settled: Promise<void>;
  readonly #nodeId: string;
  readonly #connect: () => Redis;
  readonly #questions: ProbeQuestions;
  readonly #listener: ProbeListener;
  #settle: () => void = () => undefined;
  #redis: Redis | null = null;
  #connectingSinceUs = 0;
  #ready = false;
  /** When the question that is out was asked; null: none is. */
  #askedAtUs: number | null = null;
  #answerCount = 0;
  /** When the last question that was answered was asked: the answer was true then or later. */
  #trueAtUs = monotonicUs();
  /** When the connection was begun or, on an old one, the question asked. */
  #triedAtUs = monotonicUs();
  #tickedAtUs = 0;
  #reachable: boolean | null = null;
  #lastError = '';
  #stopped = false;

  /** @param connect makes a connection that does not retry, queue or throw (Target.control) */
  constructor(nodeId: string, connect: () => Redis, questions: ProbeQuestions, listener: ProbeListener) {
    this.#nodeId = nodeId;
    this.#connect = connect;
    this.#questions = questions;
    this.#listener = listener;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Answers so far. */
  get answerCount(): number {
    return this.#answerCount;
  }

  /** Does what is due: asks, connects, or notices that a limit has passed. Call it every `POLL_INTERVAL_US`. */
  tick(): void {
    if (this.#stopped) return;
    const nowUs = monotonicUs();
    const stoodStill = nowUs - this.#tickedAtUs > STANDSTILL_US;
    this.#tickedAtUs = nowUs;
    if (this.#askedAtUs !== null) {
      // What was answered meanwhile is not read yet.
      if (stoodStill) return;
      const silentUs = nowUs - this.#askedAtUs;
      if (silentUs > REPLY_LIMIT_US) this.#noteReachable(false, nowUs, `no reply within ${REPLY_LIMIT_US / 1000} ms`);
      if (silentUs > REPLACE_AFTER_US) this.#drop();
      return;
    }
    if (this.#ready) {
      this.#triedAtUs = nowUs;
      this.#ask(nowUs);
    } else if (!this.#redis) this.#open(nowUs);
    else if (!stoodStill && nowUs - this.#connectingSinceUs > CONNECT_LIMIT_US) {
      this.#noteReachable(false, nowUs, this.#lastError || `no connection within ${CONNECT_LIMIT_US / 1000} ms`);
      this.#drop();
    }
  }

  /** Closes the connection at once; nothing is reported from now on. */
  stop(): void {
    this.#stopped = true;
    this.#drop();
    this.#settle();
  }

  #open(nowUs: number): void {
    this.#triedAtUs = nowUs;
    this.#connectingSinceUs = nowUs;
    this.#lastError = '';
    const redis = this.#connect();
    this.#redis = redis;
    redis.on('error', (error: unknown) => {
      if (redis === this.#redis) this.#lastError = messageOf(error);
    });
    redis.on('ready', () => {
      if (redis !== this.#redis) return;
      this.#ready = true;
      if (this.#askedAtUs === null) this.#ask(monotonicUs());
    });
    const closed = (): void => {
      if (redis !== this.#redis) return;
      const wasReady = this.#ready;
      this.#drop();
      this.#noteReachable(false, monotonicUs(), this.#lastError || (wasReady ? 'connection closed' : 'connection refused'));
    };
    redis.on('close', closed);
    redis.on('end', closed);
    if (redis.status === 'wait') redis.connect().catch(() => undefined);
    if (redis.status === 'ready') redis.emit('ready');
  }

  #ask(nowUs: number): void {
    const redis = this.#redis;
    if (!redis) return;
    this.#askedAtUs = nowUs;
    const pipeline = redis.pipeline();
    const { of } = this.#questions;
    if (of === 'sentinel') pipeline.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#questions.masterName);
    else pipeline.info('replication');
    if (of === 'clusterNode') pipeline.cluster('NODES').cluster('INFO');
    pipeline.exec().then(
      (replies) => {
        if (redis === this.#redis) this.#take(replies ?? []);
      },
      () => undefined, // The connection is gone; 'close' tells.
    );
  }

  #take(replies: [error: Error | null, result: unknown][]): void {
    const refusals = replies.filter(([error]) => error !== null);
    // Errors of the connection (closed, timed out) come as errors of each command; a refusal of the server has its own kind.
    if (replies.length === 0 || refusals.some(([error]) => error?.name !== 'ReplyError')) {
      this.#noteReachable(false, monotonicUs(), refusals[0]?.[0]?.message ?? 'no reply');
      this.#drop();
      return;
    }
    const askedAtUs = this.#askedAtUs ?? monotonicUs();
    this.#askedAtUs = null;
    const atUs = monotonicUs();
    const isSentinel = this.#questions.of === 'sentinel';
    const [replication, clusterNodes, clusterInfo] = replies.map(([error, result]) => (error === null && typeof result === 'string' ? result : null));
    const sinceUs = atUs - this.#trueAtUs;
    this.#trueAtUs = askedAtUs;
    this.#answerCount++;
    this.#noteReachable(true, atUs, 'answers');
    this.#listener.answer(this.#nodeId, {
      atUs,
      sinceUs,
      replication: replication ?? null,
      clusterNodes: clusterNodes ?? null,
      clusterInfo: clusterInfo ?? null,
      ...(isSentinel ? { sentinelMaster: parseMasterAddress(replies[0]?.[1]) } : {}),
      refusal: refusals[0]?.[0]?.message ?? null,
    });
    this.#settle();
  }

  #noteReachable(reachable: boolean, atUs: number, reason: string): void {
    const changed = this.#reachable !== reachable && !(this.#reachable === null && reachable);
    this.#reachable = reachable;
    if (this.#stopped || !changed) return;
    // Gone: since the last answer. Back: a late answer comes as soon as the node can give it, a new connection may be an interval late.
    const tookUs = atUs - this.#triedAtUs;
    const sinceUs = !reachable ? atUs - this.#trueAtUs : POLL_INTERVAL_US + (tookUs > REPLY_LIMIT_US ? 0 : tookUs);
    this.#listener.reachable(this.#nodeId, { reachable, atUs, sinceUs, reason });
    if (!reachable) this.#settle();
  }

  #drop(): void {
    const redis = this.#redis;
    this.#redis = null;
    this.#ready = false;
    this.#askedAtUs = null;
    // ioredis would hold a timer of 2 s for a connection that has closed already.
    if (redis && redis.status !== 'close' && redis.status !== 'end') redis.disconnect();
  }
}
