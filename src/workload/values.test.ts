import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import calculateSlot from 'cluster-key-slot';
import { keyNameOf } from './keyNames.js';
import { OperationMix, READ_MODIFY_WRITE } from './operations.js';
import { ValuePool, ValueSizer } from './values.js';

test('operations follow their weights', () => {
  const mix = new OperationMix(42, { operations: { get: 70, set: 20, incr: 9.5, del: 0.5 }, readModifyWrite: 0 });
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < 200_000; i++) counts[mix.opOf(i)] = (counts[mix.opOf(i)] ?? 0) + 1;
  for (const [op, share] of [0.7, 0.2, 0.095, 0.005].entries()) {
    const expected = 200_000 * share;
    assert.ok(Math.abs((counts[op] ?? 0) - expected) < 4 * Math.sqrt(expected), `${op}: ${counts[op]} for ${expected}`);
  }
});

test('an operation without weight never comes, also not by rounding', () => {
  const mix = new OperationMix(1, { operations: { get: 1, set: 1, incr: 1, del: 0 }, readModifyWrite: 0 });
  for (let i = 0; i < 100_000; i++) assert.notEqual(mix.opOf(i), 3);
  assert.equal(new OperationMix(1, { operations: { get: 0, set: 0, incr: 0, del: 5 }, readModifyWrite: 0 }).opOf(17), 3);
});

test('pairs of read and write are drawn once, by the weight they share', () => {
  const mix = new OperationMix(42, { operations: { get: 100, set: 50, incr: 0, del: 0 }, readModifyWrite: 50 });
  const counts = [0, 0, 0, 0, 0];
  for (let i = 0; i < 100_000; i++) counts[mix.opOf(i)] = (counts[mix.opOf(i)] ?? 0) + 1;
  assert.deepEqual(counts.slice(1, 4), [0, 0, 0]);
  assert.ok(Math.abs((counts[READ_MODIFY_WRITE] ?? 0) - 50_000) < 4 * Math.sqrt(25_000), `${counts}`);
});

test('sizes: fixed, uniform within bounds, log-normal with its median and spread', () => {
  assert.equal(new ValueSizer(1, { kind: 'fixed', bytes: 64 }).valueBytesOf(5), 64);
  const uniform = new ValueSizer(1, { kind: 'uniform', minBytes: 10, maxBytes: 12 });
  const seen = new Set(Array.from({ length: 1000 }, (_, i) => uniform.valueBytesOf(i)));
  assert.deepEqual([...seen].sort(), [10, 11, 12]);
  const lognormal = new ValueSizer(1, { kind: 'lognormal', medianBytes: 200, sigma: 0.5, maxBytes: 100_000 });
  const logs = Array.from({ length: 50_000 }, (_, i) => Math.log(lognormal.valueBytesOf(i))).sort((a, b) => a - b);
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length);
  assert.ok(Math.abs(Math.exp(logs[25_000] ?? 0) - 200) < 4, `median ${Math.exp(logs[25_000] ?? 0)}`);
  assert.ok(Math.abs(deviation - 0.5) < 0.01, `sigma ${deviation}`);
  const capped = new ValueSizer(1, { kind: 'lognormal', medianBytes: 200, sigma: 3, maxBytes: 300 });
  for (let i = 0; i < 1000; i++) assert.ok(capped.valueBytesOf(i) >= 1 && capped.valueBytesOf(i) <= 300);
});

test('a value has exactly its bytes, is the same for the same key and size, and hardly compresses', () => {
  const pool = new ValuePool(7, 5000);
  assert.equal(pool.textOf(3, 0), '');
  assert.equal(Buffer.byteLength(pool.textOf(3, 5000)), 5000);
  assert.equal(pool.textOf(3, 64), pool.textOf(3, 64));
  assert.notEqual(pool.textOf(3, 64), pool.textOf(4, 64));
  const offset = pool.offsetOf(3, 64);
  assert.equal(pool.bytes.toString('latin1', offset, offset + 64), pool.textOf(3, 64));
  assert.ok(deflateSync(pool.textOf(3, 5000)).length > 3500);
});

test('counters have names of their own', () => {
  const keys = { prefix: 'kvbench:', perTag: 0 };
  assert.equal(keyNameOf(keys, false, 12), 'kvbench:12');
  assert.equal(keyNameOf(keys, true, 12), 'kvbench:c:12');
});

test('keys of one tag share a slot, ordinary ones and counters alike, and tags do not collide with indices', () => {
  const keys = { prefix: 'kvbench:', perTag: 10 };
  assert.equal(keyNameOf(keys, false, 0), 'kvbench:{0}:0');
  assert.equal(keyNameOf(keys, false, 129), 'kvbench:{12}:129');
  assert.equal(keyNameOf(keys, true, 129), 'kvbench:c:{12}:129');
  const slots = Array.from({ length: 200 }, (_, key) => calculateSlot(keyNameOf(keys, key % 2 === 1, key)));
  for (const [key, slot] of slots.entries()) assert.equal(slot, slots[key - (key % 10)]);
  assert.ok(new Set(slots).size >= 19);
});
