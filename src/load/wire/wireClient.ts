/**
 * The lean client: plain sockets, one write per batch, no allocation per operation. Stands behind the Client seam beside ioredis; the engine
 * owns tokens and deadlines. It sends nothing twice: an operation goes out again only when a reply said that it was not executed.
 */
import { monotonicUs } from '../../base/clock.js';
import { KvbenchError } from '../../base/errors.js';
import type { OperationIndex } from '../../plan/plan.js';
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
import { reachable } from './clusterMap.js';
import type { CommandEncoder } from './commandEncoder.js';
import type { CloseReason, ConnectionOwner, PendingOperation, WriteConfirmation } from './connectionSeam.js';
import { Delays } from './delays.js';
import { NodeMap, type NodeMapOwner } from './nodeMap.js';
import { type RedirectionOwner, Redirections } from './redirections.js';
import type { ReplicaMap } from './replicaMap.js';
import { WireConnection } from './wireConnection.js';
import { WireNode } from './wireNode.js';

/** How often `connect` looks whether all connections are up. */
const CONNECT_LOOK_MS = 5;
/** Replies that will not change by trying again. */
const loginRefusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)/;

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

export class WireClient implements Client, ConnectionOwner, NodeMapOwner, RedirectionOwner {
  readonly capabilities: ClientCapabilities = { resends: false };
  /** All that ever were; a node keeps its index. */
  readonly nodes: WireNode[] = [];
  readonly #options: WireClientOptions;
  readonly #completion: Completion;
  readonly #isCluster: boolean;
  readonly #map: NodeMap;
  /** The map's; null: reads go to masters as everything else. */
  readonly #replicas: ReplicaMap | null;
  readonly #nodeOfSlot: Int16Array;
  readonly #redirections: Redirections;
  readonly #counters: ClientCounters = { attempts: 0, retries: 0, reconnects: 0, slotRefreshes: 0 };
  readonly #delays = new Delays();
  readonly #news: ConnectionNews;
  /** Nodes that have dirty connections. */
  readonly #dirty: WireNode[] = [];
  #flushScheduled = false;
  /** In flight on the connection whose replies are being worked off, before them. */
  #inFlightBefore = 0;
  #refused: { token: number; reason: number }[] = [];
  /** Why the last connection failed or ended. */
  #lastReason = '';

  constructor(options: WireClientOptions) {
    this.#options = options;
    this.#completion = options.completion;
    this.#news = new ConnectionNews(options.listener);
    this.#isCluster = options.endpoints.mode === 'cluster';
    if (options.confirm) Object.assign(this.#counters, { waits: 0, waitShort: 0 });
    this.#map = new NodeMap(options.endpoints, options.readFrom === 'replica', this.#delays, this);
    this.#replicas = this.#map.replicas;
    this.#nodeOfSlot = this.#map.nodeOfSlot;
    this.#redirections = new Redirections(this, this.#delays, options.completion);
  }

  async connect(timeoutUs: number): Promise<void> {
    const deadlineUs = monotonicUs() + timeoutUs;
    await this.#map.open(deadlineUs);
    for (;;) {
      const missing = this.nodes.filter((node) => !node.gone && node.connections.some((connection) => !connection?.isReady));
      if (missing.length === 0) return this.#map.watchReplicas();
      const isRefused = loginRefusal.test(this.#lastReason);
      if (isRefused || monotonicUs() > deadlineUs) {
        // Without its replicas a shard's reads go to the master.
        if (this.#replicas !== null && !isRefused && missing.every((node) => !this.#map.isMaster(node))) return this.#map.watchReplicas();
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
      ? this.nodes[this.#nodeOfSlot[this.#options.routing.slotOf(op === 2, keyIndex)] as number]
      : this.nodes[this.#map.master];
    const connection = node === undefined ? null : node.take();
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
    (this.nodes[connection.node] as WireNode).inFlight++;
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
    for (let i = 0; i < this.#dirty.length; i++) (this.#dirty[i] as WireNode).flush();
    this.#dirty.length = 0;
  }

  counters(): ClientCounters {
    return { ...this.#counters, reconnects: this.#news.reconnects, slotRefreshes: this.#map.refreshes };
  }

  shardOfAddress(address: string): number | null {
    if (!this.#isCluster) return 0;
    return this.#map.shardOfAddress(address);
  }

  close(): void {
    this.#delays.close();
    this.#map.close();
    for (const node of this.nodes) for (const connection of node.connections) connection?.close();
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
    if (word === 'MOVED' || word === 'ASK') return this.#redirections.follow({ ...operation }, word, text, doneUs);
    if (word === 'TRYAGAIN') return this.#redirections.tryAgain({ ...operation }, doneUs);
    if (word === 'CLUSTERDOWN' || word === 'READONLY' || word === 'MASTERDOWN') this.#map.hint();
    this.#completion(operation.token, OutcomeIndex.fail, reasonIndex[reasonOfReply(text)], operation.sentUs, doneUs, operation.attempts);
  }

  lost(operation: PendingOperation, reason: CloseReason, doneUs: number): void {
    const outcome = operation.sentUs < 0 ? OutcomeIndex.fail : OutcomeIndex.info;
    this.#completion(operation.token, outcome, reasonIndex[reason], operation.sentUs, doneUs, operation.attempts);
  }

  ready(connection: WireConnection): void {
    const node = this.nodes[connection.node] as WireNode;
    node.connected(connection);
    if (connection.isReplacement) this.#news.reconnects++;
    this.#news.tell(node.address, 'ready', '');
    const waiting = node.waiting ?? [];
    node.waiting = null;
    for (const { token, op, keyIndex, valueBytes, version } of waiting) this.send(token, op, keyIndex, valueBytes, version);
    if (waiting.length > 0) this.flush();
  }

  closed(connection: WireConnection, kind: CloseReason, reason: string, wasReady: boolean): void {
    const node = this.nodes[connection.node] as WireNode;
    const place = node.connections.indexOf(connection);
    if (place >= 0) node.connections[place] = null;
    else if (!node.gone) return; // Of an earlier time of this node, which is in use again.
    node.inFlight -= connection.inFlight;
    this.#lastReason = reason;
    if (this.#delays.closed) return;
    if (!node.gone) node.lastFailure = kind;
    this.#refuseWaiting(node);
    if (node.gone) return;
    this.#news.tell(node.address, wasReady ? 'closed' : 'failed', kind);
    this.#map.hint();
    this.#delays.after(node.nextBackOffMs(), () => {
      if (!node.gone) this.#open(node, place, true);
    });
  }

  /** HOT */
  readBegun(connection: WireConnection): void {
    this.#inFlightBefore = connection.inFlight;
  }

  /** HOT */
  readDone(connection: WireConnection): void {
    (this.nodes[connection.node] as WireNode).answered(connection, this.#inFlightBefore - connection.inFlight);
  }

  // The side of the redirections and of the map.

  nodeOf({ op, keyIndex }: PendingOperation): WireNode | undefined {
    return this.nodes[this.#isCluster ? (this.#nodeOfSlot[this.#options.routing.slotOf(op === 2, keyIndex)] as number) : this.#map.master];
  }

  moved(slot: number, node: WireNode): void {
    this.#nodeOfSlot[slot] = node.index;
    this.#map.hint();
  }

  pushAgain(connection: WireConnection, { token, op, keyIndex, valueBytes, version, attempts }: PendingOperation): void {
    (this.nodes[connection.node] as WireNode).inFlight++;
    connection.push(token, op, keyIndex, valueBytes, version, attempts + 1);
    this.#counters.attempts++;
    this.#counters.retries++;
    if (!connection.dirty) this.#markDirty(connection);
  }

  nodeAt(named: string): WireNode {
    const address = named.startsWith(':') ? `${this.#options.endpoints.seeds[0]?.host}${named}` : named;
    const known = this.nodes.find((node) => node.address === address);
    if (known && !known.gone) return known;
    const node = known ?? new WireNode(this.nodes.length, address, this.#isCluster);
    node.gone = false;
    node.waiting = [];
    if (!known) this.nodes.push(node);
    node.connections = new Array<WireConnection | null>(this.#options.connections).fill(null);
    for (let place = 0; place < this.#options.connections; place++) this.#open(node, place, false);
    return node;
  }

  readonly #flushLater = (): void => {
    this.#flushScheduled = false;
    this.#flushNow();
  };

  /** HOT: null: no replica of the slot is connected. */
  #pickReplica(replicas: ReplicaMap, slot: number): WireConnection | null {
    for (let left = replicas.countOf(slot); left > 0; left--) {
      const connection = (this.nodes[replicas.next(slot)] as WireNode).take();
      if (connection !== null) return connection;
    }
    return null;
  }

  #markDirty(connection: WireConnection): void {
    const node = this.nodes[connection.node] as WireNode;
    if (node.markDirty(connection)) this.#dirty.push(node);
  }

  /** Not from inside `send`: the refusal is told in a later turn. */
  #refuse(token: number, node: WireNode | undefined): void {
    if (this.#refused.length === 0) setImmediate(() => this.#tellRefused());
    this.#refused.push({ token, reason: reasonIndex[node?.lastFailure ?? 'unreachable'] });
    this.#map.hint();
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
}
