/**
 * Puts the answers of several nodes together into one view: who is master, who holds which slots. Used by the targets' `currentView`
 * (and free for the observer). Pure. Where two nodes claim a slot, the higher config epoch wins, as it does in the cluster itself.
 */
import type { ClusterNodeLine } from './clusterNodesReply.js';
import type { ReplicationInfo } from './infoReply.js';
import { SLOT_COUNT } from './shardNumbers.js';
import type { NodeView } from './target.js';

/** What one node answered at one poll; both null: it did not answer. `cluster` is null while it loads its data, and in standalone. */
export interface NodePoll {
  id: string;
  atUs: number;
  replication: ReplicationInfo | null;
  cluster: ClusterNodeLine[] | null;
  /** Of a sentinel that answered: the address it holds for the master's, null when it knows none; absent otherwise. */
  sentinelMaster?: string | null;
}

export interface Member {
  id: string;
  /** As the node announces it. */
  address: string;
  /** Null outside a cluster. */
  clusterId: string | null;
  isSentinel?: boolean;
}

export type BareNodeView = Omit<NodeView, 'shard' | 'inSync'>;

/** Views of all members, in the order of `members`. */
export function composeView(members: readonly Member[], polls: readonly NodePoll[]): BareNodeView[] {
  return members.some((member) => member.clusterId !== null) ? composeCluster(members, polls) : composeReplication(members, polls);
}

function composeCluster(members: readonly Member[], polls: readonly NodePoll[]): BareNodeView[] {
  const pollOf = new Map(polls.map((poll) => [poll.id, poll]));
  const idOf = new Map(members.map((member) => [member.clusterId, member.id]));
  const lines = members.map((member) => bestLineAbout(member, pollOf.get(member.id), polls));
  const slots = ownedSlots(lines);
  return members.map((member, i) => {
    const poll = pollOf.get(member.id);
    const line = lines[i] ?? null;
    const reachable = poll !== undefined && (poll.replication !== null || poll.cluster !== null);
    const role = poll?.replication?.role ?? line?.role ?? 'unknown';
    return {
      id: member.id,
      address: member.address,
      role,
      slots: role === 'replica' ? [] : (slots[i] ?? []),
      masterId: role === 'replica' && line?.masterClusterId ? (idOf.get(line.masterClusterId) ?? null) : null,
      reachable,
    };
  });
}

/**
 * One server, or one master with its replicas, watched by sentinels or not. A silent server is the master for as long as replicas that
 * answer are its own. Of several that say master (one is back that was replaced), the one has the keys that the sentinels name, else the
 * one with the most replicas.
 */
function composeReplication(members: readonly Member[], polls: readonly NodePoll[]): BareNodeView[] {
  const pollOf = new Map(polls.map((poll) => [poll.id, poll]));
  const followers = (address: string): number =>
    polls.filter(({ replication }) => replication?.role === 'replica' && replication.masterAddress === address).length;
  const servers = members.filter((member) => !member.isSentinel);
  const roles = new Map(
    servers.map(({ id, address }) => [
      id,
      pollOf.get(id)?.replication?.role ?? (followers(address) > 0 ? ('master' as const) : ('unknown' as const)),
    ]),
  );
  const named = addressBySentinels(polls);
  const masters = servers.filter(({ id }) => roles.get(id) === 'master');
  const keeper = masters.find(({ address }) => address === named) ?? masters.toSorted((a, b) => followers(b.address) - followers(a.address))[0];
  return members.map((member): BareNodeView => {
    const { id, address } = member;
    const poll = pollOf.get(id);
    const bare = { id, address, slots: [], masterId: null };
    if (member.isSentinel) return { ...bare, role: 'sentinel', reachable: poll?.sentinelMaster !== undefined };
    const role = roles.get(id) ?? 'unknown';
    const masterAddress = role === 'replica' ? (poll?.replication?.masterAddress ?? null) : null;
    return {
      ...bare,
      role,
      slots: member === keeper || servers.length === 1 ? [[0, SLOT_COUNT - 1]] : [],
      masterId: masterAddress === null ? null : (servers.find((server) => server.address === masterAddress)?.id ?? null),
      reachable: (poll?.replication ?? null) !== null,
    };
  });
}

/** The address that most of the sentinels that answer hold for the master's; null: none does. */
function addressBySentinels(polls: readonly NodePoll[]): string | null {
  const votes = new Map<string, number>();
  for (const { sentinelMaster } of polls) if (sentinelMaster) votes.set(sentinelMaster, (votes.get(sentinelMaster) ?? 0) + 1);
  const [most] = [...votes].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}

/** A node knows best about itself; about one that does not answer, whoever has heard of the highest epoch. */
function bestLineAbout(member: Member, own: NodePoll | undefined, polls: readonly NodePoll[]): ClusterNodeLine | null {
  const myself = own?.cluster?.find((line) => line.myself);
  if (myself) return myself;
  let best: ClusterNodeLine | null = null;
  for (const poll of polls) {
    const line = poll.cluster?.find((candidate) => candidate.clusterId === member.clusterId);
    if (line && (best === null || line.configEpoch > best.configEpoch)) best = line;
  }
  return best;
}

/** Ranges each line really holds, after the claims of lower epochs are dropped. */
function ownedSlots(lines: readonly (ClusterNodeLine | null)[]): [number, number][][] {
  const owner = new Int16Array(SLOT_COUNT).fill(-1);
  const byEpoch = lines.map((line, i) => ({ line, i })).sort((a, b) => (a.line?.configEpoch ?? 0) - (b.line?.configEpoch ?? 0));
  for (const { line, i } of byEpoch) {
    for (const [first, last] of line?.slots ?? []) owner.fill(i, first, last + 1);
  }
  const ranges: [number, number][][] = lines.map(() => []);
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const i = owner[slot] ?? -1;
    if (i < 0) continue;
    const ofNode = ranges[i];
    const last = ofNode?.at(-1);
    if (last && last[1] === slot - 1) last[1] = slot;
    else ofNode?.push([slot, slot]);
  }
  return ranges;
}
