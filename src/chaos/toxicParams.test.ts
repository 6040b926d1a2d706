import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { kill } from './faults/kill.js';
import { pause } from './faults/pause.js';
import { restart } from './faults/restart.js';
import { faultRegistry } from './registry.js';
import { toxicParamsSchema, toxicSchema, toxicTypes } from './toxicParams.js';

const good: [string, Record<string, unknown>, Record<string, number>][] = [
  ['latency', { latency: 80 }, { latency: 80, jitter: 0 }],
  ['latency', { latency: 80, jitter: 10 }, { latency: 80, jitter: 10 }],
  ['bandwidth', { rate: 0 }, { rate: 0 }],
  ['slow_close', { delay: 100 }, { delay: 100 }],
  ['timeout', {}, { timeout: 0 }],
  ['timeout', { timeout: 500 }, { timeout: 500 }],
  ['reset_peer', {}, { timeout: 0 }],
  ['limit_data', { bytes: 1000 }, { bytes: 1000 }],
  ['slicer', { average_size: 64 }, { average_size: 64, size_variation: 0, delay: 0 }],
  ['slicer', { average_size: 64, size_variation: 32, delay: 10 }, { average_size: 64, size_variation: 32, delay: 10 }],
  ['packet_loss', { loss_rate: 0.1 }, { loss_rate: 0.1, correlation: 0 }],
  ['noop', {}, {}],
];

for (const [type, attributes, filled] of good) {
  test(`toxic: ${type} takes ${JSON.stringify(attributes)}`, () => {
    assert.deepEqual(toxicSchema.parse({ type, attributes }), { type, stream: 'downstream', toxicity: 1, attributes: filled });
  });
}

test('toxic: the table of good attributes knows every type', () => {
  assert.deepEqual([...new Set(good.map(([type]) => type))].toSorted(), toxicTypes.toSorted());
});

test('toxic: attributes may be left out where all have defaults', () => {
  assert.deepEqual(toxicSchema.parse({ type: 'timeout' }).attributes, { timeout: 0 });
});

const bad: [string, unknown, RegExp][] = [
  ['an unknown type', { type: 'down' }, /^type: unknown toxic type; one of latency, bandwidth/],
  ['no type', { attributes: {} }, /^type: unknown toxic type/],
  ['latency without its delay', { type: 'latency', attributes: { jitter: 1 } }, /^attributes\.latency: /],
  ['latency without attributes', { type: 'latency' }, /^attributes: /],
  ['an attribute of another type', { type: 'latency', attributes: { latency: 1, rate: 1 } }, /Unrecognized key: "rate"/],
  ['a fraction of a millisecond', { type: 'latency', attributes: { latency: 0.5 } }, /^attributes\.latency: must be a whole number/],
  ['a negative delay', { type: 'slow_close', attributes: { delay: -1 } }, /^attributes\.delay: /],
  ['a text', { type: 'latency', attributes: { latency: '80ms' } }, /^attributes\.latency: /],
  ['bandwidth without a rate', { type: 'bandwidth', attributes: {} }, /^attributes\.rate: /],
  ['a slicer that varies more than its size', { type: 'slicer', attributes: { average_size: 8, size_variation: 8 } }, /smaller than average_size/],
  ['a loss rate in percent', { type: 'packet_loss', attributes: { loss_rate: 10 } }, /^attributes\.loss_rate: /],
  ['a toxicity above 1', { type: 'timeout', toxicity: 1.1 }, /^toxicity: /],
  ['an unknown stream', { type: 'timeout', stream: 'sideways' }, /^stream: /],
  ['an unknown key', { type: 'timeout', probability: 1 }, /Unrecognized key: "probability"/],
];

for (const [name, input, expected] of bad) {
  test(`toxic: ${name} is refused`, () => assert.match(problemOf(toxicSchema, input), expected));
}

test('toxic fault: defaults are filled in', () => {
  const params = toxicParamsSchema.parse({ name: 'x', toxics: [{ type: 'noop' }] });
  assert.deepEqual(params, {
    name: 'x',
    toxics: [{ type: 'noop', stream: 'downstream', toxicity: 1, attributes: {} }],
    steps: [],
    dropConnections: false,
  });
});

test('toxic fault: steps alone, or dropped connections alone, are a fault', () => {
  assert.ok(toxicParamsSchema.safeParse({ steps: [{ enabled: false, for: '200ms' }] }).success);
  assert.ok(toxicParamsSchema.safeParse({ dropConnections: true }).success);
});

test('toxic fault: what it left is taken again unchanged', () => {
  const once = toxicParamsSchema.parse({ toxics: [{ type: 'latency', attributes: { latency: 5 } }], steps: [{ enabled: false, for: '1.5s' }] });
  assert.deepEqual(toxicParamsSchema.parse(once), once);
});

const badParams: [string, unknown, RegExp][] = [
  ['nothing at all', {}, /does nothing/],
  ['steps that never cut', { steps: [{ enabled: true, for: '1s' }] }, /does nothing/],
  ['a step without unit', { steps: [{ enabled: false, for: '200' }] }, /^steps\.0\.for: must be a duration/],
  ['a step too short', { steps: [{ enabled: false, for: '1ms' }] }, /^steps\.0\.for: must be a duration of at least 10ms/],
  ['a step without duration', { steps: [{ enabled: false }] }, /^steps\.0\.for: /],
  ['an unknown key', { toxics: [{ type: 'noop' }], drop: true }, /Unrecognized key: "drop"/],
];

for (const [name, input, expected] of badParams) {
  test(`toxic fault: ${name} is refused`, () => assert.match(problemOf(toxicParamsSchema, input), expected));
}

test('process faults: signals and defaults', () => {
  assert.deepEqual(kill.params.parse({}), { signal: 'KILL' });
  assert.deepEqual(restart.params.parse({}), { signal: 'TERM' });
  assert.deepEqual(pause.params.parse({}), {});
  assert.match(problemOf(kill.params, { signal: 'HUP' }), /^signal: /);
  assert.match(problemOf(pause.params, { signal: 'STOP' }), /Unrecognized key/);
});

test('registry: kinds are unique and each says what it does and what undoes it', () => {
  const kinds = faultRegistry.map((fault) => fault.kind);
  assert.deepEqual(kinds, [...new Set(kinds)]);
  for (const kind of ['kill', 'pause', 'restart', 'wipe', 'throttle', 'toxic', 'failover', 'client-pause', 'client-kill', 'slow-command', 'config']) {
    assert.ok(kinds.includes(kind), kind);
  }
  for (const fault of faultRegistry) {
    assert.match(fault.summary, /\.$/);
    assert.match(fault.healSummary, /\.$/);
    assert.ok(fault.example.includes(`fault: ${fault.kind}`));
  }
});

/** `path: message` of the first problem. */
function problemOf(schema: z.ZodType, input: unknown): string {
  const result = schema.safeParse(input);
  assert.ok(!result.success, 'it was accepted');
  const issue = result.error.issues[0];
  return `${issue?.path.join('.')}: ${issue?.message}`;
}
