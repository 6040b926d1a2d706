/** What the verification of a run found, as it stands in `events.ndjson` and `lost-writes.ndjson`. Written by src/verify, summed up by src/stats. */

/** Acknowledged writes of one shard and 100 ms that the servers no longer hold. */
export interface LostSlot {
  shard: number;
  /** Start of the 100 ms of their acknowledgement, since t0; before it for what the preload wrote. */
  startUs: number;
  count: number;
  /** In force on that shard then, or else the next one after; null: there was none. */
  faultId: number | null;
}

export interface ConsistencyRecord {
  /** Of each kind (ordinary keys, counters) the key space has so many, and every `keyStride`-th is tracked. */
  keyCount: number;
  keyStride: number;
  /** Read back, ordinary keys and counters. */
  checkedKeys: number;
  /** Tracked and written, but not read back in time. */
  unverifiedKeys: number;
  /** SETs and DELs of tracked keys, with those of the preload. */
  ackedWrites: number;
  /** Acknowledged SETs whose value was too short for a stamp. */
  unstampedWrites: number;
  /** Of unknown outcome. */
  indeterminateWrites: number;
  lostWrites: number;
  /** Keys that lost one. */
  lostKeys: number;
  /** More may be lost: not all acknowledgements were remembered one by one. */
  isLowerBound: boolean;
  resurrectedKeys: number;
  /** What the servers held in the end. */
  values: { corrupt: number; foreign: number; neverWritten: number };
  /** What reads brought during the run. */
  reads: { checked: number; stale: number; nonMonotonic: number; corrupt: number; foreign: number; neverWritten: number; unjudged: number };
  /** Missing or older values that are no loss, by what explains them. */
  explained: { overwrittenByIndeterminate: number; deletedByIndeterminate: number; expired: number; evicted: number };
  /** Null: the load has no counters. `resent`: of `doubleApplied`, by a client that sent the operation again. */
  counters: { acked: number; indeterminate: number; final: number; lost: number; doubleApplied: number; resent: number } | null;
  /** Of the servers, by their own count. */
  evictedKeys: number;
  expiredKeys: number;
  /** In order of time; lost increments are among them, at the time they were noticed. */
  lost: LostSlot[];
  /** Acknowledgement of the first and the last lost write; null: none was lost. */
  lostSpan: { firstUs: number; lastUs: number } | null;
}

/** A line of `lost-writes.ndjson`. */
export interface LostWrite {
  key: string;
  slot: number;
  shard: number;
  op: 'set' | 'del' | 'incr';
  /** Null for increments. */
  version: number | null;
  /** Increments lost at once; else 1. */
  count: number;
  /** When it was acknowledged; of increments, when their loss was noticed. */
  ackedUs: number;
  faultId: number | null;
  /** The version that the key has instead; null: the key is gone, or its value has none. */
  foundVersion: number | null;
}
