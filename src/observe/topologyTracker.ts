/**
 * Holds what the nodes said last, makes the view of it, and tells what changed. Fed by `observer.ts` with the answers of the probes. It
 * never asks anything and reads no clock: every time comes with an answer.
 *
 * What its events mean (all as the nodes see it; `resolutionUs`: the change happened at most so long before `tUs`):
 * - `role`: the role or shard of a node as it says itself; of a silent node, as those say that heard of the highest epoch, or its replicas.
 *   Sentinels have none.
 * - `flag`: what one node (`seenBy`) holds of another: `pfail` suspected, `fail` agreed by a majority, `ok` neither. `ok` is not told at first.
 * - `clusterState`: CLUSTER INFO's cluster_state of one node; `ok` is not told at first.
 * - `replicas`: `known`: replicas that belong to the shard, alive or not; `inSync`: those whose acknowledgement the shard's present
 *   master has (topology/inSync.ts). 0 while the shard has no master that answers, and until a new one has been asked twice.
 */
import type { EventRecord } from '../result/records.js';
import { type ClusterNodeLine, parseClusterNodes } from '../topology/clusterNodesReply.js';
import { type BareNodeView, composeView, type Member, type NodePoll } from '../topology/clusterView.js';
import { parseReplicationInfo } from '../topology/infoReply.js';
import { InSyncTracker } from '../topology/inSync.js';
import { ShardNumbers, type SlotHolder } from '../topology/shardNumbers.js';
import type { NodeView, Target, TargetNode } from '../topology/target.js';
import type { ProbeAnswer } from './nodeProbe.js';

/** The events of this file, with machine monotonic time and without what the observer adds. */
export type TrackerEvent = Extract<EventRecord, { type: 'role' | 'flag' | 'clusterState' | 'replicas' }>;
type Failure = ClusterNodeLine['failure'];

interface NodeState {
  member: Member;
  poll: NodePoll;
  reachable: boolean;
  /** CLUSTER NODES of the last answer without the fields that change at every ping. */
  clusterText: string;
  failures: Map<string, Failure>;
  clusterState: 'ok' | 'fail';
  toldRole: string;
}

export class TopologyTracker {
  readonly #emit: (event: TrackerEvent) => void;
  readonly #cluster: boolean;
  readonly #states: NodeState[];
  readonly #byId: Map<string, NodeState>;
  readonly #byClusterId = new Map<string, string>();
  readonly #shards: ShardNumbers;
  readonly #inSync = new InSyncTracker();
  readonly #toldReplicas = new Map<number, string>();
  /** Events wait for `begin`: the first two polls are one state, not changes. */
  #begun = false;
  #bare: BareNodeView[] = [];
  #bareIsStale = true;
  #shardOf = new Map<string, number | null>();
  #nodes: NodeView[] = [];

  /** @param emit called with `tUs` in machine monotonic µs */
  constructor(target: Pick<Target, 'mode' | 'nodes' | 'describe'>, emit: (event: TrackerEvent) => void) {
    this.#emit = emit;
    this.#cluster = target.mode === 'cluster';
    const records = target.describe().nodes;
    this.#shards = new ShardNumbers(
      records.map((record): SlotHolder => ({ id: record.id, masterId: record.masterId, slots: record.slots.map(parseRange) })),
    );
    this.#states = target.nodes.map((node) => {
      const address = records.find((record) => record.id === node.id)?.address ?? `${node.host}:${node.port}`;
      return this.#newState(node, address);
    });
    this.#byId = new Map(this.#states.map((state) => [state.member.id, state]));
  }

  /** A node that came during the run. */
  add(node: TargetNode): void {
    const state = this.#newState(node, `${node.host}:${node.port}`);
    this.#states.push(state);
    this.#byId.set(node.id, state);
    this.#bareIsStale = true;
  }

  /** A node that left for good: nothing is told of it any more. */
  remove(nodeId: string, atUs: number): void {
    const at = this.#states.findIndex((state) => state.member.id === nodeId);
    if (at >= 0) this.#states.splice(at, 1);
    this.#byId.delete(nodeId);
    for (const [clusterId, id] of this.#byClusterId) if (id === nodeId) this.#byClusterId.delete(clusterId);
    this.#inSync.observe(nodeId, null, atUs);
    this.#bareIsStale = true;
    this.#refresh(atUs, 0);
  }

  #newState({ id, watches }: TargetNode, address: string): NodeState {
    return {
      // Until a node has named itself its id is one that no line can carry.
      member: { id, address, clusterId: this.#cluster ? `unknown ${id}` : null, ...(watches === undefined ? {} : { isSentinel: true }) },
      poll: { id, atUs: 0, replication: null, cluster: null },
      reachable: false,
      clusterText: '',
      failures: new Map(),
      clusterState: 'ok',
      toldRole: '',
    };
  }

  /** The nodes as known now; a new array whenever something changed. */
  get nodes(): NodeView[] {
    return this.#nodes;
  }

  /** Tells the initial state once; from then on changes. */
  begin(atUs: number): void {
    this.#begun = true;
    for (const state of this.#states) {
      this.#tellFailures(state, atUs, 0);
      if (state.clusterState === 'fail') this.#emit({ tUs: atUs, type: 'clusterState', node: state.member.id, state: 'fail', resolutionUs: 0 });
    }
    this.#refresh(atUs, 0);
  }

  /** Our id of a node that a log line or a reply names by its cluster id or as `host:port`; null when it is none of ours. */
  nodeNamed(name: string): string | null {
    return this.#byClusterId.get(name) ?? this.#states.find((state) => state.member.address === name)?.member.id ?? null;
  }

  /** How far a replica is behind by what both said last; null: not known, or its history is another. Each answer can be 100 ms old. */
  bytesBehind(masterId: string, replicaId: string): number | null {
    const master = this.#byId.get(masterId)?.poll.replication;
    const replica = this.#byId.get(replicaId)?.poll.replication;
    if (!master || !replica || master.replicationId !== replica.replicationId) return null;
    return Math.max(0, master.masterReplOffset - replica.masterReplOffset);
  }

  answered(nodeId: string, answer: ProbeAnswer): void {
    const state = this.#byId.get(nodeId);
    if (!state) return;
    const replication = answer.replication === null ? null : parseReplicationInfo(answer.replication);
    const before = state.poll.replication;
    const { sentinelMaster } = answer;
    const changed = before?.role !== replication?.role || before?.masterAddress !== replication?.masterAddress;
    if (!state.reachable || changed || state.poll.sentinelMaster !== sentinelMaster) this.#bareIsStale = true;
    state.reachable = true;
    state.poll = { id: nodeId, atUs: answer.atUs, replication, cluster: this.#clusterLines(state, answer.clusterNodes) };
    if (sentinelMaster !== undefined) state.poll.sentinelMaster = sentinelMaster;
    this.#inSync.observe(nodeId, replication, answer.atUs);
    this.#takeClusterState(state, answer);
    if (this.#begun) this.#tellFailures(state, answer.atUs, answer.sinceUs);
    this.#refresh(answer.atUs, answer.sinceUs);
  }

  unreachable(nodeId: string, atUs: number, sinceUs: number): void {
    const state = this.#byId.get(nodeId);
    if (!state) return;
    state.reachable = false;
    state.clusterText = '';
    state.poll = { id: nodeId, atUs, replication: null, cluster: null };
    this.#bareIsStale = true;
    this.#inSync.observe(nodeId, null, atUs);
    this.#refresh(atUs, sinceUs);
  }

  /** The parsed reply; the one before when nothing but ping times changed in it. */
  #clusterLines(state: NodeState, text: string | null): ClusterNodeLine[] | null {
    const stable = text === null ? '' : text.replace(/ \d+ \d+ (\d+ (?:dis)?connected)/g, ' $1');
    if (stable === state.clusterText) return state.poll.cluster;
    state.clusterText = stable;
    this.#bareIsStale = true;
    if (text === null) return null;
    const lines = parseClusterNodes(text);
    const myself = lines.find((line) => line.myself);
    if (myself) this.#learn(state, myself.clusterId);
    for (const line of lines) {
      // A node that has not answered yet is known by its address.
      const other = this.#states.find((candidate) => candidate.member.address === `${line.host}:${line.port}`);
      if (other && !this.#byClusterId.has(line.clusterId) && other.member.clusterId?.startsWith('unknown')) this.#learn(other, line.clusterId);
    }
    return lines;
  }

  #learn(state: NodeState, clusterId: string): void {
    state.member = { ...state.member, clusterId };
    this.#byClusterId.set(clusterId, state.member.id);
  }

  #takeClusterState(state: NodeState, answer: ProbeAnswer): void {
    const said = /cluster_state:(ok|fail)/.exec(answer.clusterInfo ?? '')?.[1];
    if ((said !== 'ok' && said !== 'fail') || said === state.clusterState) return;
    state.clusterState = said;
    if (!this.#begun) return;
    this.#emit({ tUs: answer.atUs, type: 'clusterState', node: state.member.id, state: said, resolutionUs: answer.sinceUs });
  }

  #tellFailures(state: NodeState, atUs: number, sinceUs: number): void {
    for (const line of state.poll.cluster ?? []) {
      const node = this.#byClusterId.get(line.clusterId);
      if (node === undefined || line.myself || (state.failures.get(node) ?? 'ok') === line.failure) continue;
      state.failures.set(node, line.failure);
      this.#emit({ tUs: atUs, type: 'flag', node, seenBy: state.member.id, flag: line.failure, resolutionUs: sinceUs });
    }
  }

  /** Makes the view of what is known now and tells the roles and replicas that changed. */
  #refresh(atUs: number, sinceUs: number): void {
    if (this.#bareIsStale) {
      this.#bareIsStale = false;
      this.#bare = composeView(
        this.#states.map((state) => state.member),
        this.#states.map((state) => state.poll),
      ).map((view, i) => ({ ...view, reachable: this.#states[i]?.reachable ?? false }));
      this.#shardOf = this.#shards.shardsOf(this.#bare);
    }
    this.#nodes = this.#bare.map((view) => ({
      ...view,
      shard: this.#shardOf.get(view.id) ?? null,
      inSync: view.role === 'replica' && view.masterId !== null && this.#inSync.replicasInSync(view.masterId).has(view.address),
    }));
    if (!this.#begun) return;
    for (const view of this.#nodes) this.#tellRole(view, atUs, sinceUs);
    for (let shard = 0; shard < this.#shards.shardCount; shard++) this.#tellReplicas(shard, atUs, sinceUs);
  }

  #tellRole(view: NodeView, atUs: number, sinceUs: number): void {
    const state = this.#byId.get(view.id);
    const told = `${view.role} ${view.shard}`;
    if (!state || view.role === 'sentinel' || state.toldRole === told) return;
    state.toldRole = told;
    const epoch = state.poll.cluster?.find((line) => line.myself)?.configEpoch ?? null;
    this.#emit({ tUs: atUs, type: 'role', node: view.id, role: view.role, shard: view.shard, epoch, resolutionUs: sinceUs });
  }

  #tellReplicas(shard: number, atUs: number, sinceUs: number): void {
    const master = this.#nodes.find((node) => node.shard === shard && node.role === 'master' && node.reachable && node.slots.length > 0);
    const replicas = this.#nodes.filter((node) => node.shard === shard && node.role === 'replica');
    const inSync = replicas.filter((node) => master !== undefined && node.inSync && node.masterId === master.id).length;
    const told = `${inSync}/${replicas.length}`;
    if (this.#toldReplicas.get(shard) === told) return;
    this.#toldReplicas.set(shard, told);
    this.#emit({ tUs: atUs, type: 'replicas', shard, inSync, known: replicas.length, resolutionUs: sinceUs });
  }
}

/** `0-5460` or `7` as run.json has it. */
function parseRange(text: string): [number, number] {
  const [first, last] = text.split('-').map(Number);
  return [first ?? 0, last ?? first ?? 0];
}
