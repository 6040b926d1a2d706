/**
 * Makes one master with replicas of freshly started servers, and lets sentinels watch them. Used by lab.ts. It must not return before every
 * replica is in sync and, with sentinels, each of them knows the master, all replicas and all other sentinels.
 */
import { monotonicUs } from '../base/clock.js';
import { formatSeconds } from '../base/units.js';
import { type ClusterMaker, command, failure, waitUntilInSync } from './formCluster.js';
import { fieldsOf } from './infoReply.js';
import { MASTER_NAME } from './labConfig.js';
import { waitFor } from './waiting.js';

/** The first node is the master. Throws LAB_FAILED that names the node and what is missing. */
export async function formReplication(maker: ClusterMaker): Promise<void> {
  const [master, ...replicas] = maker.nodes;
  if (!master) return;
  await Promise.all(
    replicas.map(async ({ id }) => {
      await command(maker, id, ['REPLICAOF', master.host, String(master.port)]);
      // Into its file: a replica that is started again is one again.
      await command(maker, id, ['CONFIG', 'REWRITE']);
    }),
  );
  if (replicas.length > 0) await waitUntilInSync(maker);
}

const ACQUAINTED_LIMIT_US = 30_000_000;
const LOOK_EVERY_US = 50_000;
/** While they get to know each other: sentinels tell of themselves only every 2 s, and ask the master for its replicas every 10 s. */
const HASTE: readonly (readonly [name: string, hasty: string, usual: string])[] = [
  ['publish-period', '200', '2000'],
  ['info-period', '500', '10000'],
];

/** @param maker its nodes are the sentinels @param replicas how many the master has */
export async function acquaintSentinels(maker: ClusterMaker, replicas: number): Promise<void> {
  const startUs = monotonicUs();
  await setPeriods(maker, ([name, hasty]) => [name, hasty]);
  let blamed = { id: maker.nodes[0]?.id ?? '', complaint: 'knows the others' };
  await waitFor(
    async () => {
      for (const { id } of maker.nodes) {
        const complaint = complaintOf(fieldsOf(await command(maker, id, ['SENTINEL', 'MASTER', MASTER_NAME])), maker.nodes.length - 1, replicas);
        if (complaint === null) continue;
        blamed = { id, complaint };
        return undefined;
      }
      return true;
    },
    {
      limitUs: ACQUAINTED_LIMIT_US,
      everyUs: LOOK_EVERY_US,
      signal: maker.signal,
      timedOut: (aborted) => failure(maker, blamed.id, aborted ? null : `${blamed.id} ${blamed.complaint}`, ACQUAINTED_LIMIT_US),
    },
  );
  await setPeriods(maker, ([name, , usual]) => [name, usual]);
  maker.onProgress(`sentinels know each other after ${formatSeconds((monotonicUs() - startUs) / 1000)}`);
}

/** What this sentinel does not know yet; null: it knows all. */
export function complaintOf(master: ReadonlyMap<string, string>, others: number, replicas: number): string | null {
  const flags = (master.get('flags') ?? '').split(',');
  if (!flags.includes('master') || flags.some((flag) => /down|disconnected/.test(flag))) return `does not see the master up (${flags.join(',')})`;
  const known = Number(master.get('num-slaves') ?? master.get('num-replicas') ?? 0);
  if (known !== replicas) return `knows ${known} of ${replicas} replicas`;
  const met = Number(master.get('num-other-sentinels') ?? 0);
  return met === others ? null : `knows ${met} of ${others} other sentinels`;
}

/** SENTINEL DEBUG exists since Redis 7.0; without it they take their time. */
async function setPeriods(maker: ClusterMaker, choose: (period: (typeof HASTE)[number]) => readonly [string, string]): Promise<void> {
  await Promise.all(
    maker.nodes.flatMap(({ id }) =>
      HASTE.map((period) => maker.poller.ask(id, (redis) => redis.call('SENTINEL', 'DEBUG', ...choose(period)).catch(() => null))),
    ),
  );
}
