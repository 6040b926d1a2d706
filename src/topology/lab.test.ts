/** Labs of real servers: they form, they can be broken and restarted, and they leave nothing behind. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import type { LabPlan } from '../plan/plan.js';
import { startLab } from './lab.js';
import { canListen, PortPicker } from './ports.js';
import type { ProcessChange, Target, TopologyView } from './target.js';
import { waitFor } from './waiting.js';

const temporary = mkdtempSync(join(tmpdir(), 'kvbench-test-'));
const cluster: LabPlan = {
  kind: 'lab',
  topology: 'cluster',
  masters: 3,
  replicasPerMaster: 1,
  server: 'auto',
  config: { 'cluster-node-timeout': '2000' },
};
const standalone: LabPlan = { ...cluster, topology: 'standalone', masters: 1, replicasPerMaster: 0, config: {} };
const texts: string[] = [];

function start(plan: LabPlan, signal: AbortSignal = new AbortController().signal): Promise<Target> {
  return startLab(plan, { onProgress: (text) => texts.push(text), signal });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

let lab: Target;
before(async () => {
  process.env.TMPDIR = temporary;
  lab = await start(cluster);
});
after(async () => {
  await lab?.close();
  rmSync(temporary, { recursive: true, force: true });
});

function processesOf(target: Target): NonNullable<Target['processes']> {
  assert.ok(target.processes);
  return target.processes;
}

function waitForView(what: string, holds: (view: TopologyView) => boolean): Promise<TopologyView> {
  return waitFor(
    async () => {
      const view = await lab.currentView();
      return holds(view) ? view : undefined;
    },
    { limitUs: 15_000_000, everyUs: 20_000, timedOut: () => new Error(`not in time: ${what}`) },
  );
}

test('a 3+3 cluster is up when startLab resolves: roles, slots, shards, replicas in sync', async () => {
  const view = await lab.currentView();
  assert.deepEqual(
    view.nodes.map(({ id, role, shard, slots, masterId, reachable, inSync }) => [id, role, shard, slots, masterId, reachable, inSync]),
    [
      ['n1', 'master', 0, [[0, 5460]], null, true, false],
      ['n2', 'master', 1, [[5461, 10_921]], null, true, false],
      ['n3', 'master', 2, [[10_922, 16_383]], null, true, false],
      ['n4', 'replica', 0, [], 'n1', true, true],
      ['n5', 'replica', 1, [], 'n2', true, true],
      ['n6', 'replica', 2, [], 'n3', true, true],
    ],
  );
  assert.match(texts[0] ?? '', /^Starting 6 (redis|valkey)-server \d+\.\d+\.\d+ …$/);
  assert.ok(texts.some((text) => /^cluster formed in /.test(text)));
  const record = lab.describe();
  assert.deepEqual([record.clusterNodeTimeoutMs, record.fullCoverage, record.settings['repl-diskless-sync-delay']], [2000, true, '0']);
  assert.deepEqual(record.nodes[1]?.slots, ['5461-10921']);
  for (const { port } of lab.nodes) assert.ok(port < 32_768);
});

test('endpoints name every node and the shard of every slot; the probe left no key', async () => {
  const endpoints = lab.endpoints(null);
  assert.equal(endpoints.shardCount, 3);
  assert.deepEqual([endpoints.shardOfSlot[0], endpoints.shardOfSlot[5461], endpoints.shardOfSlot[16_383]], [0, 1, 2]);
  assert.deepEqual(Object.values(endpoints.nodeIds), ['n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
  assert.equal(lab.describe().proxied, false);
  assert.deepEqual(await lab.keysPerNode(), { n1: 0, n2: 0, n3: 0 });
});

test('a replica that is killed and started again comes back in sync; every change is told', async () => {
  const processes = processesOf(lab);
  const changes: ProcessChange[] = [];
  processes.onChange((change) => changes.push(change));
  const pid = processes.pidOf('n6');
  const beforeUs = monotonicUs();
  const { atUs } = await processes.signal('n6', 'SIGKILL');
  assert.ok(atUs >= beforeUs && atUs <= monotonicUs());
  await processes.waitForExit('n6', 2_000_000);
  assert.equal(processes.isRunning('n6'), false);
  const dead = await lab.currentView();
  assert.deepEqual([dead.nodes[5]?.reachable, dead.nodes[5]?.inSync, dead.nodes[5]?.shard], [false, false, 2]);
  await assert.rejects(
    processes.signal('n6', 'SIGSTOP'),
    (error: KvbenchError) => error.code === 'FAULT_FAILED' && /n6 is not running/.test(error.message),
  );
  await processes.start('n6');
  assert.notEqual(processes.pidOf('n6'), pid);
  await waitForView('n6 in sync', (view) => view.nodes[5]?.inSync === true);
  assert.deepEqual(
    changes.map(({ node, state, signal }) => [node, state, signal]),
    [
      ['n6', 'exited', 'SIGKILL'],
      ['n6', 'started', null],
    ],
  );
});

test('a start right after the kill waits until the old process has gone', async () => {
  const processes = processesOf(lab);
  await processes.signal('n5', 'SIGKILL');
  await processes.start('n5');
  const control = lab.control('n5');
  assert.match(await control.info('server'), new RegExp(`process_id:${processes.pidOf('n5')}\\b`));
  control.disconnect();
});

test('a stopped node is not reachable and delays nobody for long', async () => {
  const processes = processesOf(lab);
  await processes.signal('n4', 'SIGSTOP');
  const view = await lab.currentView();
  assert.equal(view.nodes[3]?.reachable, false);
  assert.equal(view.nodes.filter((node) => node.reachable).length, 5);
  await processes.signal('n4', 'SIGCONT');
  await waitForView('n4 answers', (later) => later.nodes[3]?.reachable === true);
});

test('two more labs at once do not disturb each other; close leaves nothing, and may be called twice', async () => {
  const labs = await Promise.all([start({ ...cluster, replicasPerMaster: 0 }), start({ ...cluster, replicasPerMaster: 0 })]);
  const pids = labs.flatMap((each) => each.nodes.map((node) => processesOf(each).pidOf(node.id) ?? 0));
  try {
    assert.equal(new Set(labs.flatMap((each) => each.nodes.map((node) => node.port))).size, 6);
    for (const each of labs) assert.equal((await each.currentView()).nodes.filter((node) => node.role === 'master').length, 3);
    assert.ok(pids.every(isAlive));
  } finally {
    await Promise.all(labs.map((each) => each.close()));
  }
  await labs[0]?.close();
  assert.deepEqual(pids.filter(isAlive), []);
  assert.equal(readdirSync(temporary).length, 1, 'only the folder of the first lab');
});

test("a directive the server does not take: the server's own words, and nothing left", async () => {
  await assert.rejects(start({ ...standalone, config: { maxmemory: 'plenty' } }), (error: unknown) => {
    assert.ok(error instanceof KvbenchError);
    assert.equal(error.code, 'LAB_FAILED');
    assert.match(error.message, /maxmemory "plenty": argument must be a memory value/);
    assert.match(error.hint ?? '', /target\.config/);
    return true;
  });
  assert.equal(readdirSync(temporary).length, 1, 'only the folder of the first lab');
});

test('a start that is aborted leaves nothing', async () => {
  const abort = new AbortController();
  const starting = startLab({ ...cluster, replicasPerMaster: 0 }, { onProgress: () => setTimeout(() => abort.abort(), 150), signal: abort.signal });
  await assert.rejects(starting, /interrupted/);
  assert.equal(readdirSync(temporary).length, 1, 'only the folder of the first lab');
});

test('a standalone lab is one master of all slots', async () => {
  const single = await start(standalone);
  try {
    const view = await single.currentView();
    assert.deepEqual([view.nodes.length, view.nodes[0]?.role, view.nodes[0]?.shard, view.nodes[0]?.slots], [1, 'master', 0, [[0, 16_383]]]);
    assert.deepEqual([single.endpoints(null).shardCount, single.describe().clusterNodeTimeoutMs], [1, null]);
  } finally {
    await single.close();
  }
});

test('a pair of ports has the distance asked for, below the ephemeral range', async () => {
  const { port, busPort } = await new PortPicker().nextPair(10_000);
  assert.ok(busPort === port + 10_000 && port >= 10_000 && busPort < 32_768);
});

test('a port somebody listens on is not free', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  assert.equal(await canListen(port), false);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await canListen(port), true);
});
