/**
 * From keys that lost something to the acknowledged writes they lost: each with its time, shard and fault, from the rings of
 * acknowledgements that the workers keep. Pure; called by verification.ts.
 */
import { Anomaly, Count, kindOf, type LedgerMemory, versionOf, WriteKind } from '../load/ledgerMemory.js';
import type { LostSlot, LostWrite } from '../result/consistency.js';
import { INTERVAL_US } from '../result/records.js';
import type { FaultTimes } from '../stats/faultTimes.js';

/** What the key holds: a version; −1: nothing at all; null: a value without a version. */
export type FoundVersion = number | null;

export interface KeyPlaces {
  nameOf(isCounter: boolean, number: number): string;
  slotOf(key: string): number;
  shardOf(slot: number): number;
}

export interface LostOptions {
  memory: LedgerMemory;
  /** Numbers of the ordinary keys that lost something. */
  lostKeys: ReadonlyMap<number, FoundVersion>;
  /** Increments that the final values lack, by number of the counter. */
  lostAtEnd: ReadonlyMap<number, number>;
  hasPreload: boolean;
  places: KeyPlaces;
  faults: readonly FaultTimes[];
}

/** The preload's writes were acknowledged at some time before t0. */
const BEFORE_T0_US = -1;

interface Ack {
  word: number;
  ackedUs: number;
}

/** @returns in order of time; `isLowerBound`: some acknowledgements were no longer remembered one by one */
export function findLostWrites(options: LostOptions): { writes: LostWrite[]; isLowerBound: boolean } {
  const { memory, lostKeys, lostAtEnd, places, faults } = options;
  const { byKey, hasForgotten } = acksOfKeys(memory, lostKeys);
  const writes: LostWrite[] = [];
  const add = (isCounter: boolean, number: number, write: Pick<LostWrite, 'op' | 'version' | 'count' | 'ackedUs' | 'foundVersion'>): void => {
    const key = places.nameOf(isCounter, number);
    const slot = places.slotOf(key);
    const shard = places.shardOf(slot);
    writes.push({ key, slot, shard, ...write, faultId: faultOf(shard, write.ackedUs, faults) });
  };
  for (const [number, found] of lostKeys) {
    const foundVersion = found === null || found < 0 ? null : found;
    for (const { word, ackedUs } of lostAcks(options, number, found, byKey.get(number) ?? [])) {
      add(false, number, { op: kindOf(word) === WriteKind.del ? 'del' : 'set', version: versionOf(word), count: 1, ackedUs, foundVersion });
    }
  }
  for (const { number, count, noticedUs } of lostIncrements(memory, lostAtEnd))
    add(true, number, { op: 'incr', version: null, count, ackedUs: noticedUs, foundVersion: null });
  writes.sort((a, b) => a.ackedUs - b.ackedUs);
  return { writes, isLowerBound: hasForgotten && lostKeys.size > 0 };
}

function acksOfKeys(memory: LedgerMemory, lostKeys: ReadonlyMap<number, FoundVersion>): { byKey: Map<number, Ack[]>; hasForgotten: boolean } {
  const byKey = new Map<number, Ack[]>();
  let hasForgotten = false;
  for (const { counts, ackKeys, ackWords, ackUs } of memory.workers) {
    const total = counts[Count.acks] as number;
    const kept = Math.min(total, ackKeys.length);
    hasForgotten ||= total > kept;
    for (let i = total - kept; i < total; i++) {
      const at = i % ackKeys.length;
      const number = ackKeys[at] as number;
      if (!lostKeys.has(number)) continue;
      const ack = { word: ackWords[at] as number, ackedUs: ackUs[at] as number };
      const acks = byKey.get(number);
      if (acks === undefined) byKey.set(number, [ack]);
      else acks.push(ack);
    }
  }
  return { byKey, hasForgotten };
}

/**
 * Every acknowledged write that is newer than what the key holds. Of a key that is gone the least is assumed: that its last acknowledged
 * DEL is what it went back to.
 */
function lostAcks({ memory, hasPreload }: LostOptions, number: number, found: FoundVersion, acks: readonly Ack[]): Ack[] {
  const last = { word: memory.acked[number] as number, ackedUs: memory.ackedUs[number] as number };
  if (found === null) return [last];
  const lastDel = found < 0 ? acks.findLast(({ word }) => kindOf(word) === WriteKind.del) : undefined;
  const from = lastDel === undefined ? found : versionOf(lastDel.word);
  const lost = acks.filter(({ word }) => versionOf(word) > from);
  if (!lost.some(({ word }) => word === last.word)) lost.push(last);
  if (found < 0 && lastDel === undefined && hasPreload && versionOf(last.word) > 0) lost.push({ word: WriteKind.set, ackedUs: BEFORE_T0_US });
  return lost;
}

function* lostIncrements(
  memory: LedgerMemory,
  lostAtEnd: ReadonlyMap<number, number>,
): Generator<{ number: number; count: number; noticedUs: number }> {
  for (const { counts, anomalyKeys, anomalyKinds, anomalyAmounts, anomalyUs } of memory.workers) {
    const kept = Math.min(counts[Count.anomalies] as number, anomalyKeys.length);
    for (let i = 0; i < kept; i++) {
      if (anomalyKinds[i] !== Anomaly.lostIncrements) continue;
      yield { number: anomalyKeys[i] as number, count: anomalyAmounts[i] as number, noticedUs: anomalyUs[i] as number };
    }
  }
  for (const [number, count] of lostAtEnd) yield { number, count, noticedUs: memory.counterUs[number] as number };
}

/** In force on the shard at that time; else the next one after it, which took what nobody had copied yet; shards that were hit come first. */
function faultOf(shard: number, atUs: number, faults: readonly FaultTimes[]): number | null {
  for (const candidates of [faults.filter((fault) => fault.shards.has(shard)), faults]) {
    const inForce = candidates.findLast((fault) => fault.beganUs <= atUs && atUs <= (fault.healedAtUs ?? Number.POSITIVE_INFINITY));
    const found = inForce ?? candidates.find((fault) => fault.beganUs > atUs) ?? candidates.at(-1);
    if (found) return found.faultId;
  }
  return null;
}

/** Grouped by shard, fault and 100 ms, in order of time. */
export function slotsOf(writes: readonly LostWrite[]): LostSlot[] {
  const slots = new Map<string, LostSlot>();
  for (const { shard, ackedUs, faultId, count } of writes) {
    const startUs = Math.floor(ackedUs / INTERVAL_US) * INTERVAL_US;
    const id = `${startUs} ${shard} ${faultId}`;
    const slot = slots.get(id);
    if (slot === undefined) slots.set(id, { shard, startUs, count, faultId });
    else slot.count += count;
  }
  return [...slots.values()].sort((a, b) => a.startUs - b.startUs || a.shard - b.shard);
}
