/**
 * Replication lag as a client sees it: writes a marker on each master that has replicas and reads it on each of them until it is there.
 * Made by `observer.ts`, on control connections of its own (never through a proxy of the clients). It must never fail a run, and leaves
 * nothing behind: a marker is one key per shard under the run's prefix, removed at the end and, should that fail, by its expiry.
 *
 * Lag of a marker: from the master's answer to the write until a read of the replica that shows it is answered, on kvbench's one clock.
 * `resolutionUs`: how wide the truth's room is: it can have been there earlier, but not before the last read that did not show it was sent
 * (or the master answered); and the master can have written it as early as it was asked. What can't be seen (no connection, another
 * master, no master) is unknown and counted, never zero.
 */
import calculateSlot from 'cluster-key-slot';
import { monotonicUs } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { LagMarker } from '../result/records.js';
import type { NodeView, Target } from '../topology/target.js';
import { type Marked, ReplicaWatch } from './replicaWatch.js';
import { SideConnection } from './sideConnection.js';

/** What was seen of replicas is told this often. */
const REPORT_EVERY_US = 1_000_000;
/** Long enough for any outage of ours; short enough that a run that was killed leaves nothing. */
const MARKER_TTL_SECONDS = 60;
/** A key whose slot belongs to a master with a single slot is found in this many tries with a probability of 1 − 10⁻⁸. */
const NAME_TRIES = 300_000;
const REMOVAL_LIMIT_US = 1_000_000;

export interface LagReport {
  /** Machine monotonic µs. */
  atUs: number;
  node: string;
  shard: number | null;
  master: string | null;
  /** Markers that this replica had to show: those its master acknowledged since the last report. */
  written: number;
  /** Markers of which it will not be known when they got there. */
  unseen: number;
  /** Those that were seen since the last report; times in machine monotonic µs. */
  markers: LagMarker[];
  /** Age of the oldest one that is still awaited; null: none is. */
  waitingUs: number | null;
}

export interface LagProbeOptions {
  target: Pick<Target, 'mode' | 'control'>;
  /** The nodes as they are known now. */
  view: () => readonly NodeView[];
  /** Of the run's keys. */
  prefix: string;
  everyUs: number;
  report: (report: LagReport) => void;
  /** Once per node: why nothing could be written or read there. */
  warn: (nodeId: string, reason: string) => void;
}

export class LagProbe {
  readonly #options: LagProbeOptions;
  readonly #masters = new Map<string, SideConnection>();
  readonly #replicas = new Map<string, ReplicaWatch>();
  /** By master; null: no key under the prefix falls into its slots. */
  readonly #keys = new Map<string, string | null>();
  readonly #usedKeys = new Set<string>();
  readonly #warned = new Set<string>();
  /** Rises over all shards, so that an old master's marker is never taken for a new one. */
  #number = 0;
  #timer: NodeJS.Timeout | null = null;
  #reportedUs = monotonicUs();
  #ended: Promise<void> | null = null;

  constructor(options: LagProbeOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#ended === null) this.#tick();
  }

  /** Tells what is left, removes the markers and closes every connection. Never throws; safe to call twice. */
  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  #tick(): void {
    if (this.#ended !== null) return;
    this.#timer = setTimeout(() => this.#tick(), this.#options.everyUs / 1000);
    const view = this.#options.view();
    this.#follow(view);
    for (const master of view) if (isMaster(master) && this.#replicasOf(master.id).length > 0) void this.#mark(master);
    if (monotonicUs() - this.#reportedUs >= REPORT_EVERY_US) this.#report();
  }

  /** Roles change: whoever follows a master is watched, and what another master wrote is not awaited any more. */
  #follow(view: readonly NodeView[]): void {
    for (const node of view) {
      if (node.role === 'replica' && !this.#replicas.has(node.id)) {
        const connect = (): SideConnection => new SideConnection(() => this.#options.target.control(node.id));
        this.#replicas.set(node.id, new ReplicaWatch(connect(), this.#options.target.mode === 'cluster', (reason) => this.#warn(node.id, reason)));
      }
      this.#replicas.get(node.id)?.follow(node.role === 'replica' ? masterOf(node, view) : null, node.shard);
    }
    // Who has left follows nobody.
    for (const [id, replica] of this.#replicas) if (!view.some((node) => node.id === id)) replica.follow(null, null);
  }

  #replicasOf(masterId: string): ReplicaWatch[] {
    return [...this.#replicas.values()].filter((replica) => replica.master === masterId);
  }

  async #mark(master: NodeView): Promise<void> {
    const key = this.#keyFor(master);
    if (key === null) return;
    let connection = this.#masters.get(master.id);
    if (connection === undefined) {
      connection = new SideConnection(() => this.#options.target.control(master.id));
      this.#masters.set(master.id, connection);
    }
    // One that was not answered yet is measured as it is; a second one would tell nothing more.
    if (connection.isBusy) return;
    const number = ++this.#number;
    const sentUs = monotonicUs();
    this.#usedKeys.add(key);
    const replicas = this.#replicasOf(master.id);
    try {
      await connection.ask((redis) => redis.set(key, String(number), 'EX', MARKER_TTL_SECONDS));
    } catch (error) {
      // Of slots that have moved, the view tells in a moment.
      if (error instanceof Error && error.name === 'ReplyError' && !/^(MOVED|ASK|CLUSTERDOWN|LOADING|READONLY|NOREPLICAS)/.test(error.message))
        this.#warn(master.id, messageOf(error));
      return;
    }
    const ackUs = monotonicUs();
    const marked: Marked = { number, key, ackUs, writeUs: ackUs - sentUs };
    if (this.#ended !== null) return;
    for (const replica of replicas) if (replica.master === master.id) replica.await(marked);
  }

  /** A key of the run's own in a slot that the master holds now; the one it has for as long as that is so. */
  #keyFor(master: NodeView): string | null {
    const { prefix, target } = this.#options;
    if (target.mode !== 'cluster') return markerName(prefix, 0);
    const isOwn = (key: string): boolean => {
      const slot = calculateSlot(key);
      return master.slots.some(([first, last]) => slot >= first && slot <= last);
    };
    const known = this.#keys.get(master.id);
    if (known !== undefined && (known === null || isOwn(known))) return known;
    // With a hash tag of the prefix's own all keys of the run are in one slot.
    const tries = calculateSlot(markerName(prefix, 0)) === calculateSlot(markerName(prefix, 1)) ? 1 : NAME_TRIES;
    let found: string | null = null;
    for (let i = 0; i < tries && found === null; i++) if (isOwn(markerName(prefix, i))) found = markerName(prefix, i);
    if (found === null) this.#warn(master.id, `no key under ${prefix} falls into its slots`);
    this.#keys.set(master.id, found);
    return found;
  }

  #report(): void {
    const atUs = monotonicUs();
    this.#reportedUs = atUs;
    for (const [node, replica] of this.#replicas) {
      const taken = replica.take(atUs);
      if (taken !== null) this.#options.report({ atUs, node, ...taken });
    }
  }

  async #end(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    for (const replica of this.#replicas.values()) replica.stop();
    this.#report();
    const view = this.#options.view();
    const removals = [...this.#usedKeys].map((key) => this.#remove(key, view));
    let limit: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      limit = setTimeout(resolve, REMOVAL_LIMIT_US / 1000);
    });
    await Promise.race([Promise.allSettled(removals), late]);
    clearTimeout(limit);
    for (const connection of this.#masters.values()) connection.close();
  }

  async #remove(key: string, view: readonly NodeView[]): Promise<void> {
    const slot = this.#options.target.mode === 'cluster' ? calculateSlot(key) : 0;
    const owner = view.find((node) => isMaster(node) && node.slots.some(([first, last]) => slot >= first && slot <= last));
    if (owner === undefined) return;
    const connection = this.#masters.get(owner.id) ?? new SideConnection(() => this.#options.target.control(owner.id));
    this.#masters.set(owner.id, connection);
    await connection.ask((redis) => redis.del(key));
  }

  #warn(nodeId: string, reason: string): void {
    if (this.#warned.has(nodeId)) return;
    this.#warned.add(nodeId);
    this.#options.warn(nodeId, reason);
  }
}

/** Never one that a workload can have: those go on with an index, a tag or `c:`. */
function markerName(prefix: string, i: number): string {
  return `${prefix}lag:${i}`;
}

function isMaster(node: NodeView): boolean {
  return node.role === 'master' && node.slots.length > 0 && node.reachable;
}

/** Null while it has none that answers. */
function masterOf(node: NodeView, view: readonly NodeView[]): string | null {
  const master = view.find((other) => other.id === node.masterId);
  return master !== undefined && isMaster(master) ? master.id : null;
}
