/**
 * Finds out, from one Sentinel of somebody else's, the master it watches, its replicas and the other sentinels. Called by external.ts.
 * Only reads. Sentinels remember replicas that are gone for ever: one that is down is refused with how to make them forget it.
 */
import type { Redis } from 'ioredis';
import type { ExternalPlan } from '../plan/plan.js';
import { type Access, addressOf } from './connection.js';
import { type Discovery, programOf } from './discover.js';
import { refused } from './guestRules.js';
import { fieldsOf, parseInfo } from './infoReply.js';
import { login } from './login.js';
import type { CoreNode } from './targetCore.js';

export interface SentinelDiscovery extends Discovery {
  /** For the servers with data. */
  access: Access;
}

type Address = { host: string; port: number };

/**
 * @param seed the sentinel that `redis` is connected to
 * @param given the login as it was read; each of sentinels and servers is given it where it asks for one
 */
export async function discoverBySentinel(
  redis: Redis,
  seed: Address,
  { masterName }: Pick<ExternalPlan, 'masterName'>,
  given: Access,
  onProgress: (text: string) => void,
): Promise<SentinelDiscovery> {
  const master = chosenMaster(listOf(await redis.call('SENTINEL', 'MASTERS')), masterName);
  const name = master.get('name') ?? '';
  if (isDown(master)) throw refused(`the sentinels hold the master ${name} for down (${master.get('flags')})`, 'repair it, or wait for its failover');
  const replicas = listOf(await redis.call('SENTINEL', 'SLAVES', name));
  const lost = replicas.find(isDown);
  if (lost) {
    const remedy = `repair it; if it is gone for good, let every sentinel forget it: SENTINEL RESET ${name}`;
    throw refused(`the sentinels hold the replica ${textOf(addressIn(lost))} of ${name} for down (${lost.get('flags')})`, remedy);
  }
  const others = listOf(await redis.call('SENTINEL', 'SENTINELS', name)).map((fields) => ({ ...addressIn(fields), isDown: isDown(fields) }));
  const sentinels = [seed, ...others.filter((other) => !other.isDown)];
  for (const other of others.filter((each) => each.isDown)) onProgress(`the sentinel ${textOf(other)} is down, and left out`);
  const first = addressIn(master);
  const { redis: server, access } = await login(first.host, first.port, given);
  try {
    const info = parseInfo(await server.info());
    if (info.get('loading') === '1') throw refused('the master still loads its data', 'wait until it is ready');
    const nodes = [...named('n', [first, ...replicas.map(addressIn)]), ...named('s', sentinels).map((node) => ({ ...node, watches: name }))];
    return { mode: 'sentinel', ...programOf(info), nodes, access };
  } finally {
    server.disconnect();
  }
}

function chosenMaster(masters: readonly Map<string, string>[], wanted: string | undefined): Map<string, string> {
  const names = masters.map((fields) => fields.get('name') ?? '');
  if (wanted !== undefined) {
    const found = masters.find((fields) => fields.get('name') === wanted);
    if (found) return found;
    throw refused(`the sentinel watches no master named ${wanted}`, names.length > 0 ? `it watches ${names.join(', ')}` : 'it watches none at all');
  }
  const [only, ...more] = masters;
  if (only && more.length === 0) return only;
  throw only ? refused(`the sentinel watches ${names.join(', ')}`, 'name one: target.master') : refused('the sentinel watches no master');
}

function listOf(reply: unknown): Map<string, string>[] {
  return Array.isArray(reply) ? reply.map(fieldsOf) : [];
}

function isDown(fields: ReadonlyMap<string, string>): boolean {
  return /s_down|o_down/.test(fields.get('flags') ?? '');
}

function addressIn(fields: ReadonlyMap<string, string>): Address {
  return { host: fields.get('ip') ?? '', port: Number(fields.get('port')) };
}

function textOf({ host, port }: Address): string {
  return addressOf(host, port);
}

function named(letter: string, places: readonly Address[]): CoreNode[] {
  const sorted = places.toSorted((a, b) => (a.host === b.host ? a.port - b.port : a.host < b.host ? -1 : 1));
  return sorted.map(({ host, port }, i) => ({ id: `${letter}${i + 1}`, host, port, logFile: null, clusterId: null }));
}
