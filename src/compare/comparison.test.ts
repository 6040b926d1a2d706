import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { packageRoot } from '../base/packageRoot.js';
import { comparisonSchema, verdictWord } from './comparison.js';

test('docs/comparison.schema.json is what the schema makes it (UPDATE_GOLDEN=1 writes it)', () => {
  const file = join(packageRoot, 'docs', 'comparison.schema.json');
  const text = `${JSON.stringify(z.toJSONSchema(comparisonSchema, { io: 'input' }), null, 1)}\n`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
  assert.equal(readFileSync(file, 'utf8'), text);
});

test('what is no speed is longer or worse, not slower', () => {
  assert.equal(verdictWord({ verdict: 'slower', metric: 'latency', unit: 'us' }), 'slower');
  assert.equal(verdictWord({ verdict: 'slower', metric: 'gap', unit: 'us' }), 'longer');
  assert.equal(verdictWord({ verdict: 'faster', metric: 'availability', unit: 'ratio' }), 'better');
  assert.equal(verdictWord({ verdict: '~', metric: 'gap', unit: 'us' }), '~');
});
