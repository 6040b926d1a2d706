/**
 * What a Toxiproxy API does, as tests against a base URL: run on the embedded server by conformance.test.ts, and fit to be pointed at a
 * real Toxiproxy on this machine. It needs a server without proxies of others: it deletes all there are.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Proxy as ClientProxy, type Toxic as ToxicOfClient, Toxiproxy } from 'toxiproxy-node-client';
import { dial, dialError, echo, Upstream } from './sockets.test.support.js';

interface Answer {
  status: number;
  contentType: string | null;
  requestId: string | null;
  text: string;
  json: Record<string, unknown>;
}

interface ErrorCase {
  what: string;
  method: string;
  path: string;
  body: unknown;
  status: number;
  error: string | RegExp;
}

/** Registers the suite with node:test. @param getUrl the API's base URL, asked for when the tests run */
export function conformanceSuite(getUrl: () => string): void {
  const upstream = new Upstream(echo);
  let upstreamAddress = '';
  let base: Record<string, unknown> = {};

  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    callApi(`${getUrl()}${path}`, method, body, headers);

  before(async () => {
    upstreamAddress = await upstream.listen();
    base = { name: 'redis', listen: '127.0.0.1:0', upstream: upstreamAddress };
  });
  const removeAll = async (): Promise<void> => {
    const { json } = await call('GET', '/proxies');
    for (const name of Object.keys(json)) await call('DELETE', `/proxies/${encodeURIComponent(name)}`);
  };
  beforeEach(removeAll);
  after(() => removeAll().finally(() => upstream.close()));

  describe('server', () => serverTests(call));
  describe('proxies', () => proxyTests(call, () => base));
  describe('populate and reset', () => populateTests(call, () => base));
  describe('toxics', () => toxicTests(call, () => base));
  describe('errors', () => errorTests(call, () => base));
  describe('toxiproxy-node-client', () => clientTests(getUrl, () => base));
}

type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
type Base = () => Record<string, unknown>;

async function callApi(url: string, method: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(url, { method, headers, redirect: 'manual', ...sent });
  const text = await response.text();
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not every answer is JSON; those that are not are compared as text.
  }
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    requestId: response.headers.get('x-toxiproxy-request-id'),
    text,
    json,
  };
}

function serverTests(call: Call): void {
  test('GET /version is a line of JSON', async () => {
    const answer = await call('GET', '/version');
    assert.equal(answer.status, 200);
    assert.match(answer.text, /^\{"version": "[^"]+"\}\n$/);
    assert.equal(answer.contentType, 'application/json;charset=utf-8');
    assert.ok(answer.requestId);
  });

  test('a browser is refused', async () => {
    const answer = await call('GET', '/version', undefined, { 'User-Agent': 'Mozilla/5.0' });
    assert.equal(answer.status, 403);
  });

  test('an unknown path is 404 and carries no request id', async () => {
    const answer = await call('GET', '/nothing/here');
    assert.deepEqual([answer.status, answer.text, answer.requestId], [404, '404 page not found\n', null]);
  });

  test('a known path with another method is 405', async () => {
    assert.equal((await call('DELETE', '/version')).status, 405);
    assert.equal((await call('GET', '/populate')).status, 405);
  });

  test('without proxies the list is an empty object', async () => {
    const answer = await call('GET', '/proxies');
    assert.deepEqual([answer.status, answer.text, answer.contentType], [200, '{}', 'application/json']);
  });
}

function proxyTests(call: Call, base: Base): void {
  test('creating answers 201 with every field and the resolved address', async () => {
    const answer = await call('POST', '/proxies', base());
    assert.equal(answer.status, 201);
    assert.equal(answer.contentType, 'application/json');
    const { listen, ...rest } = answer.json;
    assert.match(String(listen), /^127\.0\.0\.1:[1-9]\d*$/);
    assert.deepEqual(rest, { name: 'redis', upstream: base().upstream, enabled: true, Logger: {}, toxics: [] });
    assert.deepEqual((await call('GET', '/proxies/redis')).json, answer.json);
    assert.deepEqual((await call('GET', '/proxies')).json, { redis: answer.json });
  });

  test('localhost resolves to IPv4, and names match in any case', async () => {
    const answer = await call('POST', '/proxies', { NAME: 'redis', Listen: 'localhost:0', Upstream: base().upstream, unknown: 1 });
    assert.equal(answer.status, 201);
    assert.match(String(answer.json.listen), /^127\.0\.0\.1:/);
  });

  test('a disabled proxy keeps the literal address and refuses until it is enabled', async () => {
    const created = await call('POST', '/proxies', { ...base(), listen: 'localhost:0', enabled: false });
    assert.deepEqual([created.status, created.json.listen, created.json.enabled], [201, 'localhost:0', false]);
    const enabled = await call('PATCH', '/proxies/redis', { enabled: true });
    assert.equal(enabled.status, 200);
    assert.equal(await dialError(String(enabled.json.listen)), null);
  });

  test('an unreachable upstream is accepted, and its clients read the end of the stream', async () => {
    const closedPort = await unusedAddress();
    const created = await call('POST', '/proxies', { ...base(), upstream: closedPort });
    assert.equal(created.status, 201);
    const client = await dial(String(created.json.listen));
    await client.end();
    assert.equal(client.errorCode, null);
    client.socket.destroy();
  });

  test('enabled: false closes connections and refuses; toxics stay; enabled: true takes the same port', async () => {
    const { json } = await call('POST', '/proxies', base());
    const address = String(json.listen);
    await call('POST', '/proxies/redis/toxics', { type: 'latency' });
    const client = await dial(address);
    client.socket.write('x');
    await client.bytes(1);
    const disabled = await call('POST', '/proxies/redis', { enabled: false });
    assert.deepEqual([disabled.status, disabled.json.enabled, disabled.json.listen], [200, false, address]);
    await client.end();
    assert.equal(await dialError(address), 'ECONNREFUSED');
    const enabled = await call('POST', '/proxies/redis', { enabled: true });
    assert.deepEqual([enabled.json.enabled, enabled.json.listen], [true, address]);
    assert.equal((enabled.json.toxics as unknown[]).length, 1);
    assert.equal(await dialError(address), null);
    client.socket.destroy();
  });

  test('an update with the same address in other words keeps connections; name and toxics are ignored', async () => {
    const { json } = await call('POST', '/proxies', base());
    const client = await dial(String(json.listen));
    client.socket.write('a');
    await client.bytes(1);
    const port = String(json.listen).split(':')[1];
    const updated = await call('POST', '/proxies/redis', { name: 'other', listen: `localhost:${port}`, toxics: [{ type: 'latency' }] });
    assert.deepEqual(updated.json, json);
    client.socket.write('b');
    await client.bytes(2);
    client.socket.destroy();
  });

  test('another upstream drops the connections and takes effect', async () => {
    const { json } = await call('POST', '/proxies', base());
    const client = await dial(String(json.listen));
    client.socket.write('a');
    await client.bytes(1);
    const other = new Upstream((socket) => socket.write('other'));
    try {
      const otherAddress = await other.listen();
      const updated = await call('PATCH', '/proxies/redis', { upstream: otherAddress });
      assert.deepEqual([updated.status, updated.json.upstream, updated.json.listen], [200, otherAddress, json.listen]);
      await client.end();
      const next = await dial(String(json.listen));
      await next.bytes(5);
      next.socket.destroy();
    } finally {
      client.socket.destroy();
      await other.close();
    }
  });

  test('another listen address moves the listener', async () => {
    const { json } = await call('POST', '/proxies', base());
    const moved = await call('PATCH', '/proxies/redis', { listen: '127.0.0.1:0' });
    assert.notEqual(moved.json.listen, json.listen);
    assert.equal(await dialError(String(json.listen)), 'ECONNREFUSED');
    assert.equal(await dialError(String(moved.json.listen)), null);
  });

  test('deleting answers 204 without a body, closes the port, and 404 follows', async () => {
    const { json } = await call('POST', '/proxies', base());
    const answer = await call('DELETE', '/proxies/redis');
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.ok(answer.requestId);
    assert.equal(await dialError(String(json.listen)), 'ECONNREFUSED');
    assert.equal((await call('GET', '/proxies/redis')).status, 404);
  });

  test('a taken port is 500 with the reason, and the proxy is not registered', async () => {
    const { json } = await call('POST', '/proxies', base());
    const answer = await call('POST', '/proxies', { ...base(), name: 'second', listen: json.listen });
    assert.equal(answer.status, 500);
    assert.equal(answer.json.error, `listen tcp ${json.listen}: bind: address already in use`);
    assert.equal((await call('GET', '/proxies/second')).status, 404);
  });
}

function populateTests(call: Call, base: Base): void {
  test('populate creates, and leaves a proxy with the same addresses alone', async () => {
    const first = await call('POST', '/populate', [base(), { ...base(), name: 'off', listen: '127.0.0.1:0', enabled: false }]);
    assert.deepEqual([first.status, first.contentType], [201, 'application/json']);
    const [redis, off] = first.json.proxies as Record<string, unknown>[];
    assert.deepEqual([redis?.name, redis?.enabled, off?.name, off?.enabled], ['redis', true, 'off', false]);
    await call('POST', '/proxies/redis/toxics', { type: 'latency', attributes: { latency: 5 } });
    const again = await call('POST', '/populate', [{ ...base(), listen: redis?.listen, enabled: false }]);
    assert.equal(again.status, 201);
    const kept = (await call('GET', '/proxies/redis')).json;
    assert.deepEqual([kept.enabled, kept.listen, (kept.toxics as unknown[]).length], [true, redis?.listen, 1]);
  });

  test('populate replaces a proxy with other addresses', async () => {
    await call('POST', '/proxies', base());
    await call('POST', '/proxies/redis/toxics', { type: 'latency' });
    const answer = await call('POST', '/populate', [{ ...base(), upstream: '127.0.0.1:1' }]);
    assert.equal(answer.status, 201);
    const { upstream, toxics } = (await call('GET', '/proxies/redis')).json;
    assert.deepEqual([upstream, toxics], ['127.0.0.1:1', []]);
  });

  test('populate checks every entry first and creates nothing', async () => {
    const answer = await call('POST', '/populate', [base(), { listen: '127.0.0.1:0', upstream: 'x:1' }]);
    assert.deepEqual([answer.status, answer.contentType], [400, 'application/json']);
    assert.deepEqual(answer.json, { error: 'missing required field: name at proxy 2', status: 400, proxies: null });
    assert.equal((await call('GET', '/proxies')).text, '{}');
    const upstream = await call('POST', '/populate', [{ name: 'a' }]);
    assert.equal(upstream.json.error, 'missing required field: upstream at proxy 1');
  });

  test('populate with nothing has null proxies', async () => {
    const answer = await call('POST', '/populate', []);
    assert.deepEqual([answer.status, answer.json], [201, { proxies: null }]);
  });

  test('populate with a bad body is 400', async () => {
    const answer = await call('POST', '/populate', '{');
    assert.equal(answer.status, 400);
    assert.match(String(answer.json.error), /^bad request body: /);
  });

  test('reset enables, removes all toxics, and takes an empty body', async () => {
    await call('POST', '/proxies', { ...base(), enabled: false });
    await call('POST', '/proxies/redis/toxics', { type: 'latency', stream: 'upstream' });
    await call('POST', '/proxies/redis/toxics', { type: 'timeout' });
    const answer = await call('POST', '/reset');
    assert.deepEqual([answer.status, answer.text], [204, '']);
    const { enabled, toxics, listen } = (await call('GET', '/proxies/redis')).json;
    assert.deepEqual([enabled, toxics], [true, []]);
    assert.equal(await dialError(String(listen)), null);
  });
}

function toxicTests(call: Call, base: Base): void {
  beforeEach(async () => {
    await call('POST', '/proxies', base());
  });

  test('adding answers 200 with the defaults filled in', async () => {
    const answer = await call('POST', '/proxies/redis/toxics', { type: 'latency', attributes: { latency: 100 } });
    assert.deepEqual([answer.status, answer.contentType], [200, 'application/json']);
    const expected = { attributes: { latency: 100, jitter: 0 }, name: 'latency_downstream', type: 'latency', stream: 'downstream', toxicity: 1 };
    assert.deepEqual(answer.json, expected);
    assert.deepEqual((await call('GET', '/proxies/redis/toxics/latency_downstream')).json, expected);
    assert.deepEqual((await call('GET', '/proxies/redis')).json.toxics, [expected]);
  });

  const attributes: Record<string, Record<string, number>> = {
    latency: { latency: 1, jitter: 2 },
    bandwidth: { rate: 1 },
    timeout: { timeout: 1 },
    reset_peer: { timeout: 1 },
    slow_close: { delay: 1 },
    limit_data: { bytes: 1 },
    slicer: { average_size: 1, size_variation: 2, delay: 3 },
    packet_loss: { loss_rate: 0.5, correlation: 0.25 },
    noop: {},
  };
  for (const [type, values] of Object.entries(attributes)) {
    test(`${type} has its attributes; null is all zeros`, async () => {
      const full = await call('POST', '/proxies/redis/toxics', { type, attributes: values, toxicity: 0.5, name: 'full', stream: 'upstream' });
      assert.deepEqual(full.json, { attributes: values, name: 'full', type, stream: 'upstream', toxicity: 0.5 });
      const zeros = await call('POST', '/proxies/redis/toxics', { type, attributes: null });
      assert.deepEqual(zeros.json.attributes, Object.fromEntries(Object.keys(values).map((name) => [name, 0])));
    });
  }

  test('toxics are listed upstream first, and names are unique over both directions', async () => {
    await call('POST', '/proxies/redis/toxics', { type: 'latency' });
    await call('POST', '/proxies/redis/toxics', { type: 'latency', stream: 'upstream' });
    const list = (await call('GET', '/proxies/redis/toxics')).json as unknown as { name: string }[];
    assert.deepEqual(
      list.map(({ name }) => name),
      ['latency_upstream', 'latency_downstream'],
    );
    const answer = await call('POST', '/proxies/redis/toxics', { type: 'noop', name: 'latency_downstream', stream: 'upstream' });
    assert.deepEqual([answer.status, answer.json.error], [409, 'toxic already exists']);
  });

  test('updating merges attributes, keeps toxicity, ignores name, type and stream', async () => {
    await call('POST', '/proxies/redis/toxics', { type: 'latency', attributes: { latency: 100, jitter: 10 }, toxicity: 0.5 });
    const change = { attributes: { latency: 50 }, name: 'x', type: 'timeout', stream: 'upstream' };
    for (const method of ['POST', 'PATCH']) {
      const answer = await call(method, '/proxies/redis/toxics/latency_downstream', change);
      const expected = { attributes: { latency: 50, jitter: 10 }, name: 'latency_downstream', type: 'latency', stream: 'downstream', toxicity: 0.5 };
      assert.deepEqual([answer.status, answer.json], [200, expected]);
    }
    const toxicity = await call('PATCH', '/proxies/redis/toxics/latency_downstream', { toxicity: 0.25, attributes: null });
    assert.deepEqual([toxicity.json.toxicity, toxicity.json.attributes], [0.25, { latency: 50, jitter: 10 }]);
  });

  test('a refused update changes nothing', async () => {
    await call('POST', '/proxies/redis/toxics', { type: 'latency', attributes: { latency: 100, jitter: 10 } });
    const answer = await call('PATCH', '/proxies/redis/toxics/latency_downstream', { toxicity: 0.5, attributes: { latency: 1, jitter: 'x' } });
    assert.equal(answer.status, 400);
    const { toxicity, attributes: kept } = (await call('GET', '/proxies/redis/toxics/latency_downstream')).json;
    assert.deepEqual([toxicity, kept], [1, { latency: 100, jitter: 10 }]);
  });

  test('removing answers 204 without a body', async () => {
    await call('POST', '/proxies/redis/toxics', { type: 'noop' });
    const answer = await call('DELETE', '/proxies/redis/toxics/noop_downstream');
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.equal((await call('GET', '/proxies/redis/toxics')).text, '[]');
  });
}

function errorTests(call: Call, base: Base): void {
  const toxics = '/proxies/redis/toxics';
  const cases: ErrorCase[] = [
    { what: 'empty body', method: 'POST', path: '/proxies', body: '', status: 400, error: 'bad request body: EOF' },
    { what: 'no JSON', method: 'POST', path: '/proxies', body: 'hello', status: 400, error: /^bad request body: / },
    {
      what: 'wrong type',
      method: 'POST',
      path: '/proxies',
      body: { name: 1 },
      status: 400,
      error: /^bad request body: json: cannot unmarshal number/,
    },
    { what: 'an array', method: 'POST', path: '/proxies', body: [], status: 400, error: /^bad request body: json: cannot unmarshal array/ },
    { what: 'no name', method: 'POST', path: '/proxies', body: { upstream: 'a:1' }, status: 400, error: 'missing required field: name' },
    { what: 'no upstream', method: 'POST', path: '/proxies', body: { name: 'a' }, status: 400, error: 'missing required field: upstream' },
    { what: 'a name taken', method: 'POST', path: '/proxies', body: { name: 'redis', upstream: 'a:1' }, status: 409, error: 'proxy already exists' },
    {
      what: 'a listen address without port',
      method: 'POST',
      path: '/proxies',
      body: { name: 'a', upstream: 'a:1', listen: 'b' },
      status: 500,
      error: /missing port/,
    },
    { what: 'unknown proxy', method: 'GET', path: '/proxies/nobody', body: undefined, status: 404, error: 'proxy not found' },
    { what: 'unknown proxy to update', method: 'POST', path: '/proxies/nobody', body: {}, status: 404, error: 'proxy not found' },
    { what: 'unknown proxy to delete', method: 'DELETE', path: '/proxies/nobody', body: undefined, status: 404, error: 'proxy not found' },
    { what: 'toxics of an unknown proxy', method: 'GET', path: '/proxies/nobody/toxics', body: undefined, status: 404, error: 'proxy not found' },
    { what: 'update by no JSON', method: 'PATCH', path: '/proxies/redis', body: '{', status: 400, error: /^bad request body: / },
    { what: 'unknown toxic', method: 'GET', path: `${toxics}/x`, body: undefined, status: 404, error: 'toxic not found' },
    { what: 'unknown toxic to update', method: 'POST', path: `${toxics}/x`, body: {}, status: 404, error: 'toxic not found' },
    { what: 'unknown toxic to delete', method: 'DELETE', path: `${toxics}/x`, body: undefined, status: 404, error: 'toxic not found' },
    { what: 'unknown type', method: 'POST', path: toxics, body: { type: 'down' }, status: 400, error: 'invalid toxic type' },
    { what: 'no type', method: 'POST', path: toxics, body: {}, status: 400, error: 'invalid toxic type' },
    {
      what: 'empty stream',
      method: 'POST',
      path: toxics,
      body: { type: 'noop', stream: '' },
      status: 400,
      error: /^stream was invalid, can be either upstream or downstream$/,
    },
    { what: 'unknown stream', method: 'POST', path: toxics, body: { type: 'x', stream: 'up' }, status: 400, error: /^stream was invalid/ },
    {
      what: 'a fraction of a ms',
      method: 'POST',
      path: toxics,
      body: { type: 'latency', attributes: { latency: 0.5 } },
      status: 400,
      error: /^bad request body: json: cannot unmarshal number 0\.5/,
    },
    {
      what: 'text as attributes',
      method: 'POST',
      path: toxics,
      body: { type: 'latency', attributes: 'x' },
      status: 400,
      error: /^bad request body: /,
    },
    { what: 'text as toxicity', method: 'POST', path: toxics, body: { type: 'latency', toxicity: '1' }, status: 400, error: /^bad request body: / },
  ];
  for (const { what, method, path, body, status, error } of cases) {
    test(`${what}: ${method} ${path} is ${status}`, async () => {
      await call('POST', '/proxies', base());
      const answer = await call(method, path, body);
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.contentType, 'text/plain; charset=utf-8');
      assert.equal(answer.text, `${JSON.stringify({ error: answer.json.error, status })}\n`);
      if (typeof error === 'string') assert.equal(answer.json.error, error);
      else assert.match(String(answer.json.error), error);
      assert.ok(answer.requestId);
    });
  }
}

function clientTests(getUrl: () => string, base: Base): void {
  let client: Toxiproxy;
  const create = (): Promise<ClientProxy> => client.createProxy({ name: 'redis', listen: 'localhost:0', upstream: String(base().upstream) });
  beforeEach(() => {
    client = new Toxiproxy(getUrl());
  });

  test('creates, gets, lists, updates and removes proxies', async () => {
    const proxy = await create();
    assert.match(proxy.listen, /^127\.0\.0\.1:/);
    assert.deepEqual((await client.get('redis')).toJson(), proxy.toJson());
    assert.deepEqual(Object.keys(await client.getAll()), ['redis']);
    const updated = await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
    assert.equal(updated.enabled, false);
    await proxy.remove();
    assert.deepEqual(await client.getAll(), {});
  });

  test('adds, gets, updates and removes toxics', async () => {
    const proxy = await create();
    const body = { name: 'slow', type: 'latency', stream: 'downstream', toxicity: 1, attributes: { latency: 10, jitter: 0 } } as const;
    const toxic = (await proxy.addToxic(body)) as ToxicOfClient<{ latency: number; jitter: number }>;
    assert.deepEqual(toxic.toJson(), body);
    assert.deepEqual((await proxy.getToxic('slow')).toJson(), body);
    const updated = await toxic.update({ ...body, attributes: { latency: 20, jitter: 5 } });
    assert.deepEqual(updated.attributes, { latency: 20, jitter: 5 });
    await toxic.remove();
    await assert.rejects(proxy.getToxic('slow'), { message: 'Request failed with status code 404' });
  });

  test('populates, resets and asks for the version', async () => {
    const proxies = await client.populate([{ name: 'a', listen: 'localhost:0', upstream: 'localhost:1' }]);
    assert.equal(proxies.a?.enabled, true);
    await client.reset();
    assert.match(await client.getVersion(), /"version"/);
  });

  test('says which status an error has', async () => {
    await create();
    await assert.rejects(client.get('nobody'), { message: 'Request failed with status code 404' });
    await assert.rejects(create(), { message: 'Request failed with status code 409' });
  });
}

/** An address nobody listens on. */
async function unusedAddress(): Promise<string> {
  const server = new Upstream();
  const address = await server.listen();
  await server.close();
  return address;
}
