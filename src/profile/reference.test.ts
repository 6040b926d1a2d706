import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testFaults } from './faults.test.support.js';
import { profileJsonSchema, renderProfileReference } from './reference.js';
import type { SchemaNode } from './schemaNode.js';

test('every key of the schema is described', () => {
  const missing: string[] = [];
  const visit = (node: SchemaNode, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if (!child.description) missing.push(`${path}.${key}`);
      visit(child, `${path}.${key}`);
    }
    for (const child of [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.items ? [node.items] : [])]) visit(child, path);
    if (node.additionalProperties) visit(node.additionalProperties, `${path}.*`);
  };
  visit(profileJsonSchema(testFaults) as SchemaNode, '');
  assert.deepEqual(missing, []);
});

test('the reference has a row with type, default, range and example for keys of every section, and a section for every fault', () => {
  const page = renderProfileReference(testFaults);
  for (const row of [
    '| `seed` | whole number | `42` | 0 or more | `42` |',
    '| `target.masters` | whole number | `3` | from 3 to 100 | `3` |',
    '| `load.timeout` | duration | `5s` | 1ms to 10m |',
    '| `load.phases[].duration` | duration | **required** | 1ms to 24h | `30s` |',
    '| `keys.distribution` | `uniform`, `sequential`, `zipfian`, `hotspot`, `gaussian`, `latest` | `uniform` |',
    '| `target.password` | map | – |  | `{ env: REDIS_PASSWORD }` |',
    '| `toxics[].attributes.jitter` | whole number | `0` |',
    '| `signal` | `KILL`, `TERM` | `KILL` |',
    '| `after.state` |',
  ]) {
    assert.ok(page.includes(row), row);
  }
  for (const fault of testFaults) assert.ok(page.includes(`### \`fault: ${fault.kind}\``), fault.kind);
  assert.ok(!page.includes('undefined'));
});

test('the JSON Schema lets a workload be a name or keys, and a fault only have keys of its kind', () => {
  const schema = profileJsonSchema(testFaults) as unknown as SchemaNode & { $schema: string };
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  assert.deepEqual(
    schema.properties?.load?.properties?.workload?.anyOf?.map((branch) => branch.type),
    ['string', 'object'],
  );
  const [stop, net] = schema.properties?.chaos?.items?.oneOf ?? [];
  assert.ok(stop?.properties?.signal && !stop.properties.toxics && stop.additionalProperties === false);
  assert.ok(net?.properties?.use && net.properties.toxics && !net.required?.includes('toxics'));
});
