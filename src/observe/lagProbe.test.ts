import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { NodeView } from '../topology/target.js';
import { LagProbe, type LagReport } from './lagProbe.js';
import { startServers, type TestServers, until } from './servers.test.support.js';

const DELAY_MS = 80;

/** Hands on what the server sends `delayMs` later: the way from a master to its replica. */
async function slowLink(t: TestContext, toPort: number): Promise<{ port: number; delayMs: number }> {
  const sockets = new Set<Socket>();
  const link = { port: 0, delayMs: 0 };
  const server = createServer((caller) => {
    const callee = connect(toPort, '127.0.0.1');
    for (const socket of [caller, callee]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    caller.pipe(callee);
    callee.on('data', (data) => setTimeout(() => caller.write(data), link.delayMs).unref());
    callee.on('close', () => caller.destroy());
    caller.on('close', () => callee.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  link.port = typeof address === 'object' && address !== null ? address.port : 0;
  return link;
}

async function linkedPair(t: TestContext): Promise<{ running: TestServers; link: { port: number; delayMs: number } }> {
  const running = await startServers('replicated', [
    { role: 'master', slots: ['0-16383'], masterId: null },
    { role: 'replica', slots: [], masterId: 'n1' },
  ]);
  t.after(() => running.close());
  const [master, replica] = running.servers;
  assert.ok(master && replica);
  const link = await slowLink(t, master.node.port);
  const [asMaster, asReplica] = [master.client(), replica.client()];
  await asReplica.replicaof('127.0.0.1', link.port);
  await until('the replica to be linked', async () => {
    await asMaster.set('x', '1');
    return (await asReplica.get('x').catch(() => null)) === '1';
  });
  return { running, link };
}

function nodeView(id: string, role: 'master' | 'replica', masterId: string | null, reachable = true): NodeView {
  return { id, address: id, role, shard: 0, slots: role === 'master' ? [[0, 16383]] : [], masterId, reachable, inSync: role === 'replica' };
}

const ordinary = [nodeView('n1', 'master', null), nodeView('n2', 'replica', 'n1')];
const lagsOf = (reports: readonly LagReport[]): number[] => reports.flatMap(({ markers }) => markers.map(([, lagUs]) => lagUs));

test('lag is what the link adds; a dead replica is unknown, not in time; nothing is left', { timeout: 60_000 }, async (t) => {
  const { running, link } = await linkedPair(t);
  const [master, replica] = running.servers;
  const client = master?.client();
  assert.ok(client && replica);
  let view: NodeView[] = ordinary;
  let reports: LagReport[] = [];
  const warnings: string[] = [];
  const probe = new LagProbe({
    target: running.target,
    view: () => view,
    prefix: 'run:',
    everyUs: 20_000,
    report: (report) => reports.push(report),
    warn: (node, reason) => warnings.push(`${node} ${reason}`),
  });
  t.after(() => probe.end());
  probe.start();

  await until('markers over the quick link', () => lagsOf(reports).length >= 20);
  // The quickest of many: a busy machine makes some late.
  assert.ok(Math.min(...lagsOf(reports)) < (DELAY_MS * 1000) / 4, `${lagsOf(reports)}`);
  assert.ok(reports.every(({ node, master: by, shard }) => node === 'n2' && by === 'n1' && shard === 0));
  assert.ok(reports.every(({ markers }) => markers.every(([, , resolutionUs]) => resolutionUs > 0)));
  assert.ok((await client.ttl('run:lag:0')) > 0, 'a marker that nobody removes goes by itself');

  link.delayMs = DELAY_MS;
  // Markers that were under way already are quick still.
  const before = reports.length;
  await until('a report of the change', () => reports.length >= before + 2);
  reports = [];
  await until('markers over the slow link', () => lagsOf(reports).length >= 20);
  const slow = lagsOf(reports).toSorted((a, b) => a - b);
  // A marker's own answer can be read late by a busy thread, after the link has read the marker.
  assert.ok((slow[Math.floor(slow.length / 2)] ?? 0) >= (DELAY_MS - 2) * 1000, `${slow}`);
  assert.ok((slow[10] ?? 0) < 4 * DELAY_MS * 1000, `${slow}`);

  await replica.kill();
  await until('markers without a replica', () => reports.some(({ unseen }) => unseen > 0));
  reports = [];
  await until('a report without a replica', () => reports.length > 0);
  assert.deepEqual(lagsOf(reports), [], 'nothing is known of it');
  assert.ok((reports[0]?.unseen ?? 0) > 0);

  view = [nodeView('n1', 'master', null, false), nodeView('n2', 'replica', 'n1', false)];
  await until('nothing to follow', () => reports.at(-1)?.master === null || reports.length > 3);
  await probe.end();
  view = ordinary;
  const told = reports.length;
  await client.ping();
  assert.equal(reports.length, told, 'nothing is told after the end');
  assert.deepEqual(warnings, []);
});

test('after a change of master the markers of the old one are unseen, and no key stays', { timeout: 60_000 }, async (t) => {
  const { running, link } = await linkedPair(t);
  const [first, second] = running.servers;
  const [old, promoted] = [first?.client(), second?.client()];
  assert.ok(first && old && promoted);
  let view: NodeView[] = ordinary;
  const reports: LagReport[] = [];
  const probe = new LagProbe({
    target: running.target,
    view: () => view,
    prefix: 'run:',
    everyUs: 20_000,
    report: (report) => reports.push(report),
    warn: () => undefined,
  });
  t.after(() => probe.end());
  probe.start();
  await until('markers', () => lagsOf(reports).length > 0);
  // Longer than the test: what is written from now on does not get there.
  link.delayMs = 60_000;
  await until('markers on their way', () => (reports.at(-1)?.waitingUs ?? 0) > 0);
  await promoted.replicaof('NO', 'ONE');
  await old.replicaof('127.0.0.1', running.servers[1]?.node.port ?? 0);
  view = [nodeView('n1', 'replica', 'n2'), nodeView('n2', 'master', null)];
  await until('the lag of the old master', () => reports.some(({ node, markers }) => node === 'n1' && markers.length > 0));
  const lost = reports.filter(({ node }) => node === 'n2').reduce((sum, { unseen }) => sum + unseen, 0);
  assert.ok(lost > 0, 'those on their way are counted as unseen');
  assert.ok(
    reports.filter(({ node }) => node === 'n1').every(({ master }) => master === 'n2'),
    'a node that was a master is watched as a replica',
  );
  await probe.end();
  assert.equal(await promoted.exists('run:lag:0'), 0);
  await until('the removal to get to the replica', async () => (await old.exists('run:lag:0')) === 0);
});
