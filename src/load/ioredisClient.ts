/**
 * The load client that a Node application would use: ioredis, for standalone servers and clusters. Made by worker.ts, driven by the
 * engine. It never throws into the engine, never gives up reconnecting and, with `resend: never`, never sends an operation twice
 * unless the server refused the first.
 */
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { traitsOf } from '../plan/operations.js';
import type { OperationIndex, Plan } from '../plan/plan.js';
import { type KeyNaming, keyNameOf } from '../workload/keyNames.js';
import { NO_VERSION, type ValueStamper } from '../workload/valueStamp.js';
import type { ValuePool } from '../workload/values.js';
import { classifyError } from './classifyError.js';
import {
  type Client,
  type ClientCapabilities,
  type ClientCounters,
  type ClientListener,
  type Completion,
  type LoadEndpoints,
  OutcomeIndex,
  type ReplyWatch,
} from './client.js';
import { ClusterFleet } from './clusterFleet.js';
import { ConfirmWrites } from './confirmWrites.js';
import { ConnectionNews } from './connectionNews.js';
import { IoredisCommands } from './ioredisCommands.js';
import type { IoredisFleet, IoredisInstance } from './ioredisFleet.js';
import { OperationCommand } from './operationCommand.js';
import { NO_REASON } from './reasonIndex.js';
import type { Routing } from './routing.js';
import { GET, INCR } from './share.js';
import { StandaloneFleet } from './standaloneFleet.js';

const textReply = { replyEncoding: 'utf8' } as const;
/** resend never: a handshake (HELLO, AUTH) may take this long; by default ioredis sets no limit, and kvbench only ends what is surely dead. */
const HANDSHAKE_LIMIT_US = 3_000_000;
const HANDSHAKE_LIMIT_DEFAULT_US = 30_000_000;
const LOOK_AFTER_MS = 500;
const CONNECT_POLL_US = 5_000;
/** Replies that no amount of waiting turns into a connection. */
const HOPELESS = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH)/;

export interface ClientOptions {
  plan: Plan;
  endpoints: LoadEndpoints;
  worker: number;
  routing: Routing;
  values: ValuePool;
  /** Null or absent: no value has a stamp. */
  stamper?: ValueStamper | null;
  completion: Completion;
  /** Null or absent: nobody wants to know the answers. */
  replies?: ReplyWatch | null;
  listener: ClientListener;
}

/** HOT: `send` costs what ioredis costs, and a scan for the least loaded connection. */
export class IoredisClient implements Client {
  readonly capabilities: ClientCapabilities;
  readonly writesEach = true;
  readonly #fleet: IoredisFleet;
  readonly #news: ConnectionNews;
  readonly #routing: Routing;
  readonly #completion: Completion;
  readonly #replies: ReplyWatch | null;
  readonly #keys: KeyNaming;
  readonly #commands: IoredisCommands;
  readonly #isCluster: boolean;
  readonly #connections: number;
  /** Unsettled operations of connection c to shard s, at s × connections + c. */
  readonly #loads: Int32Array;
  readonly #nextConnection: Int32Array;
  /** Unsettled operations of each shard. */
  readonly #shardLoads: Int32Array;
  /** Of a connection, like its load: how many operations it takes before others, and whether it stands among its shard's free ones. */
  readonly #room: Int32Array;
  readonly #isFree: Uint8Array;
  /** Connections of a shard with room, those that answered last on top. */
  readonly #free: number[][];
  readonly #where: string;
  readonly #confirm: ConfirmWrites | null;
  /** Operations that have not settled. */
  #open = 0;
  #attempts = 0;
  #retries = 0;
  #keeper: NodeJS.Timeout | null = null;

  constructor(options: ClientOptions) {
    const { plan, endpoints } = options;
    this.capabilities = { resends: plan.load.resend === 'client-default' };
    this.#news = new ConnectionNews(options.listener);
    this.#routing = options.routing;
    this.#completion = options.completion;
    this.#replies = options.replies ?? null;
    this.#keys = plan.load.workload.keys;
    this.#commands = new IoredisCommands(plan.load.workload, options.values, options.stamper ?? null);
    this.#isCluster = endpoints.mode === 'cluster';
    this.#connections = plan.load.connections;
    this.#loads = new Int32Array(this.#connections * options.routing.shardCount);
    this.#nextConnection = new Int32Array(options.routing.shardCount);
    this.#shardLoads = new Int32Array(options.routing.shardCount);
    this.#room = new Int32Array(this.#loads.length);
    this.#isFree = new Uint8Array(this.#loads.length);
    this.#free = Array.from({ length: options.routing.shardCount }, () => []);
    this.#confirm = plan.load.confirm === undefined ? null : new ConfirmWrites(plan.load.confirm, traitsOf(plan.load.workload));
    this.#where = endpoints.seeds.map((seed) => `${seed.host}:${seed.port}`).join(', ');
    const Fleet = this.#isCluster ? ClusterFleet : StandaloneFleet;
    const limitUs = this.capabilities.resends ? HANDSHAKE_LIMIT_DEFAULT_US : HANDSHAKE_LIMIT_US;
    this.#fleet = new Fleet(endpoints, plan.load, `kvbench-${options.worker}`, this.#news, limitUs);
  }

  async connect(timeoutUs: number): Promise<void> {
    const deadlineUs = monotonicUs() + timeoutUs;
    this.#fleet.open();
    this.#keeper = setInterval(() => this.#fleet.lookAfter(), LOOK_AFTER_MS);
    while (!this.#fleet.isReady()) {
      const error = this.#fleet.lastError();
      const isHopeless = error !== null && HOPELESS.test(error.message);
      if (isHopeless || monotonicUs() >= deadlineUs) {
        this.close();
        throw this.#unreachable(isHopeless ? error.message : `no connection within ${timeoutUs / 1_000_000} s`, error);
      }
      await sleepUs(CONNECT_POLL_US);
    }
    // Cluster clients connect to a node at its first command: that should not be an operation's.
    const waiting = new AbortController();
    const limit = sleepUs(timeoutUs, waiting.signal);
    const pings = await Promise.allSettled(this.#fleet.nodes().map((node) => Promise.race([node.ping(), limit])));
    waiting.abort();
    const refusal = pings.find((ping) => ping.status === 'rejected' && HOPELESS.test(String(ping.reason.message)));
    if (refusal?.status !== 'rejected') return;
    this.close();
    throw this.#unreachable(String(refusal.reason.message), refusal.reason);
  }

  send(token: number, op: OperationIndex, keyIndex: number, valueBytes: number, version: number = NO_VERSION): void {
    const isCounter = op === INCR;
    const key = keyNameOf(this.#keys, isCounter, keyIndex);
    const shard = this.#routing.shardOf(isCounter, keyIndex);
    const place = this.#pick(shard);
    const args = this.#commands.argumentsOf(op, key, keyIndex, valueBytes, version);
    const command = new OperationCommand(this.#commands.nameOf(op), args, textReply);
    command.token = token;
    command.op = op;
    command.shard = shard;
    command.place = place;
    // By the promise, as an application would: ioredis' own callbacks go by it too, and by two calls more.
    command.promise.then(
      (reply) => this.#answered(command, reply),
      (error: Error) => this.#settled(command, error, undefined),
    );
    if (this.#commands.isCustomRead(op)) command.isReadOnly = true;
    if (this.#isCluster) command.knownSlot = this.#routing.slotOf(isCounter, keyIndex);
    this.#loads[place] = (this.#loads[place] as number) + 1;
    this.#shardLoads[shard] = (this.#shardLoads[shard] as number) + 1;
    this.#open++;
    this.#instanceOf(place).sendCommand(command);
  }

  /** ioredis writes at once. */
  flush(): void {}

  /** While there is a connection for each operation. With several on a connection answers come together, and so should what follows on them. */
  get sendsByTurn(): boolean {
    return this.#open <= this.#connections;
  }

  counters(): ClientCounters {
    const counters = {
      attempts: this.#attempts,
      retries: this.#retries,
      reconnects: this.#news.reconnects,
      slotRefreshes: this.#fleet.slotRefreshes,
    };
    return this.#confirm === null ? counters : { ...counters, waits: this.#confirm.waits, waitShort: this.#confirm.waitShort };
  }

  shardOfAddress(address: string): number | null {
    return this.#fleet.shardOfAddress(address);
  }

  close(): void {
    if (this.#keeper !== null) clearInterval(this.#keeper);
    this.#keeper = null;
    this.#fleet.close();
  }

  /**
   * An operation was answered. The next goes where the place became free; with fewer operations than connections each has a connection to
   * itself, so that none waits behind another.
   */
  #makeRoom(shard: number, at: number): void {
    const load = (this.#loads[at] as number) - 1;
    const shardLoad = (this.#shardLoads[shard] as number) - 1;
    this.#loads[at] = load;
    this.#shardLoads[shard] = shardLoad;
    this.#open--;
    this.#room[at] = shardLoad >= this.#connections ? (this.#room[at] as number) + 1 : load === 0 ? 1 : 0;
    if (this.#room[at] === 0 || this.#isFree[at] === 1) return;
    this.#isFree[at] = 1;
    (this.#free[shard] as number[]).push(at);
  }

  /** A connection that just answered and can send; else the least loaded. */
  #pick(shard: number): number {
    const free = this.#free[shard] as number[];
    for (let top = free.length - 1; top >= 0; top--) {
      const at = free[top] as number;
      const room = this.#room[at] as number;
      if (room > 0 && this.#fleet.instances[at % this.#connections]?.status === 'ready') {
        this.#room[at] = room - 1;
        return at;
      }
      this.#room[at] = 0;
      this.#isFree[at] = 0;
      free.pop();
    }
    return this.#leastLoaded(shard);
  }

  /** Of the shard's connections, of those that can send if there are any; ties go round. */
  #leastLoaded(shard: number): number {
    const first = shard * this.#connections;
    let at = this.#nextConnection[shard] as number;
    let best = -1;
    let bestLoad = Number.POSITIVE_INFINITY;
    let bestIsReady = false;
    for (let left = this.#connections; left > 0; left--) {
      const isReady = this.#fleet.instances[at]?.status === 'ready';
      const load = this.#loads[first + at] as number;
      if ((isReady && !bestIsReady) || (isReady === bestIsReady && load < bestLoad)) {
        best = at;
        bestLoad = load;
        bestIsReady = isReady;
        if (isReady && load === 0) break;
      }
      at = at + 1 === this.#connections ? 0 : at + 1;
    }
    this.#nextConnection[shard] = best + 1 === this.#connections ? 0 : best + 1;
    return first + best;
  }

  #answered(command: OperationCommand, reply: unknown): void {
    if (this.#confirm?.isAsked(command.op) === true) this.#confirmFirst(this.#confirm, command, reply);
    else this.#settled(command, null, reply);
  }

  #settled(command: OperationCommand, error: Error | null, reply: unknown): void {
    const doneUs = monotonicUs();
    const { token, op } = command;
    this.#makeRoom(command.shard, command.place);
    this.#attempts += command.attempts;
    if (error === null) {
      this.#retries += command.retries;
      if (this.#replies !== null && (op === GET || op === INCR)) tellReply(this.#replies, token, reply);
      this.#completion(token, OutcomeIndex.ok, NO_REASON, command.sentUs, doneUs, command.attempts);
      return;
    }
    // A cluster client counts the last failure as an attempt that is to be followed by another; it was not.
    this.#retries += this.#isCluster ? Math.max(0, command.retries - 1) : command.retries;
    const { outcome, reason } = classifyError(error, command, this.#news.lastReason);
    if (error.name !== 'ReplyError') this.#fleet.noteConnectionFailure();
    this.#completion(token, outcome, reason, command.sentUs, doneUs, command.attempts);
  }

  /** The write went well; its operation ends with the confirmation. Without an answer to that, nobody knows what the write is worth. */
  #confirmFirst(confirm: ConfirmWrites, command: OperationCommand, reply: unknown): void {
    confirm.ask(this.#instanceOf(command.place), command, command.slotIfKnown, (lost) => {
      if (lost === null) return this.#settled(command, null, reply);
      this.#makeRoom(command.shard, command.place);
      this.#attempts += command.attempts;
      this.#retries += command.retries;
      this.#fleet.noteConnectionFailure();
      const { reason } = classifyError(lost, command, this.#news.lastReason);
      this.#completion(command.token, OutcomeIndex.info, reason, command.sentUs, monotonicUs(), command.attempts);
    });
  }

  #instanceOf(place: number): IoredisInstance {
    return this.#fleet.instances[place % this.#connections] as IoredisInstance;
  }

  #unreachable(what: string, cause: Error | null): KvbenchError {
    const last = cause === null || what === cause.message ? '' : ` (last: ${cause.message})`;
    return new KvbenchError(
      'TARGET_UNREACHABLE',
      `load clients could not connect to ${this.#where}: ${what}${last}`,
      'Check address, user, password and TLS settings, and that the server accepts this many connections (maxclients).',
      cause ?? undefined,
    );
  }
}

/** HOT: what a GET or an INCR was answered. */
function tellReply(replies: ReplyWatch, token: number, reply: unknown): void {
  if (typeof reply === 'string') replies.text(token, reply);
  else if (typeof reply === 'number') replies.integer(token, reply);
  else if (reply === null) replies.none(token);
}
