import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makePlan } from '../plan/makePlan.js';
import type { LabPlan } from '../plan/plan.js';
import { testFaults } from './faults.test.support.js';
import { loadProfile, type ResolvedProfile } from './loadProfile.js';
import { ProfileError } from './problems.js';

const folder = mkdtempSync(join(tmpdir(), 'kvbench-variants-'));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'w.yaml'), 'name: w\noperations: { get: 9, set: 1 }\nvalues: { size: 64B }\n');

const base = `name: p
target:
  topology: cluster
  masters: 3
  config: { appendonly: "no", save: "" }
load:
  workload: w.yaml
  phases:
    - { name: warm-up, duration: 1s, rate: 100/s, record: false }
    - { name: steady, duration: 2s, rate: 200/s }
thresholds: { availability: "rate>0.5" }
`;

function load(variants: string, sets: string[] = [], env: NodeJS.ProcessEnv = {}): ResolvedProfile {
  const file = join(folder, 'p.yaml');
  writeFileSync(file, base + variants);
  return loadProfile(file, { faults: testFaults, sets, env });
}

function problemsOf(variants: string, sets: string[] = []): string[] {
  try {
    load(variants, sets);
  } catch (error) {
    assert.ok(error instanceof ProfileError, String(error));
    return error.message.split('\n').map((line) => line.replace(folder, '').replace(/^\//, ''));
  }
  return assert.fail('the profile was taken');
}

const planOf = (profile: ResolvedProfile, name: string) => {
  const variant = profile.variants.find((candidate) => candidate.name === name);
  assert.ok(variant);
  return makePlan(variant.profile);
};

test('maps merge, null takes away, numbers reach into a list, lists and texts replace, and the profile itself stays as it is', () => {
  const profile = load(`variants:
  plain: {}
  durable:
    description: fsync at every write
    target: { config: { appendonly: "yes", appendfsync: always, save: null } }
    load: { phases: { 1: { rate: 500/s } }, workload: { values: { size: 1KiB } } }
    thresholds: { availability: "rate>0.9", throughput: "rate>1" }
  single:
    target: { topology: standalone, masters: null }
    load: { phases: [{ duration: 3s, clients: 5 }] }
`);
  assert.deepEqual(
    profile.variants.map((variant) => [variant.name, variant.description]),
    [
      ['plain', ''],
      ['durable', 'fsync at every write'],
      ['single', ''],
    ],
  );
  const plain = makePlan(profile);
  assert.deepEqual(planOf(profile, 'plain'), plain);
  const durable = planOf(profile, 'durable');
  assert.deepEqual((durable.target as LabPlan).config, { appendonly: 'yes', appendfsync: 'always' });
  assert.deepEqual((plain.target as LabPlan).config, { appendonly: 'no', save: '' });
  assert.deepEqual(
    durable.load.phases.map((phase) => phase.kind === 'open' && phase.rateStartPerSec),
    [100, 500],
  );
  assert.deepEqual(durable.load.workload.values, { kind: 'fixed', bytes: 1024 });
  assert.equal(durable.load.workload.operations.get, 9, 'the rest of the workload file stays');
  assert.deepEqual(
    durable.thresholds.map((threshold) => threshold.expression),
    ['rate>0.9', 'rate>1'],
  );
  const single = planOf(profile, 'single');
  assert.equal((single.target as LabPlan).topology, 'standalone');
  assert.deepEqual([single.load.phases.length, single.load.phases[0]?.kind], [1, 'closed']);
  assert.deepEqual(profile.variants[1]?.changes.slice(0, 4), [
    { path: 'target.config.appendonly', value: '"yes"' },
    { path: 'target.config.appendfsync', value: 'always' },
    { path: 'target.config.save', value: 'null' },
    { path: 'load.phases.1.rate', value: '500/s' },
  ]);
});

test('what is set from outside goes over the variants, and into one of them by its path', () => {
  const variants = 'variants:\n  a: { load: { threads: 1 } }\n  b: {}\n';
  const profile = load(variants, ['load.threads=3', 'variants.b.target.masters=5'], { KVBENCH_SET_VARIANTS__A__TARGET__MASTERS: '4' });
  assert.deepEqual(
    profile.variants.map(({ profile: { load: one, target } }) => [one.threads, (target as LabPlan).masters]),
    [
      [3, 4],
      [3, 5],
    ],
  );
});

test('problems of all variants are told at once, each where the variant says it; those of the profile once', () => {
  assert.deepEqual(
    problemsOf(`variants:
  a: { target: { masterz: 3 } }
  b:
    load:
      phases: { 1: { rate: fast }, 7: { rate: 1/s } }
  "c d": {}
  e: { tarjet: {} }
`)
      .filter((line) => line.includes('p.yaml'))
      .map((line) =>
        line
          .split(':')
          .slice(1, 3)
          .concat(line.includes('did you mean') ? ['hint'] : [])
          .join(':'),
      ),
    ['13:18:hint', '16:28', '16:36', '17:3', '18:8:hint'],
  );
  const once = problemsOf('variants: { a: {}, b: {} }\n', ['load.threads=0']).filter((line) => line.includes('threads'));
  assert.equal(once.length, 1, once.join('\n'));
  assert.match(problemsOf('variants: {}\n')[0] ?? '', /variants: it is empty/);
  assert.match(problemsOf('variants: [a]\n')[0] ?? '', /p\.yaml:12:11: variants/);
  assert.match(problemsOf('variants: { a: { load: { phases: { 0: ~ } } } }\n')[0] ?? '', /cannot be taken away/);
});
