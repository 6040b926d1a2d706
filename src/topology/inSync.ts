/**
 * The one definition of "in sync", fed with what masters say in INFO replication, poll after poll. Used by lab readiness, the check
 * of external targets and the observer. It must never go by `master_link_status` or `state=online` alone: both come up to a second
 * before the command stream starts, and a master killed in that second takes every acknowledged write with it.
 */
import type { ReplicationInfo } from './infoReply.js';

/**
 * A replica acknowledges once a second; one that has not caught up with what its master had this long ago is behind.
 * (The poll before the present one always counts, however long ago it was.)
 */
export const IN_SYNC_WINDOW_US = 3_000_000;

interface Poll {
  atUs: number;
  masterOffset: number;
}

interface MasterHistory {
  replicationId: string;
  /** Oldest first; within the window, but always the last one. */
  polls: Poll[];
  /** Replica address → the first poll of its present connection in which it was online. */
  onlineSinceUs: Map<string, number>;
  inSync: Set<string>;
}

/**
 * A replica is in sync when it is online and has acknowledged an offset at least as high as the one its master had at an earlier
 * poll, a poll at which the replica was online already.
 */
export class InSyncTracker {
  readonly #masters = new Map<string, MasterHistory>();

  /** Takes one poll of one node; `info` is null when it could not be asked, which (like a role that is not master) forgets it. */
  observe(nodeId: string, info: ReplicationInfo | null, atUs: number): void {
    if (info === null || info.role !== 'master') {
      this.#masters.delete(nodeId);
      return;
    }
    let history = this.#masters.get(nodeId);
    if (!history || history.replicationId !== info.replicationId || info.masterReplOffset < (history.polls.at(-1)?.masterOffset ?? 0)) {
      history = { replicationId: info.replicationId, polls: [], onlineSinceUs: new Map(), inSync: new Set() };
      this.#masters.set(nodeId, history);
    }
    judge(history, info, atUs);
    history.polls.push({ atUs, masterOffset: info.masterReplOffset });
    while (history.polls.length > 1 && (history.polls[0]?.atUs ?? atUs) < atUs - IN_SYNC_WINDOW_US) history.polls.shift();
  }

  /** Addresses (`host:port`, as announced) of the replicas that are in sync with this master; empty when it is not known as one. */
  replicasInSync(masterId: string): ReadonlySet<string> {
    return this.#masters.get(masterId)?.inSync ?? new Set();
  }

  /** Whether a poll now could find replicas of this master in sync: it takes two. */
  hasEarlierPoll(masterId: string): boolean {
    return this.#masters.has(masterId);
  }
}

function judge(history: MasterHistory, info: ReplicationInfo, atUs: number): void {
  const online = new Map<string, number>();
  history.inSync.clear();
  for (const replica of info.replicas) {
    if (replica.state !== 'online') continue;
    // A connection's first acknowledgement is still out: whatever was known is of an earlier connection.
    const sinceUs = replica.offset > 0 ? (history.onlineSinceUs.get(replica.address) ?? atUs) : atUs;
    online.set(replica.address, sinceUs);
    if (replica.offset > 0 && acknowledgesEarlierPoll(history, replica.offset, sinceUs, atUs)) history.inSync.add(replica.address);
  }
  history.onlineSinceUs = online;
}

function acknowledgesEarlierPoll(history: MasterHistory, offset: number, sinceUs: number, atUs: number): boolean {
  const last = history.polls.length - 1;
  return history.polls.some(
    (poll, i) => poll.masterOffset <= offset && poll.atUs >= sinceUs && (i === last || poll.atUs >= atUs - IN_SYNC_WINDOW_US),
  );
}
