/**
 * Does the ledger's count again, from the operation log and the final values that a run left in its folder. Called by `kvbench verify`.
 * It must share no code with the ledger and the verification (not even the reading of stamps), so that a slip of theirs is none of its own.
 */
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { crc32 } from 'node:zlib';
import { KvbenchError, messageOf } from '../base/errors.js';
import { mix32 } from '../base/random.js';
import type { RunData } from '../result/readRun.js';
import { ValuePool, ValueSizer } from '../workload/values.js';

/** What the log and the final values say; counts as in `summary.consistency`. */
export interface Recount {
  operations: { ok: number; fail: number; info: number; dropped: number };
  checkedKeys: number;
  lostWrites: number;
  resurrectedKeys: number;
  /** Of what the servers held in the end. */
  corruptValues: number;
  foreignValues: number;
  neverWrittenValues: number;
  counters: { acked: number; indeterminate: number; final: number; lost: number; doubleApplied: number };
  /** By the times in the log; a read and an acknowledgement that crossed may count otherwise than for the ledger. */
  staleReads: number;
}

interface Write {
  kind: 'set' | 'del';
  version: number;
  isAcked: boolean;
  /** Neither acknowledged nor refused. */
  isUnknown: boolean;
  doneUs: number;
}

interface Increment {
  value: number | null;
  isAcked: boolean;
  doneUs: number;
}

interface Read {
  /** null: no such key. */
  version: number | null;
  sentUs: number;
}

interface KeyHistory {
  writes: Write[];
  increments: Increment[];
  reads: Read[];
}

type FinalValue = [key: string, stamp: string | null, bytes: number | null, crc32OfRest: number | null];

/** Throws RESULT_NOT_READABLE when the folder lacks what it needs. Holds the whole log in memory, about 200 bytes per operation. */
export async function recount(data: RunData): Promise<Recount> {
  const { dir, run } = data;
  const logs = readdirSync(dir).filter((name) => /^ops-\d+\.ndjson$/.test(name));
  const finals = join(dir, 'final-values.ndjson');
  if (logs.length === 0 || !existsSync(finals)) {
    const missing = logs.length === 0 ? 'operation log (ops-*.ndjson)' : 'final-values.ndjson';
    throw new KvbenchError(
      'RESULT_NOT_READABLE',
      `${dir} has no ${missing}`,
      'Run with --set load.opsLog=true --set load.ledger=on, and verify that.',
    );
  }
  const checker = new Checker(data);
  for (const log of logs) {
    for await (const line of linesOf(join(dir, log))) checker.operation(line);
  }
  const plan = run.plan.load;
  if (plan.ledger === undefined)
    throw new KvbenchError('RESULT_NOT_READABLE', `${dir} is of a run without a ledger`, 'Run with --set load.ledger=on.');
  for await (const line of linesOf(finals, (head) => checker.begin(head))) checker.finalValue(line as unknown as FinalValue);
  checker.end();
  return checker.result;
}

async function* linesOf(file: string, onHead: (head: Record<string, unknown>) => void = () => {}): AsyncGenerator<unknown[]> {
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new KvbenchError(
        'RESULT_NOT_READABLE',
        `${file}:${number} is corrupt: ${messageOf(error)}`,
        'The file was cut off or changed after the run.',
      );
    }
    if (number === 1) onHead(value as Record<string, unknown>);
    else yield value as unknown[];
  }
}

class Checker {
  readonly result: Recount = {
    operations: { ok: 0, fail: 0, info: 0, dropped: 0 },
    checkedKeys: 0,
    lostWrites: 0,
    resurrectedKeys: 0,
    corruptValues: 0,
    foreignValues: 0,
    neverWrittenValues: 0,
    counters: { acked: 0, indeterminate: 0, final: 0, lost: 0, doubleApplied: 0 },
    staleReads: 0,
  };
  readonly #keys = new Map<string, KeyHistory>();
  readonly #data: RunData;
  readonly #pool: ValuePool;
  readonly #prefix: string;
  readonly #hasEvictions: boolean;
  #run = -1;
  readonly #verifiedUs: number;

  constructor(data: RunData) {
    const { plan } = data.run;
    const { keys, values, checksum } = plan.load.workload;
    this.#data = data;
    this.#prefix = keys.prefix;
    this.#pool = new ValuePool(plan.seed, new ValueSizer(plan.seed, values, checksum).maxBytes, checksum);
    this.#hasEvictions = (data.summary?.consistency?.evictedKeys ?? 0) > 0;
    this.#verifiedUs = data.events.findLast(({ type }) => type === 'consistency')?.tUs ?? Number.POSITIVE_INFINITY;
  }

  begin(head: Record<string, unknown>): void {
    this.#run = Number(head.run);
  }

  operation(line: unknown[]): void {
    const [op, key, , sentUs, doneUs, outcome, version] = line as [
      string,
      string,
      number,
      number | null,
      number,
      keyof Recount['operations'],
      unknown,
    ];
    this.result.operations[outcome]++;
    if (sentUs === null) return;
    const history = this.#historyOf(key);
    const isAcked = outcome === 'ok';
    if (op === 'incr') {
      if (outcome !== 'fail') history.increments.push({ value: typeof version === 'number' ? version : null, isAcked, doneUs });
    } else if (op === 'get') {
      if (isAcked && (typeof version === 'number' || version === 'nil'))
        history.reads.push({ version: version === 'nil' ? null : (version as number), sentUs });
    } else if ((op === 'set' || op === 'del') && typeof version === 'number') {
      history.writes.push({ kind: op, version, isAcked, isUnknown: outcome === 'info', doneUs });
    }
  }

  finalValue([key, stamp, bytes, rest]: FinalValue): void {
    this.result.checkedKeys++;
    const history = this.#historyOf(key);
    if (key.startsWith(`${this.#prefix}c:`)) this.#counter(history, stamp);
    else this.#key(key, history, stamp, bytes, rest);
  }

  end(): void {
    for (const history of this.#keys.values()) this.#reads(history);
  }

  #historyOf(key: string): KeyHistory {
    let history = this.#keys.get(key);
    if (history === undefined) {
      history = { writes: [], increments: [], reads: [] };
      if (this.#data.run.plan.load.workload.preload && !key.startsWith(`${this.#prefix}c:`))
        history.writes.push({ kind: 'set', version: 0, isAcked: true, isUnknown: false, doneUs: -1 });
      this.#keys.set(key, history);
    }
    return history;
  }

  #key(key: string, { writes }: KeyHistory, stamp: string | null, bytes: number | null, rest: number | null): void {
    const acked = writes.filter(({ isAcked }) => isAcked);
    const last = acked.reduce<Write | null>((newest, write) => (newest === null || write.version > newest.version ? write : newest), null);
    if (stamp === null || bytes === null) return this.#missing(writes, acked, last);
    if (bytes < 24) return this.#short(last);
    const keyIndex = Number(/(\d+)$/.exec(key)?.[1]);
    const read = readStamp(stamp, bytes);
    if (read === null) this.result.corruptValues++;
    else if (read.run !== this.#run || read.keyIndex !== keyIndex) this.result.foreignValues++;
    else if (rest !== this.#restOf(keyIndex, bytes)) this.result.corruptValues++;
    else this.#version(read.version, writes, acked, last);
  }

  #version(found: number, writes: readonly Write[], acked: readonly Write[], last: Write | null): void {
    const write = writes.find(({ version, kind }) => version === found && kind === 'set');
    const newest = last?.version ?? -1;
    // Of an acknowledged write that is older than the newest one it does not matter whether it was itself seen: all after it are gone.
    if (write?.isUnknown === true || found === newest) {
      if (write === undefined) this.result.neverWrittenValues++;
      return;
    }
    if (found > newest) {
      this.result.neverWrittenValues++;
      return;
    }
    this.result.lostWrites += acked.filter(({ version }) => version > found).length;
    if (last?.kind === 'del') this.result.resurrectedKeys++;
  }

  #missing(writes: readonly Write[], acked: readonly Write[], last: Write | null): void {
    if (last === null || last.kind === 'del' || this.#hasEvictions) return;
    if (writes.some(({ isUnknown, kind }) => isUnknown && kind === 'del')) return;
    const { ttlMs } = this.#data.run.plan.load.workload;
    if (ttlMs > 0 && this.#verifiedUs + this.#data.run.plan.load.timeoutUs >= last.doneUs + ttlMs * 1000) return;
    const emptied = Math.max(-1, ...acked.filter(({ kind }) => kind === 'del').map(({ version }) => version));
    this.result.lostWrites += acked.filter(({ version }) => version > emptied).length;
  }

  /** Which of several values without a stamp it is cannot be told. */
  #short(last: Write | null): void {
    if (last?.kind !== 'del') return;
    this.result.lostWrites++;
    this.result.resurrectedKeys++;
  }

  /** Answers of one key's increments are in order, since only one is under way; those of unknown outcome may count at any later time. */
  #counter({ increments }: KeyHistory, text: string | null): void {
    const { counters } = this.result;
    const final = text === null ? 0 : Number(text);
    let sure = 0;
    let open = 0;
    for (const { value, isAcked } of [...increments].sort((a, b) => a.doneUs - b.doneUs)) {
      if (!isAcked) {
        counters.indeterminate++;
        open++;
        continue;
      }
      counters.acked++;
      const expected = sure + 1;
      const actual = value ?? expected;
      const surplus = actual - expected;
      if (surplus < 0) counters.lost -= surplus;
      else if (surplus <= open) open -= surplus;
      else {
        counters.doubleApplied += surplus - open;
        open = 0;
      }
      sure = actual;
    }
    counters.final += final;
    if (final < sure && !(text === null && this.#hasEvictions)) counters.lost += sure - final;
    if (final > sure + open) counters.doubleApplied += final - sure - open;
  }

  #reads({ reads, writes }: KeyHistory): void {
    if (reads.length === 0) return;
    const acked = writes.filter(({ isAcked }) => isAcked).sort((a, b) => a.doneUs - b.doneUs);
    const unknown = new Set(writes.filter(({ isUnknown }) => isUnknown).map(({ version }) => version));
    let next = 0;
    let newest = -1;
    for (const { version, sentUs } of reads.sort((a, b) => a.sentUs - b.sentUs)) {
      for (let write = acked[next]; write !== undefined && write.doneUs <= sentUs; write = acked[++next]) newest = Math.max(newest, write.version);
      if (version !== null && version < newest && !unknown.has(version)) this.result.staleReads++;
    }
  }

  #restOf(keyIndex: number, bytes: number): number {
    return crc32(this.#pool.textOf(keyIndex, bytes).slice(24));
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** `!~`, then run (4 digits to the base of 64), writer (2), key (6), version (6) and a check sum (4). Null: it is no intact stamp. */
function readStamp(stamp: string, bytes: number): { run: number; keyIndex: number; version: number } | null {
  if (!/^!~[\w-]{22}$/.test(stamp)) return null;
  const number = (from: number, to: number): number => [...stamp.slice(from, to)].reduce((value, digit) => value * 64 + alphabet.indexOf(digit), 0);
  const [run, writer, keyIndex, version, sum] = [number(2, 6), number(6, 8), number(8, 14), number(14, 20), number(20, 24)];
  const identity = mix32(run ^ Math.imul(writer, 0x27d4eb2f) ^ Math.imul(keyIndex, 0x9e3779b1));
  const expected = mix32(mix32(identity ^ Math.imul(version + 1, 0x85ebca6b)) ^ bytes) % 0x1000000;
  return sum === expected && keyIndex < 2 ** 32 && version < 2 ** 32 ? { run, keyIndex, version } : null;
}
