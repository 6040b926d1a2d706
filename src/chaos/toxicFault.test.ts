/** The `toxic` fault on proxies in memory: what it asks of them, step by step. Through real proxies: proxies.test.ts. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import { ChaosController } from './controller.js';
import { environment, faultPlan, MemoryProxies, planOf, RememberingSink, selectNode, waitFor } from './testDoubles.test.support.js';
import { toxicParamsSchema } from './toxicParams.js';

let proxies: MemoryProxies;
let sink: RememberingSink;
let chaos: ChaosController;

beforeEach(() => {
  proxies = new MemoryProxies();
  sink = new RememberingSink();
  chaos = new ChaosController({ plan: planOf([], 60_000_000), context: environment({ proxies }), sink, t0Us: monotonicUs(), states: null });
});

async function inject(id: number, params: unknown, everyNode = false): Promise<void> {
  const selector = everyNode ? null : selectNode(0);
  const fault = faultPlan(id, { kind: 'toxic', params: toxicParamsSchema.parse(params), selector });
  chaos.submit({ type: 'inject', fault, plannedAtUs: null });
  await waitFor(`fault ${id} is injected`, () => sink.states(id).includes('injected') || sink.states(id).includes('failed'));
}

async function heal(id: number): Promise<void> {
  chaos.submit({ type: 'heal', faultId: id, plannedAtUs: null });
  await waitFor(`fault ${id} is healed`, () => sink.states(id).includes('healed'));
}

const latency = { type: 'latency', attributes: { latency: 80 } };
const noop = { type: 'noop' };

test('toxics are added in order and removed by the heal', async () => {
  await inject(1, { toxics: [latency, noop] });
  assert.deepEqual(proxies.calls, ['n1 add latency', 'n1 add noop']);
  assert.deepEqual(proxies.toxics.get('n1 kvbench-f1-1'), {
    type: 'latency',
    stream: 'downstream',
    toxicity: 1,
    attributes: { latency: 80, jitter: 0 },
  });
  await heal(1);
  assert.ok(await proxies.isClean());
});

test('without a node all of them are hit', async () => {
  await inject(1, { toxics: [noop] }, true);
  assert.deepEqual(proxies.calls, ['n1 add noop', 'n2 add noop']);
  await heal(1);
  assert.ok(await proxies.isClean());
});

test('two toxic faults on one node: healing one leaves the other’s toxics', async () => {
  await inject(1, { toxics: [latency] });
  await inject(2, { toxics: [latency] });
  await heal(1);
  assert.deepEqual([...proxies.toxics.keys()], ['n1 kvbench-f2-1']);
  await heal(2);
  assert.ok(await proxies.isClean());
});

test('a toxic that is refused takes those before it away again, on all nodes', async () => {
  proxies.refuse = 'latency';
  await inject(1, { toxics: [noop, latency] }, true);
  assert.deepEqual(sink.states(1), ['injecting', 'failed']);
  assert.equal(sink.first(1, 'failed').message, 'invalid toxic type');
  assert.ok(await proxies.isClean());
});

test('dropConnections comes after the toxics, so that those who come back meet them', async () => {
  await inject(1, { toxics: [noop], dropConnections: true });
  assert.deepEqual(proxies.calls, ['n1 add noop', 'n1 disable', 'n1 enable']);
  await heal(1);
});

test('steps: a flapping link goes down and up until the heal, which leaves it up', async () => {
  await inject(1, {
    steps: [
      { enabled: false, for: '30ms' },
      { enabled: true, for: '20ms' },
    ],
  });
  assert.deepEqual(proxies.calls, ['n1 disable']);
  await waitFor('the link went down three times', () => proxies.calls.length >= 5);
  assert.deepEqual(proxies.calls.slice(0, 5), ['n1 disable', 'n1 enable', 'n1 disable', 'n1 enable', 'n1 disable']);
  await heal(1);
  assert.ok(await proxies.isClean());
  const { length } = proxies.calls;
  // Nothing to wait for: that nothing comes takes the time in which it would have.
  await new Promise((resolve) => setTimeout(resolve, 80));
  assert.equal(proxies.calls.length, length, 'the steps went on after the heal');
});

test('steps with dropConnections: a reset storm drops at every step that is enabled', async () => {
  await inject(1, { steps: [{ enabled: true, for: '20ms' }], dropConnections: true });
  await waitFor('connections were dropped three times', () => proxies.calls.filter((call) => call === 'n1 disable').length >= 3);
  await heal(1);
  assert.ok(await proxies.isClean());
});

test('two faults that cut one link: it opens with the last', async () => {
  const cut = { steps: [{ enabled: false, for: '10s' }] };
  await inject(1, cut);
  await inject(2, cut);
  await heal(1);
  assert.deepEqual([...proxies.disabled], ['n1']);
  await heal(2);
  assert.deepEqual(proxies.calls, ['n1 disable', 'n1 enable']);
});
