import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterEach, test } from 'node:test';
import { Redis } from 'ioredis';
import type { ConfirmPlan } from '../plan/plan.js';
import { type Reason, reasons } from '../result/records.js';
import { ValuePool } from '../workload/values.js';
import { type Client, OutcomeIndex } from './client.js';
import { openPhase, planOf } from './engine.test.support.js';
import { makeClient } from './makeClient.js';
import { endpointsOf, RedisServer, until } from './redisServer.test.support.js';
import { Routing } from './routing.js';

const kinds = ['ioredis', 'wire'] as const;
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Done {
  outcome: OutcomeIndex;
  reason: Reason | '';
  tookUs: number;
}

async function connectedTo(
  kind: (typeof kinds)[number],
  port: number,
  confirm: ConfirmPlan,
): Promise<{ client: Client; send(op: 0 | 1 | 2 | 3): Promise<Done>; done: Map<number, Done> }> {
  const plan = planOf({ phases: [openPhase(1, 1_000_000)] });
  plan.load.client = kind;
  plan.load.connections = 1;
  plan.load.confirm = confirm;
  const endpoints = endpointsOf('standalone', port);
  const done = new Map<number, Done>();
  const client = await makeClient({
    plan,
    endpoints,
    worker: 0,
    routing: new Routing({ ...plan.load.workload.keys, count: 1000 }, endpoints.shardOfSlot, endpoints.shardCount),
    values: new ValuePool(1, 100),
    completion: (token, outcome, reason, sentUs, doneUs) => {
      assert.ok(!done.has(token), 'one completion per send');
      done.set(token, { outcome, reason: reasons[reason] ?? '', tookUs: doneUs - sentUs });
    },
    listener: { connection: () => {} },
  });
  cleanUps.push(() => client.close());
  await client.connect(5_000_000);
  let sent = 0;
  const send = async (op: 0 | 1 | 2 | 3): Promise<Done> => {
    const token = sent++;
    client.send(token, op, 1, 10);
    client.flush();
    await until(`operation ${token} ends`, () => done.has(token));
    return done.get(token) as Done;
  };
  return { client, send, done };
}

/** Longer than the second after which a replica acknowledges by itself, should it have been too busy when it was asked. */
const WAIT_MS = 2_000;

const counted = (client: Client) => ({ waits: client.counters().waits, short: client.counters().waitShort });

for (const kind of kinds) {
  test(`${kind}: a write ends when a replica has it, a read at once; without the replica it is ok, late and counted as short`, async () => {
    const master = await RedisServer.start('--repl-diskless-sync-delay', '0');
    cleanUps.push(() => master.end());
    const replica = await RedisServer.start('--replicaof', '127.0.0.1', String(master.port));
    cleanUps.push(() => replica.end());
    // What it shows can have come with the first copy; only an acknowledged write of the same connection says that the stream has begun.
    const writer = new Redis(master.port, '127.0.0.1');
    cleanUps.push(async () => writer.disconnect());
    await until('the replica follows', async () => {
      await writer.set('probe', '1');
      return (await writer.wait(1, 500)) === 1;
    });
    const { client, send } = await connectedTo(kind, master.port, { command: 'wait', local: 0, replicas: 1, timeoutMs: WAIT_MS });
    for (const op of [1, 2, 3] as const) assert.equal((await send(op)).outcome, OutcomeIndex.ok);
    assert.equal((await send(0)).outcome, OutcomeIndex.ok);
    assert.deepEqual(counted(client), { waits: 3, short: 0 });
    assert.match(await replica.ask('GET k:c:1'), /\$1\r\n1/, 'it was on the replica when it ended');

    replica.process?.kill('SIGSTOP');
    const late = await send(1);
    assert.equal(late.outcome, OutcomeIndex.ok, 'the write itself went well');
    assert.ok(late.tookUs >= WAIT_MS * 990, `its time includes the wait: ${late.tookUs}`);
    assert.deepEqual(counted(client), { waits: 4, short: 1 });
    replica.process?.kill('SIGCONT');
  });

  test(`${kind}: a write that is refused is not waited for; a connection that goes while it waits leaves the write unknown`, async () => {
    const master = await RedisServer.start('--min-replicas-to-write', '1');
    cleanUps.push(() => master.end());
    const { client, send } = await connectedTo(kind, master.port, { command: 'wait', local: 0, replicas: 1, timeoutMs: 5000 });
    const refused = await send(1);
    assert.deepEqual([refused.outcome, refused.reason], [OutcomeIndex.fail, 'NOREPLICAS']);
    await master.ask('CONFIG SET min-replicas-to-write 0');
    const waiting = send(1);
    await until('the server has the write', async () => /:1/.test(await master.ask('EXISTS k:1')));
    await master.kill();
    const { outcome, reason } = await waiting;
    assert.deepEqual([outcome, ['closed', 'reset'].includes(reason)], [OutcomeIndex.info, true]);
    assert.deepEqual(counted(client).short, 0);
  });

  test(`${kind}: WAITAOF is enough when log and replicas have it; one of the two, or an error, is not`, async () => {
    const answers = ['*2\r\n:1\r\n:2\r\n', '*2\r\n:1\r\n:0\r\n', '*2\r\n:0\r\n:1\r\n', '-ERR WAITAOF cannot be used\r\n'];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        for (const command of data
          .toString()
          .split(/\*\d+\r\n/)
          .slice(1)) {
          const [, name = '', , first] = command.split('\r\n');
          const isWait = name.toLowerCase() === 'waitaof';
          if (isWait) assert.equal(first, '1', 'WAITAOF 1 1 …');
          socket.write(isWait ? (answers.shift() ?? '') : name.toLowerCase() === 'info' ? '$17\r\nredis_version:7.2\r\n' : '+OK\r\n');
        }
      });
    }).listen(0, '127.0.0.1');
    await until('the pretender listens', () => server.listening);
    cleanUps.push(() => server.close());
    const { client, send } = await connectedTo(kind, (server.address() as { port: number }).port, {
      command: 'waitaof',
      local: 1,
      replicas: 1,
      timeoutMs: 100,
    });
    for (let i = 0; i < 4; i++) assert.equal((await send(1)).outcome, OutcomeIndex.ok);
    assert.deepEqual(counted(client), { waits: 4, short: 3 });
  });
}
