/**
 * Did it lose data? Reads every tracked key back from its master once the target is healed and whole, and holds what it finds against
 * what the ledger knows. Called by cli/performance.ts; writes `lost-writes.ndjson` and, with the operation log, `final-values.ndjson`.
 * It must change nothing on the servers, and says what it could not verify rather than guess.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import calculateSlot from 'cluster-key-slot';
import { monotonicUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import { Count, type LedgerMemory, NEVER_WRITTEN, READ_NOTHING, Suspicion, WriteKind } from '../load/ledgerMemory.js';
import type { Plan } from '../plan/plan.js';
import type { ConsistencyRecord } from '../result/consistency.js';
import { LineFile } from '../result/lineFile.js';
import type { FaultTimes } from '../stats/faultTimes.js';
import type { Target } from '../topology/target.js';
import { keyNameOf } from '../workload/keyNames.js';
import { STAMP_BYTES } from '../workload/valueStamp.js';
import { ValuePool, ValueSizer } from '../workload/values.js';
import { FinalJudge, UnknownWrites } from './finalValue.js';
import { type FoundVersion, findLostWrites, type KeyPlaces, slotsOf } from './lostWrites.js';
import { ReadBack } from './readBack.js';
import type { ServerLosses } from './serverLosses.js';

/** How long reading back may take before the rest is told as not verified. */
export const VERIFY_LIMIT_US = 120_000_000;

export interface VerificationOptions {
  plan: Plan;
  memory: LedgerMemory;
  target: Target;
  /** Shard numbers as at t0. */
  shardOfSlot: Uint16Array;
  faults: readonly FaultTimes[];
  losses: ServerLosses;
  /** Machine monotonic µs. */
  t0Us: number;
  /** The result folder. */
  folder: string;
  /** Ends the reading back early. */
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

export async function verifyRun(options: VerificationOptions): Promise<ConsistencyRecord> {
  await askServers(options);
  const verification = new Verification(options);
  const unverifiedKeys = await verification.readAll();
  return verification.conclude(unverifiedKeys);
}

/** The observer's last sample can be a second old. */
async function askServers({ target, losses }: VerificationOptions): Promise<void> {
  await Promise.all(
    target.nodes.map(async ({ id }) => {
      const redis = target.control(id);
      try {
        losses.info(id, await redis.info('stats'));
      } catch {
        // One that cannot be asked has said what it had to say to the observer.
      } finally {
        redis.disconnect();
      }
    }),
  );
}

class Verification {
  readonly #options: VerificationOptions;
  readonly #memory: LedgerMemory;
  readonly #judge: FinalJudge;
  readonly #unknown: UnknownWrites;
  readonly #places: KeyPlaces;
  readonly #valueBytesMax: number;
  readonly #finalValues: LineFile | null;
  readonly #lostKeys = new Map<number, FoundVersion>();
  readonly #lostAtEnd = new Map<number, number>();
  readonly #verdicts = { corrupt: 0, foreign: 0, neverWritten: 0, overwrittenByIndeterminate: 0, deletedByIndeterminate: 0, expired: 0, evicted: 0 };
  readonly #counters = { final: 0, lost: 0, doubleApplied: 0 };
  #checkedKeys = 0;
  #resurrectedKeys = 0;

  constructor(options: VerificationOptions) {
    const { plan, memory, shardOfSlot, losses, folder } = options;
    const { workload, timeoutUs, opsLog } = plan.load;
    const { keys, values, checksum, ttlMs } = workload;
    this.#options = options;
    this.#memory = memory;
    this.#valueBytesMax = new ValueSizer(plan.seed, values, checksum).maxBytes;
    this.#unknown = new UnknownWrites(memory, (worker) => memory.workers[worker]?.counts[Count.unknowns] ?? 0);
    this.#judge = new FinalJudge({
      memory,
      unknown: this.#unknown,
      pool: new ValuePool(plan.seed, this.#valueBytesMax, checksum),
      ttlUs: ttlMs * 1000,
      timeoutUs,
      hasEvictions: losses.evictedKeys > 0,
    });
    this.#places = {
      nameOf: (isCounter, number) => keyNameOf(keys, isCounter, number * memory.stride),
      slotOf: (key) => calculateSlot(key),
      shardOf: (slot) => shardOfSlot[slot] ?? 0,
    };
    const head = { type: 'finalValues', run: memory.run, columns: ['key', 'stamp', 'bytes', 'crc32OfRest'] };
    this.#finalValues = opsLog === true ? new LineFile(join(folder, 'final-values.ndjson'), head) : null;
  }

  /** Resolves with how many keys could not be read. */
  async readAll(): Promise<number> {
    const { target, signal, onProgress } = this.#options;
    const { trackedKeys, issued, highs } = this.#memory;
    // Counters stand behind the ordinary keys.
    const items: number[] = [];
    for (let number = 0; number < trackedKeys; number++) if (issued[number] !== NEVER_WRITTEN) items.push(number);
    for (let number = 0; number < highs.length; number++) if ((highs[number] as number) > 0) items.push(trackedKeys + number);
    const readBack = new ReadBack({ target, signal, limitUs: VERIFY_LIMIT_US, valueBytesMax: this.#valueBytesMax, onProgress });
    const nameOf = (i: number): string => {
      const item = items[i] as number;
      return item < trackedKeys ? this.#places.nameOf(false, item) : this.#places.nameOf(true, item - trackedKeys);
    };
    try {
      return await readBack.read({
        length: items.length,
        nameOf,
        slotOf: (i) => this.#places.slotOf(nameOf(i)),
        found: (i, value) => {
          const item = items[i] as number;
          this.#checkedKeys++;
          this.#finalValues?.add(finalLine(nameOf(i), value));
          if (item < trackedKeys) this.#key(item, value);
          else this.#counter(item - trackedKeys, value);
        },
      });
    } finally {
      readBack.close();
      this.#finalValues?.close();
    }
  }

  #key(number: number, value: Buffer | null): void {
    const verdict = this.#judge.judge(number, value, monotonicUs() - this.#options.t0Us);
    if (verdict.kind === 'intact') return;
    if (verdict.kind !== 'lost') {
      this.#verdicts[verdict.kind]++;
      return;
    }
    this.#lostKeys.set(number, verdict.foundVersion);
    if (verdict.isResurrected) this.#resurrectedKeys++;
  }

  #counter(number: number, value: Buffer | null): void {
    const found = value === null ? 0 : Number(value.toString('latin1'));
    if (!Number.isSafeInteger(found)) {
      this.#verdicts.corrupt++;
      return;
    }
    const low = this.#memory.lows[number] as number;
    const high = this.#memory.highs[number] as number;
    this.#counters.final += found;
    this.#counters.doubleApplied += Math.max(0, found - high);
    // Who evicts, evicts counters too.
    if (value === null && this.#options.losses.evictedKeys > 0) this.#verdicts.evicted++;
    else if (found < low) this.#lostAtEnd.set(number, low - found);
  }

  conclude(unverifiedKeys: number): ConsistencyRecord {
    const { plan, faults, folder, losses } = this.#options;
    const { memory } = this.#judge.options;
    const { writes, isLowerBound } = findLostWrites({
      memory,
      lostKeys: this.#lostKeys,
      lostAtEnd: this.#lostAtEnd,
      hasPreload: plan.load.workload.preload,
      places: this.#places,
      faults,
    });
    const file = new LineFile(join(folder, 'lost-writes.ndjson'), { type: 'lostWrites' });
    for (const write of writes) file.add(JSON.stringify(write));
    file.close();
    const { corrupt, foreign, neverWritten, ...explained } = this.#verdicts;
    const first = writes[0];
    const last = writes.at(-1);
    return {
      keyCount: plan.load.workload.keys.count,
      keyStride: memory.stride,
      checkedKeys: this.#checkedKeys,
      unverifiedKeys,
      ackedWrites: this.#sum(Count.ackedWrites) + (plan.load.workload.preload ? memory.trackedKeys : 0),
      unstampedWrites: this.#sum(Count.unstampedAcks),
      indeterminateWrites: this.#sum(Count.unknownWrites),
      lostWrites: writes.filter(({ op }) => op !== 'incr').length,
      lostKeys: this.#lostKeys.size,
      isLowerBound,
      resurrectedKeys: this.#resurrectedKeys,
      values: { corrupt, foreign, neverWritten },
      reads: this.#reads(),
      explained,
      counters: memory.lows.length === 0 ? null : this.#counterTotals(),
      evictedKeys: losses.evictedKeys,
      expiredKeys: losses.expiredKeys,
      lost: slotsOf(writes),
      lostSpan: first === undefined || last === undefined ? null : { firstUs: first.ackedUs, lastUs: last.ackedUs },
    };
  }

  /** What readers could not judge alone: an older version is none where a write of unknown outcome can have brought it back. */
  #reads(): ConsistencyRecord['reads'] {
    let stale = 0;
    let nonMonotonic = 0;
    let unjudged = 0;
    for (const own of this.#memory.workers) {
      const total = own.counts[Count.suspicions] as number;
      const kept = Math.min(total, own.suspicionKeys.length);
      unjudged += total - kept;
      for (let i = 0; i < kept; i++) {
        const version = own.suspicionRead[i] as number;
        if (this.#isExplained(own.suspicionKeys[i] as number, version)) continue;
        const kinds = own.suspicionKinds[i] as number;
        if ((kinds & Suspicion.stale) !== 0) stale++;
        if ((kinds & Suspicion.nonMonotonic) !== 0) nonMonotonic++;
      }
    }
    return {
      checked: this.#sum(Count.checkedReads),
      stale,
      nonMonotonic,
      corrupt: this.#sum(Count.corruptReads),
      foreign: this.#sum(Count.foreignReads),
      neverWritten: this.#sum(Count.neverWrittenReads),
      unjudged,
    };
  }

  #isExplained(number: number, version: number): boolean {
    if (version !== READ_NOTHING) return this.#unknown.explainsVersion(number, version);
    return this.#options.losses.evictedKeys > 0 || this.#unknown.explainsKind(number, WriteKind.del);
  }

  #counterTotals(): NonNullable<ConsistencyRecord['counters']> {
    let lostAtEnd = 0;
    for (const count of this.#lostAtEnd.values()) lostAtEnd += count;
    const resent = this.#sum(Count.resentIncrements);
    return {
      acked: this.#sum(Count.ackedIncrements),
      indeterminate: this.#sum(Count.unknownIncrements),
      final: this.#counters.final,
      lost: this.#sum(Count.lostIncrements) + lostAtEnd,
      doubleApplied: this.#sum(Count.doubleIncrements) + resent + this.#counters.doubleApplied,
      resent,
    };
  }

  #sum(count: number): number {
    return this.#memory.workers.reduce((sum, { counts }) => sum + (counts[count] as number), 0);
  }
}

/** As the server holds it: the first bytes as they are, of the rest its check sum. */
function finalLine(key: string, value: Buffer | null): string {
  if (value === null) return JSON.stringify([key, null, null, null]);
  return JSON.stringify([key, value.toString('latin1', 0, STAMP_BYTES), value.length, crc32(value.subarray(Math.min(STAMP_BYTES, value.length)))]);
}

/** In words, for whoever waits for a verification that failed as a whole. */
export function verificationFailed(error: unknown): string {
  return `what the servers hold could not be verified: ${messageOf(error)}`;
}
