/** Someone else's server: TLS, password, guest rules, and every foreign key as it was. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Redis } from 'ioredis';
import { generate } from 'selfsigned';
import { assertNothingUnaccounted, readResults, runKvbench, startServer, temporaryFolder, writeProfile } from './harness.js';

const secret = 'correct horse battery staple';

async function everything(client: Redis): Promise<Map<string, string>> {
  const dumps = new Map<string, string>();
  for (const key of (await client.keys('*')).sort()) dumps.set(key, (await client.dumpBuffer(key)).toString('hex'));
  return dumps;
}

function profile(url: string, extra = ''): string {
  return `
name: guest
target: { topology: external, url: "${url}"${extra} }
load:
  threads: 1
  workload: { name: mix, operations: { get: 50, set: 20, incr: 10, del: 10, touch: 10 }, commands: { touch: { command: "EXPIRE __key__ 60" } }, keys: { count: 500, prefix: "kvbench:" }, values: { size: 64B }, preload: true }
  phases: [ { name: steady, duration: 2s, rate: 500/s } ]
thresholds: { "latency{op:touch}": "count>50" }
`;
}

test('an external server keeps every key it had, byte for byte', { timeout: 60_000 }, async () => {
  const server = await startServer();
  const cwd = temporaryFolder();
  await server.client.mset('a', '1', 'kvbench', 'no colon', 'kvbenches:1', 'x');
  await server.client.rpush('list', 'a', 'b');
  await server.client.zadd('zset', 1, 'one');
  const before = await everything(server.client);
  const dir = join(cwd, 'out');
  const finished = await runKvbench(['run', writeProfile(cwd, 'p.yaml', profile(`redis://127.0.0.1:${server.port}`)), '--out', dir], { cwd });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary } = readResults(dir);
  assertNothingUnaccounted(summary);
  assert.equal(summary.ops.ok, 1000);
  assert.ok((summary.latencyUs.touch?.count ?? 0) > 50, 'a custom command has its latency');
  for (const name of ['latency.hlog', 'report.html', 'junit.xml']) assert.match(readFileSync(join(dir, name), 'utf8'), /touch/, name);
  const [own, ...others] = summary.servers ?? [];
  assert.ok(own && others.length === 0, 'one server told of itself');
  assert.ok((own.cpuSecondsPerSec.max ?? 0) > 0 && (own.memoryBytesMax ?? 0) > 0 && (own.networkBytes.in ?? 0) > 0, JSON.stringify(own));
  assert.equal(typeof summary.generator.workers?.[0]?.gcCount, 'number');
  assert.deepEqual(await everything(server.client), before);
});

test('a foreign key under the prefix: refused with 100, and nothing is touched', { timeout: 60_000 }, async () => {
  const server = await startServer();
  const cwd = temporaryFolder();
  await server.client.set('kvbench:7', 'precious');
  const before = await everything(server.client);
  const finished = await runKvbench(['run', writeProfile(cwd, 'p.yaml', profile(`redis://127.0.0.1:${server.port}`))], { cwd });
  assert.equal(finished.code, 100, finished.stderr);
  assert.match(finished.stderr, /kvbench:/);
  assert.doesNotMatch(finished.stderr, /at .*\.js/);
  assert.deepEqual(await everything(server.client), before);
});

test('TLS and a password from the environment; the secret is in no result', { timeout: 60_000 }, async () => {
  const cwd = temporaryFolder();
  const certificate = await generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 });
  writeFileSync(join(cwd, 'cert.pem'), certificate.cert);
  writeFileSync(join(cwd, 'key.pem'), certificate.private, { mode: 0o600 });
  const tlsPort = await (await import('./harness.js')).freePort();
  const server = await startServer(
    [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      join(cwd, 'cert.pem'),
      '--tls-key-file',
      join(cwd, 'key.pem'),
      '--tls-ca-cert-file',
      join(cwd, 'cert.pem'),
      '--tls-auth-clients',
      'no',
      '--requirepass',
      secret,
    ],
    { password: secret },
  );
  await server.client.set('mine', 'stays');
  const yaml = profile(`rediss://localhost:${tlsPort}`, ', password: { env: KVBENCH_TEST_SECRET }, tls: { ca: cert.pem, serverName: localhost }');
  const dir = join(cwd, 'out');
  const args = ['run', writeProfile(cwd, 'p.yaml', yaml), '--out', dir];
  const refused = await runKvbench([...args.slice(0, 2)], { cwd, env: { KVBENCH_TEST_SECRET: 'wrong' } });
  assert.equal(refused.code, 100, refused.stderr);
  const finished = await runKvbench(args, { cwd, env: { KVBENCH_TEST_SECRET: secret } });
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  assert.equal(readResults(dir).summary.ops.ok, 1000);
  const wire = await runKvbench([...args.slice(0, 2), '--out', `${dir}-wire`, '--set', 'load.client=wire'], {
    cwd,
    env: { KVBENCH_TEST_SECRET: secret },
  });
  assert.equal(wire.code, 0, wire.stderr + wire.stdout);
  assert.equal(readResults(`${dir}-wire`).summary.ops.ok, 1000);
  for (const file of ['run.json', 'events.ndjson', 'summary.json', 'report.html', 'junit.xml']) {
    assert.ok(!readFileSync(join(dir, file), 'utf8').includes(secret), file);
  }
  assert.ok(!(finished.stdout + finished.stderr).includes(secret));
  assert.deepEqual([...(await everything(server.client)).keys()], ['mine']);
});

test('a server that is not there: one clear message and 100', { timeout: 30_000 }, async () => {
  const cwd = temporaryFolder();
  const finished = await runKvbench(['run', '--url', 'redis://127.0.0.1:1', '--workload', 'session-cache', '--rate', '100/s', '--duration', '1s'], {
    cwd,
  });
  assert.equal(finished.code, 100, finished.stderr);
  assert.match(finished.stderr, /127\.0\.0\.1:1/);
  assert.doesNotMatch(finished.stderr, /\n\s+at /);
});

test('a quick run with --url needs no profile', { timeout: 60_000 }, async () => {
  const server = await startServer();
  const cwd = temporaryFolder();
  const dir = join(cwd, 'out');
  const finished = await runKvbench(
    [
      'run',
      '--url',
      `redis://127.0.0.1:${server.port}`,
      '--workload',
      'counters',
      '--clients',
      '4',
      '--duration',
      '2s',
      '--out',
      dir,
      '--set',
      'load.workload.keys.count=200',
    ],
    { cwd },
  );
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  const { summary } = readResults(dir);
  assert.equal(summary.ops.planned, null);
  assert.ok(summary.ops.ok > 100 && summary.ops.ok === summary.ops.total);
  assert.equal(await server.client.dbsize(), 0);
});
