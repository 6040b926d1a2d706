/** A master with replicas, and one that sentinels watch: they form, fail over, keep their roles over restarts, and leave nothing behind. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { KvbenchError } from '../base/errors.js';
import type { LabPlan } from '../plan/plan.js';
import { discoverBySentinel } from './discoverSentinel.js';
import { complaintOf } from './formReplication.js';
import { startLab } from './lab.js';
import type { Target, TargetNode, TopologyView } from './target.js';
import { waitFor } from './waiting.js';

const temporary = mkdtempSync(join(tmpdir(), 'kvbench-test-'));
const plan: LabPlan = {
  kind: 'lab',
  topology: 'sentinel',
  masters: 1,
  replicasPerMaster: 2,
  server: 'auto',
  config: {},
  sentinel: { count: 3, quorum: 2, downAfterMs: 500, failoverTimeoutMs: 5000 },
};
const start = (of: LabPlan): Promise<Target> => startLab(of, { onProgress: () => {}, signal: new AbortController().signal });

let lab: Target;
before(async () => {
  process.env.TMPDIR = temporary;
  lab = await start(plan);
});
after(async () => {
  await lab?.close();
  const left = readdirSync(temporary);
  rmSync(temporary, { recursive: true, force: true });
  assert.deepEqual(left, []);
});

function viewWhere(what: string, of: Target, holds: (view: TopologyView) => boolean): Promise<TopologyView> {
  return waitFor(
    async () => {
      const view = await of.currentView();
      return holds(view) ? view : undefined;
    },
    { limitUs: 25_000_000, everyUs: 20_000, timedOut: () => new Error(`not in time: ${what}`) },
  );
}

test('a lab with sentinels is ready when replicas are in sync and every sentinel knows all', async () => {
  const view = await lab.currentView();
  assert.deepEqual(
    view.nodes.map(({ id, role, shard, slots, masterId, reachable, inSync }) => [id, role, shard, slots, masterId, reachable, inSync]),
    [
      ['n1', 'master', 0, [[0, 16_383]], null, true, false],
      ['n2', 'replica', 0, [], 'n1', true, true],
      ['n3', 'replica', 0, [], 'n1', true, true],
      ...['s1', 's2', 's3'].map((id) => [id, 'sentinel', null, [], null, true, false]),
    ],
  );
  assert.deepEqual(lab.describe().sentinel, { masterName: 'kvbench', count: 3, quorum: 2, downAfterMs: 500, failoverTimeoutMs: 5000 });
  const endpoints = lab.endpoints(null);
  assert.deepEqual([endpoints.mode, endpoints.shardCount, endpoints.seeds.length], ['sentinel', 1, 3]);
  assert.deepEqual(
    endpoints.sentinels?.seeds.map(({ port }) => port),
    lab.nodes.slice(3).map(({ port }) => port),
  );
  assert.deepEqual(Object.keys(await lab.keysPerNode()), ['n1']);
  for (const id of ['s1', 's2', 's3']) {
    const redis = lab.control(id);
    assert.match(String(await redis.call('SENTINEL', 'CKQUORUM', 'kvbench')), /^OK 3 usable/);
    redis.disconnect();
  }
});

test('a guest that names a sentinel is told what to name instead', async () => {
  const node = lab.nodes.find(({ id }) => id === 's1');
  assert.ok(node);
  const redis = lab.control('s1');
  const access = { username: null, password: null, tls: null };
  const found = await discoverBySentinel(redis, node, {}, access, () => {});
  const places = (nodes: readonly TargetNode[]): string[] => nodes.map(({ port, watches = '' }) => `${port} ${watches}`).sort();
  assert.deepEqual([found.mode, found.nodes.length, places(found.nodes)], ['sentinel', 6, places(lab.nodes)]);
  assert.deepEqual(
    found.nodes.map(({ id }) => id),
    ['n1', 'n2', 'n3', 's1', 's2', 's3'],
  );
  await assert.rejects(
    discoverBySentinel(redis, node, { masterName: 'other' }, access, () => {}),
    (error: KvbenchError) =>
      error.code === 'TARGET_REFUSED' && /watches no master named other/.test(error.message) && error.hint === 'it watches kvbench',
  );
  redis.disconnect();
});

test('a killed master is replaced, a promoted replica that is started again is still the master, a sentinel comes back', async () => {
  const { processes } = lab;
  assert.ok(processes);
  await processes.signal('n1', 'SIGKILL');
  const silent = await viewWhere('n1 is silent', lab, ({ nodes }) => nodes[0]?.reachable === false);
  assert.equal(silent.nodes[0]?.role, 'master', 'its replicas still call it theirs');
  const taken = await viewWhere('a replica took over', lab, ({ nodes }) =>
    nodes.some((node) => node.id !== 'n1' && node.role === 'master' && node.slots.length > 0),
  );
  const heir = taken.nodes.find((node) => node.id !== 'n1' && node.slots.length > 0)?.id ?? '';
  await viewWhere('the other replica follows it', lab, ({ nodes }) => nodes.some((node) => node.masterId === heir));
  await processes.start('n1');
  const back = await viewWhere('n1 is back', lab, ({ nodes }) => nodes[0]?.reachable === true);
  if (back.nodes[0]?.role === 'master') assert.deepEqual(back.nodes[0].slots, [], 'it has been replaced: no key is its own');
  assert.equal(back.nodes.find(({ id }) => id === heir)?.slots.length, 1);
  await processes.signal(heir, 'SIGKILL');
  await processes.waitForExit(heir, 2_000_000);
  await processes.start(heir);
  const redis = lab.control(heir);
  assert.equal(((await redis.call('ROLE')) as string[])[0], 'master', 'who promoted it wrote it into its file');
  redis.disconnect();
  await processes.signal('s2', 'SIGTERM');
  await processes.waitForExit('s2', 5_000_000);
  assert.equal((await lab.currentView()).nodes[4]?.reachable, false);
  await processes.start('s2');
  await viewWhere('s2 is back', lab, ({ nodes }) => nodes[4]?.reachable === true && nodes[4].role === 'sentinel');
});

test('replicated: a replica that is started again is still one; without its master nobody takes over', async () => {
  const { sentinel: _none, ...bare } = plan;
  const replicated = await start({ ...bare, topology: 'replicated', replicasPerMaster: 1 });
  try {
    const { processes } = replicated;
    assert.ok(processes);
    const roles = (view: TopologyView): string => view.nodes.map(({ id, role, inSync }) => `${id} ${role}${inSync ? ' in sync' : ''}`).join(', ');
    assert.equal(roles(await replicated.currentView()), 'n1 master, n2 replica in sync');
    await processes.signal('n2', 'SIGKILL');
    await processes.waitForExit('n2', 2_000_000);
    assert.equal(roles(await replicated.currentView()), 'n1 master, n2 unknown');
    await processes.start('n2');
    await viewWhere('the replica is in sync again', replicated, (view) => roles(view) === 'n1 master, n2 replica in sync');
    await processes.signal('n1', 'SIGKILL');
    await processes.waitForExit('n1', 2_000_000);
    assert.equal(roles(await replicated.currentView()), 'n1 master, n2 replica');
  } finally {
    await replicated.close();
  }
});

test('what a sentinel does not know yet is named', () => {
  const says = (fields: Record<string, string>): string | null =>
    complaintOf(new Map(Object.entries({ flags: 'master', 'num-slaves': '2', 'num-other-sentinels': '2', ...fields })), 2, 2);
  assert.equal(says({}), null);
  assert.match(says({ flags: 's_down,master,disconnected' }) ?? '', /does not see the master up/);
  assert.match(says({ 'num-slaves': '1' }) ?? '', /knows 1 of 2 replicas/);
  assert.match(says({ 'num-other-sentinels': '0' }) ?? '', /knows 0 of 2 other sentinels/);
});
