/** Someone else's server: TLS, password, guest rules, and every foreign key as it was. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { generate } from 'selfsigned';
import {
  assertNothingUnaccounted,
  eventually,
  type Finished,
  freePort,
  readResults,
  runKvbench,
  startServer,
  temporaryFolder,
  writeProfile,
} from './harness.js';

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

test('an external server keeps every key it had, byte for byte', { timeout: 120_000 }, async () => {
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

test('a foreign key under the prefix: refused with 100, and nothing is touched', { timeout: 120_000 }, async () => {
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

test('TLS and a password from the environment; the secret is in no result', { timeout: 120_000 }, async () => {
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

test('a server that is not there: one clear message and 100', { timeout: 90_000 }, async () => {
  const cwd = temporaryFolder();
  const finished = await runKvbench(['run', '--url', 'redis://127.0.0.1:1', '--workload', 'session-cache', '--rate', '100/s', '--duration', '1s'], {
    cwd,
  });
  assert.equal(finished.code, 100, finished.stderr);
  assert.match(finished.stderr, /127\.0\.0\.1:1/);
  assert.doesNotMatch(finished.stderr, /\n\s+at /);
});

test('a quick run with --url needs no profile', { timeout: 120_000 }, async () => {
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

/** A master and a replica that a Sentinel watches; all of them want the password. */
async function startWatched(folder: string): Promise<{ sentinelPort: number; master: Redis }> {
  const login = ['--requirepass', secret, '--masterauth', secret, '--repl-diskless-sync-delay', '0'];
  const [master, sentinelPort] = [await startServer(login, { password: secret }), await freePort()];
  await startServer([...login, '--replicaof', '127.0.0.1', String(master.port)], { password: secret });
  const config = join(folder, 'sentinel.conf');
  const lines = [
    `port ${sentinelPort}`,
    'bind 127.0.0.1',
    `requirepass "${secret}"`,
    `sentinel monitor mine 127.0.0.1 ${master.port} 1`,
    `sentinel auth-pass mine "${secret}"`,
    'sentinel down-after-milliseconds mine 700',
    'sentinel failover-timeout mine 5000',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const child = spawn(process.env.KVBENCH_SERVER ?? 'redis-server', [config, '--sentinel'], { stdio: 'ignore', cwd: folder });
  after(() => child.kill('SIGKILL'));
  const sentinel = new Redis({ host: '127.0.0.1', port: sentinelPort, password: secret, retryStrategy: () => 50, maxRetriesPerRequest: 20 });
  sentinel.on('error', () => undefined);
  try {
    await eventually('the sentinel knows the replica', 20_000, async () => {
      const replicas = await sentinel.call('SENTINEL', 'REPLICAS', 'mine').catch(() => null);
      return Array.isArray(replicas) && replicas.length === 1 && String(replicas).includes('slave-repl-offset');
    });
  } finally {
    sentinel.disconnect();
  }
  return { sentinelPort, master: master.client };
}

test('the url of a Sentinel: both clients follow it through a failover, its events are read, the keys are removed at the new master', {
  timeout: 120_000,
}, async () => {
  const cwd = temporaryFolder();
  const { sentinelPort, master } = await startWatched(cwd);
  await master.set('mine', 'stays');
  const yaml = (client: string, chaos: string): string => `
name: watched
target: { topology: external, url: "redis://127.0.0.1:${sentinelPort}", mode: sentinel, sentinels: ["127.0.0.1:${sentinelPort}"], master: mine, password: { env: KVBENCH_TEST_SECRET } }
allow: [failover]
load:
  threads: 1
  workload: { name: mix, operations: { get: 50, set: 50 }, keys: { count: 200, prefix: "${client}:" }, values: { size: 32B } }
  phases: [ { name: steady, duration: 8s, rate: 200/s } ]
observe: { replicationLag: "off" }
${chaos}
`;
  const fault = 'chaos: [ { at: 2s, fault: failover, node: "master[0]" } ]';
  const run = (client: string, chaos: string): Promise<Finished> => {
    const args = ['run', writeProfile(cwd, `${client}.yaml`, yaml(client, chaos)), '--out', join(cwd, client), '--set', `load.client=${client}`];
    return runKvbench(args, { cwd, env: { KVBENCH_TEST_SECRET: secret } });
  };
  const [ioredis, wire] = await Promise.all([run('ioredis', fault), run('wire', '')]);
  for (const finished of [ioredis, wire]) {
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    assert.match(finished.stderr, /sentinel, 3 nodes[\s\S]*removed \d+ keys/);
    assert.doesNotMatch(finished.stderr + finished.stdout, new RegExp(secret));
  }
  const { summary, events } = readResults(join(cwd, 'ioredis'));
  const [failover] = summary.faults;
  assert.ok(failover?.promotedMs && failover.sentinel?.switchedMs, JSON.stringify(failover));
  const said = events.flatMap((event) => (event.type === 'log' ? [event.log] : []));
  for (const kind of ['tryFailover', 'promotedReplica', 'switchMaster']) assert.ok(said.includes(kind as (typeof said)[number]), `${kind}: ${said}`);
  for (const client of ['ioredis', 'wire']) {
    const { intervals, summary: own } = readResults(join(cwd, client));
    assertNothingUnaccounted(own);
    const late = intervals.filter(({ startUs }) => startUs > 6_000_000);
    const ok = late.flatMap(({ cells }) => cells).reduce((sum, { ops }) => sum + Object.values(ops).reduce((all, op) => all + (op?.ok ?? 0), 0), 0);
    assert.ok(ok > 0, `${client} goes on at the new master`);
  }
  await eventually('the old master follows, and no key of the runs is left', 20_000, async () => (await master.keys('*')).join() === 'mine');
});
