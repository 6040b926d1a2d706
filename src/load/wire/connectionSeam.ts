/**
 * What stands between a connection of the wire client and its owner: what it is told, what it tells, and the words for it. Implemented by
 * wireClient.ts, used by wireConnection.ts.
 */
import type { OperationIndex } from '../../plan/plan.js';
import type { Reason } from '../../result/records.js';
import type { LoadEndpoints, ReplyWatch } from '../client.js';
import type { CommandEncoder } from './commandEncoder.js';
import type { WireConnection } from './wireConnection.js';

/** An operation in flight, as the owner gets it back when a connection could not finish it. */
export interface PendingOperation {
  token: number;
  op: OperationIndex;
  keyIndex: number;
  valueBytes: number;
  version: number;
  attempts: number;
  /** −1: never left this process. */
  sentUs: number;
}

/** How a connection ended, in the words of the records. */
export type CloseReason = Extract<Reason, 'closed' | 'reset' | 'refused' | 'unreachable' | 'protocol'>;

export interface ConnectionOwner {
  /** HOT: a write went well and its confirmation was answered; `succeeded` follows. */
  confirmed(fellShort: boolean): void;
  /** HOT: went well. */
  succeeded(token: number, sentUs: number, doneUs: number, attempts: number): void;
  /** An error reply; `operation` is reused by the next call. */
  errorReply(connection: WireConnection, operation: PendingOperation, text: string, doneUs: number): void;
  /** The connection ended with this in flight; `operation` is reused by the next call. */
  lost(operation: PendingOperation, reason: CloseReason, doneUs: number): void;
  ready(connection: WireConnection): void;
  /** After every `lost`. `wasReady` false: it never came up. */
  closed(connection: WireConnection, kind: CloseReason, reason: string, wasReady: boolean): void;
  /** HOT: a read is about to be worked off. */
  readBegun(connection: WireConnection): void;
  /** HOT: a read has been worked off; what its completions sent can go out. */
  readDone(connection: WireConnection): void;
}

export interface ConnectionOptions {
  host: string;
  port: number;
  tls: LoadEndpoints['tls'];
  username: string | null;
  password: string | null;
  /** 2 or 3. */
  protocol: 2 | 3;
  /** Ask a replica for reads. */
  readOnly: boolean;
  /** Opened in place of one that ended. */
  isReplacement: boolean;
  name: string;
  encoder: CommandEncoder;
  /** Null: nobody wants to know the answers. */
  replies: ReplyWatch | null;
  /** What follows each write; null: nothing. */
  confirm: WriteConfirmation | null;
}

/** WAIT or WAITAOF behind each write, in the same write to the socket. */
export interface WriteConfirmation {
  /** In RESP. */
  command: Uint8Array;
  /** Operations that are followed by none, by index: 1. */
  reads: Uint8Array;
  /** Least local logs (WAITAOF) and replicas. */
  local: number;
  replicas: number;
}
