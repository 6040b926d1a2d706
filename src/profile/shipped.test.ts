import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { faultRegistry } from '../chaos/registry.js';
import { makePlan } from '../plan/makePlan.js';
import { loadEndUs } from '../plan/plan.js';
import { loadProfile } from './loadProfile.js';
import { listShipped, type ShippedKind } from './shipped.js';
import { validateFile } from './validateFile.js';
import { readYamlFile } from './yamlFile.js';

const options = { faults: faultRegistry, sets: [], env: {} };
const kindOfFolder = { profiles: 'profile', workloads: 'workload', toxics: 'toxic' } as const;
const folders = Object.keys(kindOfFolder) as ShippedKind[];

test('every shipped file is valid, of its folder’s kind, named like its file and explained by a comment', () => {
  for (const folder of folders) {
    const files = readdirSync(join(packageRoot, folder));
    assert.ok(files.length >= 3, folder);
    for (const file of files) {
      const path = join(packageRoot, folder, file);
      assert.equal(validateFile(path, options), kindOfFolder[folder], file);
      const { value, comment } = readYamlFile(path, file);
      assert.equal(`${(value as { name: string }).name}.yaml`, file);
      assert.match(comment, /What to look at/, `${file} says what to look at`);
    }
  }
});

test('the list names every shipped file with one sentence about it', () => {
  for (const folder of folders) {
    const listed = listShipped(folder);
    assert.deepEqual(
      listed.map((shipped) => `${shipped.name}.yaml`),
      readdirSync(join(packageRoot, folder)).sort(),
    );
    for (const { name, description } of listed) assert.match(description, /^[A-Z].{20,}[.?]$/, name);
  }
});

test('each shipped toxic makes a valid fault, and each workload a valid load', () => {
  for (const { name } of listShipped('toxics')) {
    const plan = makePlan(loadProfile('latency-spike', { ...options, sets: [`chaos.0.use=${name}`] }));
    assert.equal(plan.chaos[0]?.kind, 'toxic');
    assert.equal(plan.toxiproxy.kind, 'embedded', name);
  }
  for (const { name } of listShipped('workloads')) {
    assert.equal(makePlan(loadProfile('steady', { ...options, sets: [`load.workload=${name}`] })).load.workload.name, name);
  }
});

test('the profiles tests and people start with are short; failover has no proxy and kills the master of slot 0', () => {
  for (const { name } of listShipped('profiles')) assert.ok(loadEndUs(makePlan(loadProfile(name, options))) < 45_000_000, name);
  const { toxiproxy, chaos } = makePlan(loadProfile('failover', options));
  assert.equal(toxiproxy.kind, 'none');
  assert.deepEqual([chaos[0]?.kind, chaos[0]?.selector?.text], ['kill', 'master of slot 0']);
});
