/** The server in its thread: starting, failing to start, ending; and a real redis-server behind it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Toxiproxy } from 'toxiproxy-node-client';
import { KvbenchError } from '../../base/errors.js';
import { startEmbeddedToxiproxy } from './embedded.js';
import { dial, dialError, until, within } from './sockets.test.support.js';

test('answers once started, and is gone once closed, twice even', async () => {
  const server = await startEmbeddedToxiproxy();
  assert.match(await new Toxiproxy(server.url).getVersion(), /version/);
  await server.close();
  await server.close();
  assert.equal(await dialError(server.url.replace('http://', '')), 'ECONNREFUSED');
});

test('a taken port is an error that says so', async () => {
  const first = await startEmbeddedToxiproxy();
  try {
    const port = Number(new URL(first.url).port);
    await assert.rejects(startEmbeddedToxiproxy({ port }), (error) => {
      assert.ok(error instanceof KvbenchError);
      assert.equal(error.code, 'PROXY_FAILED');
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE`));
      return true;
    });
  } finally {
    await first.close();
  }
});

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

test('a killed redis-server looks dead at once; disabled, its proxy refuses', { skip: !hasRedis }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kvbench-toxiproxy-'));
  const port = await freePort();
  const redis: ChildProcess = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: 'ignore',
  });
  const server = await startEmbeddedToxiproxy();
  try {
    await until('redis-server listens', async () => (await dialError(`127.0.0.1:${port}`)) === null);
    const proxy = await new Toxiproxy(server.url).createProxy({ name: 'redis', listen: '127.0.0.1:0', upstream: `127.0.0.1:${port}` });
    const client = await dial(proxy.listen);
    client.socket.write('PING\r\n'.repeat(1_000));
    await client.bytes('+PONG\r\n'.length * 1_000);
    assert.equal(client.data.toString(), '+PONG\r\n'.repeat(1_000));
    redis.kill('SIGKILL');
    await client.end();
    client.socket.destroy();
    const second = await dial(proxy.listen);
    await second.end();
    second.socket.destroy();
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
    assert.equal(await dialError(proxy.listen), 'ECONNREFUSED');
  } finally {
    redis.kill('SIGKILL');
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

function freePort(): Promise<number> {
  const server = createServer();
  const port = new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  return within('a free port', port);
}
