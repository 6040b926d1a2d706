/**
 * One server's connections as the wire client uses them: which of them takes the next operation, and which wait for a flush. Made by
 * WireClient, which opens and closes connections; a node only chooses among them.
 */
import type { OperationIndex } from '../../plan/plan.js';
import type { Reason } from '../../result/records.js';
import type { WireConnection } from './wireConnection.js';

/** Waits before a lost connection is opened again. */
const RECONNECT_MIN_MS = 10;
const RECONNECT_MAX_MS = 250;
/** The most operations that one connection takes per flush on a busy cluster. */
const FILLING_LIMIT = 32;

/** An operation for a node to which nobody is connected yet. */
export interface Waiting {
  token: number;
  op: OperationIndex;
  keyIndex: number;
  valueBytes: number;
  version: number;
}

/** HOT */
export class WireNode {
  /** By place; null: lost, and not open again yet. */
  connections: (WireConnection | null)[] = [];
  /** Operations that its connections took and have no answer for. */
  inFlight = 0;
  lastFailure: Reason = 'unreachable';
  gone = false;
  /** What came before its first connection was made; null once it was, or the first attempt failed. */
  waiting: Waiting[] | null = null;
  /** Connections that can take operations before the others: those that answered last are on top. */
  #free: WireConnection[] = [];
  /** Next in turn when none is free. */
  #turn = 0;
  /** With many in flight on a cluster: the connection that takes what comes until the next flush, and how much more it may take. */
  #filling: WireConnection | null = null;
  #fillingRoom = 0;
  readonly #dirty: WireConnection[] = [];
  #backOffMs = RECONNECT_MIN_MS;

  /**
   * @param index in the client's list
   * @param address as announced
   * @param isOneOfMany what one node answers goes to all of them: of a cluster
   */
  constructor(
    readonly index: number,
    readonly address: string,
    readonly isOneOfMany: boolean,
  ) {}

  /** A connection of its came up. */
  connected(connection: WireConnection): void {
    this.#backOffMs = RECONNECT_MIN_MS;
    connection.room = 1;
    connection.isFree = true;
    this.#free.push(connection);
  }

  /** How long to wait before a connection is opened again: longer each time, until one comes up. */
  nextBackOffMs(): number {
    const backOffMs = this.#backOffMs;
    this.#backOffMs = Math.min(RECONNECT_MAX_MS, backOffMs * 2);
    return backOffMs;
  }

  /** It serves nothing any more: closes its connections. */
  leave(): void {
    this.gone = true;
    this.#free = [];
    for (const connection of this.connections) connection?.close();
  }

  /** Where the next operation goes; null: it is not connected. */
  take(): WireConnection | null {
    return this.isOneOfMany && this.inFlight >= 2 * this.connections.length ? this.#fill() : this.pick();
  }

  /** The connection on top that has room; else the next in turn. */
  pick(): WireConnection | null {
    for (let top = this.#free.length - 1; top >= 0; top--) {
      const connection = this.#free[top] as WireConnection;
      if (connection.room > 0 && connection.isReady) {
        connection.room--;
        return connection;
      }
      connection.isFree = false;
      this.#free.pop();
    }
    const count = this.connections.length;
    for (let tries = 0; tries < count; tries++) {
      this.#turn = this.#turn + 1 < count ? this.#turn + 1 : 0;
      const connection = this.connections[this.#turn];
      if (connection?.isReady) return connection;
    }
    return null;
  }

  /**
   * On a cluster, what is answered by one node goes to all of them. Filling one connection of each per flush keeps operations together:
   * what went out in one write is answered in one, and goes out in one again.
   */
  #fill(): WireConnection | null {
    if (this.#filling === null || this.#fillingRoom === 0 || !this.#filling.isReady) {
      this.#filling = this.pick();
      if (this.#filling !== null) this.#filling.room = 0;
      this.#fillingRoom = FILLING_LIMIT;
    }
    this.#fillingRoom--;
    return this.#filling;
  }

  /**
   * The engine's next operations come right after this, and are best sent where places just became free: as many as were answered go out
   * in one write. With fewer operations than connections each has a connection to itself, so that none waits behind another.
   */
  answered(connection: WireConnection, count: number): void {
    this.inFlight -= count;
    if (this.inFlight >= this.connections.length) connection.room += count;
    else connection.room = connection.inFlight === 0 ? 1 : 0;
    if (connection.room > 0 && !connection.isFree && connection.isReady) {
      connection.isFree = true;
      this.#free.push(connection);
    }
  }

  /** A connection that was clean took something. Whether it is the first one of this node. */
  markDirty(connection: WireConnection): boolean {
    connection.dirty = true;
    return this.#dirty.push(connection) === 1;
  }

  flush(): void {
    const dirty = this.#dirty;
    for (let i = 0; i < dirty.length; i++) {
      const connection = dirty[i] as WireConnection;
      connection.dirty = false;
      connection.flush();
    }
    dirty.length = 0;
    this.#filling = null;
  }
}
