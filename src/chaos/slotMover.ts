/**
 * Moves slots of a cluster from master to master while clients use them, as `redis-cli --cluster reshard` does: IMPORTING and MIGRATING,
 * the keys in batches, then the new owner told to everyone. Used by the faults reshard, add-node and remove-node. A slot that was begun is
 * brought to an end, whatever happens in between; it must never leave one open without saying so.
 */
import { sleepUs } from '../base/clock.js';
import { KvbenchError, messageOf } from '../base/errors.js';
import { parseClusterNodes } from '../topology/clusterNodesReply.js';
import { addressParts } from '../topology/connection.js';
import type { NodeView } from '../topology/target.js';
import { type Ask, askerOf } from './controlCommands.js';
import type { FaultContext } from './fault.js';

/** Keys sent at once: a big batch holds up the clients of both nodes for longer. */
const KEYS_PER_BATCH = 50;
const MIGRATE_LIMIT_MS = 1500;
/** Of one slot; at 50 keys a batch that is half a million keys. */
const BATCHES_MAX = 10_000;
/** A node that votes, or has just come, refuses for a moment. */
const ATTEMPTS_PER_SLOT = 20;
const BETWEEN_ATTEMPTS_US = 100_000;
const SLOTS_AT_ONCE = 16;

interface Party {
  ask: Ask;
  clusterId: string;
  host: string;
  port: number;
}

/** One slot on its way. */
export interface Move {
  slot: number;
  from: string;
  to: string;
}

export class SlotMover {
  readonly #context: FaultContext;
  readonly #parties = new Map<string, Party>();
  readonly #connections: { disconnect(): void }[] = [];
  /** Where each slot that was moved has come from, first. */
  readonly #origin = new Map<number, string>();
  readonly #owner = new Map<number, string>();
  readonly #open = new Map<number, Move>();
  #keys = 0;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  /** Slots that are elsewhere than they were. */
  get movedSlots(): number {
    return [...this.#origin].filter(([slot, from]) => this.#owner.get(slot) !== from).length;
  }

  /** Keys that were sent, there and back. */
  get movedKeys(): number {
    return this.#keys;
  }

  /** Connects to the masters that must learn who owns what. @throws FAULT_FAILED when one cannot be reached */
  async connect(nodes: readonly NodeView[]): Promise<void> {
    for (const { id, address } of nodes) {
      if (this.#parties.has(id)) continue;
      const redis = this.#context.control(id);
      this.#connections.push(redis);
      const ask = askerOf(redis, id);
      const { host, port } = addressParts(address);
      this.#parties.set(id, { ask, clusterId: String(await ask('CLUSTER', 'MYID')), host, port });
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.disconnect();
    this.#connections.length = 0;
    this.#parties.clear();
  }

  /**
   * Moves slots, a few at a time: each change is written to disk by the nodes, and those that come together are written together.
   * @throws FAULT_FAILED when one stays open; the others that were begun are brought to their end. Nothing is begun once `signal` aborts
   */
  async moveAll(moves: readonly Move[], signal?: AbortSignal): Promise<void> {
    for (let i = 0; i < moves.length && !signal?.aborted; i += SLOTS_AT_ONCE) {
      const results = await Promise.allSettled(moves.slice(i, i + SLOTS_AT_ONCE).map((move) => this.#move(move)));
      const failure = results.find((result) => result.status === 'rejected');
      if (failure) throw failure.reason;
    }
  }

  async #move(move: Move): Promise<void> {
    const { slot, from, to } = move;
    if (from === to) return;
    this.#open.set(slot, move);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#moveOpen(move);
        break;
      } catch (error) {
        if (attempt < ATTEMPTS_PER_SLOT) {
          await sleepUs(BETWEEN_ATTEMPTS_US);
          continue;
        }
        throw new KvbenchError('FAULT_FAILED', `slot ${slot} is on its way from ${from} to ${to}: ${messageOf(error)}`);
      }
    }
    if (!this.#origin.has(slot)) this.#origin.set(slot, from);
    this.#owner.set(slot, to);
    this.#open.delete(slot);
  }

  /** Brings slots that were left open to where they were going. */
  finish(): Promise<void> {
    return this.moveAll([...this.#open.values()]);
  }

  /** Brings every slot back to where it came from. */
  async moveBack(): Promise<void> {
    await this.finish();
    const moves = [...this.#origin].map(([slot, origin]): Move => ({ slot, from: this.#owner.get(slot) ?? origin, to: origin }));
    await this.moveAll(moves.filter(({ from, to }) => from !== to));
  }

  /** Whether neither node has a slot on its way. */
  async nothingOpen(nodeIds: readonly string[]): Promise<boolean> {
    if (this.#open.size > 0) return false;
    for (const id of nodeIds) {
      const party = this.#parties.get(id);
      const lines = party ? String(await party.ask('CLUSTER', 'NODES')) : '';
      if (/^.*\bmyself\b.*\[\d+-[<>]-/m.test(lines)) return false;
    }
    return true;
  }

  async #moveOpen({ slot, from, to }: Move): Promise<void> {
    const source = this.#party(from);
    const target = this.#party(to);
    // A second attempt may find the slot moved already: then the node refuses, and only the news is to be spread.
    await target.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.clusterId).catch(unlessOwner);
    // A master that has lost its last slot becomes a replica at once: it has nothing left to give, only copies of what is elsewhere.
    let isMaster = true;
    await source.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.clusterId).catch((error: unknown) => {
      isMaster = !isReplicaNow(error);
      if (isMaster) unlessNotOwner(error);
    });
    for (let batch = 0; isMaster; batch++) {
      const keys = (await source.ask('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_PER_BATCH)) as string[];
      if (keys.length === 0) break;
      if (batch >= BATCHES_MAX) throw new KvbenchError('FAULT_FAILED', `slot ${slot} does not get empty`);
      await source.ask('MIGRATE', target.host, target.port, '', 0, MIGRATE_LIMIT_MS, 'REPLACE', 'KEYS', ...keys);
      this.#keys += keys.length;
    }
    // The new owner first: until it says so, nobody may be sent there for good.
    await target.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target.clusterId);
    await source.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target.clusterId).catch((error: unknown) => {
      if (!isReplicaNow(error)) throw error;
    });
    const others = [...this.#parties.values()].filter((party) => party !== source && party !== target);
    // They would hear of it by gossip too.
    await Promise.all(others.map((party) => party.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target.clusterId).catch(() => undefined)));
  }

  #party(id: string): Party {
    const party = this.#parties.get(id);
    if (!party) throw new KvbenchError('FAULT_FAILED', `${id} is not known as a master`);
    return party;
  }
}

function isReplicaNow(error: unknown): boolean {
  return /only with masters/i.test(messageOf(error));
}

function unlessOwner(error: unknown): void {
  if (!/already the owner/i.test(messageOf(error))) throw error;
}

function unlessNotOwner(error: unknown): void {
  if (!/not the owner/i.test(messageOf(error))) throw error;
}

/** The slots a node has by its own word, ascending. */
export async function ownSlots(ask: Ask): Promise<number[]> {
  const myself = parseClusterNodes(String(await ask('CLUSTER', 'NODES'))).find((line) => line.myself);
  return (myself?.slots ?? []).flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}
