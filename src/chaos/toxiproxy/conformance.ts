/**
 * What a Toxiproxy API does, as tests against a base URL: run on the embedded server by conformance.test.ts, and fit to be pointed at a
 * real Toxiproxy on this machine. It needs a server without proxies of others: it deletes all there are.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Proxy as ClientProxy, type Toxic as ToxicOfClient, Toxiproxy } from 'toxiproxy-node-client';
import { errorTests, toxicTests } from './conformanceApi.js';
import { toxicBehaviourTests } from './conformanceToxics.js';
import { dial, dialError, echo, Upstream } from './sockets.test.support.js';

interface Answer {
  status: number;
  contentType: string | null;
  requestId: string | null;
  text: string;
  json: Record<string, unknown>;
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
  describe('what toxics do', () => toxicBehaviourTests(call));
  describe('errors', () => errorTests(call, () => base));
  describe('toxiproxy-node-client', () => clientTests(getUrl, () => base));
}

/** A request to the server; never rejects for a status. */
export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
/** The body that makes a proxy named `redis`. */
export type Base = () => Record<string, unknown>;

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

  test('metrics, where they are enabled, count bytes by direction and proxy', async (context) => {
    const answer = await call('GET', '/metrics');
    if (answer.status === 404) return context.skip('the server was started without metrics');
    const upstream = new Upstream(echo);
    try {
      const { json } = await call('POST', '/proxies', { name: 'counted', listen: '127.0.0.1:0', upstream: await upstream.listen() });
      const client = await dial(String(json.listen));
      client.socket.write('hello');
      await client.bytes(5);
      const page = (await call('GET', '/metrics')).text;
      for (const what of ['received', 'sent'])
        for (const direction of ['upstream', 'downstream'])
          assert.match(page, new RegExp(`toxiproxy_proxy_${what}_bytes_total\\{direction="${direction}",listener="${json.listen}",proxy="counted"`));
      client.socket.destroy();
    } finally {
      await upstream.close();
    }
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

  test('an update by nothing changes nothing, and an upstream is not resolved by an update', async () => {
    const { json } = await call('POST', '/proxies', base());
    const same = await call('PATCH', '/proxies/redis', {});
    assert.deepEqual([same.status, same.json], [200, json]);
    const unknown = await call('PATCH', '/proxies/redis', { upstream: 'no-such-host.invalid:1' });
    assert.deepEqual([unknown.status, unknown.json], [200, { ...json, upstream: 'no-such-host.invalid:1' }]);
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

  test('populate that fails midway keeps what is in place, and tells it beside the error', async () => {
    const { json } = await call('POST', '/proxies', { ...base(), name: 'taken' });
    const answer = await call('POST', '/populate', [base(), { ...base(), name: 'second', listen: json.listen }, { ...base(), name: 'third' }]);
    assert.deepEqual([answer.status, answer.contentType, answer.json.status], [500, 'application/json', 500]);
    assert.equal(answer.json.error, `listen tcp ${json.listen}: bind: address already in use`);
    const named = (proxies: unknown): unknown[] => (proxies as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(named(answer.json.proxies), ['redis']);
    assert.deepEqual(Object.keys((await call('GET', '/proxies')).json), ['redis', 'taken']);
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
