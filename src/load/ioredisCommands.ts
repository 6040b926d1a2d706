/**
 * What an operation is to ioredis: a command's name and its arguments. Used by ioredisClient.ts per operation. Custom commands keep bytes
 * that are no text in buffers; the rest are strings, which ioredis writes faster.
 */
import type { ArgumentPlan, CommandPlan, OperationIndex, WorkloadPlan } from '../plan/plan.js';
import { STAMP_BYTES, type ValueStamper } from '../workload/valueStamp.js';
import type { ValuePool } from '../workload/values.js';
import { SET } from './share.js';

/** Of the custom commands. */
const FIRST_COMMAND = 4;

/** An argument that is ready but for the key and the value. */
type Argument = { kind: 'key' } | { kind: 'literal'; ready: string | Buffer } | { kind: 'value'; before: string; after: string; isText: boolean };

/** HOT: as far as ioredis lets it be. */
export class IoredisCommands {
  readonly #names: string[];
  /** Of custom commands, without their names. */
  readonly #arguments: Argument[][];
  readonly #isRead: boolean[];
  readonly #ttlMs: string | null;
  readonly #values: ValuePool;
  readonly #stamper: ValueStamper | null;

  constructor({ commands = [], ttlMs }: Pick<WorkloadPlan, 'commands' | 'ttlMs'>, values: ValuePool, stamper: ValueStamper | null) {
    this.#names = ['get', 'set', 'incr', 'del', ...commands.map(nameToSend)];
    this.#arguments = commands.map(({ args }) => args.slice(1).map(readyArgument));
    this.#isRead = commands.map(({ kind }) => kind === 'read');
    this.#ttlMs = ttlMs > 0 ? String(ttlMs) : null;
    this.#values = values;
    this.#stamper = stamper;
  }

  nameOf(op: OperationIndex): string {
    return this.#names[op] as string;
  }

  /** Whether ioredis has to be told that a replica can answer it. */
  isCustomRead(op: OperationIndex): boolean {
    return op >= FIRST_COMMAND && (this.#isRead[op - FIRST_COMMAND] as boolean);
  }

  /** @param version ≥ 0: the value of a SET is stamped with it */
  argumentsOf(op: OperationIndex, key: string, keyIndex: number, valueBytes: number, version: number): (string | Buffer)[] {
    if (op >= FIRST_COMMAND) return this.#customArguments(this.#arguments[op - FIRST_COMMAND] as Argument[], key, keyIndex, valueBytes);
    if (op !== SET) return [key];
    const bare = this.#values.textOf(keyIndex, valueBytes);
    const isStamped = version >= 0 && this.#stamper !== null;
    const value = isStamped ? this.#stamper.textOf(keyIndex, version, valueBytes) + bare.slice(STAMP_BYTES) : bare;
    return this.#ttlMs === null ? [key, value] : [key, value, 'PX', this.#ttlMs];
  }

  #customArguments(args: readonly Argument[], key: string, keyIndex: number, valueBytes: number): (string | Buffer)[] {
    const out: (string | Buffer)[] = [];
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] as Argument;
      if (arg.kind === 'key') out.push(key);
      else if (arg.kind === 'literal') out.push(arg.ready);
      else {
        const text = arg.before + this.#values.textOf(keyIndex, valueBytes) + arg.after;
        out.push(arg.isText ? text : Buffer.from(text, 'latin1'));
      }
    }
    return out;
  }
}

/** ioredis looks up by lower-case names which commands are reads, and sends these to replicas: a custom one is what its kind says. */
function nameToSend({ args: [first] }: CommandPlan): string {
  return first?.kind === 'literal' ? first.bytes.toUpperCase() : '';
}

function readyArgument(arg: ArgumentPlan): Argument {
  if (arg.kind === 'key') return arg;
  if (arg.kind === 'literal') return { kind: 'literal', ready: isAscii(arg.bytes) ? arg.bytes : Buffer.from(arg.bytes, 'latin1') };
  return { ...arg, isText: isAscii(arg.before + arg.after) };
}

/** Whether every character is one byte in UTF-8, too. */
function isAscii(latin1: string): boolean {
  for (let i = 0; i < latin1.length; i++) if (latin1.charCodeAt(i) > 127) return false;
  return true;
}
