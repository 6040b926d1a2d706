import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { summarize } from '../stats/summarize.js';
import { threshold } from '../stats/syntheticPlan.test.support.js';
import { failoverEvents, syntheticRun } from '../stats/syntheticRun.test.support.js';
import { eventSchema, intervalSchema, runSchema } from './recordSchemas.js';
import type { EventType } from './records.js';
import { renderResultFormat } from './resultFormatDoc.js';
import { summarySchema } from './summarySchema.js';

/** Compiles only while it names every type of event. */
const eventTypes: Record<EventType, true> = {
  run: true,
  phase: true,
  fault: true,
  process: true,
  connection: true,
  log: true,
  role: true,
  flag: true,
  clusterState: true,
  reachable: true,
  replicas: true,
  server: true,
  lag: true,
  keys: true,
  placement: true,
  clock: true,
  consistency: true,
  span: true,
  client: true,
  thread: true,
  target: true,
  proof: true,
  message: true,
};

test('the schema knows every type of event', () => {
  const known = eventSchema.options.map((option) => option.shape.type.value);
  assert.deepEqual(known.sort(), Object.keys(eventTypes).sort());
});

test('a run, its records and its summary are what the schemas say', () => {
  const data = syntheticRun({
    chaos: [{}],
    outages: [{ shard: 0, startUs: 8_000_000, endUs: 10_000_000, mode: 'refuse' }],
    events: failoverEvents({ injectedUs: 8_000_000, detectedUs: 9_000_000, promotedUs: 9_900_000, healedUs: 12_000_000, restoredUs: 13_000_000 }),
    thresholds: [threshold('gap', 'max', '<', 1)],
  });
  runSchema.parse(data.run);
  for (const interval of data.intervals()) intervalSchema.parse(interval);
  for (const event of data.events) eventSchema.parse(event);
  summarySchema.parse(JSON.parse(JSON.stringify(summarize(data))));
});

test('docs/result-format.md is what the schemas make it (UPDATE_GOLDEN=1 writes it)', () => {
  const file = join(packageRoot, 'docs', 'result-format.md');
  const page = renderResultFormat();
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, page);
  assert.equal(readFileSync(file, 'utf8'), page);
});
