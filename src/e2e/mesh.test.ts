/** The link mesh on real servers: a split brain, who reaches whom by the nodes' own words, and ways out in the middle of a partition. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { packageRoot } from '../base/packageRoot.js';
import type { GroupCutSummary, Summary } from '../result/summary.js';
import { parseClusterNodes } from '../topology/clusterNodesReply.js';
import {
  assertNothingLeft,
  assertNothingUnaccounted,
  eventually,
  readResults,
  runKvbench,
  startKvbench,
  temporaryFolder,
  writeProfile,
} from './harness.js';

const splitBrain = join(packageRoot, 'profiles/split-brain.yaml');
const short = ['load.phases.1.duration=12s', 'chaos.0.at=2s', 'chaos.0.for=8s'].flatMap((set) => ['--set', set]);

function cutOf(summary: Summary, group: string): GroupCutSummary {
  const cut = summary.clientGroups?.find(({ name }) => name === group)?.cuts[0];
  assert.ok(cut, `what ${group} got while the network was cut`);
  return cut;
}

test('split brain: both sides go on, the minority’s master gives up, its replica takes over, and after the heal it is a replica', {
  skip: process.platform !== 'linux',
  timeout: 120_000,
}, async () => {
  const [temp, cwd] = [temporaryFolder(), temporaryFolder()];
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', splitBrain, ...short, '--out', dir], { cwd, temp });
  const { summary, events } = readResults(dir);
  assert.ok(finished.code === 0 || summary.thresholds.some(({ ok }) => !ok), finished.stderr + finished.stdout);
  assertNothingUnaccounted(summary);
  const [fault] = summary.faults;
  assert.ok(fault?.injectedAtMs && fault.healedAtMs, 'injected and healed');
  assert.equal(fault.status, 'healed');
  assert.deepEqual(fault.sides, [
    { nodes: ['n1'], clients: ['minority'] },
    { nodes: ['n2', 'n3', 'n4', 'n5', 'n6'], clients: ['majority'] },
  ]);
  assert.deepEqual(fault.targets.map(({ node }) => node).sort(), ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
  assert.ok(fault.detectedMs !== null && fault.promotedMs !== null && fault.detectedMs < fault.promotedMs, 'detected, then promoted');
  assert.ok(fault.promotedMs < fault.healedAtMs, 'promoted while the network was cut');
  assert.ok(fault.redundancyRestoredMs !== null, 'the old master is a replica in sync');

  // The cut-off master acknowledges writes, for longer than its peers need to suspect it, and then no more.
  const minority = cutOf(summary, 'minority');
  assert.deepEqual([minority.side, minority.nodes], [0, ['n1']]);
  const own = minority.shards.find(({ shard, kind }) => shard === 0 && kind === 'write');
  assert.ok(own?.lastOkMs && own.ok > 0 && own.notOk > 0);
  assert.ok(own.lastOkMs - fault.injectedAtMs > 1000 && own.lastOkMs < fault.healedAtMs - 500, `acknowledged until ${own.lastOkMs} ms`);
  assert.ok(
    minority.shards.every(({ shard, ok }) => shard === 0 || ok === 0),
    'the minority’s clients reach nobody else',
  );
  assert.ok((summary.clientGroups?.[0]?.byReason.CLUSTERDOWN ?? 0) > 0, 'the cut-off master said CLUSTERDOWN');
  // On the other side nobody answers for shard 0 until its replica is promoted.
  const majority = cutOf(summary, 'majority');
  const taken = majority.shards.find(({ shard, kind }) => shard === 0 && kind === 'write');
  assert.ok(taken?.firstOkMs && taken.firstOkMs > fault.promotedMs - 100, `shard 0 served the majority from ${taken?.firstOkMs} ms on`);

  const end = events.findLast((event) => event.type === 'target');
  assert.ok(end?.type === 'target');
  const roles = new Map(end.nodes.map(({ id, role }) => [id, role]));
  assert.deepEqual([roles.get('n1'), roles.get('n4')], ['replica', 'master']);
  const page = readFileSync(join(dir, 'report.html'), 'utf8');
  for (const words of ['n1 + minority | n2–n6 + majority', 'Clients by group', 'While partition 1 was in force'])
    assert.ok(page.includes(words), words);
  await assertNothingLeft(temp);
});

const cuts = `
name: cuts
target: { topology: cluster, masters: 3, replicasPerMaster: 1, config: { cluster-node-timeout: 1000 } }
load:
  threads: 1
  workload: { operations: { get: 1 }, keys: { count: 10 }, preload: true }
  phases: [{ duration: 20s, rate: 20/s }]
chaos:
  - { at: 500ms, for: 3s, fault: one-way, from: "replica of master[0]", to: "master[0]", mode: refuse }
  - { after: { fault: 1, state: healed, delay: 1s }, for: 15s, fault: bridge, node: "master[2]", groups: [["master[0]"], ["master[1]"]] }
`;

test('one-way and bridge: who reaches whom, by the nodes’ own view', { skip: process.platform !== 'linux', timeout: 120_000 }, async () => {
  const [temp, cwd] = [temporaryFolder(), temporaryFolder()];
  const running = startKvbench(['run', writeProfile(cwd, 'cuts.yaml', cuts), '--out', 'out'], { cwd, temp });
  const connections: Redis[] = [];
  try {
    await running.said(/one-way 1: n4 → n1 cut one way/);
    const { nodes } = JSON.parse(readFileSync(join(cwd, 'out', 'run.json'), 'utf8')).target as { nodes: { id: string; address: string }[] };
    const addresses = new Map(nodes.map(({ id, address }) => [address, id]));
    const client = (id: string): Redis => {
      const [host = '', port = ''] = nodes.find((node) => node.id === id)?.address.split(':') ?? [];
      const redis = new Redis({ host, port: Number(port), maxRetriesPerRequest: 1 });
      redis.on('error', () => undefined);
      connections.push(redis);
      return redis;
    };
    const [n1, n2, n3, n4] = ['n1', 'n2', 'n3', 'n4'].map(client) as [Redis, Redis, Redis, Redis];
    const seenBy = async (redis: Redis, id: string) => {
      const lines = parseClusterNodes(String(await redis.call('CLUSTER', 'NODES')));
      const line = lines.find(({ host, port }) => addresses.get(`${host}:${port}`) === id);
      assert.ok(line, id);
      return line;
    };

    // What n4 opens to n1 fails, replication and bus; what n1 opens to n4 works, and so neither holds the other for dead.
    await eventually('n4 has no link to n1', 3000, async () => !(await seenBy(n4, 'n1')).linkConnected);
    await eventually('replication of n4 is down', 3000, async () => /master_link_status:down/.test(await n4.info('replication')));
    assert.ok((await seenBy(n1, 'n4')).linkConnected, 'n1 has its link to n4');
    assert.equal((await seenBy(n2, 'n4')).failure, 'ok');
    await running.said(/one-way 1 healed/);
    await eventually('n4 follows n1 again', 5000, async () => /master_link_status:up/.test(await n4.info('replication')));
    assert.equal((await seenBy(n4, 'n1')).failure, 'ok', 'hearing n1’s pings, n4 never held it for dead');

    // The halves suspect each other; the node in the middle hears both, so there is no majority against either.
    await running.said(/bridge 2: n1 \| n2 cut apart/);
    await eventually('n1 suspects n2', 10_000, async () => (await seenBy(n1, 'n2')).failure === 'pfail');
    await eventually('n2 suspects n1', 10_000, async () => (await seenBy(n2, 'n1')).failure === 'pfail');
    assert.deepEqual([(await seenBy(n3, 'n1')).failure, (await seenBy(n3, 'n2')).failure], ['ok', 'ok']);
    assert.deepEqual([(await seenBy(n1, 'n3')).failure, (await seenBy(n2, 'n3')).failure], ['ok', 'ok']);
    running.child.kill('SIGTERM');
    const finished = await running.finished;
    assert.equal(finished.code, 105, finished.stderr);
    const { events } = readResults(join(cwd, 'out'));
    assert.ok(
      events.some((event) => event.type === 'fault' && event.faultId === 2 && event.state === 'healed'),
      'SIGTERM heals the bridge',
    );
    assert.ok(!events.some((event) => event.type === 'message' && event.level === 'error'));
    await assertNothingLeft(temp);
  } finally {
    for (const redis of connections) redis.disconnect();
    running.child.kill('SIGKILL');
    await running.finished;
  }
});

test('kill -9 in the middle of a partition leaves no server, proxy or folder', { skip: process.platform !== 'linux', timeout: 120_000 }, async () => {
  const [temp, cwd] = [temporaryFolder(), temporaryFolder()];
  const running = startKvbench(['run', splitBrain, '--set', 'chaos.0.at=200ms', '--out', 'out'], { cwd, temp });
  await running.said(/partition 1: n1 \+ minority \| n2–n6 \+ majority cut apart/);
  running.child.kill('SIGKILL');
  assert.equal((await running.finished).signal, 'SIGKILL');
  await assertNothingLeft(temp);
});

test('an exception in the middle of a partition: it is healed, told as a bug, and nothing is left', {
  skip: process.platform !== 'linux',
  timeout: 120_000,
}, async () => {
  const [temp, cwd] = [temporaryFolder(), temporaryFolder()];
  const word = join(cwd, 'now');
  writeFileSync(
    join(cwd, 'thrower.mjs'),
    `import { existsSync } from 'node:fs';
    import { isMainThread } from 'node:worker_threads';
    const look = () => {
      if (!existsSync(${JSON.stringify(word)})) return;
      clearInterval(looking);
      throw new Error('thrown on purpose');
    };
    const looking = isMainThread && process.argv[2] === 'run' ? setInterval(look, 20).unref() : undefined;`,
  );
  const env = { NODE_OPTIONS: `--import ${pathToFileURL(join(cwd, 'thrower.mjs')).href}` };
  const running = startKvbench(['run', splitBrain, '--set', 'chaos.0.at=200ms', '--out', 'out'], { cwd, temp, env });
  await running.said(/partition 1: n1 \+ minority \| n2–n6 \+ majority cut apart/);
  writeFileSync(word, '');
  const finished = await running.finished;
  assert.match(finished.stderr, /kvbench: internal error: thrown on purpose/);
  assert.equal(finished.code, 107, finished.stderr);
  const { summary } = readResults(join(cwd, 'out'));
  assert.equal(summary.faults[0]?.status, 'healed');
  for (const what of ['every process runs', 'every proxy clean']) assert.ok(summary.healing?.holds.includes(what), JSON.stringify(summary.healing));
  await assertNothingLeft(temp);
});
