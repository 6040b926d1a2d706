/** The faults that act through a server's own commands, and throttle and wipe, on a real redis-server: what they do, and that it is undone. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { noAccess, openControl } from '../topology/connection.js';
import { ChaosController } from './controller.js';
import { isProcessStopped } from './processState.js';
import { faultRegistry } from './registry.js';
import { environment, faultPlan, planOf, RealProcesses, RememberingSink, waitFor } from './testDoubles.test.support.js';

let folder = '';
let port = 0;
let processes: RealProcesses;
let client: Redis;
let sink: RememberingSink;
let notes: string[];
let chaos: ChaosController;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kvbench-control-'));
  port = await freePort();
  processes = new RealProcesses({ n1: port }, folder);
  await processes.start('n1');
  client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
});

beforeEach(() => {
  sink = new RememberingSink();
  const context = environment({ processes, control: () => openControl('127.0.0.1', port, noAccess) });
  notes = context.notes;
  chaos = new ChaosController({ plan: planOf([], 60_000_000), context, sink, t0Us: monotonicUs(), states: null });
});

after(async () => {
  client?.disconnect();
  await processes?.endAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Injects with the parameters as a profile's schema leaves them. */
async function inject(id: number, kind: string, params: unknown = {}): Promise<void> {
  const schema = faultRegistry.find((fault) => fault.kind === kind)?.params;
  chaos.submit({ type: 'inject', fault: faultPlan(id, { kind, params: schema?.parse(params) }), plannedAtUs: null });
  await waitFor(`fault ${id} is injected`, () => sink.states(id).includes('injected') || sink.states(id).includes('failed'));
}

async function heal(id: number): Promise<void> {
  chaos.submit({ type: 'heal', faultId: id, plannedAtUs: null });
  await waitFor(`fault ${id} is healed`, () => sink.states(id).includes('healed'));
}

/** Whether a command is answered within 400 ms, longer than one slice of a pause. */
async function answered(command: Promise<unknown>): Promise<boolean> {
  return Promise.race([command.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 400, false))]);
}

test('client-pause of writes: a SET waits, a GET does not; the heal lets the SET through', async () => {
  const writer = client.duplicate();
  await inject(1, 'client-pause', { commands: 'write' });
  const set = writer.set('a', '1');
  assert.equal(await answered(set), false);
  assert.equal(await answered(client.get('a')), true);
  await heal(1);
  assert.equal(await set, 'OK');
  writer.disconnect();
});

test('client-pause of all: every command waits, beyond the length of one pause; a second pause of the node is refused', async () => {
  await inject(1, 'client-pause', { commands: 'all' });
  const get = client.get('a');
  assert.equal(await answered(get), false);
  await inject(2, 'client-pause', { commands: 'write' });
  assert.match(sink.first(2, 'failed').message ?? '', /in the hands of fault 1/);
  await heal(1);
  assert.equal(await answered(get), true);
  assert.deepEqual(await chaos.healAll('end'), []);
});

test('client-kill closes the clients’ connections and not those of control; with `repeat` again and again until healed', async () => {
  const control = openControl('127.0.0.1', port, noAccess);
  await control.ping();
  let closes = 0;
  client.on('close', () => closes++);
  await inject(1, 'client-kill', {});
  await waitFor('fault 1 is healed by itself', () => sink.states(1).includes('healed'));
  await waitFor('the client was cut off', () => closes === 1);
  assert.match(notes.join(), /n1 closed 1 connections/);
  await inject(2, 'client-kill', { repeat: '50ms' });
  await waitFor('the client was cut off three times more', () => closes >= 4);
  await heal(2);
  await client.ping();
  assert.equal(control.status, 'ready');
  control.disconnect();
});

test('slow-command keeps the server busy for its time, and heals by itself', async () => {
  await inject(1, 'slow-command', { duration: '500ms' });
  const askedUs = monotonicUs();
  await client.ping();
  assert.ok(monotonicUs() - askedUs > 200_000, 'the PING had to wait');
  await waitFor('fault 1 is healed', () => sink.states(1).includes('healed'));
  const { tUs: injectedUs } = sink.first(1, 'injected');
  assert.ok(sink.first(1, 'healed').tUs - injectedUs >= 500_000);
});

test('slow-command by a way that the server does not allow fails with a remedy and leaves nothing', async () => {
  await inject(1, 'slow-command', { by: 'debug-sleep' });
  assert.match(sink.first(1, 'failed').message ?? '', /did not take the slow command: ERR DEBUG command not allowed/);
  assert.deepEqual(await chaos.healAll('end'), []);
});

test('slow-command that the server calls BUSY is broken off by the heal', async () => {
  await client.config('SET', 'busy-reply-threshold', '100');
  await inject(1, 'slow-command', { duration: '20s' });
  await waitFor('the server says BUSY', async () => (await client.ping().catch((error: Error) => error.message)).startsWith('BUSY'));
  await heal(1);
  assert.equal(await client.ping(), 'PONG');
  await client.config('SET', 'busy-reply-threshold', '5000');
});

test('config: the settings hold while it is in force and are what they were afterwards; two faults do not share one setting', async () => {
  const value = async (name: string): Promise<unknown> => ((await client.config('GET', name)) as unknown[])[1];
  const before = [await value('maxmemory'), await value('maxmemory-policy')];
  await inject(1, 'config', { set: { maxmemory: '1mb', 'maxmemory-policy': 'allkeys-lru' } });
  assert.deepEqual([await value('maxmemory'), await value('maxmemory-policy')], ['1048576', 'allkeys-lru']);
  await inject(2, 'config', { set: { appendfsync: 'always', maxmemory: '2mb' } });
  assert.match(sink.first(2, 'failed').message ?? '', /maxmemory of n1 is in the hands of fault 1/);
  assert.equal(await value('appendfsync'), 'everysec', 'what a failed injection had set is restored');
  await heal(1);
  assert.deepEqual([await value('maxmemory'), await value('maxmemory-policy')], before);
});

test('config of a setting that the server does not know or does not take fails and changes nothing', async () => {
  await inject(1, 'config', { set: { timeout: 5, 'max-memory': 1 } });
  assert.match(sink.first(1, 'failed').message ?? '', /n1 has no setting "max-memory"/);
  await inject(2, 'config', { set: { timeout: 5, maxmemory: 'much' } });
  assert.match(sink.first(2, 'failed').message ?? '', /n1 did not do CONFIG SET/);
  assert.equal(((await client.config('GET', 'timeout')) as unknown[])[1], '0');
});

test('throttle stops and continues the process in turn, and the heal leaves it running', async () => {
  const pid = processes.pidOf('n1') ?? 0;
  await inject(1, 'throttle', { share: '50%', period: '40ms' });
  await waitFor('it runs', async () => !(await isProcessStopped(pid)));
  await waitFor('it is stopped again', () => isProcessStopped(pid));
  await waitFor('it runs again', async () => !(await isProcessStopped(pid)));
  await heal(1);
  assert.equal(await isProcessStopped(pid), false);
  assert.equal(await client.ping(), 'PONG');
});

test('wipe ends the server, removes its data and starts it again', async () => {
  const pid = processes.pidOf('n1');
  await inject(1, 'wipe');
  assert.equal(processes.isRunning('n1'), false);
  assert.deepEqual(processes.removed, ['n1']);
  await heal(1);
  assert.notEqual(processes.pidOf('n1'), pid);
  assert.equal(await client.ping(), 'PONG');
});

test('exec: a command over its limit is killed with all it started, and what undoes it is run', async () => {
  const file = join(folder, 'healed.txt');
  const inject_ = ['sh', '-c', 'sleep 60 & echo waiting; wait'];
  await inject(1, 'exec', { inject: inject_, heal: ['sh', '-c', `echo {node} {port} >> ${file}`], limit: '200ms' });
  assert.match(sink.first(1, 'failed').message ?? '', /sh did not end within 0\.2 s: waiting/);
  assert.equal(readFileSync(file, 'utf8'), 'n1 1\n', 'half of it may have been done');
  await inject(2, 'exec', { inject: ['sh', '-c', 'exit 3'] });
  assert.match(sink.first(2, 'failed').message ?? '', /sh ended with exit code 3/);
  await inject(3, 'exec', { inject: ['/nowhere/at-all'] });
  assert.match(sink.first(3, 'failed').message ?? '', /ENOENT/);
  await inject(4, 'exec', { inject: ['true'], heal: ['false'] });
  assert.equal((await chaos.healAll('end')).length, 1, 'a heal that fails is told');
});

test('fork: a snapshot is made, its fork time told, and the fault ends with it', async () => {
  await inject(1, 'fork', { by: 'bgsave' });
  await waitFor('fault 1 is healed', () => sink.states(1).includes('healed'));
  assert.match(notes.join(), /bgsave of n1: the fork took \d+ µs, all of it \d+ ms \(ok\)/);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
