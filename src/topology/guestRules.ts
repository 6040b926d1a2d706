/**
 * The rules kvbench keeps on servers that aren't its own: what is looked at before any load. Called by external.ts.
 * It only reads. Whatever breaks a rule is TARGET_REFUSED, with what would make the run possible.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { formatBytes, formatCount } from '../base/units.js';
import { hasKey } from '../plan/operations.js';
import type { FaultPlan, Plan, WorkloadPlan } from '../plan/plan.js';
import { keyNameOf } from '../workload/keyNames.js';
import { parseInfo } from './infoReply.js';
import { SLOT_COUNT } from './shardNumbers.js';
import type { NodeView, TopologyView } from './target.js';
import { waitFor } from './waiting.js';

/** Keys looked at per SCAN: about half a millisecond of the server's time. */
const SCAN_COUNT = 1000;
const SCAN_LIMIT_US = 600_000_000;
const SCAN_PROGRESS_US = 5_000_000;
/** A replica acknowledges once a second; where nothing is written, the first offset to acknowledge is a ping after 10 s. */
const IN_SYNC_LIMIT_US = 15_000_000;
/** What a server needs for a key beside its name and value: table entry, object, expiry, rounding of the allocator. */
const KEY_OVERHEAD_BYTES = 110;
/** How much more room than the estimate there must be; more where being wrong costs others their keys. */
const HEADROOM = 1.1;
const HEADROOM_WITH_EVICTION = 1.5;
/** Faults that act on server processes, which are never kvbench's on an external target, whatever is allowed. */
const processFaults = new Set([
  'kill',
  'pause',
  'restart',
  'wipe',
  'throttle',
  'full-sync',
  'rolling-restart',
  'rolling-upgrade',
  'add-node',
  'remove-node',
]);

/** Before anything is connected: only faults that the profile's `allow:` names, and never on processes. */
export function checkFaults(faults: readonly FaultPlan[], allow: readonly string[]): void {
  for (const fault of faults) {
    if (processFaults.has(fault.kind)) {
      throw refused(
        `fault ${fault.id} (${fault.kind}) acts on server processes, and those of an external target are not kvbench's`,
        'remove it, or run the profile on a lab (target.topology: cluster)',
      );
    }
    if (!allow.includes(fault.kind)) {
      throw refused(
        `fault ${fault.id} (${fault.kind}) is not allowed on this external target`,
        `if its owner agrees, add it to the profile: allow: [${fault.kind}]`,
      );
    }
  }
}

/** Looks through every key of every master, and refuses at the first under the run's prefix. */
export async function checkForeignKeys(masters: readonly { address: string; redis: Redis }[], prefix: string, progress: ScanProgress): Promise<void> {
  const untilUs = monotonicUs() + SCAN_LIMIT_US;
  const pattern = `${escapeGlob(prefix)}*`;
  let lookedAt = 0;
  let saidUs = monotonicUs();
  for (const { address, redis } of masters) {
    let cursor = '0';
    do {
      progress.signal.throwIfAborted();
      const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT);
      if (keys[0] !== undefined) {
        throw refused(
          `the key ${JSON.stringify(keys[0])} on ${address} is under the run's prefix ${JSON.stringify(prefix)} already`,
          'choose another prefix (--set load.workload.keys.prefix=…); if the keys are left over from a run that was killed, remove them',
        );
      }
      cursor = next;
      lookedAt += SCAN_COUNT;
      if (monotonicUs() > untilUs)
        throw refused(`looking for foreign keys took more than ${SCAN_LIMIT_US / 60_000_000} minutes`, 'use a smaller target');
      if (monotonicUs() - saidUs > SCAN_PROGRESS_US) {
        saidUs = monotonicUs();
        progress.onProgress(`looking for keys under ${prefix}: about ${formatCount(lookedAt)} keys looked at`);
      }
    } while (cursor !== '0');
  }
}

export interface ScanProgress {
  onProgress(text: string): void;
  signal: AbortSignal;
}

/** Special characters of SCAN's pattern made plain. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}

/** Refuses when the data of the run might not fit below `maxmemory`, or might push out keys of others. `info`: INFO memory of a master. */
export function checkMemory(plan: Plan, node: NodeView, info: string): void {
  const fields = parseInfo(info);
  const limitBytes = Number(fields.get('maxmemory') ?? 0);
  if (!(limitBytes > 0)) return;
  const usedBytes = Number(fields.get('used_memory') ?? 0);
  const policy = fields.get('maxmemory_policy') ?? 'noeviction';
  const slotCount = node.slots.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const expectedBytes = expectedDataBytes(plan.load.workload) * (slotCount / SLOT_COUNT);
  const evicts = policy !== 'noeviction';
  if (usedBytes + expectedBytes * (evicts ? HEADROOM_WITH_EVICTION : HEADROOM) <= limitBytes) return;
  const sizes = `about ${formatBytes(expectedBytes)} of this run on top of ${formatBytes(usedBytes)}, with maxmemory ${formatBytes(limitBytes)}`;
  throw refused(
    evicts ? `${node.address} could evict keys that are not this run's (${policy}): ${sizes}` : `${node.address} would run out of memory: ${sizes}`,
    'lower load.workload.keys.count or load.workload.values.size, or raise maxmemory',
  );
}

/** An estimate from above, for one copy of the data, in bytes; 0 when the workload writes nothing. What a custom command piles up in a key is not known. */
export function expectedDataBytes(workload: WorkloadPlan): number {
  const { count } = workload.keys;
  const nameBytes = Buffer.byteLength(keyNameOf(workload.keys, true, count));
  const writes = workload.operations.set > 0 || workload.preload || (workload.commands ?? []).some(hasKey);
  const values = writes ? count * (KEY_OVERHEAD_BYTES + nameBytes + meanValueBytes(workload)) : 0;
  const counters = workload.operations.incr > 0 ? count * (KEY_OVERHEAD_BYTES + nameBytes) : 0;
  return values + counters;
}

function meanValueBytes({ values }: WorkloadPlan): number {
  switch (values.kind) {
    case 'fixed':
      return values.bytes;
    case 'uniform':
      return (values.minBytes + values.maxBytes) / 2;
    case 'lognormal':
      return Math.min(values.maxBytes, values.medianBytes * Math.exp(values.sigma ** 2 / 2));
  }
}

/** Refuses unless every replica the nodes know of acknowledges what its master has. */
export async function checkReplicasInSync(look: () => Promise<string | null>, signal: AbortSignal): Promise<void> {
  let complaint = '';
  await waitFor(
    async () => {
      const found = await look();
      complaint = found ?? '';
      return found === null ? true : undefined;
    },
    {
      limitUs: IN_SYNC_LIMIT_US,
      everyUs: 100_000,
      signal,
      timedOut: (aborted) =>
        aborted
          ? refused('interrupted while the replicas were looked at')
          : refused(`${complaint}, watched for ${IN_SYNC_LIMIT_US / 1_000_000} s`, 'wait until the replica has caught up, or repair or remove it'),
    },
  );
}

/** The first replica of a view that is not in sync, in words; null when all are. */
export function replicaNotInSync(view: TopologyView): string | null {
  const behind = view.nodes.find((node) => node.role === 'replica' && !node.inSync);
  return behind ? `the replica ${behind.address} is not in sync with its master` : null;
}

export function refused(message: string, hint?: string): KvbenchError {
  return new KvbenchError('TARGET_REFUSED', message, hint);
}
