/**
 * The lean client: plain sockets, one write per batch, no allocation per operation. Stands behind the Client seam beside ioredis; the engine
 * owns tokens and deadlines. It sends nothing twice: an operation goes out again only when a reply said that it was not executed.
 */
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError } from '../../base/errors.js';
import type { OperationIndex } from '../../plan/plan.js';
import type { Reason } from '../../result/records.js';
import { NO_VERSION } from '../../workload/valueStamp.js';
import { reasonOfReply } from '../classifyError.js';
import {
  type Client,
  type ClientCapabilities,
  type ClientCounters,
  type ClientListener,
  type Completion,
  type LoadEndpoints,
  OutcomeIndex,
  type ReplyWatch,
} from '../client.js';
import { ConnectionNews } from '../connectionNews.js';
import { reasonIndex } from '../reasonIndex.js';
import type { Routing } from '../routing.js';
import { addressOf, askSlots, reachable, type SlotRange } from './clusterMap.js';
import type { CommandEncoder } from './commandEncoder.js';
import { ReplicaMap } from './replicaMap.js';
import { SentinelResolver } from './sentinelResolver.js';
import { type CloseReason, type ConnectionOwner, type PendingOperation, WireConnection, type WriteConfirmation } from './wireConnection.js';

/** How often one operation follows MOVED, ASK and TRYAGAIN before it fails. */
const REDIRECTION_LIMIT = 16;
/** TRYAGAIN and a redirection to a node that is not connected yet are tried again after this. */
const TRY_AGAIN_MS = 20;
/** Waits before a lost connection is opened again. */
const RECONNECT_MIN_MS = 10;
const RECONNECT_MAX_MS = 250;
/** The most operations that one connection takes per flush on a busy cluster. */
const FILLING_LIMIT = 32;
/** How often `connect` looks whether all connections are up. */
const CONNECT_LOOK_MS = 5;
/** Replies that will not change by trying again. */
const loginRefusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)/;
/** The slot map is asked for at most this often. */
const REFRESH_EVERY_MS = 100;
/** With reads from replicas, it is asked for this often even if nothing hints at a change: nobody says MOVED when a replica joins. */
const LOOK_FOR_REPLICAS_MS = 1000;

interface WireNode {
  index: number;
  /** As announced. */
  address: string;
  connections: (WireConnection | null)[];
  /** Connections that can take operations before the others: those that answered last are on top. */
  free: WireConnection[];
  /** Next in turn when none is free. */
  turn: number;
  inFlight: number;
  /** Connections that wait for the next flush. */
  dirty: WireConnection[];
  /** With many in flight on a cluster: the connection that takes what comes until the next flush, and how much more it may take. */
  filling: WireConnection | null;
  fillingRoom: number;
  backOffMs: number;
  lastFailure: Reason;
  gone: boolean;
  /** What came before its first connection was made; null once it was, or the first attempt failed. */
  waiting: Waiting[] | null;
}

/** An operation for a node to which nobody is connected yet. */
interface Waiting {
  token: number;
  op: OperationIndex;
  keyIndex: number;
  valueBytes: number;
  version: number;
}

export interface WireClientOptions {
  endpoints: LoadEndpoints;
  /** Per shard. */
  connections: number;
  /** `replica`: reads of a cluster go to replicas in turn, to the master while none is connected. Default: master. */
  readFrom?: 'master' | 'replica';
  /** Which operations are reads, by index: 1. */
  reads: Uint8Array;
  routing: Routing;
  encoder: CommandEncoder;
  name: string;
  protocol: 2 | 3;
  completion: Completion;
  listener: ClientListener;
  /** Null or absent: nobody wants to know the answers. */
  replies?: ReplyWatch | null;
  /** Absent: nothing follows a write. */
  confirm?: WriteConfirmation | null;
}

export class WireClient implements Client, ConnectionOwner {
  readonly capabilities: ClientCapabilities = { resends: false };
  readonly #options: WireClientOptions;
  readonly #completion: Completion;
  readonly #isCluster: boolean;
  /** Whether the master can become another one: then whoever knows is asked again at every hint. */
  readonly #isLed: boolean;
  /** Null: not led by sentinels. */
  readonly #sentinels: SentinelResolver | null;
  /** Index of the node that takes everything outside a cluster. */
  #master = 0;
  readonly #nodes: WireNode[] = [];
  readonly #nodeOfSlot = new Int16Array(16_384).fill(-1);
  /** Null: reads go to masters as everything else. */
  readonly #replicas: ReplicaMap | null;
  readonly #counters: ClientCounters = { attempts: 0, retries: 0, reconnects: 0, slotRefreshes: 0 };
  /** The shard that an address serves or served last. */
  readonly #shards = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #news: ConnectionNews;
  /** Nodes that have dirty connections. */
  readonly #dirty: WireNode[] = [];
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
    if (options.confirm) Object.assign(this.#counters, { waits: 0, waitShort: 0 });
    const { mode } = options.endpoints;
    this.#isLed = mode === 'cluster' || mode === 'sentinel';
    this.#replicas = mode !== 'standalone' && options.readFrom === 'replica' ? new ReplicaMap() : null;
    this.#sentinels = mode === 'sentinel' ? new SentinelResolver(options.endpoints, this.#replicas !== null, () => this.#refresh(0)) : null;
  }

  async connect(timeoutUs: number): Promise<void> {
    const deadlineUs = monotonicUs() + timeoutUs;
    this.#sentinels?.open();
    await this.#refreshUntil(deadlineUs);
    for (;;) {
      const missing = this.#nodes.filter((node) => !node.gone && node.connections.some((connection) => !connection?.isReady));
      if (missing.length === 0) {
        if (this.#replicas !== null) this.#lookForReplicas();
        return;
      }
      const isRefused = loginRefusal.test(this.#lastReason);
      if (isRefused || monotonicUs() > deadlineUs) {
        const masters = new Set(this.#isCluster ? this.#nodeOfSlot : [this.#master]);
        // Without its replicas a shard's reads go to the master.
        if (this.#replicas !== null && !isRefused && missing.every((node) => !masters.has(node.index))) return this.#lookForReplicas();
        const where = missing.map((node) => node.address).join(', ');
        const hint = isRefused ? 'Check user and password.' : 'Is the server running there?';
        throw new KvbenchError('TARGET_UNREACHABLE', `no connection to ${where}: ${this.#lastReason || 'no answer in time'}`, hint);
      }
      await new Promise((resolve) => setTimeout(resolve, CONNECT_LOOK_MS));
    }
  }

  /** HOT */
  send(token: number, op: OperationIndex, keyIndex: number, valueBytes: number, version: number = NO_VERSION): void {
    if (this.#replicas !== null && this.#options.reads[op] === 1) {
      const reader = this.#pickReplica(this.#replicas, this.#isCluster ? this.#options.routing.slotOf(false, keyIndex) : 0);
      if (reader !== null) return this.#push(reader, token, op, keyIndex, valueBytes, version);
    }
    const node = this.#isCluster
      ? this.#nodes[this.#nodeOfSlot[this.#options.routing.slotOf(op === 2, keyIndex)] as number]
      : this.#nodes[this.#master];
    const connection = node === undefined ? null : this.#take(node);
    if (connection === null) {
      if (node === undefined || node.waiting === null) this.#refuse(token, node);
      else node.waiting.push({ token, op, keyIndex, valueBytes, version });
      return;
    }
    this.#push(connection, token, op, keyIndex, valueBytes, version);
  }

  /** HOT */
  #push(connection: WireConnection, token: number, op: OperationIndex, keyIndex: number, valueBytes: number, version: number): void {
    connection.push(token, op, keyIndex, valueBytes, version, 1);
    (this.#nodes[connection.node] as WireNode).inFlight++;
    this.#counters.attempts++;
    if (!connection.dirty) this.#markDirty(connection);
  }

  /**
   * HOT: at once; on a cluster after all reads of this turn, one node after the other: servers that get their operations together are woken
   * once, not once for each.
   */
  flush(): void {
    if (this.#dirty.length === 0) return;
    if (!this.#isCluster) return this.#flushNow();
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(this.#flushLater);
  }

  #flushNow(): void {
    for (let i = 0; i < this.#dirty.length; i++) this.#flushNode(this.#dirty[i] as WireNode);
    this.#dirty.length = 0;
  }

  #flushNode(node: WireNode): void {
    const { dirty } = node;
    for (let i = 0; i < dirty.length; i++) {
      const connection = dirty[i] as WireConnection;
      connection.dirty = false;
      connection.flush();
    }
    dirty.length = 0;
    node.filling = null;
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
    this.#sentinels?.close();
    for (const node of this.#nodes) for (const connection of node.connections) connection?.close();
  }

  // The connections' side.

  /** HOT */
  confirmed(fellShort: boolean): void {
    this.#counters.waits = (this.#counters.waits as number) + 1;
    if (fellShort) this.#counters.waitShort = (this.#counters.waitShort as number) + 1;
  }

  /** HOT */
  succeeded(token: number, sentUs: number, doneUs: number, attempts: number): void {
    this.#completion(token, OutcomeIndex.ok, -1, sentUs, doneUs, attempts);
  }

  errorReply(_connection: WireConnection, operation: PendingOperation, text: string, doneUs: number): void {
    const word = text.slice(0, text.indexOf(' ') === -1 ? text.length : text.indexOf(' '));
    if (word === 'MOVED' || word === 'ASK') return this.#redirect({ ...operation }, word, text, doneUs);
    if (word === 'TRYAGAIN') return this.#tryAgain({ ...operation }, doneUs);
    if (this.#isLed && (word === 'CLUSTERDOWN' || word === 'READONLY' || word === 'MASTERDOWN')) this.#refresh();
    this.#completion(operation.token, OutcomeIndex.fail, reasonIndex[reasonOfReply(text)], operation.sentUs, doneUs, operation.attempts);
  }

  lost(operation: PendingOperation, reason: CloseReason, doneUs: number): void {
    const outcome = operation.sentUs < 0 ? OutcomeIndex.fail : OutcomeIndex.info;
    this.#completion(operation.token, outcome, reasonIndex[reason], operation.sentUs, doneUs, operation.attempts);
  }

  ready(connection: WireConnection): void {
    const node = this.#nodes[connection.node] as WireNode;
    node.backOffMs = RECONNECT_MIN_MS;
    connection.room = 1;
    connection.isFree = true;
    node.free.push(connection);
    if (connection.isReplacement) this.#news.reconnects++;
    this.#news.tell(node.address, 'ready', '');
    const waiting = node.waiting ?? [];
    node.waiting = null;
    for (const { token, op, keyIndex, valueBytes, version } of waiting) this.send(token, op, keyIndex, valueBytes, version);
    if (waiting.length > 0) this.flush();
  }

  closed(connection: WireConnection, kind: CloseReason, reason: string, wasReady: boolean): void {
    const node = this.#nodes[connection.node] as WireNode;
    const place = node.connections.indexOf(connection);
    if (place >= 0) node.connections[place] = null;
    else if (!node.gone) return; // Of an earlier time of this node, which is in use again.
    node.inFlight -= connection.inFlight;
    this.#lastReason = reason;
    if (this.#closed) return;
    if (!node.gone) node.lastFailure = kind;
    this.#refuseWaiting(node);
    if (node.gone) return;
    this.#news.tell(node.address, wasReady ? 'closed' : 'failed', kind);
    if (this.#isLed) this.#refresh();
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

  /**
   * HOT: the engine's next operations come right after this, and are best sent where places just became free: as many as were answered go out
   * in one write. With fewer operations than connections each has a connection to itself, so that none waits behind another.
   */
  readDone(connection: WireConnection): void {
    const node = this.#nodes[connection.node] as WireNode;
    const answered = this.#inFlightBefore - connection.inFlight;
    node.inFlight -= answered;
    if (node.inFlight >= node.connections.length) connection.room += answered;
    else connection.room = connection.inFlight === 0 ? 1 : 0;
    if (connection.room > 0 && !connection.isFree && connection.isReady) {
      connection.isFree = true;
      node.free.push(connection);
    }
  }

  readonly #flushLater = (): void => {
    this.#flushScheduled = false;
    this.#flushNow();
  };

  /**
   * HOT: on a cluster, what is answered by one node goes to all of them. Filling one connection of each per flush keeps operations together:
   * what went out in one write is answered in one, and goes out in one again.
   */
  #fill(node: WireNode): WireConnection | null {
    if (node.filling === null || node.fillingRoom === 0 || !node.filling.isReady) {
      node.filling = this.#pick(node);
      if (node.filling !== null) node.filling.room = 0;
      node.fillingRoom = FILLING_LIMIT;
    }
    node.fillingRoom--;
    return node.filling;
  }

  /** HOT: the connection on top that has room; else the next in turn. */
  #pick(node: WireNode): WireConnection | null {
    for (let top = node.free.length - 1; top >= 0; top--) {
      const connection = node.free[top] as WireConnection;
      if (connection.room > 0 && connection.isReady) {
        connection.room--;
        return connection;
      }
      connection.isFree = false;
      node.free.pop();
    }
    const count = node.connections.length;
    for (let tries = 0; tries < count; tries++) {
      node.turn = node.turn + 1 < count ? node.turn + 1 : 0;
      const connection = node.connections[node.turn];
      if (connection?.isReady) return connection;
    }
    return null;
  }

  /** HOT: where the next operation for a node goes; null: it is not connected. */
  #take(node: WireNode): WireConnection | null {
    return this.#isCluster && node.inFlight >= 2 * node.connections.length ? this.#fill(node) : this.#pick(node);
  }

  /** HOT: null: no replica of the slot is connected. */
  #pickReplica(replicas: ReplicaMap, slot: number): WireConnection | null {
    for (let left = replicas.countOf(slot); left > 0; left--) {
      const connection = this.#take(this.#nodes[replicas.next(slot)] as WireNode);
      if (connection !== null) return connection;
    }
    return null;
  }

  #markDirty(connection: WireConnection): void {
    const node = this.#nodes[connection.node] as WireNode;
    connection.dirty = true;
    if (node.dirty.length === 0) this.#dirty.push(node);
    node.dirty.push(connection);
  }

  /** Not from inside `send`: the refusal is told in a later turn. */
  #refuse(token: number, node: WireNode | undefined): void {
    if (this.#refused.length === 0) setImmediate(() => this.#tellRefused());
    this.#refused.push({ token, reason: reasonIndex[node?.lastFailure ?? 'unreachable'] });
    if (this.#isLed) this.#refresh();
  }

  #refuseWaiting(node: WireNode): void {
    const waiting = node.waiting ?? [];
    node.waiting = null;
    for (const { token } of waiting) this.#refuse(token, node);
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
    // The engine may have nothing more to send before this one is answered.
    this.flush();
  }

  #sendAgain(operation: PendingOperation, node: WireNode, asking: boolean, doneUs: number): void {
    const connection = this.#pick(node);
    if (connection === null) return this.#tryAgain(operation, doneUs);
    if (asking) connection.pushAsking();
    node.inFlight++;
    const { token, op, keyIndex, valueBytes, version, attempts } = operation;
    connection.push(token, op, keyIndex, valueBytes, version, attempts + 1);
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
      const index = this.#isCluster ? this.#nodeOfSlot[this.#options.routing.slotOf(operation.op === 2, operation.keyIndex)] : this.#master;
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
      free: [],
      turn: 0,
      inFlight: 0,
      dirty: [],
      filling: null,
      fillingRoom: 0,
      backOffMs: RECONNECT_MIN_MS,
      lastFailure: 'unreachable',
      gone: false,
      waiting: null,
    };
    node.gone = false;
    node.waiting = [];
    if (!known) this.#nodes.push(node);
    node.connections = new Array<WireConnection | null>(this.#options.connections).fill(null);
    for (let place = 0; place < this.#options.connections; place++) this.#open(node, place, false);
    return node;
  }

  #open(node: WireNode, place: number, isReplacement: boolean): void {
    const { endpoints, encoder, name, protocol, replies = null, confirm = null } = this.#options;
    const { host, port } = reachable(endpoints, node.address);
    const { tls, username, password } = endpoints;
    const connection = new WireConnection(
      node.index,
      {
        host,
        port,
        tls,
        username,
        password,
        protocol,
        readOnly: this.#isCluster && this.#replicas !== null,
        isReplacement,
        name,
        encoder,
        replies,
        confirm,
      },
      this,
    );
    node.connections[place] = connection;
    connection.open();
  }

  async #refreshUntil(deadlineUs: number): Promise<void> {
    while (!(await this.#applySlots())) {
      if (monotonicUs() > deadlineUs) {
        const { seeds, sentinels } = this.#options.endpoints;
        const asked = (sentinels?.seeds ?? seeds).map((seed) => addressOf(seed.host, seed.port)).join(', ');
        if (sentinels) throw new KvbenchError('TARGET_UNREACHABLE', `none of the sentinels ${asked} could tell the master`, 'Do they watch it?');
        const hint = 'Is it a cluster, and are user and password right?';
        throw new KvbenchError('TARGET_UNREACHABLE', `none of ${asked} could tell the cluster's slots`, hint);
      }
      await new Promise((resolve) => setTimeout(resolve, REFRESH_EVERY_MS));
    }
  }

  /** Asks for the slot map, or the master, soon; at most one question at a time. */
  #refresh(delayMs = REFRESH_EVERY_MS): void {
    this.#refreshWanted = true;
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    this.#after(delayMs, () => {
      this.#refreshWanted = false;
      void this.#applySlots().then((applied) => {
        this.#refreshing = false;
        if (this.#refreshWanted || !applied) this.#refresh();
      });
    });
  }

  #lookForReplicas(): void {
    this.#after(LOOK_FOR_REPLICAS_MS, () => {
      this.#refresh();
      this.#lookForReplicas();
    });
  }

  async #applySlots(): Promise<boolean> {
    const { endpoints } = this.#options;
    const ranges = await this.#askMap();
    if (ranges === null || this.#closed) return false;
    if (!this.#isCluster) this.#master = this.#nodeAt(ranges[0]?.address ?? '').index;
    for (const { from, to, address } of ranges) {
      this.#nodeOfSlot.fill(this.#nodeAt(address).index, from, to + 1);
      this.#shards.set(address, endpoints.shardOfSlot[from] ?? 0);
    }
    const used = new Set(ranges.map((range) => range.address));
    if (this.#replicas !== null) {
      const readers = ranges.map(({ from, to, replicas }) => ({ from, to, nodes: replicas.map((address) => this.#nodeAt(address).index) }));
      this.#replicas.replace(readers);
      for (const { from, replicas } of ranges) {
        for (const address of replicas) {
          used.add(address);
          this.#shards.set(address, endpoints.shardOfSlot[from] ?? 0);
        }
      }
    }
    this.#leaveUnused(used);
    return true;
  }

  /** Who serves what: as the cluster or the sentinels say, else as it was at t0. Null: nobody could tell. */
  #askMap(): Promise<SlotRange[] | null> {
    const { endpoints } = this.#options;
    const seeds = endpoints.seeds.map((seed) => addressOf(seed.host, seed.port));
    if (this.#sentinels !== null) return this.#sentinels.ask();
    if (!this.#isCluster) return Promise.resolve([{ from: 0, to: 16_383, address: seeds[0] ?? '', replicas: seeds.slice(1) }]);
    const live = this.#nodes.filter((node) => node.connections.some((connection) => connection?.isReady)).map((node) => node.address);
    this.#counters.slotRefreshes++;
    return askSlots(endpoints, [...live, ...seeds.filter((address) => !live.includes(address))]);
  }

  /**
   * Closes the connections to nodes that serve nothing any more. In a cluster what is in flight there is still answered; a master that
   * sentinels have replaced may be frozen, or lose what it acknowledges: nobody knows of its operations.
   */
  #leaveUnused(used: ReadonlySet<string>): void {
    for (const node of this.#nodes) {
      if (node.gone || used.has(node.address)) continue;
      // Who was sent to a newcomer knows more than the node that was asked.
      if (this.#isCluster && (node.waiting !== null || node.connections.some((connection) => connection !== null && connection.inFlight > 0)))
        continue;
      node.gone = true;
      node.free = [];
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
