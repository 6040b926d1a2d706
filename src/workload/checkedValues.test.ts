import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RECORD_BYTES, valueProblem } from './checkedValues.js';
import { ValuePool, ValueSizer } from './values.js';

const sizer = new ValueSizer(7, { kind: 'uniform', minBytes: 1, maxBytes: 20_000 }, true);
const pool = new ValuePool(7, sizer.maxBytes, true);
const valueFor = (keyIndex: number, bytes: number): Buffer => Buffer.from(pool.textOf(keyIndex, bytes), 'latin1');

test('every value of a checked workload is intact, and its size in whole records', () => {
  for (let i = 0; i < 300; i++) {
    const bytes = sizer.valueBytesOf(i);
    assert.ok(bytes > 0 && bytes % RECORD_BYTES === 0 && bytes <= sizer.maxBytes);
    assert.equal(valueProblem(valueFor(i, bytes), i), null);
  }
  assert.equal(new ValueSizer(7, { kind: 'fixed', bytes: 100 }, true).valueBytesOf(0), 128);
  assert.equal(new ValueSizer(7, { kind: 'fixed', bytes: 100 }).valueBytesOf(0), 100);
});

test('a single changed byte shows, wherever it is', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(6399), fc.integer({ min: 1, max: 255 }), (keyIndex, at, flip) => {
      const value = valueFor(keyIndex, 6400);
      value[at] = (value[at] ?? 0) ^ flip;
      assert.match(valueProblem(value, keyIndex) ?? '', /checksum/);
    }),
  );
});

test('a value that is cut off, swapped inside, or of another key shows', () => {
  const value = valueFor(5, 6400);
  assert.match(valueProblem(value.subarray(0, 6300), 5) ?? '', /not whole records/);
  assert.match(valueProblem(Buffer.alloc(0), 5) ?? '', /not whole records/);
  assert.match(valueProblem(value.subarray(0, 3200), 5) ?? '', /out of place/);
  assert.match(valueProblem(Buffer.concat([value.subarray(64, 128), value.subarray(0, 64), value.subarray(128)]), 5) ?? '', /out of place/);
  assert.match(valueProblem(value, 6) ?? '', /another key's/);
});
