/**
 * Removes the keys of a run from a target that is not ours: exactly the names the workload can have made, by index. Called when an
 * external target is closed. It must never FLUSH, and never remove by pattern: what another put there in the meantime stays.
 */
import { Cluster, Redis } from 'ioredis';
import { monotonicUs, sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { formatCount } from '../base/units.js';
import type { LoadEndpoints } from '../load/client.js';
import { sentinelLogin } from '../load/loginOptions.js';
import type { WorkloadPlan } from '../plan/plan.js';
import { keyNameOf } from '../workload/keyNames.js';
import { accessOptions } from './connection.js';

const BATCH_KEYS = 1000;
/** How long a batch is tried again while the target does not take it, e.g. in a failover that still goes on. */
const STALL_LIMIT_US = 30_000_000;
const RETRY_EVERY_US = 250_000;
const PASS_LIMIT = 3;
const COMMAND_LIMIT_MS = 5000;

/** Where keys are removed: one connection, which sentinels may lead, or a cluster client that follows MOVED. */
type Client = Redis | Cluster;

/** A client that reconnects and, in a cluster or led by sentinels, finds the new master: the clean-up has to outlive an outage. The caller disconnects. */
export function openClient(endpoints: Pick<LoadEndpoints, 'mode' | 'seeds' | 'sentinels' | 'username' | 'password' | 'tls'>): Client {
  const { mode, seeds, sentinels } = endpoints;
  const common = { ...accessOptions(endpoints), commandTimeout: COMMAND_LIMIT_MS, disableClientInfo: true };
  const led = mode === 'sentinel' && sentinels ? { ...sentinelLogin(endpoints), sentinels: sentinels.seeds, name: sentinels.masterName } : seeds[0];
  const client =
    mode === 'cluster'
      ? new Cluster([...seeds], {
          // Names are left to the sockets, so that certificates are checked against names.
          dnsLookup: (address, callback) => callback(null, address),
          lazyConnect: true,
          enableAutoPipelining: true,
          redisOptions: common,
        })
      : new Redis({ ...common, ...led, lazyConnect: true, maxRetriesPerRequest: 1 });
  client.on('error', () => {});
  return client;
}

/** Removes and verifies. Resolves with how many keys there were. Throws TARGET_UNREACHABLE when some may be left. */
export async function removeKeys(client: Client, workload: WorkloadPlan, onProgress: (text: string) => void): Promise<number> {
  let removed = 0;
  for (let pass = 1; pass <= PASS_LIMIT; pass++) {
    removed += await forEachBatch(client, workload, 'unlink');
    const left = await forEachBatch(client, workload, 'exists');
    if (left === 0) {
      onProgress(`removed ${formatCount(removed)} keys of this run`);
      return removed;
    }
  }
  throw keysLeft(workload, `keys come back after ${PASS_LIMIT} removals: something still writes them`);
}

type BatchCommand = 'unlink' | 'del' | 'exists';

/** Sum of the replies over all names the workload can have made. */
async function forEachBatch(client: Client, workload: WorkloadPlan, wanted: BatchCommand): Promise<number> {
  const { count } = workload.keys;
  let command = wanted;
  let sum = 0;
  for (const isCounter of workload.operations.incr > 0 ? [false, true] : [false]) {
    for (let from = 0; from < count; from += BATCH_KEYS) {
      const names = Array.from({ length: Math.min(BATCH_KEYS, count - from) }, (_, i) => keyNameOf(workload.keys, isCounter, from + i));
      const done = await insistently(client, workload, command, names);
      command = done.command;
      sum += done.sum;
    }
  }
  return sum;
}

async function insistently(
  client: Client,
  workload: WorkloadPlan,
  wanted: BatchCommand,
  names: readonly string[],
): Promise<{ command: BatchCommand; sum: number }> {
  const untilUs = monotonicUs() + STALL_LIMIT_US;
  let command = wanted;
  let sum = 0;
  let todo = names;
  for (;;) {
    const { done, failed, reason } = await sendBatch(client, command, todo);
    sum += done;
    if (failed.length === 0) return { command, sum };
    todo = failed;
    if (command === 'unlink' && /unknown command|NOPERM/i.test(reason)) command = 'del';
    else if (/NOPERM/.test(reason) || monotonicUs() > untilUs) throw keysLeft(workload, reason);
    else await sleepUs(RETRY_EVERY_US);
  }
}

/** One command for all names on one server, one each in a cluster (their slots differ). */
async function sendBatch(
  client: Client,
  command: BatchCommand,
  names: readonly string[],
): Promise<{ done: number; failed: string[]; reason: string }> {
  const groups = client instanceof Cluster ? names.map((name) => [name]) : [[...names]];
  const results = await Promise.allSettled(groups.map((group) => client[command](...group)));
  const failed: string[] = [];
  let done = 0;
  let reason = '';
  results.forEach((result, i) => {
    if (result.status === 'fulfilled') done += Number(result.value);
    else {
      failed.push(...(groups[i] ?? []));
      reason ||= messageOf(result.reason);
    }
  });
  return { done, failed, reason };
}

function keysLeft(workload: WorkloadPlan, reason: string): KvbenchError {
  return new KvbenchError(
    'TARGET_UNREACHABLE',
    `keys of this run may be left on the target, under ${JSON.stringify(workload.keys.prefix)}: ${reason}`,
    'once the target is well, remove them with redis-cli: --scan with that pattern, then unlink',
  );
}
