/** Servers that aren't ours: reached with TLS and a password, refused for good reasons, left with every key they had. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { Cluster, type Redis } from 'ioredis';
import { generate } from 'selfsigned';
import { KvbenchError } from '../base/errors.js';
import type { ExternalPlan, LabPlan, Plan } from '../plan/plan.js';
import { openControl } from './connection.js';
import { connectExternal } from './external.js';
import { findServer } from './findServer.js';
import { startLab } from './lab.js';
import { serverArguments } from './labConfig.js';
import { PortPicker } from './ports.js';
import { Supervisor } from './supervisorClient.js';
import type { Target } from './target.js';
import { waitFor } from './waiting.js';

const secret = 'correct horse battery staple';
const folder = mkdtempSync(join(tmpdir(), 'kvbench-test-'));
const pem = (name: string): string => join(folder, name);
const lab: LabPlan = { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'auto', config: {} };
const ports = new PortPicker();
let supervisor: Supervisor;
let guarded: { port: number; tlsPort: number; own: Redis };
let open: { port: number; own: Redis };

async function startServer(name: string, args: string[], password: string | null = null): Promise<{ port: number; own: Redis }> {
  const port = await ports.next();
  await supervisor.start(name, findServer(undefined, process.env).path, [
    ...serverArguments(lab, { host: '127.0.0.1', port, busPort: null, sourceHost: null, announce: null }),
    ...args,
  ]);
  const own = await waitFor(
    async () => {
      const redis = openControl('127.0.0.1', port, { username: null, password, tls: null });
      if (await redis.ping().catch(() => null)) return redis;
      redis.disconnect();
      return undefined;
    },
    { limitUs: 10_000_000, everyUs: 20_000, timedOut: () => new Error(`${name} did not start`) },
  );
  return { port, own };
}

before(async () => {
  process.env.KVBENCH_TEST_PASSWORD = secret;
  supervisor = await Supervisor.launch();
  const made = await generate([{ name: 'commonName', value: 'redis.test' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    clientCertificate: { cn: 'kvbench' },
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'redis.test' }] },
    ],
  });
  writeFileSync(pem('server.pem'), made.cert);
  writeFileSync(pem('server.key'), made.private, { mode: 0o600 });
  writeFileSync(pem('client.pem'), made.clientcert ?? '');
  writeFileSync(pem('client.key'), made.clientprivate ?? '', { mode: 0o600 });
  writeFileSync(pem('password'), `${secret}\n`, { mode: 0o600 });
  const tlsPort = await ports.next();
  const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', pem('server.pem'), '--tls-key-file', pem('server.key'), '--tls-ca-cert-file'];
  guarded = { tlsPort, ...(await startServer('guarded', [...tls, pem('server.pem'), '--requirepass', secret], secret)) };
  open = await startServer('open', []);
});
after(async () => {
  guarded?.own.disconnect();
  open?.own.disconnect();
  await supervisor?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function planFor(target: Partial<ExternalPlan> & { url: string }, prefix = 'kvbench:', chaos: Plan['chaos'] = []): Plan {
  return {
    name: 'guest',
    description: '',
    seed: 1,
    target: { kind: 'external', mode: 'auto', username: null, password: null, tls: null, ...target },
    toxiproxy: { kind: 'none' },
    load: {
      client: 'ioredis',
      threads: 1,
      connections: 1,
      maxInFlight: 10,
      maxQueued: 10,
      timeoutUs: 1_000_000,
      resend: 'never',
      readFrom: 'master',
      pacing: 'timer',
      workload: {
        name: 'mix',
        operations: { get: 1, set: 1, incr: 1, del: 1 },
        keys: { count: 2500, prefix, perTag: 0, distribution: { kind: 'uniform' } },
        values: { kind: 'fixed', bytes: 64 },
        ttlMs: 0,
        preload: false,
        readModifyWrite: 0,
        checksum: false,
      },
      phases: [],
    },
    chaos,
    objective: [],
    thresholds: [],
    allow: [],
  };
}

const texts: string[] = [];
function connect(plan: Plan): Promise<Target> {
  return connectExternal(plan, { onProgress: (text) => texts.push(text), signal: new AbortController().signal });
}

/** The error that connecting ends with; the secret must be nowhere in it. */
async function refusalOf(plan: Plan): Promise<KvbenchError> {
  try {
    await (await connect(plan)).close();
  } catch (thrown) {
    assert.ok(thrown instanceof KvbenchError, inspect(thrown));
    assert.ok(!inspect(thrown, { depth: 10, showHidden: true }).includes(secret));
    return thrown;
  }
  throw new Error('it connected');
}

const openUrl = (): string => `redis://127.0.0.1:${open.port}`;
const tlsUrl = (): string => `rediss://127.0.0.1:${guarded.tlsPort}`;
const tls = { ca: pem('server.pem'), cert: pem('client.pem'), key: pem('client.key'), serverName: 'redis.test', rejectUnauthorized: true };
const password = { env: 'KVBENCH_TEST_PASSWORD' };

test('TLS with client certificate and password, from environment, file or command; PEM texts reach the load', async () => {
  for (const source of [password, { file: pem('password') }, { command: `cat '${pem('password')}'` }]) {
    const target = await connect(planFor({ url: tlsUrl(), password: source, tls }));
    assert.deepEqual([target.mode, target.processes, (await target.currentView()).nodes[0]?.role], ['standalone', null, 'master']);
    const endpoints = target.endpoints(null);
    assert.equal(endpoints.password, secret);
    assert.match(endpoints.tls?.key ?? '', /BEGIN .*PRIVATE KEY/);
    assert.ok(!JSON.stringify(target.describe()).includes(secret));
    await target.close();
  }
});

const refusals: { what: string; target: () => Partial<ExternalPlan> & { url: string }; code: string; says: RegExp; hint: RegExp }[] = [
  { what: 'no password', target: () => ({ url: tlsUrl(), tls }), code: 'TARGET_UNREACHABLE', says: /NOAUTH/, hint: /target\.password/ },
  {
    what: 'a wrong user',
    target: () => ({ url: tlsUrl(), tls, username: 'nobody', password }),
    code: 'TARGET_UNREACHABLE',
    says: /refused the login: WRONGPASS/,
    hint: /target\.username/,
  },
  {
    what: 'an authority nobody knows',
    target: () => ({ url: tlsUrl(), tls: { ...tls, ca: null }, password }),
    code: 'TARGET_UNREACHABLE',
    says: /could not be reached over TLS: .*certificate/,
    hint: /target\.tls\.ca/,
  },
  {
    what: 'another name in the certificate',
    target: () => ({ url: tlsUrl(), tls: { ...tls, serverName: 'other.test' }, password }),
    code: 'TARGET_UNREACHABLE',
    says: /altnames/,
    hint: /serverName/,
  },
  {
    what: 'no client certificate',
    target: () => ({ url: tlsUrl(), tls: { ...tls, cert: null, key: null }, password }),
    code: 'TARGET_UNREACHABLE',
    says: /could not be reached over TLS/,
    hint: /target\.tls\.cert|TLS/,
  },
  {
    what: 'redis:// at a TLS port',
    target: () => ({ url: `redis://127.0.0.1:${guarded.tlsPort}` }),
    code: 'TARGET_UNREACHABLE',
    says: /./,
    hint: /rediss/,
  },
  {
    what: 'rediss:// at a plain port',
    target: () => ({ url: `rediss://127.0.0.1:${open.port}` }),
    code: 'TARGET_UNREACHABLE',
    says: /./,
    hint: /redis:\/\//,
  },
  {
    what: 'nobody there',
    target: () => ({ url: 'redis://127.0.0.1:1' }),
    code: 'TARGET_UNREACHABLE',
    says: /127\.0\.0\.1:1 .*ECONNREFUSED/,
    hint: /port/,
  },
  {
    what: 'a cluster where there is none',
    target: () => ({ url: openUrl(), mode: 'cluster' }),
    code: 'TARGET_REFUSED',
    says: /standalone/,
    hint: /mode/,
  },
  {
    what: 'a variable that is not set',
    target: () => ({ url: openUrl(), password: { env: 'KVBENCH_NOT_SET' } }),
    code: 'INVALID_ARGUMENT',
    says: /KVBENCH_NOT_SET/,
    hint: /./,
  },
  {
    what: 'a password command that fails',
    target: () => ({ url: openUrl(), password: { command: `echo '${secret}'; exit 3` } }),
    code: 'TARGET_UNREACHABLE',
    says: /failed with code 3/,
    hint: /./,
  },
  {
    what: 'a missing certificate file',
    target: () => ({ url: tlsUrl(), tls: { ...tls, ca: pem('missing.pem') } }),
    code: 'FILE_NOT_READABLE',
    says: /target\.tls\.ca: .*missing\.pem.*ENOENT/,
    hint: /./,
  },
];
for (const { what, target, code, says, hint } of refusals) {
  test(`${what}: ${code}, with a remedy`, async () => {
    const error = await refusalOf(planFor(target()));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
    assert.match(error.hint ?? '', hint);
  });
}

test('a password the server has no use for is dropped, and said', async () => {
  const target = await connect(planFor({ url: openUrl(), password }));
  assert.equal(target.endpoints(null).password, null);
  assert.ok(texts.includes('the target asks for no password; the one given is not used'));
  await target.close();
});

test('a foreign key under the prefix is refused, one that only looks like it is not', async () => {
  await open.own.mset('kv?:foreign', 'precious', 'kvx:foreign', '1');
  const refusal = await refusalOf(planFor({ url: openUrl() }, 'kv?:'));
  assert.equal(refusal.code, 'TARGET_REFUSED');
  assert.match(refusal.message, /"kv\?:foreign"/);
  await open.own.del('kv?:foreign');
  await (await connect(planFor({ url: openUrl() }, 'kv?:'))).close();
  assert.equal(await open.own.get('kvx:foreign'), '1');
});

test("closing removes the run's keys, by name, and no other", async () => {
  const target = await connect(planFor({ url: openUrl() }));
  await open.own.mset('kvbench:0', 'a', 'kvbench:2499', 'b', 'kvbench:c:7', '3');
  await open.own.mset('kvbench:2500', 'not ours', 'kvbench:c:x', 'not ours', 'other', 'stays');
  await Promise.all([target.close(), target.close()]);
  assert.deepEqual((await open.own.keys('kvbench:*')).sort(), ['kvbench:2500', 'kvbench:c:x']);
  assert.equal(await open.own.get('other'), 'stays');
  assert.ok(texts.includes('removed 3 keys of this run'), texts.join('\n'));
  await open.own.del('kvbench:2500', 'kvbench:c:x');
});

test('memory that would not suffice, and faults that nobody allowed', async () => {
  await open.own.config('SET', 'maxmemory', '1200000');
  assert.match((await refusalOf(planFor({ url: openUrl() }))).message, /would run out of memory/);
  await open.own.config('SET', 'maxmemory', '0');
  const kill = { id: 1, kind: 'kill' } as Plan['chaos'][number];
  assert.match((await refusalOf(planFor({ url: openUrl() }, 'kvbench:', [kill]))).message, /fault 1 \(kill\)/);
});

test('a replica is no target, and its master is only when the replica is in sync', async () => {
  const replica = await startServer('replica', ['--replicaof', '127.0.0.1', String(open.port)]);
  const refusal = await refusalOf(planFor({ url: `redis://127.0.0.1:${replica.port}` }));
  assert.equal(refusal.code, 'TARGET_REFUSED');
  assert.match(refusal.message, new RegExp(`replica of 127.0.0.1:${open.port}`));
  await waitFor(async () => (/state=online/.test(await open.own.info('replication')) ? true : undefined), {
    limitUs: 10_000_000,
    everyUs: 20_000,
    timedOut: () => new Error('the replica does not get online'),
  });
  await open.own.set('other', 'stays');
  await (await connect(planFor({ url: openUrl() }))).close();
  assert.match(await open.own.info('replication'), /state=online,offset=[1-9]/);
  replica.own.disconnect();
  await supervisor.signal('replica', 'SIGKILL');
});

test('a cluster: all nodes are found from one, keys are removed from every shard', async () => {
  const theirs = await startLab({ ...lab, topology: 'cluster', masters: 3 }, { onProgress: () => {}, signal: new AbortController().signal });
  const [seed] = theirs.nodes;
  assert.ok(seed);
  const client = new Cluster([{ host: seed.host, port: seed.port }], { lazyConnect: true });
  try {
    const target = await connect(planFor({ url: `redis://${seed.host}:${seed.port}`, mode: 'cluster' }));
    assert.deepEqual(
      target.nodes.map((node) => node.port),
      theirs.nodes.map((node) => node.port).sort((a, b) => a - b),
    );
    const endpoints = target.endpoints(null);
    assert.deepEqual([endpoints.mode, endpoints.shardCount], ['cluster', 3]);
    assert.deepEqual(endpoints.shardOfSlot, theirs.endpoints(null).shardOfSlot);
    await client.connect();
    for (let i = 0; i < 60; i++) await client.set(`kvbench:${i}`, 'x');
    await client.set('other', 'stays');
    const counted = await target.keysPerNode();
    assert.equal(
      Object.values(counted).reduce((sum, count) => sum + count, 0),
      61,
    );
    await target.close();
    const left = Object.values(await theirs.keysPerNode()).reduce((sum, count) => sum + count, 0);
    assert.equal(left, 1);
    assert.equal(await client.get('other'), 'stays');
  } finally {
    client.disconnect();
    await theirs.close();
  }
});
