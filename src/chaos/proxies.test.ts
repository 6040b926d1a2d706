/** Real proxies: in the embedded server, and on a Toxiproxy that others use too (for which the embedded one stands in). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Toxiproxy } from 'toxiproxy-node-client';
import { monotonicUs } from '../base/clock.js';
import { KvbenchError } from '../base/errors.js';
import { labPortRange } from '../topology/ports.js';
import { ChaosController } from './controller.js';
import { createProxies } from './proxies.js';
import type { ProxyControl } from './proxyControl.js';
import { clientLink, environment, faultPlan, ping, planOf, RememberingSink, selectNode, waitFor } from './testDoubles.test.support.js';
import { toxicParamsSchema } from './toxicParams.js';
import { startEmbeddedToxiproxy } from './toxiproxy/embedded.js';

let upstream: Server;
let nodes: { id: string; host: string; port: number; logFile: null }[];
const opened: ProxyControl[] = [];

before(async () => {
  upstream = createServer((socket) => {
    socket.on('data', () => socket.write('+PONG\r\n'));
    socket.on('error', () => socket.destroy());
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  nodes = ['n1', 'n2'].map((id) => ({ id, host: id === 'n1' ? '127.0.0.1' : 'localhost', port, logFile: null }));
});

after(async () => {
  await Promise.all(opened.map((proxies) => proxies.close()));
  upstream.close();
});

async function open(where: Parameters<typeof createProxies>[1] = { kind: 'embedded' }, of = nodes): Promise<ProxyControl> {
  const proxies = await createProxies({ nodes: of }, where);
  opened.push(proxies);
  return proxies;
}

function portTo(proxies: ProxyControl, index: number): number {
  const node = nodes[index];
  return proxies.natMap[`${node?.host}:${node?.port}`]?.port ?? 0;
}

/** Time of a PING, its connection included. */
async function pingUs(port: number): Promise<number> {
  const startedUs = monotonicUs();
  assert.equal(await ping(port, 2_000), 'pong');
  return monotonicUs() - startedUs;
}

async function connected(port: number): Promise<{ socket: Socket; closed: () => boolean }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('PING\r\n');
  await once(socket, 'data');
  let closed = false;
  socket.once('close', () => {
    closed = true;
  });
  return { socket, closed: () => closed };
}

test('every node has a proxy of its own that answers, on a port no outgoing connection is given', async () => {
  const proxies = await open();
  assert.deepEqual(
    Object.keys(proxies.natMap),
    nodes.map((node) => `${node.host}:${node.port}`),
  );
  const ports = [portTo(proxies, 0), portTo(proxies, 1)];
  assert.notEqual(ports[0], ports[1]);
  for (const port of ports) {
    const { lowest, highest } = labPortRange();
    assert.ok(port >= lowest && port <= highest, `port ${port}`);
    assert.equal(await ping(port, 2_000), 'pong');
  }
  assert.ok(await proxies.isClean());
  await proxies.close();
  assert.equal(await ping(ports[0] ?? 0, 500), 'refused');
  await proxies.close();
});

test('a disabled proxy closes what it has and refuses; enabled again it answers on the same port', async () => {
  const proxies = await open();
  const port = portTo(proxies, 0);
  const connection = await connected(port);
  await proxies.setEnabled(clientLink('n1'), false);
  await waitFor('the connection is closed', connection.closed);
  assert.equal(await ping(port, 500), 'refused');
  assert.deepEqual(
    [await proxies.isEnabled(clientLink('n1')), await proxies.isEnabled(clientLink('n2')), await proxies.isClean()],
    [false, true, false],
  );
  await proxies.setEnabled(clientLink('n1'), true);
  assert.equal(await ping(port, 2_000), 'pong');
  assert.ok(await proxies.isClean());
  await proxies.close();
});

test('a toxic fault through real proxies: its delay is there while it is in force, on its node only', async () => {
  const proxies = await open();
  const sink = new RememberingSink();
  const chaos = new ChaosController({ plan: planOf([], 60_000_000), context: environment({ proxies }), sink, t0Us: monotonicUs(), states: null });
  const params = toxicParamsSchema.parse({ toxics: [{ type: 'latency', attributes: { latency: 100 } }], dropConnections: true });
  const connection = await connected(portTo(proxies, 0));
  chaos.submit({ type: 'inject', fault: faultPlan(1, { kind: 'toxic', params, selector: selectNode(0) }), plannedAtUs: 0 });
  await waitFor('the fault is in force', () => sink.states(1).includes('injected'));
  await waitFor('the old connection was dropped', connection.closed);
  assert.ok((await pingUs(portTo(proxies, 0))) >= 100_000);
  assert.ok((await pingUs(portTo(proxies, 1))) < 90_000);
  assert.equal(await proxies.isClean(), false);
  assert.deepEqual(await chaos.healAll('end'), []);
  assert.ok((await pingUs(portTo(proxies, 0))) < 90_000);
  assert.ok(await proxies.isClean());
  await proxies.close();
});

test('all toxic types of the schema are taken by the embedded server', async () => {
  const proxies = await open();
  const attributes = {
    latency: { latency: 1 },
    bandwidth: { rate: 1000 },
    slow_close: { delay: 1 },
    timeout: {},
    reset_peer: {},
    limit_data: { bytes: 1 },
    slicer: { average_size: 1 },
    packet_loss: { loss_rate: 0.5 },
    noop: {},
  };
  const toxics = Object.entries(attributes).map(([type, values]) => ({ type, stream: 'upstream', attributes: values }));
  for (const [i, toxic] of toxicParamsSchema.parse({ toxics }).toxics.entries()) {
    await proxies.addToxic(clientLink('n2'), `t${i}`, { ...toxic, attributes: { ...toxic.attributes } });
    assert.ok(await proxies.hasToxic(clientLink('n2'), `t${i}`));
    await proxies.removeToxic(clientLink('n2'), `t${i}`);
    assert.equal(await proxies.hasToxic(clientLink('n2'), `t${i}`), false);
  }
  await proxies.removeToxic(clientLink('n2'), 'never-added');
  await proxies.close();
});

test('a toxic the server does not know is refused in its own words', async () => {
  const proxies = await open();
  await assert.rejects(proxies.addToxic(clientLink('n1'), 'x', { type: 'meteor', stream: 'upstream', toxicity: 1, attributes: {} }), (error) => {
    assert.ok(error instanceof KvbenchError && error.code === 'PROXY_FAILED');
    assert.match(error.message, /could not add a "meteor" toxic to the link of clients to n1: invalid toxic type/);
    return true;
  });
  await proxies.close();
});

test('on a shared Toxiproxy only our own proxies are made, changed and removed', async () => {
  const shared = await startEmbeddedToxiproxy();
  try {
    const others = new Toxiproxy(shared.url);
    const theirs = await others.createProxy({ name: 'theirs', listen: '127.0.0.1:0', upstream: '127.0.0.1:1', enabled: true });
    await theirs.update({ enabled: false, listen: theirs.listen, upstream: theirs.upstream });
    const where = { kind: 'url', url: `${shared.url}/` } as const;
    const [a, b] = [await open(where), await open(where)];
    assert.equal(Object.keys(await others.getAll()).length, 5);
    assert.ok(await a.isClean(), 'a disabled proxy of others is none of our business');
    await a.setEnabled(clientLink('n1'), false);
    assert.ok(await b.isClean());
    await a.close();
    assert.equal(Object.keys(await others.getAll()).length, 3);
    await b.close();
    assert.deepEqual(Object.keys(await others.getAll()), ['theirs']);
    assert.equal((await others.get('theirs')).enabled, false);
  } finally {
    await shared.close();
  }
});

test('proxies that cannot all be made leave none behind', async () => {
  const shared = await startEmbeddedToxiproxy();
  try {
    const twice = nodes.map((node) => ({ ...node, id: 'n1' }));
    await assert.rejects(
      open({ kind: 'url', url: shared.url }, twice),
      /could not make a proxy for the link of clients to n1 .*: proxy already exists/,
    );
    assert.deepEqual(await new Toxiproxy(shared.url).getAll(), {});
  } finally {
    await shared.close();
  }
});

test('a Toxiproxy that is not there is named, with what to try', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  await assert.rejects(open({ kind: 'url', url: `http://127.0.0.1:${port}` }), (error) => {
    assert.ok(error instanceof KvbenchError && error.code === 'PROXY_FAILED');
    assert.match(error.message, new RegExp(`Toxiproxy at http://127.0.0.1:${port} could not be reached: .*ECONNREFUSED`));
    assert.match(error.hint ?? '', /toxiproxy: embedded/);
    return true;
  });
});
