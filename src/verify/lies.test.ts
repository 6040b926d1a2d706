import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { closedPhase, planOf } from '../load/engine.test.support.js';
import { LoadRunner } from '../load/loadRunner.js';
import { endpointsOf } from '../load/redisServer.test.support.js';
import type { Plan } from '../plan/plan.js';
import type { ConsistencyRecord, LostWrite } from '../result/consistency.js';
import type { RunData } from '../result/readRun.js';
import type { EventRecord } from '../result/records.js';
import { noAccess, openControl } from '../topology/connection.js';
import type { Target } from '../topology/target.js';
import { type Recount, recount } from './checker.js';
import { bulk, integer, type Lie, LyingServer, simple } from './lyingServer.test.support.js';
import { ServerLosses } from './serverLosses.js';
import { verifyRun } from './verification.js';

const OPERATIONS = 2000;
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function ledgerPlan(operations: Plan['load']['workload']['operations'], more: Partial<Plan['load']> = {}): Plan {
  const plan = planOf({ phases: [{ ...closedPhase(8, 1, 30_000_000), operationLimit: OPERATIONS } as never], operations });
  plan.load.client = 'wire';
  plan.load.ledger = { keyStride: 1 };
  plan.load.opsLog = true;
  plan.load.threads = 2;
  plan.load.workload.keys.count = 40;
  plan.load.workload.values = { kind: 'fixed', bytes: 64 };
  plan.load.workload.preload = true;
  Object.assign(plan.load, more);
  return plan;
}

interface Found {
  record: ConsistencyRecord;
  lost: LostWrite[];
  recounted: Recount;
}

/** Loads the server, lets a test change what it holds, and verifies it in both ways. */
async function play(server: LyingServer, plan: Plan, change: () => void = () => {}): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'kvbench-verify-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  const events: EventRecord[] = [];
  const load = new LoadRunner(plan, endpointsOf('standalone', server.port), { interval: () => {}, event: (event) => events.push(event) }, folder);
  cleanUps.push(() => load.terminate());
  await load.connect();
  await load.preload(() => {});
  const t0Us = monotonicUs() + 50_000;
  load.start(t0Us);
  await load.finished;
  change();
  const memory = load.ledger;
  assert.ok(memory);
  const record = await verifyRun({
    plan,
    memory,
    target: targetOf(server.port),
    shardOfSlot: new Uint16Array(16_384),
    faults: [],
    losses: new ServerLosses(),
    t0Us,
    folder,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const [, ...lines] = readFileSync(join(folder, 'lost-writes.ndjson'), 'utf8').trimEnd().split('\n');
  const recounted = await recount({ dir: folder, run: { plan }, events, summary: null } as unknown as RunData);
  assert.equal(recounted.operations.ok, OPERATIONS);
  return { record, lost: lines.map((line) => JSON.parse(line) as LostWrite), recounted };
}

function targetOf(port: number): Target {
  const node = { id: 'n1', host: '127.0.0.1', port, logFile: null };
  return {
    mode: 'standalone',
    nodes: [node],
    control: () => openControl('127.0.0.1', port, noAccess),
    currentView: async () => ({ atUs: 0, nodes: [{ id: 'n1', role: 'master', reachable: true, slots: [] }] }),
  } as unknown as Target;
}

async function serverWith(lie?: Lie): Promise<LyingServer> {
  const server = await LyingServer.start(lie);
  cleanUps.push(() => server.close());
  return server;
}

/** Everything a clean run has 0 of. */
function findingsOf({ record, recounted }: Found): Record<string, number> {
  const { values, reads, counters } = record;
  return {
    lostWrites: record.lostWrites,
    resurrectedKeys: record.resurrectedKeys,
    corrupt: values.corrupt + reads.corrupt,
    foreign: values.foreign + reads.foreign,
    neverWritten: values.neverWritten + reads.neverWritten,
    stale: reads.stale,
    nonMonotonic: reads.nonMonotonic,
    lostIncrements: counters?.lost ?? 0,
    doubleIncrements: counters?.doubleApplied ?? 0,
    recounted: recounted.lostWrites,
    recountedIncrements: recounted.counters.lost + recounted.counters.doubleApplied,
  };
}

const nothing = {
  lostWrites: 0,
  resurrectedKeys: 0,
  corrupt: 0,
  foreign: 0,
  neverWritten: 0,
  stale: 0,
  nonMonotonic: 0,
  lostIncrements: 0,
  doubleIncrements: 0,
  recounted: 0,
  recountedIncrements: 0,
};

const mixed = { get: 40, set: 40, incr: 10, del: 10 };

test('an honest server: nothing is reported, by neither count', async () => {
  const found = await play(await serverWith(), ledgerPlan(mixed));
  assert.deepEqual(findingsOf(found), nothing);
  assert.deepEqual([found.record.unverifiedKeys, found.record.checkedKeys], [0, found.recounted.checkedKeys]);
  assert.ok(found.record.ackedWrites > 800 && found.record.reads.checked > 600 && (found.record.counters?.acked ?? 0) > 100);
  assert.equal(found.record.counters?.final, found.record.counters?.acked);
});

test('an acknowledged SET that was dropped is a lost write, with its key and version', async () => {
  let sets = 0;
  // From some SET of key 3 on, none is carried out: the last one acknowledged is missing in the end.
  const server = await serverWith((name, args) => (name === 'set' && String(args[0]) === 'k:3' && ++sets > 10 ? simple('OK') : null));
  const found = await play(server, ledgerPlan({ get: 0, set: 1, incr: 0, del: 0 }));
  const dropped = sets - 10;
  assert.deepEqual(findingsOf(found), { ...nothing, lostWrites: dropped, recounted: dropped });
  assert.equal(found.record.lostKeys, 1);
  assert.deepEqual([...new Set(found.lost.map(({ key, op, foundVersion }) => `${key} ${op} ${foundVersion}`))], ['k:3 set 9']);
  assert.deepEqual(
    found.lost.map(({ version }) => version),
    Array.from({ length: dropped }, (_, i) => 10 + i),
  );
});

test('reads: a reply swapped between two keys, and a stale one, show while the load runs', async () => {
  let gets = 0;
  let old: Buffer | null = null;
  let lies = 0;
  const server = await serverWith((name, args, store) => {
    const key = String(args[0]);
    if (name === 'set' && key === 'k:1') old ??= store.get(key) ?? null;
    if (name !== 'get') return null;
    gets++;
    if (gets === 200) return bulk(store.get(key === 'k:5' ? 'k:6' : 'k:5'));
    return key === 'k:1' && gets > 400 && old !== null && ++lies === 1 ? bulk(old) : null;
  });
  const found = await play(server, ledgerPlan({ get: 1, set: 1, incr: 0, del: 0 }));
  assert.ok(lies > 0);
  const { stale, nonMonotonic, ...rest } = findingsOf(found);
  const { stale: _, nonMonotonic: __, ...clean } = nothing;
  assert.deepEqual(rest, { ...clean, foreign: 1 });
  assert.equal(stale, 1);
  assert.ok((nonMonotonic ?? 0) <= 1);
});

test('what was changed on the server after the load: a corrupt value, a value of another key, a deleted key that is back', async () => {
  const preloaded = new Map<string, Buffer>();
  const server = await serverWith((name, args) => {
    const [key = '', value] = args;
    if (name === 'set' && value !== undefined && !preloaded.has(String(key))) preloaded.set(String(key), Buffer.from(value));
    return null;
  });
  const found = await play(server, ledgerPlan({ get: 0, set: 3, incr: 0, del: 1 }), () => {
    const held = [...server.store.keys()];
    const missing = Array.from({ length: 40 }, (_, i) => `k:${i}`).find((key) => !server.store.has(key));
    const [corrupt = '', foreign = '', body = '', other = ''] = held;
    assert.ok(missing !== undefined && other !== '');
    const flip = (key: string, at: number): void => {
      const value = Buffer.from(server.store.get(key) ?? '');
      value[at] = (value[at] ?? 0) ^ 1;
      server.store.set(key, value);
    };
    flip(corrupt, 15);
    flip(body, 50);
    server.store.set(foreign, server.store.get(other) ?? Buffer.alloc(0));
    // The value it had from the preload, as a server would have kept it.
    server.store.set(missing, preloaded.get(missing) ?? Buffer.alloc(0));
  });
  assert.deepEqual(findingsOf(found), {
    ...nothing,
    corrupt: 2,
    foreign: 1,
    resurrectedKeys: 1,
    lostWrites: found.record.lostWrites,
    recounted: found.record.lostWrites,
  });
  assert.equal(found.lost.at(-1)?.op, 'del');
  assert.deepEqual([found.recounted.corruptValues, found.recounted.foreignValues, found.recounted.resurrectedKeys], [2, 1, 1]);
});

test('everything gone: all acknowledged writes since each key’s last DEL are lost', async () => {
  const server = await serverWith();
  const found = await play(server, ledgerPlan({ get: 0, set: 1, incr: 1, del: 0 }), () => server.store.clear());
  const { counters, ackedWrites, lostWrites } = found.record;
  assert.deepEqual([lostWrites, counters?.lost, counters?.final], [ackedWrites, counters?.acked, 0]);
  assert.deepEqual([found.recounted.lostWrites, found.recounted.counters.lost], [lostWrites, counters?.lost]);
});

test('counters: an increment that is applied twice, and one that is lost, on the spot', async () => {
  let increments = 0;
  const server = await serverWith((name, args, store) => {
    if (name !== 'incr') return null;
    increments++;
    const key = String(args[0]);
    const value = Number(store.get(key)?.toString() ?? '0');
    // Twice at the 300th; at the 600th the answer of the one before again, and nothing done.
    if (increments === 300) store.set(key, Buffer.from(String(value + 1)));
    return increments === 600 && value > 0 ? integer(value) : null;
  });
  const found = await play(server, ledgerPlan({ get: 0, set: 0, incr: 1, del: 0 }));
  assert.deepEqual(findingsOf(found), { ...nothing, lostIncrements: 1, doubleIncrements: 1, recountedIncrements: 2 });
  assert.equal(found.lost[0]?.op, 'incr');
  assert.equal(found.record.counters?.resent, 0);
});

test('ioredis, as it is by default, sends an INCR again when its connection ends: applied twice, and by whom is said', async () => {
  let increments = 0;
  const server = await serverWith((name, args, store) => {
    if (name !== 'incr' || ++increments !== 200) return null;
    const key = String(args[0]);
    store.set(key, Buffer.from(String(Number(store.get(key)?.toString() ?? '0') + 1)));
    return 'hangUp';
  });
  // One operation at a time, so that the connection takes no other along.
  const plan = ledgerPlan({ get: 0, set: 0, incr: 1, del: 0 }, { client: 'ioredis', resend: 'client-default', threads: 1 });
  plan.load.phases = [{ ...closedPhase(1, 1, 30_000_000), operationLimit: OPERATIONS } as never];
  const found = await play(server, plan);
  assert.deepEqual(findingsOf(found), { ...nothing, doubleIncrements: 1, recountedIncrements: 1 });
  assert.deepEqual([found.record.counters?.resent, found.record.counters?.final], [1, OPERATIONS + 1]);
});
