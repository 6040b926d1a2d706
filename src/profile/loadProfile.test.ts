import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makePlan } from '../plan/makePlan.js';
import type { Plan } from '../plan/plan.js';
import { testFaults } from './faults.test.support.js';
import { loadProfile, profileFromObject } from './loadProfile.js';
import { ProfileError } from './problems.js';
import { quickFlagOf, quickProfile } from './quickProfile.js';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'kvbench-profile-'));
  for (const name of ['profiles', 'workloads', 'toxics']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'workloads/mine.yaml'), 'operations: { get: 1, set: 1 }\nkeys: { count: 50 }\n');
  writeFileSync(join(folder, 'toxics/slow.yaml'), 'description: slow\ntoxics:\n  - { type: latency, attributes: { latency: 80 } }\n');
});
after(() => rmSync(folder, { recursive: true, force: true }));

function planOf(text: string, sets: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Plan {
  const file = join(folder, 'profiles/mine.yaml');
  writeFileSync(file, text);
  // With cores to spare on any machine: they decide about the pacing.
  return makePlan(loadProfile(file, { faults: testFaults, sets, env }), 8);
}

const minimal = 'target: { topology: standalone }\nload: { workload: ../workloads/mine.yaml, phases: [{ duration: 5s, rate: 10/s }] }\n';

test('a minimal profile gets every default', () => {
  const plan = planOf(minimal);
  assert.deepEqual(plan, {
    name: 'mine',
    description: '',
    seed: 42,
    target: { kind: 'lab', topology: 'standalone', masters: 1, replicasPerMaster: 0, server: 'redis-server', config: {} },
    toxiproxy: { kind: 'none' },
    load: {
      client: 'ioredis',
      threads: 2,
      connections: 4,
      maxInFlight: 10_000,
      maxQueued: 100_000,
      resend: 'never',
      readFrom: 'master',
      pacing: 'thread',
      timeoutUs: 5_000_000,
      workload: {
        name: 'mine',
        operations: { get: 1, set: 1, incr: 0, del: 0 },
        keys: { count: 50, prefix: 'kvbench:', perTag: 0, distribution: { kind: 'uniform' } },
        values: { kind: 'fixed', bytes: 64 },
        ttlMs: 0,
        preload: true,
        readModifyWrite: 0,
        checksum: false,
      },
      phases: [
        {
          kind: 'open',
          index: 0,
          name: 'phase-1',
          record: true,
          startUs: 0,
          durationUs: 5_000_000,
          arrivals: 'constant',
          rateStartPerSec: 10,
          rateEndPerSec: 10,
          operationCount: 50,
          firstOperation: 0,
        },
      ],
    },
    chaos: [],
    objective: [],
    thresholds: [],
    allow: [],
    safety: { replicasInSync: true, maxErrorRate: 0.5, limits: { maxNodesDown: null, keepInSyncCopy: false }, stop: [], timeToLiveUs: null },
  });
});

test('the example of the design is understood as it stands', () => {
  const plan = planOf(`name: failover
description: Kill one master of a 3+3 cluster under steady load and see what the clients see.
seed: 42
target:
  topology: cluster            # standalone | replicated | sentinel | cluster | external
  masters: 3
  replicasPerMaster: 1
  server: redis-server         # or valkey-server, or a path
  config: { cluster-node-timeout: 2000, appendonly: "yes" }
toxiproxy: embedded            # or http://host:8474
load:
  client: ioredis              # or wire
  threads: 2
  workload: ../workloads/mine.yaml
  connections: 4
  maxInFlight: 10000
  timeout: 5s
  resend: never
  phases:
    - { name: warm-up, duration: 3s,  rate: 2000/s, record: false }
    - { name: steady,  duration: 30s, rate: 5000/s }
objective: { "latency{op:get}": "p(99)<20ms" }
chaos:
  - { at: 8s, for: 10s, fault: stop, node: "master of slot 0" }
  - { after: { fault: 1, state: redundancyRestored }, for: 3s, fault: net, use: ../toxics/slow.yaml, node: "master[1]" }
thresholds:
  "latency{op:get,during:before}": ["p(99)<50ms"]
  "gap{shard:any}":   ["max<15s"]
  "availability":     ["rate>0.70"]
`);
  assert.deepEqual(plan.target, {
    kind: 'lab',
    topology: 'cluster',
    masters: 3,
    replicasPerMaster: 1,
    server: 'redis-server',
    config: { 'cluster-node-timeout': '2000', appendonly: 'yes' },
  });
  assert.deepEqual(
    plan.load.phases.map((phase) => [phase.startUs, phase.kind === 'open' && phase.firstOperation, phase.kind === 'open' && phase.operationCount]),
    [
      [0, 0, 6000],
      [3_000_000, 6000, 150_000],
    ],
  );
  const [kill, slow] = plan.chaos;
  assert.deepEqual(kill?.selector, { text: 'master of slot 0', by: 'masterOfSlot', slot: 0 });
  assert.deepEqual([kill?.id, kill?.trigger, kill?.forUs, kill?.needsProxy], [1, { kind: 'at', atUs: 8_000_000 }, 10_000_000, false]);
  assert.deepEqual(slow?.trigger, { kind: 'after', faultId: 1, state: 'redundancyRestored', delayUs: 0 });
  assert.deepEqual(plan.toxiproxy, { kind: 'embedded' });
  assert.deepEqual(plan.objective[0]?.limit, 20_000);
  assert.deepEqual(
    plan.thresholds.map(({ name, tags, aggregate, comparator, limit }) => ({ name, tags, aggregate, comparator, limit })),
    [
      { name: 'latency', tags: { op: 'get', during: 'before' }, aggregate: { kind: 'percentile', percentile: 99 }, comparator: '<', limit: 50_000 },
      { name: 'gap', tags: { shard: 'any' }, aggregate: { kind: 'max' }, comparator: '<', limit: 15_000_000 },
      { name: 'availability', tags: {}, aggregate: { kind: 'rate' }, comparator: '>', limit: 0.7 },
    ],
  );
});

test('a toxic file stands in the plan by its content, with the name of the file and without a reference', () => {
  const plan = planOf(`${minimal}chaos: [{ at: 1s, fault: net, use: ../toxics/slow.yaml, dropConnections: true }]\n`);
  assert.deepEqual(plan.chaos[0]?.params, {
    name: 'slow',
    description: 'slow',
    toxics: [{ type: 'latency', stream: 'downstream', attributes: { latency: 80, jitter: 0 } }],
    steps: [],
    dropConnections: true,
  });
});

test('thresholds can be a text, a list, or objects that end the run', () => {
  const plan = planOf(
    `${minimal}thresholds: { latency: p(95)<5, errors: ["count<10", { threshold: "rate<5%", abortOnFail: true, delayAbortEval: 3s }], throughput: { threshold: rate>=0.5k/s } }\n`,
  );
  assert.deepEqual(
    plan.thresholds.map((threshold) => [threshold.metric, threshold.expression, threshold.limit, threshold.abortOnFail, threshold.delayAbortEvalUs]),
    [
      ['latency', 'p(95)<5', 5000, false, 0],
      ['errors', 'count<10', 10, false, 0],
      ['errors', 'rate<5%', 0.05, true, 3_000_000],
      ['throughput', 'rate>=0.5k/s', 500, false, 0],
    ],
  );
});

test('--set reaches into phases, named files and thresholds, and wins over the environment', () => {
  const sets = [
    'load.phases.0.rate=20/s..40/s',
    'load.workload.keys.count=7',
    'load.phases[1]={ name: more, duration: 1s, clients: 3 }',
    'thresholds.latency{op:get}=p(99)<9ms',
    'target.config."maxmemory"=10mb',
    'seed=1',
    'chaos=[{ at: 1s, fault: net, use: slow-wan }]',
    'chaos.0.toxics.0.attributes.latency=33',
  ];
  const plan = planOf(minimal, sets, {
    KVBENCH_SET_seed: '9',
    KVBENCH_SET_LOAD__THREADS: '3',
    KVBENCH_SET_load__workload__values__size: '1KiB',
    OTHER: 'x',
  });
  assert.deepEqual(
    [plan.seed, plan.load.threads, plan.load.workload.keys.count, plan.load.workload.values],
    [1, 3, 7, { kind: 'fixed', bytes: 1024 }],
  );
  const [first, second] = plan.load.phases;
  assert.deepEqual([first?.kind === 'open' && first.rateEndPerSec, second?.kind === 'closed' && second.clients], [40, 3]);
  assert.deepEqual([plan.thresholds[0]?.metric, plan.target.kind === 'lab' && plan.target.config], ['latency{op:get}', { maxmemory: '10mb' }]);
  assert.match(JSON.stringify(plan.chaos[0]?.params), /"attributes":\{"latency":33,"jitter":10\}/);
});

test('a wrong override is told at its flag or variable', () => {
  const cases: [set: string, expected: RegExp][] = [
    ['load.phases.3.rate=5/s', /^--set load.phases.3.rate=…: load.phases has 1 entry, so there is no 3; existing ones are 0 to 0, and 1 adds one$/],
    ['load.phases.first.rate=5/s', /^--set load.phases.first.rate=…: load.phases is a list; after it comes a number from 0, not "first"$/],
    ['load.phases.0.rate=5', /^--set load.phases.0.rate=…: rate: 5 is a number without a unit/],
    ['load.phases.0.rat=5/s', /^--set load.phases.0.rat=…: unknown key "rat" in load.phases\[0\]; did you mean "rate"\?$/],
    ['lod.threads=5', /^--set lod.threads=…: unknown key "lod"; did you mean "load"\?$/],
    ['load.threads', /^--set load.threads: has no "=" between path and value/],
    ['load.threads.x=5', /^--set load.threads.x=…: load.threads is 2, it has no keys inside$/],
    ['a..b=5', /^--set a..b=…: "a..b" is not a path/],
    ['load.threads=[', /^--set load.threads=…: the value is not YAML: /],
  ];
  for (const [set, expected] of cases) {
    assert.throws(
      () => planOf(minimal.replace('load: {', 'load: { threads: 2,'), [set]),
      (error) => {
        assert.ok(error instanceof ProfileError, set);
        assert.match(error.message, expected);
        return true;
      },
    );
  }
  assert.throws(() => planOf(minimal, [], { KVBENCH_SET_load__threads: '99' }), /^ProfileError: KVBENCH_SET_load__threads: threads: 99 is too big/);
});

test('an external target keeps no secret, only where to find it', () => {
  writeFileSync(join(folder, 'profiles/ca.pem'), '');
  const plan = planOf(
    `target: { topology: external, url: "rediss://store.example", mode: cluster, username: bench, password: { env: PW }, tls: { ca: ca.pem, serverName: x } }\nload: { workload: counters, phases: [{ duration: 1s, clients: 2, pipeline: 4 }] }\nallow: [net]\nchaos: [{ at: 0s, fault: net, use: slow-wan }]\ntoxiproxy: http://127.0.0.1:8474\n`,
  );
  assert.deepEqual(plan.target, {
    kind: 'external',
    url: 'rediss://store.example:6379',
    mode: 'cluster',
    username: 'bench',
    password: { env: 'PW' },
    tls: { ca: join(folder, 'profiles/ca.pem'), cert: null, key: null, serverName: 'x', rejectUnauthorized: true },
  });
  assert.deepEqual(plan.toxiproxy, { kind: 'url', url: 'http://127.0.0.1:8474' });
  assert.deepEqual(plan.load.phases[0], {
    index: 0,
    name: 'phase-1',
    record: true,
    startUs: 0,
    durationUs: 1_000_000,
    kind: 'closed',
    clients: 2,
    pipeline: 4,
    operationLimit: null,
  });
});

test('a validator changes nothing of what it validates', () => {
  const object = {
    target: { topology: 'standalone' },
    load: { workload: 'counters', phases: [{ duration: '1s', rate: '5/s' }] },
    chaos: [{ at: '0s', fault: 'net', use: 'slow-wan' }],
  };
  const before = structuredClone(object);
  const profile = profileFromObject(object, 'here', folder, { faults: testFaults, sets: ['load.workload.ttl=5s', 'seed=3'], env: {} });
  assert.equal(profile.load.workload.ttl, 5_000_000);
  assert.deepEqual(object, before);
});

test('maps that an alias shares are changed one by one', () => {
  const plan = planOf(`target: { topology: standalone }\nload: { workload: counters, phases: [&p { name: a, duration: 1s, rate: 5/s }, *p] }\n`, [
    'load.phases.1.name=b',
  ]);
  assert.deepEqual(
    plan.load.phases.map((phase) => phase.name),
    ['a', 'b'],
  );
});

test('a quick run is a profile of one phase, and its problems are told at the flags', () => {
  const options = { faults: testFaults, sets: [], env: {} };
  const plan = makePlan(
    profileFromObject(
      quickProfile({ url: 'redis://localhost:7000', workload: 'write-heavy', rate: 2000, duration: '3s', threads: 1 }),
      'flags',
      folder,
      options,
    ),
  );
  assert.deepEqual(
    [plan.target.kind === 'external' && plan.target.url, plan.load.workload.name, plan.load.threads],
    ['redis://localhost:7000', 'write-heavy', 1],
  );
  const [phase] = plan.load.phases;
  assert.equal(phase?.kind === 'open' && phase.operationCount, 6000);
  const closed = makePlan(profileFromObject(quickProfile({ url: 'redis://h', clients: 5, pipeline: 2 }), 'flags', folder, options));
  assert.equal(closed.load.phases[0]?.kind, 'closed');
  const wrong = quickProfile({ url: 'http://h', rate: '5x', clients: 0 });
  assert.throws(
    () => profileFromObject(wrong, 'flags', folder, options, quickFlagOf),
    (error) =>
      error instanceof ProfileError &&
      /^--url: /m.test(error.message) &&
      /^--rate: rate: "5x" is not a rate/m.test(error.message) &&
      /^--clients: clients: 0 is too small/m.test(error.message),
  );
});
