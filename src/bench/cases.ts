/** The cases of the benchmark, and which of them and of the contenders a person asked for. Pure data. */
import { KvbenchError } from '../base/errors.js';
import { knownCases } from './knownCases.js';

export interface BenchCase {
  id: string;
  title: string;
  masters: number;
  /** Clients × pipeline operations are in flight, over all servers. */
  clients: number;
  pipeline: number;
  /** Of those generators that connect every client to every server. */
  connectionsPerMaster: number;
}

export const KEY_COUNT = 100_000;
export const VALUE_BYTES = 64;

export const benchCases: readonly BenchCase[] = [
  { id: 'standalone', title: 'standalone, 50 connections, unpipelined', masters: 1, clients: 50, pipeline: 1, connectionsPerMaster: 50 },
  { id: 'standalone-16', title: 'standalone, 50 connections, 16 in flight each', masters: 1, clients: 50, pipeline: 16, connectionsPerMaster: 50 },
  // One in flight per connection, wherever the keys of the moment lie.
  { id: 'cluster', title: 'cluster of 3 masters, 50 in flight, unpipelined', masters: 3, clients: 50, pipeline: 1, connectionsPerMaster: 50 },
  {
    id: 'cluster-16',
    title: 'cluster of 3 masters, 51 connections, 16 in flight each',
    masters: 3,
    clients: 50,
    pipeline: 16,
    connectionsPerMaster: 17,
  },
];

export const contenderIds = ['wire', 'ioredis', 'bare-ioredis', 'redis-benchmark', 'memtier', 'valkey-benchmark'] as const;
export type ContenderId = (typeof contenderIds)[number];

/** `cluster`, `wire`, `cluster/wire` or, of the accuracy suite, `stall/wire`; an entry without a case means all cases, one without a contender all contenders. */
export class Selection {
  readonly #wanted: readonly { caseId: string | null; contender: string | null }[];

  /** Throws INVALID_ARGUMENT on a name that is none of ours. */
  constructor(only: readonly string[]) {
    this.#wanted = only.flatMap((text) => text.split(',')).map(parseEntry);
  }

  has(caseId: string, contender: ContenderId): boolean {
    if (this.#wanted.length === 0) return true;
    return this.#wanted.some((entry) => (entry.caseId ?? caseId) === caseId && (entry.contender ?? contender) === contender);
  }
}

const caseIds = [...benchCases, ...knownCases].map(({ id }) => id);

function parseEntry(text: string): { caseId: string | null; contender: string | null } {
  const isCase = (name: string): boolean => caseIds.includes(name);
  const isContender = (name: string): boolean => (contenderIds as readonly string[]).includes(name);
  const [first = '', second, ...more] = text.trim().split('/');
  if (second !== undefined && more.length === 0 && isCase(first) && isContender(second)) return { caseId: first, contender: second };
  if (second === undefined && isCase(first)) return { caseId: first, contender: null };
  if (second === undefined && isContender(first)) return { caseId: null, contender: first };
  throw new KvbenchError(
    'INVALID_ARGUMENT',
    `--only ${text}: neither a case nor a contender nor case/contender`,
    `cases: ${caseIds.join(', ')}; contenders: ${contenderIds.join(', ')}`,
  );
}
