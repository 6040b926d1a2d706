import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import calculateSlot from 'cluster-key-slot';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import type { ArgumentPlan, CommandPlan } from '../plan/plan.js';
import { type Reason, reasons } from '../result/records.js';
import { startLab } from '../topology/lab.js';
import { StampReader, ValueStamper } from '../workload/valueStamp.js';
import { ValuePool } from '../workload/values.js';
import { type Client, type LoadEndpoints, OutcomeIndex, type ReplyWatch } from './client.js';
import { openPhase, planOf } from './engine.test.support.js';
import { makeClient } from './makeClient.js';
import { endpointsOf, freePort, RedisServer, startLink, until } from './redisServer.test.support.js';
import { Routing } from './routing.js';

const kinds = ['ioredis', 'wire'] as const;
type Kind = (typeof kinds)[number];

interface Done {
  outcome: OutcomeIndex;
  reason: Reason | '';
  sentUs: number;
  doneUs: number;
  attempts: number;
}

/** Operations 4 and on. */
const commands: CommandPlan[] = [
  command('age', 'read', { kind: 'literal', bytes: 'ttl' }, { kind: 'key' }),
  command(
    'push',
    'write',
    { kind: 'literal', bytes: 'RPUSH' },
    { kind: 'key' },
    { kind: 'value', before: '<\xff', after: '>' },
    { kind: 'literal', bytes: '\x00\xc3\xbc' },
  ),
  command('both', 'write', { kind: 'literal', bytes: 'COPY' }, { kind: 'key' }, { kind: 'key' }),
  command('alone', 'read', { kind: 'literal', bytes: 'ECHO' }, { kind: 'value', before: '', after: '' }),
];
const [AGE, PUSH, BOTH, ALONE] = [4, 5, 6, 7] as const;

function command(name: string, kind: 'read' | 'write', ...args: ArgumentPlan[]): CommandPlan {
  return { name, text: '', kind, weight: 1, args };
}

interface SessionOptions {
  resend?: 'never' | 'client-default';
  readFrom?: 'master' | 'replica';
  connections?: number;
  ttlMs?: number;
}

/** A client with what it told, and a send that can be awaited. */
class Session {
  client!: Client;
  readonly done = new Map<number, Done>();
  readonly news: string[] = [];
  sentCount = 0;

  static async make(
    kind: Kind,
    endpoints: LoadEndpoints,
    { resend = 'never', readFrom = 'master', connections = 2, ttlMs = 0 }: SessionOptions = {},
  ): Promise<Session> {
    const session = new Session();
    const plan = planOf({ phases: [openPhase(1, 1_000_000)] });
    plan.load.client = kind;
    plan.load.connections = connections;
    plan.load.resend = resend;
    plan.load.readFrom = readFrom;
    plan.load.workload.ttlMs = ttlMs;
    plan.load.workload.commands = commands;
    session.client = await makeClient({
      plan,
      endpoints,
      worker: 0,
      routing: new Routing({ ...plan.load.workload.keys, count: 1000 }, endpoints.shardOfSlot, endpoints.shardCount),
      values: new ValuePool(1, 100),
      completion: (token, outcome, reason, sentUs, doneUs, attempts) => {
        assert.ok(!session.done.has(token), 'one completion per send');
        session.done.set(token, { outcome, reason: reasons[reason] ?? '', sentUs, doneUs, attempts });
      },
      listener: { connection: (address, state, reason) => session.news.push(`${address} ${state} ${reason}`.trim()) },
    });
    cleanUps.push(() => session.client.close());
    return session;
  }

  /** Sends without waiting. @returns the token */
  post(op: number, keyIndex = 1): number {
    const token = this.sentCount++;
    this.client.send(token, op, keyIndex, 10);
    this.client.flush();
    assert.ok(!this.done.has(token), 'never completed from inside send');
    return token;
  }

  async send(op: number, keyIndex = 1): Promise<Done> {
    const token = this.post(op, keyIndex);
    await until(`operation ${token} ends`, () => this.done.has(token));
    return this.done.get(token) as Done;
  }

  /** Sends until one is ok. @returns how long that took, in µs */
  async sendUntilOk(op = 1): Promise<number> {
    const startUs = monotonicUs();
    await until('an operation ends ok', async () => (await this.send(op)).outcome === OutcomeIndex.ok);
    return monotonicUs() - startUs;
  }
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startRedis(...settings: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...settings);
  cleanUps.push(() => server.end());
  return server;
}

async function connected(kind: Kind, endpoints: LoadEndpoints, options?: SessionOptions): Promise<Session> {
  const session = await Session.make(kind, endpoints, options);
  await session.client.connect(5_000_000);
  return session;
}

/** A server that answers every command by its name. */
async function startPretender(replyTo: (name: string) => string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const command of data
        .toString()
        .split(/\*\d+\r\n/)
        .slice(1))
        socket.write(replyTo((command.split('\r\n')[1] ?? '').toLowerCase()));
    });
  }).listen(0, '127.0.0.1');
  await until('the pretender listens', () => server.listening);
  cleanUps.push(() => server.close());
  return (server.address() as { port: number }).port;
}

for (const kind of kinds)
  describe(`${kind}, standalone`, () => {
    test('get, set, incr and del do what they say, with the time to live', async () => {
      const server = await startRedis();
      const session = await connected(kind, endpointsOf('standalone', server.port), { ttlMs: 60_000 });
      for (const op of [1, 0, 2] as const) assert.equal((await session.send(op, 7)).outcome, OutcomeIndex.ok);
      assert.match(await server.ask('STRLEN k:7'), /:10/);
      const ttlMs = Number((await server.ask('PTTL k:7')).slice(1));
      assert.ok(ttlMs > 50_000 && ttlMs <= 60_000, `${ttlMs}`);
      assert.match(await server.ask('GET k:c:7'), /\$1\r\n1/);
      assert.match(await server.ask('PTTL k:c:7'), /:-1/);
      assert.equal((await session.send(3, 7)).outcome, OutcomeIndex.ok);
      assert.match(await server.ask('EXISTS k:7'), /:0/);
      assert.deepEqual(session.client.counters(), { attempts: 4, retries: 0, reconnects: 0, slotRefreshes: 0 });
    });

    test('custom commands arrive byte for byte, with the key and the value of the operation', async () => {
      const server = await startRedis();
      const session = await connected(kind, endpointsOf('standalone', server.port));
      assert.equal((await session.send(PUSH, 7)).outcome, OutcomeIndex.ok);
      const value = new ValuePool(1, 100).textOf(7, 10);
      const [, first, second] = (await server.ask('LRANGE k:7 0 -1', 'latin1')).split(/\$\d+\r\n/);
      assert.deepEqual([first, second], [`<\xff${value}>\r\n`, '\x00\xc3\xbc\r\n']);
      assert.equal((await session.send(AGE, 7)).outcome, OutcomeIndex.ok);
      assert.equal((await session.send(ALONE, 7)).outcome, OutcomeIndex.ok);
      const same = await session.send(BOTH, 7);
      assert.deepEqual([same.outcome, same.reason], [OutcomeIndex.fail, 'ERR'], 'both keys are the same one');
      const wrong = await session.send(0, 7);
      assert.deepEqual([wrong.outcome, wrong.reason], [OutcomeIndex.fail, 'WRONGTYPE']);
      for (const name of ['rpush', 'ttl', 'echo', 'copy']) assert.equal(await callsOf(server, name), 1, name);
    });

    test('a killed server: what was sent is unknown, the rest refused; it comes back by itself', async () => {
      const server = await startRedis();
      const session = await connected(kind, endpointsOf('standalone', server.port));
      await session.sendUntilOk();
      server.process?.kill('SIGSTOP');
      const sent = [session.post(1, 1), session.post(0, 2), session.post(2, 3)];
      await server.kill();
      await until('they end', () => sent.every((token) => session.done.has(token)));
      for (const token of sent) {
        const done = session.done.get(token);
        assert.equal(done?.outcome, OutcomeIndex.info);
        assert.ok(done.reason === 'closed' || done.reason === 'reset', done.reason);
        assert.equal(done.attempts, 1);
        assert.ok(done.sentUs > 0);
      }
      await until('an operation is refused', async () => {
        const done = await session.send(1);
        assert.deepEqual([done.outcome, done.sentUs, done.attempts], [OutcomeIndex.fail, -1, 0]);
        return done.reason === 'refused';
      });
      await server.run();
      const recoveredUs = await session.sendUntilOk();
      assert.ok(recoveredUs < 1_000_000, `${recoveredUs} µs to recover`);
      assert.equal(session.client.counters().retries, 0);
      await until('all connections are back', () => session.client.counters().reconnects === 2);
      for (const state of ['closed', 'failed refused', 'ready']) {
        assert.ok(
          session.news.some((news) => news.startsWith(`127.0.0.1:${server.port} ${state}`)),
          `${state} in ${session.news}`,
        );
      }
    });

    test('a stopped server answers late, and nothing is sent twice', async () => {
      const server = await startRedis();
      const session = await connected(kind, endpointsOf('standalone', server.port));
      await session.sendUntilOk();
      server.process?.kill('SIGSTOP');
      const token = session.post(2, 5);
      const stoppedUs = monotonicUs();
      await until('half a second passed', () => monotonicUs() - stoppedUs > 300_000);
      assert.ok(!session.done.has(token));
      server.process?.kill('SIGCONT');
      await until('it ends', () => session.done.has(token));
      assert.equal(session.done.get(token)?.outcome, OutcomeIndex.ok);
      assert.match(await server.ask('GET k:c:5'), /\$1\r\n1/);
    });

    for (const [resend, outcome, value] of [
      ['never', OutcomeIndex.info, '1'],
      ['client-default', OutcomeIndex.ok, '2'],
    ] as const) {
      // wire never sends anything twice, whatever is asked for.
      if (kind === 'wire' && resend === 'client-default') continue;
      test(`resend ${resend}: an INCR whose reply is lost ends as ${outcome === OutcomeIndex.info ? 'unknown' : 'ok'} and counts ${value}`, async () => {
        const server = await startRedis();
        let cuts = 0;
        const link = await startLink(server.port, (data) => data.toString() === ':1\r\n' && cuts++ === 0);
        cleanUps.push(() => link.close());
        const session = await connected(
          kind,
          endpointsOf('standalone', server.port, { natMap: { [`127.0.0.1:${server.port}`]: { host: '127.0.0.1', port: link.port } } }),
          {
            resend,
            connections: 1,
          },
        );
        const done = await session.send(2, 9);
        assert.equal(done.outcome, outcome);
        assert.equal(done.attempts, Number(value));
        assert.equal(session.client.counters().retries, Number(value) - 1);
        assert.match(await server.ask('GET k:c:9'), new RegExp(`\\$1\r\n${value}`));
        assert.ok(session.news.includes(`127.0.0.1:${server.port} closed closed`), `the announced address, not the link's: ${session.news}`);
      });
    }

    test('error replies are failures with their first word as the reason', async () => {
      const replica = await startRedis('--replicaof', '127.0.0.1', '1');
      const session = await connected(kind, endpointsOf('standalone', replica.port));
      const readonly = await session.send(1);
      assert.deepEqual([readonly.outcome, readonly.reason, readonly.attempts], [OutcomeIndex.fail, 'READONLY', 1]);
      const port = await startPretender((name) =>
        name === 'hello' ? "-ERR unknown command 'HELLO'\r\n" : name === 'client' || name === 'ping' ? '+OK\r\n' : '-LOADING Redis is loading\r\n',
      );
      const loading = await (await connected(kind, endpointsOf('standalone', port))).send(0);
      assert.deepEqual([loading.outcome, loading.reason], [OutcomeIndex.fail, 'LOADING']);
    });

    test('connecting fails in time, with the reason', async () => {
      const port = await freePort();
      await assert.rejects(
        async () => (await Session.make(kind, endpointsOf('standalone', port))).client.connect(300_000),
        (error) => error instanceof KvbenchError && error.code === 'TARGET_UNREACHABLE' && /ECONNREFUSED/.test(error.message),
      );
      const server = await startRedis('--requirepass', 'right');
      const startUs = monotonicUs();
      await assert.rejects(
        async () => (await Session.make(kind, endpointsOf('standalone', server.port, { password: 'wrong' }))).client.connect(5_000_000),
        (error) => error instanceof KvbenchError && /WRONGPASS/.test(error.message),
      );
      assert.ok(monotonicUs() - startUs < 2_000_000, 'a wrong password is not waited for');
      await (await connected(kind, endpointsOf('standalone', server.port, { password: 'right' }))).sendUntilOk();
    });
  });

for (const kind of kinds)
  describe(`${kind}, cluster`, () => {
    test('through mapped addresses: a lost reply is unknown and not repeated, every node lost and back, uncovered slots are CLUSTERDOWN', async () => {
      const server = await startRedis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1');
      assert.match(await server.ask('CLUSTER ADDSLOTSRANGE 0 16383'), /OK/);
      await until('the cluster is ok', async () => /cluster_state:ok/.test(await server.ask('CLUSTER INFO')));
      let cuts = 0;
      const link = await startLink(server.port, (data) => data.toString() === ':1\r\n' && cuts++ === 0);
      cleanUps.push(() => link.close());
      const session = await connected(
        kind,
        endpointsOf('cluster', server.port, { natMap: { [`127.0.0.1:${server.port}`]: { host: '127.0.0.1', port: link.port } } }),
      );
      assert.equal((await session.send(2, 4)).outcome, OutcomeIndex.info);
      assert.match(await server.ask('GET k:c:4'), /\$1\r\n1/);
      await session.sendUntilOk();
      assert.equal(session.client.shardOfAddress?.(`127.0.0.1:${server.port}`), 0);
      await server.kill();
      await until('an operation is refused', async () => {
        const done = await session.send(1);
        assert.notEqual(done.outcome, OutcomeIndex.ok);
        return done.outcome === OutcomeIndex.fail;
      });
      await server.run();
      await session.sendUntilOk();
      assert.ok(session.client.counters().slotRefreshes > 0);
      assert.ok(session.news.includes(`127.0.0.1:${server.port} ready`), `${session.news}`);
      assert.match(await server.ask('CLUSTER DELSLOTSRANGE 0 100'), /OK/);
      await until('CLUSTERDOWN is told', async () => (await session.send(1)).reason === 'CLUSTERDOWN');
    });
  });

/** How often a server was sent a command. */
async function callsOf(server: RedisServer, name: string): Promise<number> {
  const reply = await server.ask('INFO commandstats');
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(reply)?.[1] ?? 0);
}

/** A replica without an offset is not in the map: it takes a write, and the nodes' gossip about it. */
async function namesReplica(master: RedisServer, replica: RedisServer): Promise<void> {
  await until('the map names the replica', async () => {
    await master.ask('SET bar x');
    return (await master.ask('CLUSTER SLOTS')).includes(`:${replica.port}\r\n`);
  });
}

/** A master of all slots and its replica, which the master's slot map names. */
async function startPair(): Promise<{ master: RedisServer; replica: RedisServer }> {
  const clusterArgs = async (): Promise<string[]> => ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
  const [masterArgs, replicaArgs] = [await clusterArgs(), await clusterArgs()];
  const master = await startRedis(...masterArgs);
  const replica = await startRedis(...replicaArgs);
  const id = /[0-9a-f]{40}/.exec(await master.ask('CLUSTER MYID'))?.[0] ?? '';
  assert.match(await master.ask('CLUSTER ADDSLOTSRANGE 0 16383'), /OK/);
  assert.match(await replica.ask(`CLUSTER MEET 127.0.0.1 ${master.port} ${masterArgs[3]}`), /OK/);
  await until('the replica follows', async () => /OK/.test(await replica.ask(`CLUSTER REPLICATE ${id}`)));
  await namesReplica(master, replica);
  await until('both say ok', async () => /cluster_state:ok/.test((await master.ask('CLUSTER INFO')) + (await replica.ask('CLUSTER INFO'))));
  return { master, replica };
}

for (const kind of kinds)
  test(`${kind}, cluster: what is sent on to a node that nobody was connected to waits for the connection, and fails when there is none`, async () => {
    const helloRefused = "-ERR unknown command 'HELLO'\r\n";
    const served = '$2\r\nok\r\n';
    const newcomer = await startPretender((name) => (name === 'hello' ? helloRefused : name === 'get' ? served : '+OK\r\n'));
    const nobody = await freePort();
    let sendOn = `ASK 0 127.0.0.1:${newcomer}`;
    let owner = 0;
    const old = await startPretender((name) => {
      if (name === 'cluster') return `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${owner}\r\n`;
      if (name === 'get') return `-${sendOn}\r\n`;
      return name === 'hello' ? helloRefused : '+OK\r\n';
    });
    owner = old;
    const session = await connected(kind, endpointsOf('cluster', old));
    const tokens = Array.from({ length: 40 }, (_, i) => session.post(0, i));
    await until('all are answered', () => session.done.size === tokens.length);
    for (const token of tokens) assert.deepEqual([session.done.get(token)?.reason, session.done.get(token)?.outcome], ['', OutcomeIndex.ok]);

    sendOn = `ASK 0 127.0.0.1:${nobody}`;
    const lost = Array.from({ length: 10 }, (_, i) => session.post(0, i));
    await until('all have ended', () => session.done.size === tokens.length + lost.length);
    for (const token of lost) assert.equal(session.done.get(token)?.outcome, OutcomeIndex.fail, 'it did not happen');
  });

for (const kind of kinds)
  test(`${kind}, cluster: operations for a slot that has moved to a newcomer wait for the connection to it`, async () => {
    let isNewcomerAsked = false;
    const newcomer = await startPretender((name) => {
      // It has just been met, and knows no slots yet.
      if (name === 'cluster') isNewcomerAsked = true;
      return name === 'hello' ? "-ERR unknown command 'HELLO'\r\n" : name === 'get' ? '$2\r\nok\r\n' : name === 'cluster' ? '*0\r\n' : '+OK\r\n';
    });
    let owner = 0;
    const slot = calculateSlot('k:1');
    const old = await startPretender((name) => {
      if (name === 'cluster') return `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${owner}\r\n`;
      if (name === 'get') return `-MOVED ${slot} 127.0.0.1:${newcomer}\r\n`;
      return name === 'hello' ? "-ERR unknown command 'HELLO'\r\n" : '+OK\r\n';
    });
    owner = old;
    const session = await connected(kind, endpointsOf('cluster', old));
    owner = newcomer;
    const isOver = (): boolean => session.news.includes(`127.0.0.1:${newcomer} ready`) && (isNewcomerAsked || kind === 'wire');
    while (session.sentCount < 50_000 && !isOver()) {
      session.post(0);
      await nextTurn();
    }
    assert.ok(isOver());
    for (let i = 0; i < 100; i++) {
      session.post(0);
      await nextTurn();
    }
    await until('all are answered', () => session.done.size === session.sentCount);
    for (const done of session.done.values()) assert.deepEqual([done.reason, done.outcome], ['', OutcomeIndex.ok]);
  });

test('ioredis, cluster: while all is well a few instances ask for the slots, after a MOVED all of them', async () => {
  let owner = 0;
  let isMoved = false;
  const node = await startPretender((name) => {
    if (name === 'cluster') return `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${owner}\r\n`;
    if (name === 'get' && isMoved) return `-MOVED ${calculateSlot('k:1')} 127.0.0.1:${owner}\r\n`;
    return name === 'hello' ? "-ERR unknown command 'HELLO'\r\n" : '+OK\r\n';
  });
  owner = node;
  const connections = 20;
  const session = await connected('ioredis', endpointsOf('cluster', node), { connections });
  const asked = (): number => session.client.counters().slotRefreshes;
  const [before, sinceUs] = [asked(), monotonicUs()];
  await until('some have asked', () => asked() - before >= 8);
  assert.ok(asked() - before <= 4 * (1 + (monotonicUs() - sinceUs) / 500_000), `${asked() - before} in ${monotonicUs() - sinceUs} µs`);
  isMoved = true;
  session.post(0);
  await until('the MOVED has ended', () => session.done.size === 1);
  isMoved = false;
  const atMoved = asked();
  const movedUs = monotonicUs();
  await until('all have asked', () => asked() - atMoved >= 2 * connections);
  assert.ok(monotonicUs() - movedUs < (2 * connections * 500_000) / 4, 'sooner than in turn');
});

test('readFrom replica sends reads to the replica and writes to the master, and reads to the master while the replica is gone', async () => {
  const { master, replica } = await startPair();
  const endpoints = endpointsOf('cluster', master.port);
  for (const kind of kinds) {
    const before = await callsOf(master, 'get');
    const direct = await connected(kind, endpoints);
    for (let i = 0; i < 5; i++) assert.equal((await direct.send(0)).outcome, OutcomeIndex.ok);
    assert.equal(await callsOf(master, 'get'), before + 5, `${kind}: by default the master answers`);

    const [reads, writes] = [await callsOf(replica, 'get'), await callsOf(master, 'set')];
    const session = await connected(kind, endpoints, { readFrom: 'replica' });
    assert.equal((await session.send(1, 3)).outcome, OutcomeIndex.ok);
    for (let i = 0; i < 20; i++) assert.equal((await session.send(0, i)).outcome, OutcomeIndex.ok);
    const [ages, pushes] = [await callsOf(replica, 'ttl'), await callsOf(master, 'rpush')];
    for (let i = 0; i < 10; i++) assert.equal((await session.send(AGE, i)).outcome, OutcomeIndex.ok);
    assert.equal(await callsOf(replica, 'ttl'), ages + 10, `${kind}: a custom read is a read`);
    for (let i = 500; i < 505; i++) assert.equal((await session.send(PUSH, i)).outcome, OutcomeIndex.ok);
    assert.equal(await callsOf(master, 'rpush'), pushes + 5);
    assert.equal(await callsOf(replica, 'get'), reads + 20, `${kind}: the replica answers`);
    assert.equal(await callsOf(master, 'get'), before + 5);
    assert.equal(await callsOf(master, 'set'), writes + 1);
    assert.equal(session.client.counters().retries, 0, 'no read was turned away');
    assert.equal(session.client.shardOfAddress?.(`127.0.0.1:${replica.port}`), 0);

    await replica.kill();
    await session.sendUntilOk(0);
    assert.ok((await callsOf(master, 'get')) > before + 5, `${kind}: the master stands in`);
    await replica.run();
    await until(`${kind}: the replica answers reads again`, async () => {
      await session.send(0);
      return (await callsOf(replica, 'get')) > 0;
    });
    session.client.close();
    await until('the replica is up again', async () => /master_link_status:up/.test(await replica.ask('INFO replication')));
    await namesReplica(master, replica);
  }
});

describe('stamps and replies', () => {
  for (const kind of kinds) {
    test(`${kind}: a SET carries its stamp, and a GET and an INCR tell what they were answered`, async () => {
      const server = await startRedis();
      const told: string[] = [];
      const reader = new StampReader();
      const replies: ReplyWatch = {
        bytes: (token, valueBytes, head) => told.push(`${token} ${valueBytes} ${reader.read(head, valueBytes) ? reader.version : 'none'}`),
        text: (token, value) => told.push(`${token} ${value.length} ${reader.readText(value) ? reader.version : 'none'}`),
        none: (token) => told.push(`${token} nil`),
        integer: (token, value) => told.push(`${token} = ${value}`),
      };
      const plan = planOf({ phases: [openPhase(1, 1_000_000)] });
      plan.load.client = kind;
      const endpoints = endpointsOf('standalone', server.port);
      const routing = new Routing(plan.load.workload.keys, endpoints.shardOfSlot, endpoints.shardCount);
      let ended = 0;
      const client = await makeClient({
        plan,
        endpoints,
        worker: 0,
        routing,
        values: new ValuePool(1, 100),
        stamper: new ValueStamper(9, 0),
        completion: () => ended++,
        replies,
        listener: { connection: () => {} },
      });
      cleanUps.push(() => client.close());
      await client.connect(5_000_000);
      const steps: [op: 0 | 1 | 2 | 3, keyIndex: number, version: number][] = [
        [0, 1, -1],
        [1, 1, 5],
        [0, 1, -1],
        [1, 1, -1],
        [0, 1, -1],
        [2, 1, -1],
        [2, 1, -1],
      ];
      for (const [token, [op, keyIndex, version]] of steps.entries()) {
        client.send(token, op, keyIndex, 40, version);
        client.flush();
        await until(`step ${token}`, () => ended === token + 1);
      }
      assert.deepEqual(told, ['0 nil', '2 40 5', '4 40 none', '5 = 1', '6 = 2']);
    });
  }
});

test('replicated: with readFrom replica reads go to the replica, and to the master while it is gone; writes always to the master', async () => {
  const master = await startRedis();
  const replica = await startRedis('--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0');
  await until('the replica is up', async () => /master_link_status:up/.test(await replica.ask('INFO replication')));
  const seeds = [master, replica].map(({ port }) => ({ host: '127.0.0.1', port }));
  for (const kind of kinds) {
    const [reads, writes] = [await callsOf(replica, 'get'), await callsOf(master, 'set')];
    const session = await connected(kind, endpointsOf('replicated', master.port, { seeds }), { readFrom: 'replica' });
    await until(`${kind}: the replica answers`, async () => {
      assert.equal((await session.send(0)).outcome, OutcomeIndex.ok);
      return (await callsOf(replica, 'get')) > reads;
    });
    const [before, onMaster] = [await callsOf(replica, 'get'), await callsOf(master, 'get')];
    for (let i = 0; i < 20; i++) assert.equal((await session.send(0, i)).outcome, OutcomeIndex.ok);
    assert.equal((await session.send(1)).outcome, OutcomeIndex.ok);
    assert.deepEqual([await callsOf(replica, 'get'), await callsOf(master, 'get')], [before + 20, onMaster], kind);
    assert.equal(await callsOf(master, 'set'), writes + 1);
    await replica.kill();
    await session.sendUntilOk(0);
    assert.ok((await callsOf(master, 'get')) > onMaster, `${kind}: the master stands in`);
    await replica.run();
    await until('the replica is up again', async () => /master_link_status:up/.test(await replica.ask('INFO replication')));
    session.client.close();
  }
});

test('sentinel: both clients follow the sentinels from a frozen master and from a killed one, and send nothing twice', async () => {
  const lab = await startLab(
    {
      kind: 'lab',
      topology: 'sentinel',
      masters: 1,
      replicasPerMaster: 2,
      server: 'auto',
      config: {},
      sentinel: { count: 3, quorum: 2, downAfterMs: 400, failoverTimeoutMs: 3000 },
    },
    { onProgress: () => {}, signal: new AbortController().signal },
  );
  cleanUps.push(() => lab.close());
  const { processes } = lab;
  assert.ok(processes);
  const masterNow = async (): Promise<string> => (await lab.currentView()).nodes.find((node) => node.slots.length > 0)?.id ?? '';
  const portOf = (id: string): number => lab.nodes.find((node) => node.id === id)?.port ?? 0;
  const sessions = await Promise.all(kinds.map((kind) => connected(kind, lab.endpoints(null))));
  for (const session of sessions) assert.equal((await session.send(2, 7)).outcome, OutcomeIndex.ok);

  await processes.signal('n1', 'SIGSTOP');
  const stuck = sessions.map((session) => session.post(2, 7));
  let heir = 'n1';
  await until('another one is master', async () => {
    heir = await masterNow();
    return heir !== 'n1' && heir !== '';
  });
  for (const [i, session] of sessions.entries()) {
    // What was sent to the frozen one ends when the client leaves it, and nobody knows what became of it.
    await until(`${kinds[i]} leaves the frozen master`, () => session.done.has(stuck[i] as number));
    assert.equal(session.done.get(stuck[i] as number)?.outcome, OutcomeIndex.info, kinds[i]);
    await session.sendUntilOk();
    assert.ok(session.news.includes(`127.0.0.1:${portOf(heir)} ready`), `${kinds[i]}: ${session.news}`);
    assert.equal(session.client.shardOfAddress?.(`127.0.0.1:${portOf(heir)}`), 0);
  }
  // By default they wait 8 s before they make an old master a replica.
  for (const id of ['s1', 's2', 's3']) {
    const sentinel = lab.control(id);
    await sentinel.call('SENTINEL', 'DEBUG', 'PUBLISH-PERIOD', '200', 'INFO-PERIOD', '200');
    sentinel.disconnect();
  }
  await processes.signal('n1', 'SIGCONT');
  await until('both replicas are in sync', async () => (await lab.currentView()).nodes.filter((node) => node.inSync).length === 2);
  const counter = lab.control(heir);
  assert.equal(await counter.get('k:c:7'), String(sessions.length), 'the frozen increments are lost with the old master, and were not sent again');
  counter.disconnect();

  await processes.signal(heir, 'SIGKILL');
  await Promise.all(
    sessions.map(async (session, i) => {
      await until(`${kinds[i]} is refused`, async () => (await session.send(1)).outcome !== OutcomeIndex.ok);
      await session.sendUntilOk();
      // A replica that was not told yet still follows the dead one.
      await until('all know the new master', async () => (await masterNow()) !== heir);
      assert.equal(session.client.counters().retries, 0);
    }),
  );
});
