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

/** Keys sent at once: MIGRATE holds up the clients of both nodes until all have arrived. */
const KEYS_PER_BATCH = 20;
/** MIGRATEs that a node has before it: it does them one after the other, and serves nobody else in between. */
const MIGRATES_AT_ONCE = 8;
const MIGRATE_LIMIT_MS = 1500;
/** Of one slot; at 20 keys a batch that is half a million keys. */
const BATCHES_MAX = 25_000;
/** A node that votes, or has just come, refuses for a moment. */
const ATTEMPTS_PER_SLOT = 20;
const BETWEEN_ATTEMPTS_US = 100_000;
/** A node writes its configuration to disk once for all changes that come together. */
const SLOTS_AT_ONCE = 64;

interface Party {
  ask: Ask;
  clusterId: string;
  host: string;
  port: number;
  /** Ends of the chains of MIGRATEs it was asked for. */
  migrates: Promise<unknown>[];
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
  /** Masters that have become replicas for want of slots. */
  readonly #emptied = new Set<string>();
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
      this.#parties.set(id, { ask, clusterId: String(await ask('CLUSTER', 'MYID')), host, port, migrates: [] });
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.disconnect();
    this.#connections.length = 0;
    this.#parties.clear();
    this.#emptied.clear();
  }

  /**
   * Moves slots, a group at a time.
   * @throws FAULT_FAILED when one stays open; the others that were begun are brought to their end. Nothing is begun once `signal` aborts
   */
  async moveAll(moves: readonly Move[], signal?: AbortSignal): Promise<void> {
    const real = moves.filter(({ from, to }) => from !== to);
    for (let i = 0; i < real.length && !signal?.aborted; i += SLOTS_AT_ONCE) await this.#moveGroup(real.slice(i, i + SLOTS_AT_ONCE));
  }

  async #moveGroup(group: readonly Move[]): Promise<void> {
    for (const move of group) this.#open.set(move.slot, move);
    for (let attempt = 1; ; attempt++) {
      const left = group.filter(({ slot }) => this.#open.has(slot));
      const failure = await this.#tryGroup(left);
      if (failure === null) return;
      if (attempt === ATTEMPTS_PER_SLOT) {
        const { move, error } = failure;
        throw new KvbenchError('FAULT_FAILED', `slot ${move.slot} is on its way from ${move.from} to ${move.to}: ${messageOf(error)}`);
      }
      await sleepUs(BETWEEN_ATTEMPTS_US);
    }
  }

  /** Step by step for all together, so that a node writes its configuration once per step. Null: all arrived; else one that did not. */
  async #tryGroup(group: readonly Move[]): Promise<{ move: Move; error: unknown } | null> {
    let failure: { move: Move; error: unknown } | null = null;
    let going = group;
    for (const step of [this.#begin, this.#sendKeys, this.#handOver]) {
      const gone: Move[] = [];
      const each = async (move: Move): Promise<void> => {
        try {
          await step.call(this, move);
          gone.push(move);
        } catch (error) {
          failure = { move, error };
        }
      };
      await Promise.all(going.map(each));
      going = gone;
    }
    for (const { slot, from, to } of going) {
      if (!this.#origin.has(slot)) this.#origin.set(slot, from);
      this.#owner.set(slot, to);
      this.#open.delete(slot);
    }
    return failure;
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

  async #begin({ slot, from, to }: Move): Promise<void> {
    const source = this.#party(from);
    const target = this.#party(to);
    // A second attempt may find the slot moved already: then the node refuses, and only the news is to be spread.
    await target.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.clusterId).catch(unlessOwner);
    await source.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.clusterId).catch((error: unknown) => {
      // A master that has lost its last slot becomes a replica at once: it has nothing left to give, only copies of what is elsewhere.
      if (isReplicaNow(error)) this.#emptied.add(from);
      else unlessNotOwner(error);
    });
  }

  async #sendKeys({ slot, from, to }: Move): Promise<void> {
    const source = this.#party(from);
    const target = this.#party(to);
    for (let batch = 0; !this.#emptied.has(from); batch++) {
      const keys = (await source.ask('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_PER_BATCH)) as string[];
      if (keys.length === 0) return;
      if (batch >= BATCHES_MAX) throw new KvbenchError('FAULT_FAILED', `slot ${slot} does not get empty`);
      await this.#migrate(source, target, keys, slot % MIGRATES_AT_ONCE);
      // Since MIGRATING no key has come into being here.
      if (keys.length < KEYS_PER_BATCH) return;
    }
  }

  async #handOver({ slot, from, to }: Move): Promise<void> {
    const source = this.#party(from);
    const target = this.#party(to);
    // The new owner first: until it says so, nobody may be sent there for good.
    await target.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target.clusterId);
    await source.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target.clusterId).catch((error: unknown) => {
      if (!isReplicaNow(error)) throw error;
    });
    const others = [...this.#parties.values()].filter((party) => party !== source && party !== target);
    // They would hear of it by gossip too.
    await Promise.all(others.map((party) => party.ask('CLUSTER', 'SETSLOT', slot, 'NODE', target.clusterId).catch(() => undefined)));
  }

  /** In its turn. */
  async #migrate(source: Party, target: Party, keys: readonly string[], chain: number): Promise<void> {
    const before = source.migrates[chain];
    const migrate = async (): Promise<void> => {
      await source.ask('MIGRATE', target.host, target.port, '', 0, MIGRATE_LIMIT_MS, 'REPLACE', 'KEYS', ...keys);
      this.#keys += keys.length;
    };
    const mine = before === undefined ? migrate() : before.then(migrate, migrate);
    source.migrates[chain] = mine;
    await mine;
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
