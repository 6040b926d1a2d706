/**
 * The target of a run, whether a lab of ours or someone else's servers: who its nodes are, how to reach them, and (in a lab
 * only) the processes behind them. Made by `topology/lab.ts` or `topology/external.ts`, used by observe, chaos and cli/run.
 */
import type { Redis } from 'ioredis';
import type { LoadEndpoints } from '../load/client.js';
import type { LabPlan } from '../plan/plan.js';
import type { RunTargetRecord } from '../result/records.js';

export interface TargetNode {
  /** `n1`, `n2`, … in start order, sentinels `s1`, `s2`, …; for external targets in order of address. */
  id: string;
  /** Where it listens. */
  host: string;
  port: number;
  /** Where it tells others to call it, if elsewhere (a link mesh): clients know it by this address. */
  announced?: { host: string; port: number };
  /** The server's log, when it is on this machine and ours. */
  logFile: string | null;
  /** A sentinel, and the name of the master that it watches; absent: a server with data. */
  watches?: string;
}

export type TargetMode = LabPlan['topology'];

/** Those that hold data, without sentinels. */
export function dataNodes<T extends Pick<TargetNode, 'watches'>>(nodes: readonly T[]): T[] {
  return nodes.filter((node) => node.watches === undefined);
}

export interface Target {
  readonly kind: 'lab' | 'external';
  readonly mode: TargetMode;
  readonly nodes: readonly TargetNode[];
  /** Null: not ours, processes are out of reach. */
  readonly processes: ProcessControl | null;
  /** Absent: its servers are those there are. */
  readonly growth?: Growth;
  /** What is written to run.json; before t0. */
  describe(): RunTargetRecord;
  /** Roles and slots as they are now, asked of the nodes directly. */
  currentView(): Promise<TopologyView>;
  /** A new direct control connection to a node (never through a proxy); it does not retry, queue or throw events. The caller quits it. */
  control(nodeId: string): Redis;
  /** How load clients reach it; `proxies`: announced `host:port` → proxy address. */
  endpoints(proxies: Record<string, { host: string; port: number }> | null): LoadEndpoints;
  /** Number of keys per node id (masters); -1 where it can't be asked. */
  keysPerNode(): Promise<Record<string, number>>;
  /** Ends everything of ours: servers, folder, connections. Safe to call twice. For external: removes the run's keys. */
  close(): Promise<void>;
}

/** A target that can get more servers, and fewer, while it is used. */
export interface Growth {
  /** Starts a server that belongs to nobody yet; from then on it is among `nodes`. Throws FAULT_FAILED. */
  addNode(): Promise<TargetNode & { busPort: number | null }>;
  /** Takes a node out of `nodes`, whose process has been ended: nobody asks for it any more. */
  retireNode(nodeId: string): void;
  /** Every node that comes or goes. */
  onChange(listener: (change: { node: TargetNode; state: 'added' | 'retired' }) => void): void;
}

/** What stands between the nodes of a lab, when links between them can be broken. Made by chaos/mesh, asked by lab.ts. */
export interface LabNetwork {
  /** Listens for calls to a node on its address; the ports are those the node has to announce. */
  listen(node: { id: string; host: string }): Promise<{ port: number; busPort: number }>;
  /** Makes all links between these servers and those it has been told of before; calls between them are refused until then. */
  connect(nodes: readonly MeshNode[]): Promise<void>;
}

export interface MeshNode {
  id: string;
  /** Its own address: its calls come from it. */
  host: string;
  port: number;
  /** Null outside a cluster. */
  busPort: number | null;
}

/** The processes of a lab; everything goes by pid through the supervisor that is their parent. */
export interface ProcessControl {
  pidOf(nodeId: string): number | null;
  isRunning(nodeId: string): boolean;
  /** Resolves once the signal is delivered, with that moment. Throws FAULT_FAILED when there is no such process. */
  signal(nodeId: string, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<{ atUs: number }>;
  /** Starts a node that is not running with the arguments and data it had; resolves when it answers PING or LOADING. */
  start(nodeId: string): Promise<void>;
  /**
   * Removes what a node that is not running has on disk: dump, append-only files. What it knows of its cluster (nodes.conf) and its logs
   * stay. Throws FAULT_FAILED when it runs.
   */
  removeData(nodeId: string): Promise<void>;
  /** From its next start on, the node runs this program; with the arguments it had. Throws FAULT_FAILED when there is no such node. */
  replaceProgram(nodeId: string, program: string): void;
  /** Resolves when the process has gone. */
  waitForExit(nodeId: string, timeoutUs: number): Promise<{ atUs: number }>;
  /** Every exit and start of a server, also those nobody asked for. `atUs` is machine monotonic µs. */
  onChange(listener: (change: ProcessChange) => void): void;
}

export interface ProcessChange {
  node: string;
  pid: number;
  state: 'started' | 'exited';
  exitCode: number | null;
  signal: string | null;
  atUs: number;
}

/** Who is what, as seen at one moment. */
export interface TopologyView {
  /** Machine monotonic µs. */
  atUs: number;
  nodes: NodeView[];
}

export interface NodeView {
  id: string;
  address: string;
  role: 'master' | 'replica' | 'sentinel' | 'unknown';
  /** The shard's number (by lowest slot at t0, follows the slots); a node that lost its slots keeps its last. */
  shard: number | null;
  /** Inclusive ranges; all of them for the master outside a cluster. Empty for replicas, sentinels and a master that others have replaced. */
  slots: [number, number][];
  masterId: string | null;
  reachable: boolean;
  /** For a replica: whether it has acknowledged an offset its master had a poll ago. */
  inSync: boolean;
}
