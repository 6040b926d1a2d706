/**
 * The seam between the load engine and whatever sends operations. The engine owns tokens, queues and deadlines; a client
 * only sends and reports. `ioredis` and (later) `wire` and a user's own module stand behind it.
 */
import type { LabPlan, OperationIndex, SecretSource } from '../plan/plan.js';

/** Index into `outcomes` (result/records.ts); `dropped` is the engine's alone. */
export const OutcomeIndex = { ok: 0, fail: 1, info: 2, dropped: 3 } as const;
export type OutcomeIndex = (typeof OutcomeIndex)[keyof typeof OutcomeIndex];

/**
 * Called once per send, in any order, from any event-loop turn, never from inside `send`.
 * `reason`: index into `reasons` (result/records.ts), -1 for ok. `sentUs`/`doneUs`: machine monotonic µs; `sentUs` is -1 when
 * nothing was sent. `attempts` ≥ 0: how often it went out on a connection. A token of the engine's past is ignored by it.
 */
export type Completion = (token: number, outcome: OutcomeIndex, reason: number, sentUs: number, doneUs: number, attempts: number) => void;

/**
 * Told what a GET or an INCR was answered, right before its `ok` completion. Set only where somebody wants to know (the ledger), so that
 * nothing is paid for it otherwise.
 */
export interface ReplyWatch {
  /** HOT: a value of so many bytes; `head` holds its first STAMP_BYTES, and only during the call. */
  bytes(token: number, valueBytes: number, head: Uint8Array): void;
  /** HOT: a value, from a client whose values are text of one byte per character. */
  text(token: number, value: string): void;
  /** HOT: no such key. */
  none(token: number): void;
  /** HOT */
  integer(token: number, value: number): void;
}

export interface ClientCapabilities {
  /** Whether it may send one operation again on its own (and so apply it twice). */
  resends: boolean;
}

export interface ClientCounters {
  attempts: number;
  retries: number;
  reconnects: number;
  slotRefreshes: number;
  /** Only where writes are confirmed: confirmations that were answered, and how many of these fell short of what was asked. */
  waits?: number;
  waitShort?: number;
}

/** What a client tells about its connections, as it happens. */
export interface ClientListener {
  /** `address`: host:port as the node is known to the run (not the proxy's). */
  connection(address: string, state: 'closed' | 'failed' | 'ready', reason: string): void;
}

export interface Client {
  readonly capabilities: ClientCapabilities;
  /** Each send is a write to a socket, which takes longer than reading a clock. */
  readonly writesEach?: boolean;
  /**
   * HOT: whether what the closed loop sends on answers goes out better when all answers of the event loop's turn have been read than after each
   * read: a write between two reads wakes a server that had just gone to sleep, which costs both sides microseconds. Asked again and again.
   */
  readonly sendsByTurn?: boolean;
  /** Resolves when operations can be sent. Throws a KvbenchError TARGET_UNREACHABLE after `timeoutUs`. */
  connect(timeoutUs: number): Promise<void>;
  /**
   * HOT: takes one operation; it may wait in the client's buffer until `flush`. `version`: what the stamp of a SET's value says
   * (workload/valueStamp.ts); NO_VERSION or absent: the value has none.
   */
  send(token: number, op: OperationIndex, keyIndex: number, valueBytes: number, version?: number): void;
  /** HOT: everything sent so far goes out. */
  flush(): void;
  counters(): ClientCounters;
  /** The shard (as at t0) that a node of this address serves or served last, as far as this client has seen; null: not known. */
  shardOfAddress?(address: string): number | null;
  /** Closes all connections at once; what is in flight completes as info/closed or not at all. */
  close(): void;
}

/** Where a worker finds the target. Structured-cloneable; a password lives here in memory only. */
export interface LoadEndpoints {
  mode: LabPlan['topology'];
  /** Addresses as the nodes announce them, without sentinels; outside a cluster the master of t0 first. */
  seeds: { host: string; port: number }[];
  /** Whom to ask for the master, with mode `sentinel`; as announced. `login`: they want the one that the servers get; absent: none. */
  sentinels?: { masterName: string; seeds: { host: string; port: number }[]; login?: boolean };
  /** Announced `host:port` → where this client group reaches it (a proxy); null: directly. */
  natMap: Record<string, { host: string; port: number }> | null;
  /** Announced `host:port` → node id. */
  nodeIds: Record<string, string>;
  username: string | null;
  password: string | null;
  /** PEM texts. */
  tls: { ca: string | null; cert: string | null; key: string | null; serverName: string | null; rejectUnauthorized: boolean } | null;
  /** shard of each of the 16,384 slots at t0; for standalone all 0. */
  shardOfSlot: Uint16Array;
  shardCount: number;
}

export type { SecretSource };
