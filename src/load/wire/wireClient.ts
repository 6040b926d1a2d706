/**
 * The lean client: plain sockets, one write per batch, no allocation per operation. Stands behind the Client seam beside ioredis; the engine
 * owns tokens and deadlines. It sends nothing twice: an operation goes out again only when a reply said that it was not executed.
 */
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError } from '../../base/errors.js';
import type { OperationIndex } from '../../plan/plan.js';
import type { Reason } from '../../result/records.js';
import { reasonOfReply } from '../classifyError.js';
import {
  type Client,
  type ClientCapabilities,
  type ClientCounters,
  type ClientListener,
  type Completion,
  type LoadEndpoints,
  OutcomeIndex,
} from '../client.js';
import { ConnectionNews } from '../connectionWatch.js';
import { reasonIndex } from '../reasonIndex.js';
import type { Routing } from '../routing.js';
import { addressOf, askSlots, reachable } from './clusterMap.js';
import type { CommandEncoder } from './commandEncoder.js';
import { type CloseReason, type ConnectionOwner, type PendingOperation, WireConnection } from './wireConnection.js';

/** How often one operation follows MOVED, ASK and TRYAGAIN before it fails. */
const REDIRECTION_LIMIT = 16;
/** TRYAGAIN and a redirection to a node that is not connected yet are tried again after this. */
const TRY_AGAIN_MS = 20;
/** Waits before a lost connection is opened again. */
const RECONNECT_MIN_MS = 10;
const RECONNECT_MAX_MS = 250;
/** How often `connect` looks whether all connections are up. */
const CONNECT_LOOK_MS = 5;
/** Replies that will not change by trying again. */
const loginRefusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)/;
/** The slot map is asked for at most this often. */
const REFRESH_EVERY_MS = 100;

interface WireNode {
  index: number;
  /** As announced. */
  address: string;
  connections: (WireConnection | null)[];
  idle: WireConnection[];
  turn: number;
  /** The connection that was read last, and how many operations it may take so that it has as many in flight as before: they go out in one write. */
  lastRead: WireConnection | null;
  lastReadRoom: number;
  backOffMs: number;
  lastFailure: Reason;
  gone: boolean;
}

export interface WireClientOptions {
  endpoints: LoadEndpoints;
  /** Per shard. */
  connections: number;
  routing: Routing;
  encoder: CommandEncoder;
  name: string;
  protocol: 2 | 3;
  completion: Completion;
  listener: ClientListener;
}

export class WireClient implements Client, ConnectionOwner {
  readonly capabilities: ClientCapabilities = { resends: false };
  readonly #options: WireClientOptions;
  readonly #completion: Completion;
  readonly #isCluster: boolean;
  readonly #nodes: WireNode[] = [];
  readonly #nodeOfSlot = new Int16Array(16_384).fill(-1);
  readonly #counters: ClientCounters = { attempts: 0, retries: 0, reconnects: 0, slotRefreshes: 0 };
  /** The shard that an address serves or served last. */
  readonly #shards = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #news: ConnectionNews;
  #dirty: WireConnection[] = [];
  #flushScheduled = false;
  /** In flight on the connection whose replies are being worked off, before them. */
  #inFlightBefore = 0;
  #refused: { token: number; reason: number }[] = [];
  /** Why the last connection failed or ended. */
  #lastReason = '';
  #refreshing = false;
  #refreshWanted = false;
  #closed = false;

  constructor(options: WireClientOptions) {
    this.#options = options;
    this.#completion = options.completion;
    this.#news = new ConnectionNews(options.listener);
    this.#isCluster = options.endpoints.mode === 'cluster';
  }

  async connect(timeoutUs: number): Promise<void> {
    const deadlineUs = monotonicUs() + timeoutUs;
    const { seeds } = this.#options.endpoints;
    if (this.#isCluster) await this.#refreshUntil(deadlineUs);
    else this.#nodeAt(addressOf(seeds[0]?.host ?? '', seeds[0]?.port ?? 0));
    for (;;) {
      const missing = this.#nodes.filter((node) => !node.gone && node.connections.some((connection) => !connection?.isReady));
      if (missing.length === 0) return;
      const isRefused = loginRefusal.test(this.#lastReason);
      if (isRefused || monotonicUs() > deadlineUs) {
        const where = missing.map((node) => node.address).join(', ');
        const hint = isRefused ? 'Check user and password.' : 'Is the server running there?';
        throw new KvbenchError('TARGET_UNREACHABLE', `no connection to ${where}: ${this.#lastReason || 'no answer in time'}`, hint);
      }
      await new Promise((resolve) => setTimeout(resolve, CONNECT_LOOK_MS));
    }
  }

  /** HOT */
  send(token: number, op: OperationIndex, keyIndex: number, valueBytes: number): void {
    const node = this.#isCluster ? this.#nodes[this.#nodeOfSlot[this.#options.routing.slotOf(op === 2, keyIndex)] as number] : this.#nodes[0];
    const connection = node === undefined ? null : this.#pick(node);
    if (connection === null) return this.#refuse(token, node);
    connection.push(token, op, keyIndex, valueBytes, 1);
    this.#counters.attempts++;
    if (!connection.dirty) this.#markDirty(connection);
  }

  /** HOT */
  flush(): void {
    const dirty = this.#dirty;
    for (let i = 0; i < dirty.length; i++) {
      const connection = dirty[i] as WireConnection;
      connection.dirty = false;
      connection.flush();
    }
    dirty.length = 0;
  }

  counters(): ClientCounters {
    return { ...this.#counters, reconnects: this.#news.reconnects };
  }

  shardOfAddress(address: string): number | null {
    if (!this.#isCluster) return 0;
    return this.#shards.get(address) ?? null;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const node of this.#nodes) for (const connection of node.connections) connection?.close();
  }

  // The connections' side.

  /** HOT */
  succeeded(token: number, sentUs: number, doneUs: number, attempts: number): void {
    this.#completion(token, OutcomeIndex.ok, -1, sentUs, doneUs, attempts);
  }

  errorReply(_connection: WireConnection, operation: PendingOperation, text: string, doneUs: number): void {
    const word = text.slice(0, text.indexOf(' ') === -1 ? text.length : text.indexOf(' '));
    if (word === 'MOVED' || word === 'ASK') return this.#redirect({ ...operation }, word, text, doneUs);
    if (word === 'TRYAGAIN') return this.#tryAgain({ ...operation }, doneUs);
    if (this.#isCluster && (word === 'CLUSTERDOWN' || word === 'READONLY' || word === 'MASTERDOWN')) this.#refresh();
    this.#completion(operation.token, OutcomeIndex.fail, reasonIndex[reasonOfReply(text)], operation.sentUs, doneUs, operation.attempts);
  }

  lost(operation: PendingOperation, reason: CloseReason, doneUs: number): void {
    const outcome = operation.sentUs < 0 ? OutcomeIndex.fail : OutcomeIndex.info;
    this.#completion(operation.token, outcome, reasonIndex[reason], operation.sentUs, doneUs, operation.attempts);
  }

  ready(connection: WireConnection): void {
    const node = this.#nodes[connection.node] as WireNode;
    node.backOffMs = RECONNECT_MIN_MS;
    connection.idle = true;
    node.idle.push(connection);
    if (connection.isReplacement) this.#news.reconnects++;
    this.#news.tell(node.address, 'ready', '');
  }

  closed(connection: WireConnection, kind: CloseReason, reason: string, wasReady: boolean): void {
    const node = this.#nodes[connection.node] as WireNode;
    const place = node.connections.indexOf(connection);
    node.connections[place] = null;
    this.#lastReason = reason;
    if (this.#closed || node.gone) return;
    node.lastFailure = kind;
    this.#news.tell(node.address, wasReady ? 'closed' : 'failed', kind);
    if (this.#isCluster) this.#refresh();
    this.#after(node.backOffMs, () => {
      if (node.gone) return;
      this.#open(node, place, true);
    });
    node.backOffMs = Math.min(RECONNECT_MAX_MS, node.backOffMs * 2);
  }

  /** HOT */
  readBegun(connection: WireConnection): void {
    this.#inFlightBefore = connection.inFlight;
  }

  /** HOT: the engine's next operations come right after this, and are best sent where places just became free. */
  readDone(connection: WireConnection): void {
    const node = this.#nodes[connection.node] as WireNode;
    node.lastRead = connection;
    node.lastReadRoom = this.#inFlightBefore - connection.inFlight;
    if (connection.inFlight === 0 && !connection.idle && connection.isReady) {
      connection.idle = true;
      node.idle.push(connection);
    }
    if (this.#dirty.length > 0 && !this.#flushScheduled) {
      this.#flushScheduled = true;
      setImmediate(this.#flushLater);
    }
  }

  readonly #flushLater = (): void => {
    this.#flushScheduled = false;
    this.flush();
  };

  /** HOT: the connection read last, as far as it has room; then an idle one; then the next in turn. */
  #pick(node: WireNode): WireConnection | null {
    if (node.lastReadRoom > 0) {
      node.lastReadRoom--;
      const lastRead = node.lastRead as WireConnection;
      if (lastRead.isReady) return lastRead;
    }
    for (let connection = node.idle.pop(); connection !== undefined; connection = node.idle.pop()) {
      connection.idle = false;
      if (connection.isReady) return connection;
    }
    const count = node.connections.length;
    for (let tries = 0; tries < count; tries++) {
      node.turn = node.turn + 1 < count ? node.turn + 1 : 0;
      const connection = node.connections[node.turn];
      if (connection?.isReady) return connection;
    }
    return null;
  }

  #markDirty(connection: WireConnection): void {
    connection.dirty = true;
    this.#dirty.push(connection);
  }

  /** Not from inside `send`: the refusal is told in a later turn. */
  #refuse(token: number, node: WireNode | undefined): void {
    if (this.#refused.length === 0) setImmediate(() => this.#tellRefused());
    this.#refused.push({ token, reason: reasonIndex[node?.lastFailure ?? 'unreachable'] });
    if (this.#isCluster) this.#refresh();
  }

  #tellRefused(): void {
    const refused = this.#refused;
    this.#refused = [];
    const nowUs = monotonicUs();
    for (const { token, reason } of refused) this.#completion(token, OutcomeIndex.fail, reason, -1, nowUs, 0);
    this.flush();
  }

  #redirect(operation: PendingOperation, word: 'MOVED' | 'ASK', text: string, doneUs: number): void {
    const [, slotText, address] = text.split(' ');
    const slot = Number(slotText);
    if (address === undefined || !Number.isInteger(slot) || slot < 0 || slot > 16_383 || operation.attempts >= REDIRECTION_LIMIT) {
      return this.#completion(operation.token, OutcomeIndex.fail, reasonIndex['too-many-redirections'], operation.sentUs, doneUs, operation.attempts);
    }
    const node = this.#nodeAt(address.startsWith(':') ? `${this.#options.endpoints.seeds[0]?.host}${address}` : address);
    if (word === 'MOVED') {
      this.#nodeOfSlot[slot] = node.index;
      this.#refresh();
    }
    this.#sendAgain(operation, node, word === 'ASK', doneUs);
  }

  #sendAgain(operation: PendingOperation, node: WireNode, asking: boolean, doneUs: number): void {
    const connection = this.#pick(node);
    if (connection === null) return this.#tryAgain(operation, doneUs);
    if (asking) connection.pushAsking();
    connection.push(operation.token, operation.op, operation.keyIndex, operation.valueBytes, operation.attempts + 1);
    this.#counters.attempts++;
    this.#counters.retries++;
    if (!connection.dirty) this.#markDirty(connection);
  }

  #tryAgain(operation: PendingOperation, doneUs: number): void {
    if (operation.attempts >= REDIRECTION_LIMIT) {
      return this.#completion(operation.token, OutcomeIndex.fail, reasonIndex.TRYAGAIN, operation.sentUs, doneUs, operation.attempts);
    }
    operation.attempts++;
    this.#after(TRY_AGAIN_MS, () => {
      const index = this.#isCluster ? this.#nodeOfSlot[this.#options.routing.slotOf(operation.op === 2, operation.keyIndex)] : 0;
      const node = this.#nodes[index as number];
      if (node === undefined) return this.#tryAgain(operation, monotonicUs());
      this.#sendAgain({ ...operation, attempts: operation.attempts - 1 }, node, false, monotonicUs());
      this.flush();
    });
  }

  #nodeAt(address: string): WireNode {
    const known = this.#nodes.find((node) => node.address === address);
    if (known && !known.gone) return known;
    const node: WireNode = known ?? {
      index: this.#nodes.length,
      address,
      connections: [],
      idle: [],
      turn: 0,
      lastRead: null,
      lastReadRoom: 0,
      backOffMs: RECONNECT_MIN_MS,
      lastFailure: 'unreachable',
      gone: false,
    };
    node.gone = false;
    if (!known) this.#nodes.push(node);
    node.connections = new Array<WireConnection | null>(this.#options.connections).fill(null);
    for (let place = 0; place < this.#options.connections; place++) this.#open(node, place, false);
    return node;
  }

  #open(node: WireNode, place: number, isReplacement: boolean): void {
    const { endpoints, encoder, name, protocol } = this.#options;
    const { host, port } = reachable(endpoints, node.address);
    const { tls, username, password } = endpoints;
    const connection = new WireConnection(
      node.index,
      { host, port, tls, username, password, protocol, readOnly: false, isReplacement, name, encoder },
      this,
    );
    node.connections[place] = connection;
    connection.open();
  }

  async #refreshUntil(deadlineUs: number): Promise<void> {
    while (!(await this.#applySlots())) {
      if (monotonicUs() > deadlineUs) {
        const seeds = this.#options.endpoints.seeds.map((seed) => addressOf(seed.host, seed.port)).join(', ');
        throw new KvbenchError(
          'TARGET_UNREACHABLE',
          `none of ${seeds} could tell the cluster's slots`,
          'Is it a cluster, and are user and password right?',
        );
      }
      await new Promise((resolve) => setTimeout(resolve, REFRESH_EVERY_MS));
    }
  }

  /** Asks for the slot map soon, at most one question at a time. */
  #refresh(): void {
    this.#refreshWanted = true;
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    this.#after(REFRESH_EVERY_MS, () => {
      this.#refreshWanted = false;
      void this.#applySlots().then((applied) => {
        this.#refreshing = false;
        if (this.#refreshWanted || !applied) this.#refresh();
      });
    });
  }

  async #applySlots(): Promise<boolean> {
    const { endpoints } = this.#options;
    const live = this.#nodes.filter((node) => node.connections.some((connection) => connection?.isReady)).map((node) => node.address);
    const seeds = endpoints.seeds.map((seed) => addressOf(seed.host, seed.port)).filter((address) => !live.includes(address));
    this.#counters.slotRefreshes++;
    const ranges = await askSlots(endpoints, [...live, ...seeds]);
    if (ranges === null || this.#closed) return false;
    for (const { from, to, address } of ranges) {
      this.#nodeOfSlot.fill(this.#nodeAt(address).index, from, to + 1);
      this.#shards.set(address, endpoints.shardOfSlot[from] ?? 0);
    }
    this.#leaveUnused(new Set(ranges.map((range) => range.address)));
    return true;
  }

  /** Closes the connections to nodes that serve nothing any more and have nothing in flight. */
  #leaveUnused(used: ReadonlySet<string>): void {
    for (const node of this.#nodes) {
      if (node.gone || used.has(node.address) || node.connections.some((connection) => connection !== null && connection.inFlight > 0)) continue;
      node.gone = true;
      node.idle = [];
      for (const connection of node.connections) connection?.close();
    }
  }

  #after(delayMs: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) action();
    }, delayMs);
    this.#timers.add(timer);
  }
}
