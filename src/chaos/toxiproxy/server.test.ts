/** What the conformance suite cannot see from outside of one default server: metrics, the time limit, and a close that ends all. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { ToxiproxyServer } from './server.js';
import { Bench, dialError, echo, within } from './sockets.test.support.js';

test('metrics count bytes by direction and proxy', async () => {
  const bench = await Bench.start(echo);
  try {
    const client = await bench.connect();
    client.socket.write('hello');
    await client.bytes(5);
    const response = await fetch(`${bench.url}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    const page = await response.text();
    assert.match(page, /^# TYPE toxiproxy_proxy_received_bytes_total counter$/m);
    const labels = `listener="${bench.address}",proxy="p",upstream="${bench.upstreamAddress}"`;
    for (const what of ['received', 'sent']) {
      for (const direction of ['upstream', 'downstream']) {
        assert.ok(page.includes(`toxiproxy_proxy_${what}_bytes_total{direction="${direction}",${labels}} 5\n`), page);
      }
    }
  } finally {
    await bench.close();
  }
});

test('without the option there is no /metrics', async () => {
  const bench = await Bench.start(echo, { metrics: false });
  try {
    assert.equal((await fetch(`${bench.url}/metrics`)).status, 404);
  } finally {
    await bench.close();
  }
});

test('a request that takes too long is answered with 503', async () => {
  const server = new ToxiproxyServer({ handlerLimitMs: 30 });
  const url = await server.listen('127.0.0.1', 0);
  try {
    const answered = new Promise<number | undefined>((resolve, reject) => {
      const call = request(`${url}/proxies`, { method: 'POST', headers: { 'Content-Length': 100 } }, (response) => {
        resolve(response.statusCode);
        call.destroy();
      });
      call.on('error', reject);
      call.write('{');
    });
    assert.equal(await within('the answer', answered), 503);
  } finally {
    await server.close();
  }
});

test('closing ends every proxy and connection', async () => {
  const bench = await Bench.start(echo);
  const client = await bench.connect();
  await bench.close();
  await client.end();
  assert.equal(await dialError(bench.address), 'ECONNREFUSED');
  assert.equal(await dialError(bench.url.replace('http://', '')), 'ECONNREFUSED');
  client.socket.destroy();
});
