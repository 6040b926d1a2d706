import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import type { Target } from '../topology/target.js';
import { type Observer, startObserver } from './observer.js';
import { EventLog, startServers, type TestNodeRecord, type TestServers, until } from './servers.test.support.js';

const pair: TestNodeRecord[] = [
  { role: 'master', slots: ['0-16383'], masterId: null },
  { role: 'replica', slots: [], masterId: 'n1' },
];
const cluster: TestNodeRecord[] = [
  { role: 'master', slots: ['0-5460'], masterId: null },
  { role: 'master', slots: ['5461-10922'], masterId: null },
  { role: 'master', slots: ['10923-16383'], masterId: null },
  { role: 'replica', slots: [], masterId: 'n1' },
];

interface Watched {
  running: TestServers;
  clients: Redis[];
  log: EventLog;
  t0Us: number;
  /** Starts the observer, once the servers are as the test wants them. */
  observe(target?: Target): Promise<Observer>;
}

async function watched(t: TestContext, mode: 'standalone' | 'cluster', nodes: TestNodeRecord[], args: string[] = []): Promise<Watched> {
  const running = await startServers(mode, nodes, args);
  t.after(() => running.close());
  const log = new EventLog();
  const t0Us = monotonicUs();
  const observe = async (target: Target = running.target): Promise<Observer> => {
    const observer = await startObserver({ target, sink: log, t0Us });
    t.after(() => observer.stop());
    return observer;
  };
  return { running, clients: running.servers.map((server) => server.client()), log, t0Us, observe };
}

async function replicate({ running, clients }: Watched): Promise<void> {
  await clients[1]?.replicaof('127.0.0.1', running.servers[0]?.node.port ?? 0);
  // Before its replica is connected a master counts no offset, so there has to be something to acknowledge afterwards.
  await until('the replica to be acknowledged', async () => {
    await clients[0]?.set('bar', 'x');
    return /offset=[1-9]/.test((await clients[0]?.info('replication')) ?? '');
  });
}

describe('the observer', { concurrency: true }, () => {
  test('a pair: initial state, a stopped master, a promotion by hand, a restart', async (t) => {
    const w = await watched(t, 'standalone', pair);
    const { running, log, clients } = w;
    const [first] = running.servers;
    await replicate(w);
    const observer = await w.observe();
    // What was written last is acknowledged within a second.
    await log.waitFor('replicas', 'in sync', (event) => event.shard === 0 && event.inSync === 1 && event.known === 1);
    const view = observer.view();
    assert.deepEqual(
      view.nodes.map(({ id, role, shard, masterId, reachable, inSync }) => ({ id, role, shard, masterId, reachable, inSync })),
      [
        { id: 'n1', role: 'master', shard: 0, masterId: null, reachable: true, inSync: false },
        { id: 'n2', role: 'replica', shard: 0, masterId: 'n1', reachable: true, inSync: true },
      ],
    );
    assert.deepEqual(
      log.of('role').map(({ node, role, shard }) => [node, role, shard]),
      [
        ['n1', 'master', 0],
        ['n2', 'replica', 0],
      ],
    );

    let mark = log.events.length;
    first?.signal('SIGSTOP');
    const gone = await log.waitFor('reachable', 'n1 gone', (event) => event.node === 'n1' && !event.reachable, mark);
    assert.match(gone.reason, /no reply within 300 ms/);
    assert.ok(gone.resolutionUs >= 300_000, `${gone.resolutionUs}`);
    await log.waitFor('replicas', 'none in sync', (event) => event.inSync === 0 && event.known === 1, mark);
    const stoppedViewUs = observer.view().atUs;
    await until('the other node to be polled on', () => observer.view().atUs > stoppedViewUs + 200_000);
    first?.signal('SIGCONT');
    const back = await log.waitFor('reachable', 'n1 back', (event) => event.node === 'n1' && event.reachable, mark);
    assert.ok(back.resolutionUs <= 100_000);
    await log.waitFor('replicas', 'in sync again', (event) => event.inSync === 1, mark);

    mark = log.events.length;
    await first?.kill();
    await log.waitFor('reachable', 'n1 dead', (event) => event.node === 'n1' && !event.reachable, mark);
    const beforeUs = monotonicUs() - w.t0Us;
    await clients[1]?.replicaof('NO', 'ONE');
    const afterUs = monotonicUs() - w.t0Us;
    await log.waitFor('role', 'n2 master', (event) => event.node === 'n2' && event.role === 'master', mark);
    const promoted = await log.waitFor('log', 'n2 promoted', (event) => event.node === 'n2' && event.log === 'promoted', mark);
    // The stamp is cut to a ms, and the wall clock is measured to one.
    assert.ok(promoted.tUs >= beforeUs - 3000 && promoted.tUs <= afterUs + 3000, `${beforeUs} ${promoted.tUs} ${afterUs}`);

    mark = log.events.length;
    await first?.start();
    await log.waitFor('reachable', 'n1 restarted', (event) => event.node === 'n1' && event.reachable, mark);
    await log.waitFor('log', 'n1 ready', (event) => event.node === 'n1' && event.log === 'ready', mark);

    const sampled = await log.waitFor('server', 'n1 sampled after its restart', (event) => event.node === 'n1', mark);
    assert.ok((sampled.sample.usedMemoryBytes ?? 0) > 100_000 && (sampled.sample.connectedClients ?? 0) >= 1);

    await observer.stop();
    mark = log.events.length;
    await first?.kill();
    await clients[1]?.ping();
    assert.equal(log.events.length, mark, 'nothing is told after stop');
  });

  test('a cluster loses a master: suspicion, agreement, promotion and redundancy, in order and about the right nodes', async (t) => {
    const w = await watched(t, 'cluster', cluster, ['--cluster-node-timeout', '600', '--cluster-replica-validity-factor', '0']);
    const { running, log, clients } = w;
    await formCluster(w);
    const observer = await w.observe();
    await log.waitFor('replicas', 'in sync', (event) => event.shard === 0 && event.inSync === 1 && event.known === 1);
    assert.deepEqual(
      observer.view().nodes.map(({ role, shard, slots, masterId, inSync }) => ({ role, shard, slots, masterId, inSync })),
      [
        { role: 'master', shard: 0, slots: [[0, 5460]], masterId: null, inSync: false },
        { role: 'master', shard: 1, slots: [[5461, 10922]], masterId: null, inSync: false },
        { role: 'master', shard: 2, slots: [[10923, 16383]], masterId: null, inSync: false },
        { role: 'replica', shard: 0, slots: [], masterId: 'n1', inSync: true },
      ],
    );
    let mark = log.events.length;
    const killedUs = monotonicUs() - w.t0Us;
    await running.servers[0]?.kill();
    const promoted = await log.waitFor('log', 'n4 promoted', (event) => event.node === 'n4' && event.log === 'promoted', mark);
    await log.waitFor('clusterState', 'ok again', (event) => event.node === 'n2' && event.state === 'ok', mark);
    const role = await log.waitFor('role', 'n4 master of shard 0', (event) => event.node === 'n4' && event.role === 'master', mark);
    assert.equal(role.shard, 0);
    assert.ok((role.epoch ?? 0) > 3);
    const agreed = log.of('log', mark).filter((event) => event.log === 'markingFailing' || event.log === 'failReceived');
    const detected = Math.min(...agreed.map((event) => event.tUs));
    assert.ok(agreed.length >= 2 && agreed.every((event) => event.subject === 'n1'), JSON.stringify(agreed));
    const delayed = await log.waitFor('log', 'election delayed', (event) => event.log === 'electionDelayed', mark);
    assert.ok(killedUs < detected && detected <= delayed.tUs && delayed.tUs < promoted.tUs && promoted.tUs < role.tUs);
    assert.ok(promoted.tUs > role.tUs - role.resolutionUs - 3000, 'the role was polled within its resolution');
    const fail = await log.waitFor('flag', 'n1 failed', (event) => event.node === 'n1' && event.flag === 'fail', mark);
    assert.ok(fail.tUs >= detected && fail.seenBy !== 'n1');
    await log.waitFor('replicas', 'none left', (event) => event.shard === 0 && event.inSync === 0 && event.known === 0, mark);

    mark = log.events.length;
    await running.servers[0]?.start();
    await log.waitFor('role', 'n1 replica', (event) => event.node === 'n1' && event.role === 'replica' && event.shard === 0, mark);
    await log.waitFor('replicas', 'redundant again', (event) => event.shard === 0 && event.inSync === 1 && event.known === 1, mark);
    await log.waitFor('log', 'sync done', (event) => event.node === 'n1' && event.log === 'replicaSyncDone', mark);
    await log.waitFor('log', 'fail cleared', (event) => event.log === 'failCleared' && event.subject === 'n1', mark);
    await log.waitFor('flag', 'n1 ok', (event) => event.node === 'n1' && event.flag === 'ok', mark);
    assert.ok((await clients[1]?.cluster('INFO'))?.includes('cluster_state:ok'));
    assert.deepEqual(observer.view().nodes.find((node) => node.id === 'n4')?.slots, [[0, 5460]]);
  });

  test('a node that is dead from the start is an event, not a wait; without logs a promotion is the role that was polled', async (t) => {
    const w = await watched(t, 'standalone', pair);
    await replicate(w);
    await w.running.servers[0]?.kill();
    const startedUs = monotonicUs();
    const target = { ...w.running.target, nodes: w.running.target.nodes.map((node) => ({ ...node, logFile: null })) };
    const observer = await w.observe(target);
    assert.ok(monotonicUs() - startedUs < 1_000_000);
    assert.deepEqual(
      observer.view().nodes.map(({ reachable, inSync }) => [reachable, inSync]),
      [
        [false, false],
        [true, false],
      ],
    );
    assert.match(w.log.of('reachable')[0]?.reason ?? '', /ECONNREFUSED/);
    assert.deepEqual(
      w.log.of('replicas').map(({ inSync, known }) => [inSync, known]),
      [[0, 1]],
    );
    const beforeUs = monotonicUs() - w.t0Us;
    await w.clients[1]?.replicaof('NO', 'ONE');
    const role = await w.log.waitFor('role', 'n2 master', (event) => event.node === 'n2' && event.role === 'master');
    assert.ok(role.tUs >= beforeUs && role.tUs - role.resolutionUs <= monotonicUs() - w.t0Us);
    assert.deepEqual(w.log.of('log'), []);
  });
});

/** n1–n3 masters of a third each, n4 a replica of n1; whole, and in sync by acknowledgement, when it resolves. */
async function formCluster({ running, clients }: Watched): Promise<void> {
  const ranges = cluster.map((node) => node.slots[0]?.split('-') ?? []);
  for (const [i, client] of clients.entries()) {
    const [first, last] = ranges[i] ?? [];
    if (first !== undefined && last !== undefined) await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    await client.call('CLUSTER', 'MEET', '127.0.0.1', running.servers[0]?.node.port ?? 0);
  }
  const firstId = String(await clients[0]?.call('CLUSTER', 'MYID'));
  await until('everyone to know everyone', async () => {
    const seen = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'NODES')).match(/ connected/g)?.length ?? 0));
    return seen.every((count) => count === clients.length);
  });
  await clients[3]?.call('CLUSTER', 'REPLICATE', firstId);
  await until('the first master to serve', async () => String(await clients[0]?.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  await until('the replica and the cluster to be well', async () => {
    const states = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'INFO'))));
    const rolesKnown = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'NODES')).includes('slave')));
    await clients[0]?.set('bar', 'x'); // A slot of n1.
    const acknowledged = /offset=[1-9]/.test((await clients[0]?.info('replication')) ?? '');
    return acknowledged && rolesKnown.every(Boolean) && states.every((state) => state.includes('cluster_state:ok'));
  });
}

test('a user who may not ask is told so once, and the node still counts as reachable', async (t) => {
  const w = await watched(t, 'standalone', pair.slice(0, 1));
  await w.clients[0]?.call('ACL', 'SETUSER', 'default', '-info');
  const observer = await w.observe();
  const refused = await w.log.waitFor('message', 'refused', (event) => event.level === 'warning');
  assert.match(refused.text, /^n1 refuses to be watched \(NOPERM.*INFO/);
  const firstUs = observer.view().atUs;
  await until('some more polls', () => observer.view().atUs > firstUs + 300_000);
  assert.equal(w.log.of('message').length, 1);
  assert.deepEqual(w.log.of('reachable'), []);
});

test('an aborted observer lets go of everything and says nothing', async (t) => {
  const w = await watched(t, 'standalone', pair.slice(0, 1));
  const abort = new AbortController();
  const starting = startObserver({ target: w.running.target, sink: w.log, t0Us: w.t0Us, signal: abort.signal });
  abort.abort();
  const observer = await starting;
  await observer.stop();
  const mark = w.log.events.length;
  await w.running.servers[0]?.kill();
  assert.equal(w.log.events.length, mark);
});
