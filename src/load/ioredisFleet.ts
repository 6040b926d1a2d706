/**
 * A set of ioredis clients that share a worker's operations: single connections to a standalone server, or cluster clients.
 * Made by ioredisClient.ts, which picks one per operation.
 */
import type { Command, Redis } from 'ioredis';

/** What both kinds of ioredis clients have in common here. */
export interface IoredisInstance {
  readonly status: string;
  sendCommand(command: Command): unknown;
}

export interface IoredisFleet {
  /** HOT: as many as the plan says; an entry may be replaced at any time. */
  readonly instances: readonly IoredisInstance[];
  readonly slotRefreshes: number;
  /** Starts connecting, and goes on for ever until `close`. */
  open(): void;
  /** Whether every instance can send. */
  isReady(): boolean;
  /** The connections to nodes that serve keys; used once, before the first operation. */
  nodes(): Redis[];
  /** An operation failed because of a connection: somebody else may be master by now. */
  noteConnectionFailure(): void;
  /** Every half second: ends what hangs, replaces what is stuck. */
  lookAfter(): void;
  shardOfAddress(address: string): number | null;
  /** Why the last attempt to connect failed; null: it did not. */
  lastError(): Error | null;
  close(): void;
}
