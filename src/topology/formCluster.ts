/**
 * Makes a cluster of freshly started servers through the protocol alone: slots, epochs, MEET, REPLICATE. Used by lab.ts.
 * It must not return before every node agrees on every slot and every replica is in sync.
 */
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { formatSeconds } from '../base/units.js';
import type { NodePoll } from './clusterView.js';
import type { InSyncTracker } from './inSync.js';
import type { NodePoller } from './nodePoller.js';
import { probeKey } from './probeKey.js';
import { SLOT_COUNT } from './shardNumbers.js';
import { waitFor } from './waiting.js';

export interface ClusterMaker {
  /** As they announce themselves, in start order: the masters first, then the replicas; replica i belongs to master i mod masters. */
  nodes: readonly { id: string; host: string; port: number; busPort: number | null }[];
  masters: number;
  poller: NodePoller;
  tracker: InSyncTracker;
  signal: AbortSignal;
  onProgress(text: string): void;
  /** For the hint of an error: the last lines of this node's log. */
  logTail(nodeId: string): string;
}

/**
 * While the cluster forms: nodes ping each other at least every half node timeout, and news travels with pings. With the default
 * 15 s six nodes would take 6 s and twenty-one 23 s to agree. Without failovers, so that a slow machine does not upset it.
 */
const formingSettings: Record<string, string> = { 'cluster-node-timeout': '1000', 'cluster-replica-no-failover': 'yes' };
const AGREEMENT_LIMIT_US = 30_000_000;
const MEMBERSHIP_LIMIT_US = 20_000_000;
const IN_SYNC_LIMIT_US = 30_000_000;
const LOOK_EVERY_US = 50_000;
const PROBE_EVERY_US = 500_000;
const SLOTS_PER_COMMAND = 1000;

/** Throws LAB_FAILED that names the node and what is missing. Returns each node's cluster id. */
export async function formCluster(maker: ClusterMaker): Promise<Map<string, string>> {
  const startUs = monotonicUs();
  const { nodes, masters } = maker;
  const wanted = await exchangeSettings(
    maker,
    nodes.map(() => formingSettings),
  );
  await Promise.all(
    nodes.map(async (node, i) => {
      if (i < masters) await assignSlots(maker, node.id, ...slotsOfMaster(i, masters));
      await command(maker, node.id, ['CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1)]);
    }),
  );
  const clusterIds = new Map<string, string>();
  for (const node of nodes) clusterIds.set(node.id, String(await command(maker, node.id, ['CLUSTER', 'MYID'])));
  await meet(maker);
  await waitForNodes(maker, 'knows all nodes', MEMBERSHIP_LIMIT_US, (poll) => missingNodes(maker, clusterIds, poll));
  for (const [i, node] of nodes.entries()) {
    const master = nodes[i % masters];
    if (i >= masters && master) await command(maker, node.id, ['CLUSTER', 'REPLICATE', clusterIds.get(master.id) ?? '']);
  }
  await waitForNodes(maker, 'agrees on slots and replicas', AGREEMENT_LIMIT_US, (poll) => disagreement(maker, clusterIds, poll));
  await waitForClusterState(maker);
  await exchangeSettings(maker, wanted);
  maker.onProgress(`cluster formed in ${formatSeconds((monotonicUs() - startUs) / 1000)}`);
  return clusterIds;
}

/** Master i's inclusive range: 16,384 divided without a remainder lost. */
export function slotsOfMaster(i: number, masters: number): [number, number] {
  return [Math.floor((i * SLOT_COUNT) / masters), Math.floor(((i + 1) * SLOT_COUNT) / masters) - 1];
}

/**
 * Resolves when every replica has acknowledged what its master had at an earlier poll, after a write that every shard took: a stream
 * with nothing in it proves nothing. Throws LAB_FAILED.
 */
export async function waitUntilInSync(maker: ClusterMaker): Promise<void> {
  const startUs = monotonicUs();
  const { nodes, masters, poller, tracker } = maker;
  const replicasOf = nodes.map((_, i) => nodes.filter((_node, j) => j >= masters && j % masters === i));
  let behind = '';
  let nextProbeUs = startUs;
  await waitFor(
    async () => {
      // A write that comes before the replica has called leaves no trace in the stream, which then says nothing until its next ping.
      if (monotonicUs() >= nextProbeUs) {
        await Promise.all(nodes.slice(0, masters).map((node, i) => writeProbe(maker, node.id, slotsOfMaster(i, masters))));
        nextProbeUs = monotonicUs() + PROBE_EVERY_US;
      }
      const polls = await poller.poll(nodes.slice(0, masters).map((node) => node.id));
      for (const poll of polls) tracker.observe(poll.id, poll.replication, poll.atUs);
      const missing = nodes.slice(0, masters).flatMap((master, i) => {
        const inSync = tracker.replicasInSync(master.id);
        return (replicasOf[i] ?? []).filter((replica) => !inSync.has(`${replica.host}:${replica.port}`));
      });
      behind = missing[0]?.id ?? '';
      return missing.length === 0 ? true : undefined;
    },
    {
      limitUs: IN_SYNC_LIMIT_US,
      everyUs: LOOK_EVERY_US,
      signal: maker.signal,
      timedOut: (aborted) => failure(maker, behind, aborted ? null : `its replica ${behind} was not in sync with its master`, IN_SYNC_LIMIT_US),
    },
  );
  maker.onProgress(`replicas in sync after ${formatSeconds((monotonicUs() - startUs) / 1000)}`);
}

/** Sets each node's settings (by start order), and returns what they were. A server that does not know one goes without it. */
async function exchangeSettings(maker: ClusterMaker, settings: readonly Record<string, string>[]): Promise<Record<string, string>[]> {
  return Promise.all(
    maker.nodes.map(async (node, i) => {
      const before: Record<string, string> = {};
      for (const [name, value] of Object.entries(settings[i] ?? {})) {
        const reply = await command(maker, node.id, ['CONFIG', 'GET', name]);
        if (!Array.isArray(reply) || typeof reply[1] !== 'string') continue;
        before[name] = reply[1];
        await command(maker, node.id, ['CONFIG', 'SET', name, value]);
      }
      return before;
    }),
  );
}

/** ADDSLOTSRANGE exists since Redis 7.0. */
async function assignSlots(maker: ClusterMaker, nodeId: string, first: number, last: number): Promise<void> {
  const answer = await ask(maker, nodeId, ['CLUSTER', 'ADDSLOTSRANGE', String(first), String(last)]);
  if (!(answer instanceof Error)) return;
  if (!/unknown (sub)?command|wrong number of arguments/i.test(answer.message)) throw refused(maker, nodeId, 'CLUSTER ADDSLOTSRANGE', answer);
  for (let from = first; from <= last; from += SLOTS_PER_COMMAND) {
    const slots = Array.from({ length: Math.min(SLOTS_PER_COMMAND, last - from + 1) }, (_, i) => String(from + i));
    await command(maker, nodeId, ['CLUSTER', 'ADDSLOTS', ...slots]);
  }
}

/** Every pair at once: waiting for gossip to introduce them all takes seconds longer. */
async function meet(maker: ClusterMaker): Promise<void> {
  await Promise.all(
    maker.nodes.flatMap((node, i) =>
      maker.nodes.slice(i + 1).map((other) => command(maker, node.id, ['CLUSTER', 'MEET', other.host, String(other.port), String(other.busPort)])),
    ),
  );
}

/** A key of the lab's own in the master's slots, set and deleted, until it is taken. */
async function writeProbe(maker: ClusterMaker, nodeId: string, [first, last]: [number, number]): Promise<void> {
  const key = probeKey(first, last);
  let refusal = '';
  await waitFor(
    async () => {
      const answer = await ask(maker, nodeId, ['SET', key, 'probe']);
      refusal = answer instanceof Error ? answer.message : '';
      if (answer instanceof Error) return undefined;
      await command(maker, nodeId, ['DEL', key]);
      return true;
    },
    {
      limitUs: IN_SYNC_LIMIT_US,
      everyUs: LOOK_EVERY_US,
      signal: maker.signal,
      timedOut: (aborted) => failure(maker, nodeId, aborted ? null : `${nodeId} did not take a write (${refusal})`, IN_SYNC_LIMIT_US),
    },
  );
}

type Complaint = string | null;

async function waitForNodes(maker: ClusterMaker, what: string, limitUs: number, complaintOf: (poll: NodePoll) => Complaint): Promise<void> {
  let blamed: { id: string; complaint: string } = { id: maker.nodes[0]?.id ?? '', complaint: what };
  await waitFor(
    async () => {
      for (const poll of await maker.poller.poll(maker.nodes.map((node) => node.id))) {
        const complaint = complaintOf(poll);
        if (complaint === null) continue;
        blamed = { id: poll.id, complaint };
        return undefined;
      }
      return true;
    },
    {
      limitUs,
      everyUs: LOOK_EVERY_US,
      signal: maker.signal,
      timedOut: (aborted) => failure(maker, blamed.id, aborted ? null : `${blamed.id}: ${blamed.complaint}`, limitUs),
    },
  );
}

function missingNodes(maker: ClusterMaker, clusterIds: Map<string, string>, poll: NodePoll): Complaint {
  for (const node of maker.nodes) {
    const line = poll.cluster?.find((candidate) => candidate.clusterId === clusterIds.get(node.id));
    if (!line || line.flags.includes('handshake')) return `does not know ${node.id} yet`;
  }
  return null;
}

function disagreement(maker: ClusterMaker, clusterIds: Map<string, string>, poll: NodePoll): Complaint {
  if (poll.cluster === null) return 'does not answer';
  for (const [i, node] of maker.nodes.entries()) {
    const line = poll.cluster.find((candidate) => candidate.clusterId === clusterIds.get(node.id));
    if (!line) return `does not know ${node.id} any more`;
    if (line.failure !== 'ok' || !(line.myself || line.linkConnected)) return `has no link to ${node.id}`;
    if (i < maker.masters) {
      const [first, last] = slotsOfMaster(i, maker.masters);
      if (line.slots.length !== 1 || line.slots[0]?.[0] !== first || line.slots[0]?.[1] !== last) return `does not see the slots of ${node.id}`;
    } else if (line.masterClusterId !== clusterIds.get(maker.nodes[i % maker.masters]?.id ?? '')) {
      return `does not see ${node.id} as a replica of its master`;
    }
  }
  return null;
}

async function waitForClusterState(maker: ClusterMaker): Promise<void> {
  let blamed = maker.nodes[0]?.id ?? '';
  await waitFor(
    async () => {
      for (const node of maker.nodes) {
        const info = String(await ask(maker, node.id, ['CLUSTER', 'INFO']));
        if (/cluster_state:ok/.test(info) && info.includes(`cluster_slots_ok:${SLOT_COUNT}`)) continue;
        blamed = node.id;
        return undefined;
      }
      return true;
    },
    {
      limitUs: AGREEMENT_LIMIT_US,
      everyUs: LOOK_EVERY_US,
      signal: maker.signal,
      timedOut: (aborted) => failure(maker, blamed, aborted ? null : `${blamed} does not say cluster_state:ok with all slots`, AGREEMENT_LIMIT_US),
    },
  );
}

/** The reply, or the Error the server (or the lack of an answer) gave. */
async function ask(maker: ClusterMaker, nodeId: string, [name = '', ...args]: string[]): Promise<unknown> {
  const answer = await maker.poller.ask(nodeId, (redis: Redis) => redis.call(name, ...args).catch((thrown: unknown) => new Error(messageOf(thrown))));
  return answer ?? new Error('no answer');
}

/** Asks one node, and throws LAB_FAILED with its words when it refuses. */
export async function command(maker: ClusterMaker, nodeId: string, words: string[]): Promise<unknown> {
  const answer = await ask(maker, nodeId, words);
  if (answer instanceof Error) throw refused(maker, nodeId, words.slice(0, 2).join(' '), answer);
  return answer;
}

function refused(maker: ClusterMaker, nodeId: string, what: string, error: Error): KvbenchError {
  return new KvbenchError('LAB_FAILED', `${nodeId} did not take ${what}: ${error.message}`, maker.logTail(nodeId));
}

/** `what` null: interrupted. */
export function failure(maker: ClusterMaker, nodeId: string, what: string | null, limitUs: number): KvbenchError {
  if (what === null) return new KvbenchError('LAB_FAILED', 'interrupted while the lab was being formed');
  return new KvbenchError('LAB_FAILED', `the lab did not form: ${what} within ${limitUs / 1_000_000} s`, maker.logTail(nodeId));
}
