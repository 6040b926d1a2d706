/**
 * How many operations were answered ok per slot, as typed arrays that each worker shares with the main thread: made by loadRunner.ts,
 * written by engine.ts (one worker each, so that no count is lost), read by src/observe while the load runs. Plain data.
 */
const SLOT_COUNT = 16_384;

/** An array of 16,384 counts per worker; none where all slots are one shard's: there nobody computes slots. */
export function makeSlotCounts(shardCount: number, workers: number): Uint32Array[] {
  if (shardCount <= 1) return [];
  return Array.from({ length: workers }, () => new Uint32Array(new SharedArrayBuffer(SLOT_COUNT * Uint32Array.BYTES_PER_ELEMENT)));
}
