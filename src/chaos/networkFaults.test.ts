/** The faults that cut links, on proxies in memory: which links, in which directions, and that overlapping cuts leave each other alone. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { makePlan } from '../plan/makePlan.js';
import type { FaultPlan } from '../plan/plan.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { ChaosController } from './controller.js';
import { faultRegistry } from './registry.js';
import {
  clientLink,
  environment,
  faultPlan,
  MemoryProxies,
  meshLinks,
  nodeView,
  planOf,
  RememberingSink,
  viewOf,
  waitFor,
} from './testDoubles.test.support.js';

const ids = ['n1', 'n2', 'n3', 'n4'];
const view = viewOf([
  nodeView('n1', { shard: 0, slots: [[0, 8191]] }),
  nodeView('n2', { shard: 1, slots: [[8192, 16383]] }),
  nodeView('n3', { role: 'replica', shard: 0, masterId: 'n1', slots: [] }),
  nodeView('n4', { role: 'replica', shard: 1, masterId: 'n2', slots: [] }),
]);
let proxies: MemoryProxies;
let sink: RememberingSink;
let chaos: ChaosController;

beforeEach(() => {
  proxies = new MemoryProxies([...['near', 'far'].flatMap((group) => ids.map((id) => clientLink(id, group))), ...meshLinks(ids)]);
  start(proxies);
});

function start(with_: MemoryProxies): void {
  sink = new RememberingSink();
  const context = environment({ proxies: with_, clientGroups: ['near', 'far'], view: () => view });
  chaos = new ChaosController({ plan: planOf([], 60_000_000), context, sink, t0Us: monotonicUs(), states: null });
}

/** A fault as a profile writes it, through schema, checks and plan. */
function written(fault: Record<string, unknown>): FaultPlan {
  const profile = {
    name: 'cuts',
    target: { topology: 'cluster', masters: 3, replicasPerMaster: 1 },
    load: { clientGroups: { near: 1, far: 1 }, workload: { operations: { get: 1 } }, phases: [{ duration: '10s', rate: '1/s' }] },
    chaos: [{ at: '1s', ...fault }],
  };
  const plan = makePlan(profileFromObject(profile, 'test', '.', { faults: faultRegistry, sets: [], env: {} }));
  assert.equal(plan.mesh, true);
  return plan.chaos[0] as FaultPlan;
}

async function inject(id: number, fault: Record<string, unknown>): Promise<void> {
  chaos.submit({ type: 'inject', fault: { ...written(fault), id }, plannedAtUs: null });
  await waitFor(`fault ${id} has come`, () => sink.states(id).some((state) => ['injected', 'failed', 'skipped'].includes(state)));
}

async function heal(id: number): Promise<void> {
  chaos.submit({ type: 'heal', faultId: id, plannedAtUs: null });
  await waitFor(`fault ${id} is healed`, () => sink.states(id).includes('healed'));
}

/** `n1>n2`, over all channels; a link is cut when both directions of its data are dropped. */
function cutPairs(): string[] {
  const links = proxies.links.filter((link) => {
    const name = link.channel === 'client' ? `${link.from}>${link.to}` : `${link.from}>${link.to} ${link.channel}`;
    const streams = [...proxies.toxics].filter(([key]) => key.startsWith(`${name} kvbench`)).map(([, toxic]) => toxic.stream);
    return new Set(streams).size === 2;
  });
  return [...new Set(links.map(({ from, to }) => `${from}>${to}`))].sort();
}

test('partition: nobody reaches the other side, in either direction; each side keeps its own', async () => {
  await inject(1, {
    fault: 'partition',
    groups: [
      ['master[0]', 'clients of near'],
      ['rest', 'clients of far'],
    ],
  });
  const expected = ['n2', 'n3', 'n4'].flatMap((id) => [`n1>${id}`, `${id}>n1`, `near>${id}`]);
  assert.deepEqual(cutPairs(), [...expected, 'far>n1'].sort());
  const injected = sink.events.find((event) => event.type === 'fault' && event.state === 'injected');
  assert.ok(injected?.type === 'fault');
  assert.deepEqual(injected.sides, [
    { nodes: ['n1'], clients: ['near'] },
    { nodes: ['n2', 'n3', 'n4'], clients: ['far'] },
  ]);
  assert.deepEqual(
    injected.targets.map(({ node }) => node),
    ids,
  );
  await heal(1);
  assert.ok(await proxies.isClean());
});

test('partition with mode refuse disables the links; clients and nodes on no side reach all', async () => {
  await inject(1, { fault: 'partition', groups: [['master[0]'], ['master[1]']], mode: 'refuse' });
  assert.deepEqual([...proxies.disabled].sort(), ['n1>n2 bus', 'n1>n2 replication', 'n2>n1 bus', 'n2>n1 replication']);
  assert.equal(proxies.toxics.size, 0);
  await heal(1);
  assert.ok(await proxies.isClean());
});

test('isolate: one node and everybody else, clients with it or not', async () => {
  await inject(1, { fault: 'isolate', node: 'master[0]' });
  const nodes = ['n2', 'n3', 'n4'].flatMap((id) => [`n1>${id}`, `${id}>n1`]);
  assert.deepEqual(cutPairs(), [...nodes, 'near>n1', 'far>n1'].sort());
  await heal(1);
  await inject(2, { fault: 'isolate', node: 'master[0]', clients: 'keep' });
  assert.deepEqual(cutPairs(), nodes.sort());
  await heal(2);
  assert.ok(await proxies.isClean());
});

test('one-way: only what one end opens', async () => {
  await inject(1, { fault: 'one-way', from: ['all replicas', 'clients of far'], to: 'master[0]' });
  assert.deepEqual(cutPairs(), ['far>n1', 'n3>n1', 'n4>n1']);
  await heal(1);
  assert.ok(await proxies.isClean());
});

test('bridge: two halves, and the node in the middle reaches both', async () => {
  await inject(1, { fault: 'bridge', node: 'replica[1]' });
  // n1 and n2 are one half, n3 the other.
  assert.deepEqual(cutPairs(), ['n1>n3', 'n2>n3', 'n3>n1', 'n3>n2']);
  await heal(1);
  await inject(2, { fault: 'bridge', node: 'master[1]', groups: [['master[0]'], ['rest']] });
  assert.deepEqual(cutPairs(), ['n1>n3', 'n1>n4', 'n3>n1', 'n4>n1']);
  await heal(2);
  assert.ok(await proxies.isClean());
});

test('overlapping cuts: healing one leaves the links of the other cut, in both modes', async () => {
  await inject(1, { fault: 'isolate', node: 'master[0]' });
  const alone = cutPairs();
  await inject(2, { fault: 'partition', groups: [['master[0]'], ['rest']] });
  await inject(3, { fault: 'partition', groups: [['master[0]'], ['rest']], mode: 'refuse' });
  await inject(4, { fault: 'isolate', node: 'master[0]', mode: 'refuse' });
  await heal(2);
  await heal(4);
  assert.deepEqual(cutPairs(), alone);
  assert.equal(proxies.disabled.size, 12);
  await heal(3);
  assert.equal(proxies.disabled.size, 0);
  await heal(1);
  assert.ok(await proxies.isClean());
});

test('a cut that fails half-way leaves nothing behind', async () => {
  proxies.refuse = 'timeout';
  await inject(1, { fault: 'isolate', node: 'master[0]' });
  assert.ok(sink.states(1).includes('failed'));
  assert.ok(await proxies.isClean());
});

test('sides that overlap, or that nobody is on, are skipped with the reason', async () => {
  await inject(1, { fault: 'partition', groups: [['master[0]', 'rest'], ['master of slot 0']] });
  await inject(2, { fault: 'partition', groups: [['master[0]'], ['master[2]']] });
  const messages = sink.events.flatMap((event) => (event.type === 'fault' && event.state === 'skipped' ? [event.message] : []));
  assert.deepEqual(messages, ['n1 would stand on two sides at once', 'no node is "master[2]" at this moment']);
});

test('without a mesh a cut between nodes is skipped, not half done', async () => {
  start(new MemoryProxies());
  await inject(1, { fault: 'isolate', node: 'master[0]' });
  assert.deepEqual(sink.states(1), ['skipped']);
});

test('toxic on classes of links: replication alone, by its ends, and with a node on either end', async () => {
  const toxics = [{ type: 'latency', attributes: { latency: 5 } }];
  const slowed = (): string[] => proxies.calls.map((call) => call.replace(' add latency', '')).sort();
  await inject(1, { fault: 'toxic', link: 'replication', node: 'master[0]', toxics });
  assert.deepEqual(slowed(), ['n2', 'n3', 'n4'].flatMap((id) => [`n1>${id} replication`, `${id}>n1 replication`]).sort());
  await heal(1);
  proxies.calls.length = 0;
  await inject(2, { fault: 'toxic', from: ['replica of master[0]', 'clients of near'], to: 'master[0]', toxics });
  assert.deepEqual(slowed(), ['n3>n1 bus', 'n3>n1 replication', 'near>n1']);
  await heal(2);
  assert.ok(await proxies.isClean());
});

test('a plan whose toxics are on client links has no mesh', () => {
  const fault = faultPlan(1, { kind: 'toxic' });
  assert.equal(fault.needsMesh, undefined);
  const profile = {
    target: { topology: 'standalone' },
    load: { workload: { operations: { get: 1 } }, phases: [{ duration: '10s', rate: '1/s' }] },
    chaos: [{ at: '1s', fault: 'toxic', toxics: [{ type: 'noop' }] }],
  };
  const plan = makePlan(profileFromObject(profile, 'test', '.', { faults: faultRegistry, sets: [], env: {} }));
  assert.deepEqual([plan.mesh, plan.toxiproxy.kind, plan.load.threads], [undefined, 'embedded', 2]);
});
