/** The process faults on real redis-servers, and how faults on the same node compose. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { monotonicUs } from '../base/clock.js';
import type { FaultPlan } from '../plan/plan.js';
import { ChaosController } from './controller.js';
import {
  environment,
  faultPlan,
  MemoryProxies,
  nodeView,
  ping,
  planOf,
  RealProcesses,
  RememberingSink,
  selectNode,
  viewOf,
  waitFor,
} from './testDoubles.test.support.js';

const ports: Record<string, number> = {};
let folder = '';
let processes: RealProcesses;
let proxies: MemoryProxies;
let sink: RememberingSink;
let notes: string[];
let chaos: ChaosController;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kvbench-faults-'));
  for (const id of ['n1', 'n2']) ports[id] = await freePort();
});

beforeEach(async () => {
  await processes?.endAll();
  processes = new RealProcesses(ports, folder);
  await Promise.all([processes.start('n1'), processes.start('n2')]);
  processes.starts.length = 0;
  proxies = new MemoryProxies();
  sink = new RememberingSink();
  const view = () => viewOf([nodeView('n1'), nodeView('n2', { shard: 1 })]);
  const context = environment({ processes, proxies, view });
  notes = context.notes;
  chaos = new ChaosController({ plan: planOf([], 60_000_000), context, sink, t0Us: monotonicUs(), states: null });
});

after(async () => {
  await processes?.endAll();
  rmSync(folder, { recursive: true, force: true });
});

async function inject(id: number, kind: string, params: unknown = {}, node = 0): Promise<void> {
  const fault: FaultPlan = faultPlan(id, { kind, params, selector: selectNode(node) });
  chaos.submit({ type: 'inject', fault, plannedAtUs: null });
  await waitFor(`fault ${id} is injected`, () => sink.states(id).includes('injected') || sink.states(id).includes('failed'));
}

async function heal(id: number): Promise<void> {
  chaos.submit({ type: 'heal', faultId: id, plannedAtUs: null });
  await waitFor(`fault ${id} is healed`, () => sink.states(id).includes('healed'));
}

const pingOf = (id: string): ReturnType<typeof ping> => ping(ports[id] ?? 0, 150);
const killBy = { signal: 'KILL' };
const termBy = { signal: 'TERM' };

test('kill: the process goes, its proxy refuses, the exit has its fault; the heal brings all of it back', async () => {
  const exits: (number | null)[] = [];
  processes.onChange((change) => exits.push(chaos.faultOfExit(change.node, change.atUs)));
  await inject(1, 'kill', killBy);
  assert.equal(processes.isRunning('n1'), false);
  assert.equal(await pingOf('n1'), 'refused');
  assert.equal(await pingOf('n2'), 'pong');
  assert.deepEqual([...proxies.disabled], ['n1']);
  assert.deepEqual(exits, [1]);
  await heal(1);
  assert.equal(await pingOf('n1'), 'pong');
  assert.ok(await proxies.isClean());
  assert.equal(chaos.faultOfExit('n1', monotonicUs()), null, 'an exit after the heal is nobody’s');
});

test('kill with TERM: injected when delivered, the proxy closes when the server has gone, the heal starts it', async () => {
  await inject(1, 'kill', termBy);
  await waitFor('the server has gone', () => !processes.isRunning('n1'));
  await waitFor('its proxy refuses', () => proxies.disabled.has('n1'));
  await heal(1);
  assert.equal(await pingOf('n1'), 'pong');
  assert.ok(await proxies.isClean());
});

test('kill with TERM healed at once: the heal waits for the old process to leave and starts a new one', async () => {
  const oldPid = processes.pidOf('n1');
  await inject(1, 'kill', termBy);
  await heal(1);
  assert.notEqual(processes.pidOf('n1'), oldPid);
  assert.deepEqual(processes.starts, ['n1']);
  assert.equal(await pingOf('n1'), 'pong');
});

test('two kills of one node: the first heal starts nothing, the second starts it once', async () => {
  await inject(1, 'kill', killBy);
  await inject(2, 'kill', killBy);
  assert.match(notes.join(), /n1 is down already, by fault 1/);
  await heal(1);
  assert.deepEqual(processes.starts, []);
  assert.equal(await pingOf('n1'), 'refused');
  await heal(2);
  assert.deepEqual(processes.starts, ['n1']);
  assert.equal(await pingOf('n1'), 'pong');
});

test('kill of a server that somebody else stopped fails and is told, and nothing is started', async () => {
  await processes.signal('n1', 'SIGKILL');
  await waitFor('n1 has gone', () => !processes.isRunning('n1'));
  await waitFor('its proxy refuses all the same', () => proxies.disabled.has('n1'));
  assert.equal(chaos.faultOfExit('n1', monotonicUs()), null);
  await inject(1, 'kill', killBy);
  assert.equal(sink.first(1, 'failed').message, 'n1 is not running, so it cannot be ended');
  assert.deepEqual(await chaos.healAll('end'), []);
  assert.deepEqual(processes.starts, []);
});

test('pause: the server stops answering and its connections stay; the heal lets it go on', async () => {
  await inject(1, 'pause');
  assert.equal(await pingOf('n1'), 'silent');
  assert.equal(await pingOf('n2'), 'pong');
  await heal(1);
  assert.equal(await pingOf('n1'), 'pong');
  assert.deepEqual(proxies.calls, []);
});

test('two pauses of one node: it goes on when the last has ended', async () => {
  await inject(1, 'pause');
  await inject(2, 'pause');
  await heal(1);
  assert.equal(await pingOf('n1'), 'silent');
  await heal(2);
  assert.equal(await pingOf('n1'), 'pong');
});

test('pause, then kill: healing the pause of a dead server is fine, and only the kill starts it', async () => {
  await inject(1, 'pause');
  await inject(2, 'kill', killBy);
  await heal(1);
  assert.deepEqual(processes.starts, []);
  await heal(2);
  assert.equal(await pingOf('n1'), 'pong');
});

test('pause outlasting a kill: the restarted server is stopped until the pause ends', async () => {
  await inject(1, 'pause');
  await inject(2, 'kill', killBy);
  await heal(2);
  assert.equal(await pingOf('n1'), 'silent');
  await heal(1);
  assert.equal(await pingOf('n1'), 'pong');
});

test('a TERM that a paused server cannot obey does not keep the kill from healing', async () => {
  await inject(1, 'pause');
  await inject(2, 'kill', termBy);
  assert.ok(processes.isRunning('n1'));
  await heal(2);
  assert.deepEqual(processes.starts, ['n1']);
  await heal(1);
  assert.equal(await pingOf('n1'), 'pong');
});

for (const params of [killBy, termBy]) {
  test(`restart with ${params.signal}: a new process, healed by itself when it answers`, async () => {
    const oldPid = processes.pidOf('n1');
    await inject(1, 'restart', params);
    await waitFor('fault 1 is healed', () => sink.states(1).includes('healed'));
    assert.equal(await pingOf('n1'), 'pong');
    assert.notEqual(processes.pidOf('n1'), oldPid);
    assert.ok(await proxies.isClean());
    assert.deepEqual(await chaos.healAll('end'), []);
    assert.deepEqual(processes.starts, ['n1']);
  });
}

test('restart of a server that another fault holds down leaves it down', async () => {
  await inject(1, 'kill', killBy);
  await inject(2, 'restart', termBy);
  await waitFor('fault 2 is healed', () => sink.states(2).includes('healed'));
  assert.equal(processes.isRunning('n1'), false);
  await heal(1);
  assert.equal(await pingOf('n1'), 'pong');
});

test('healAll brings back whatever overlaps: paused, killed, cut', async () => {
  await inject(1, 'pause', {}, 1);
  await inject(2, 'kill', killBy);
  await inject(3, 'toxic', { toxics: [], steps: [{ enabled: false, for: '10s' }], dropConnections: false });
  assert.deepEqual(await chaos.healAll('Ctrl-C'), []);
  assert.deepEqual([await pingOf('n1'), await pingOf('n2')], ['pong', 'pong']);
  assert.ok(await proxies.isClean());
});

test('after healAll the links of ending servers are left alone: their proxies may be gone', async () => {
  await chaos.healAll('end');
  await processes.signal('n1', 'SIGKILL');
  await waitFor('n1 has gone', () => !processes.isRunning('n1'));
  await chaos.healAll('end');
  assert.deepEqual([proxies.calls, notes], [[], []]);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
