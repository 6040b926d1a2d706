/**
 * Which operations of a plan are this worker's. Nothing is lost and nothing runs twice: in open loop every worker walks the plan's
 * one sequence and takes its own; in closed loop each has a sequence of its own and draws only keys that it may write.
 */
import { Stream } from '../base/random.js';
import { type OperationTraits, traitsOf } from '../plan/operations.js';
import type { Plan, WorkloadPlan } from '../plan/plan.js';
import { type KeyChooser, makeKeyChooser } from '../workload/keys.js';
import { type MixIndex, OperationMix, READ_MODIFY_WRITE } from '../workload/operations.js';
import { ValueSizer } from '../workload/values.js';

export const GET = 0;
export const SET = 1;
export const INCR = 2;
export const DEL = 3;

/** A closed-loop writer draws again this often before it takes the nearest key of its own. */
const MAX_REDRAWS = 16;
const NOT_MINE = -1;

/** HOT: what worker `worker` of `workers` does. */
export class Share {
  /** Keys are written by worker keyIndex mod writers only. Fewer than workers when there are fewer keys. */
  readonly writers: number;
  readonly seed: number;
  readonly #mix: OperationMix;
  readonly #keys: KeyChooser;
  readonly #redraws: KeyChooser | null;
  readonly #sizer: ValueSizer;
  readonly #keyCount: number;
  readonly #traits: OperationTraits;

  constructor(
    plan: Plan,
    readonly worker: number,
    readonly workers: number,
  ) {
    const { keys, values, checksum } = plan.load.workload;
    this.seed = plan.seed;
    this.writers = Math.min(workers, keys.count);
    this.#keyCount = keys.count;
    this.#traits = traitsOf(plan.load.workload);
    this.#mix = new OperationMix(plan.seed, plan.load.workload);
    this.#keys = makeKeyChooser(plan.seed, keys.distribution, keys.count, this.#mix);
    // A redraw of keys that are written in turn would only jump: the nearest own key keeps the sweep.
    const canRedraw = keys.distribution.kind !== 'sequential' && keys.distribution.kind !== 'latest' && workers > 1;
    this.#redraws = canRedraw ? makeKeyChooser(plan.seed, keys.distribution, keys.count, this.#mix, Stream.owner) : null;
    this.#sizer = new ValueSizer(plan.seed, values, checksum);
  }

  opOf(i: number): MixIndex {
    return this.#mix.opOf(i);
  }

  /** Size of the value that operation i writes; 0 when it writes none. */
  valueBytesOf(i: number, op: number): number {
    return this.#traits.values[op] === 1 || op === READ_MODIFY_WRITE ? this.#sizer.valueBytesOf(i) : 0;
  }

  /** Open loop: the key of operation i if it is this worker's, else -1. Reads go round robin, writes to the key's writer. */
  openKeyOf(i: number, op: number): number {
    if (this.#traits.reads[op] === 1) return i % this.workers === this.worker ? this.#keys.keyIndexOf(i) : NOT_MINE;
    const keyIndex = this.#keys.keyIndexOf(i);
    return keyIndex % this.writers === this.worker ? keyIndex : NOT_MINE;
  }

  /** Closed loop: the key of this worker's operation i; a key it writes is its own. */
  closedKeyOf(i: number, op: number): number {
    let keyIndex = this.#keys.keyIndexOf(i);
    if (this.#traits.reads[op] === 1 || keyIndex % this.writers === this.worker) return keyIndex;
    if (this.#redraws !== null) {
      for (let redraw = 0; redraw < MAX_REDRAWS; redraw++) {
        keyIndex = this.#redraws.keyIndexOf(i * MAX_REDRAWS + redraw);
        if (keyIndex % this.writers === this.worker) return keyIndex;
      }
    }
    const nearest = keyIndex - (keyIndex % this.writers) + this.worker;
    return nearest < this.#keyCount ? nearest : nearest - this.writers;
  }

  /** How many of a closed phase's clients are this worker's: the parts of all workers add up exactly. */
  clientsOf(clients: number): number {
    return this.worker >= this.writers ? 0 : Math.floor((clients * (this.worker + 1)) / this.writers) - this.clientsBefore(clients);
  }

  /** How many of a closed phase's clients are those of workers with lower numbers. */
  clientsBefore(clients: number): number {
    return Math.floor((clients * Math.min(this.worker, this.writers)) / this.writers);
  }

  /** How many operations of a closed phase are this worker's: in proportion to its clients; the parts of all workers add up exactly. */
  operationsOf(clients: number, operations: number): number {
    const before = this.clientsBefore(clients);
    return Math.floor((operations * (before + this.clientsOf(clients))) / clients) - Math.floor((operations * before) / clients);
  }
}

/** What is sent first of operation `op` of the mix: a pair begins with its read. */
export function firstOpOf(op: number): number {
  return op === READ_MODIFY_WRITE ? GET : op;
}

/** Which key spaces and kinds of access a mix of operations uses. */
export function usesOf({ operations, commands = [] }: Pick<WorkloadPlan, 'operations' | 'commands'>): {
  ordinaryWrites: boolean;
  counters: boolean;
  reads: boolean;
  writes: boolean;
} {
  const has = (kind: 'read' | 'write'): boolean => commands.some((command) => command.kind === kind && command.weight > 0);
  const ordinaryWrites = operations.set > 0 || operations.del > 0 || has('write');
  const counters = operations.incr > 0;
  return { ordinaryWrites, counters, reads: operations.get > 0 || has('read'), writes: ordinaryWrites || counters };
}
