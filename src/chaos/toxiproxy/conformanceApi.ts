/**
 * The API of toxics and every error of the API, a part of the conformance suite (conformance.ts), for any server.
 */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Base, Call } from './conformance.js';

interface ErrorCase {
  what: string;
  method: string;
  path: string;
  body: unknown;
  status: number;
  error: string | RegExp;
}

export function toxicTests(call: Call, base: Base): void {
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

  test('an attribute that the type does not have is ignored, and not shown', async () => {
    const answer = await call('POST', '/proxies/redis/toxics', { type: 'latency', attributes: { latency: 5, rate: 7 } });
    assert.deepEqual([answer.status, answer.json.attributes], [200, { latency: 5, jitter: 0 }]);
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

export function errorTests(call: Call, base: Base): void {
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
