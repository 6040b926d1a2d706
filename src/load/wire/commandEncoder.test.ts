import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyNameOf } from '../../workload/keyNames.js';
import { ValueStamper } from '../../workload/valueStamp.js';
import { ValuePool } from '../../workload/values.js';
import { CommandEncoder } from './commandEncoder.js';

const values = new ValuePool(7, 5000);

function encoded(encoder: CommandEncoder, op: 0 | 1 | 2 | 3, keyIndex: number, valueBytes: number): string {
  const room = encoder.maxCommandBytes(op, valueBytes);
  const out = new Uint8Array(room + 10).fill(1);
  const end = encoder.encode(out, new DataView(out.buffer), 5, op, keyIndex, valueBytes, -1);
  assert.ok(end - 5 <= room, 'within the bound it gave');
  assert.ok(out.subarray(5 + room).every((byte) => byte === 1) && out.subarray(0, 5).every((byte) => byte === 1), 'nothing outside the bound');
  return Buffer.from(out.subarray(5, end)).toString();
}

function expected(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}

test('commands are what a server expects, for any key and value size', () => {
  const plain = new CommandEncoder({ prefix: 'kvbench:', counterPrefix: 'kvbench:c:', ttlMs: 0, values });
  const expiring = new CommandEncoder({ prefix: 'ü{tag}:', counterPrefix: 'ü{tag}:c:', ttlMs: 60_000, values });
  const tagged = new CommandEncoder({ prefix: 'kvbench:', counterPrefix: 'kvbench:c:', perTag: 7, ttlMs: 60_000, values });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 5000 }), (keyIndex, valueBytes) => {
      const value = values.textOf(keyIndex, valueBytes);
      assert.equal(encoded(plain, 0, keyIndex, 0), expected('GET', `kvbench:${keyIndex}`));
      assert.equal(encoded(plain, 1, keyIndex, valueBytes), expected('SET', `kvbench:${keyIndex}`, value));
      assert.equal(encoded(expiring, 1, keyIndex, valueBytes), expected('SET', `ü{tag}:${keyIndex}`, value, 'PX', '60000'));
      assert.equal(encoded(plain, 2, keyIndex, 0), expected('INCR', `kvbench:c:${keyIndex}`));
      assert.equal(encoded(expiring, 3, keyIndex, 0), expected('DEL', `ü{tag}:${keyIndex}`));
      const name = (isCounter: boolean): string => keyNameOf({ prefix: 'kvbench:', perTag: 7 }, isCounter, keyIndex);
      assert.equal(encoded(tagged, 1, keyIndex, valueBytes), expected('SET', name(false), value, 'PX', '60000'));
      assert.equal(encoded(tagged, 2, keyIndex, 0), expected('INCR', name(true)));
    }),
  );
});

test('a version is stamped over the first bytes of the value, and nothing else changes', () => {
  const stamper = new ValueStamper(5, 1);
  const options = { prefix: 'k:', counterPrefix: 'k:c:', ttlMs: 0, values };
  const stamping = new CommandEncoder({ ...options, stamper });
  const out = new Uint8Array(stamping.maxCommandBytes(1, 600));
  for (const valueBytes of [24, 64, 600]) {
    const end = stamping.encode(out, new DataView(out.buffer), 0, 1, 7, valueBytes, 9);
    const value = stamper.textOf(7, 9, valueBytes) + values.textOf(7, valueBytes).slice(24);
    assert.equal(Buffer.from(out.subarray(0, end)).toString(), expected('SET', 'k:7', value));
  }
  assert.equal(encoded(stamping, 1, 7, 64), expected('SET', 'k:7', values.textOf(7, 64)), 'no version, no stamp');
});
