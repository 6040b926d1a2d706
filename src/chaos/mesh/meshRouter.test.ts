/** The mesh's listeners: who calls is known by the address it calls from, and handed to the proxy of its own link. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { PortPicker } from '../../topology/ports.js';
import { MeshRouter } from './meshRouter.js';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

/** Answers everything with its name and what it was told. */
async function proxy(name: string): Promise<{ server: Server; host: string; port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (data) => socket.write(`${name}:${data}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return { server, host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

async function call(port: number, from: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from });
  opened.push({ close: () => socket.destroy() });
  socket.write('hello');
  const event = await once(socket, 'data').then(
    ([data]) => String(data),
    (error: NodeJS.ErrnoException) => error.code ?? '',
  );
  socket.destroy();
  return event;
}

async function routerOn(): Promise<{ router: MeshRouter; port: number }> {
  const router = new MeshRouter();
  opened.push(router);
  const port = await new PortPicker().next();
  await router.listen('n1', 'main', '127.0.0.1', port);
  return { router, port };
}

const many = process.platform === 'linux';

test('each caller comes to its own link, a stranger to the clients’, and to none where there is none', { skip: !many }, async () => {
  const { router, port } = await routerOn();
  const [a, b, clients] = [await proxy('a'), await proxy('b'), await proxy('clients')];
  const route = (source: string | null, to: { host: string; port: number }) => ({ nodeId: 'n1', kind: 'main', source, proxy: to }) as const;
  router.setRoutes([route('127.0.0.2', a), route('127.0.0.3', b)]);
  assert.equal(await call(port, '127.0.0.2'), 'a:hello');
  assert.equal(await call(port, '127.0.0.3'), 'b:hello');
  assert.equal(await call(port, '127.0.0.4'), 'ECONNRESET');
  router.setRoutes([route('127.0.0.2', a), route(null, clients)]);
  assert.equal(await call(port, '127.0.0.4'), 'clients:hello');
});

test('a link that refuses looks refused to its caller at once', async () => {
  const { router, port } = await routerOn();
  const closed = await new PortPicker().next();
  router.setRoutes([{ nodeId: 'n1', kind: 'main', source: null, proxy: { host: '127.0.0.1', port: closed } }]);
  assert.equal(await call(port, '127.0.0.1'), 'ECONNRESET');
});

test('what one side sent before it hung up still arrives', async () => {
  const { router, port } = await routerOn();
  const server = createServer((socket) => socket.end('x'.repeat(1_000_000)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  router.setRoutes([{ nodeId: 'n1', kind: 'main', source: null, proxy: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } }]);
  const socket = connect(port, '127.0.0.1');
  let bytes = 0;
  socket.on('data', (data) => (bytes += data.length));
  await once(socket, 'end');
  assert.equal(bytes, 1_000_000);
  socket.destroy();
});
