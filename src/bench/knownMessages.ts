/** What the bench and the known server's process say to each other. */
import type { SparseHistogram } from '../result/records.js';

export type KnownRequest = { kind: 'reset' } | { kind: 'stats' };

export type KnownMessage = { kind: 'listening'; port: number } | { kind: 'reset' } | ({ kind: 'stats' } & KnownStats);

/** By the server's own clock, since the last reset. */
export interface KnownStats {
  operations: number;
  /** From the arrival of an operation to its answer. */
  delivered: SparseHistogram;
  /** From when an answer was due to when it was written. */
  lateness: SparseHistogram;
}
