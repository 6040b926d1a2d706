import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RUN_TAGS, STAMP_BYTES, StampReader, ValueStamper } from './valueStamp.js';

const reader = new StampReader();

test('a stamp says what was written, as bytes and as text', () => {
  fc.assert(
    fc.property(
      fc.nat(RUN_TAGS - 1),
      fc.nat(4095),
      fc.nat(0xffffffff),
      fc.nat(0xffffffff),
      fc.integer({ min: STAMP_BYTES, max: 5000 }),
      (run, writer, keyIndex, version, valueBytes) => {
        const stamper = new ValueStamper(run, writer);
        const value = Buffer.alloc(valueBytes, 'x');
        stamper.write(value, 0, keyIndex, version, valueBytes);
        assert.equal(value.toString('latin1', 0, STAMP_BYTES), stamper.textOf(keyIndex, version, valueBytes));
        for (const isRead of [() => reader.read(value, valueBytes), () => reader.readText(value.toString('latin1'))]) {
          assert.ok(isRead());
          assert.deepEqual([reader.run, reader.writer, reader.keyIndex, reader.version], [run, writer, keyIndex, version]);
        }
      },
    ),
  );
});

test('a changed byte or another length shows', () => {
  const stamp = Buffer.from(new ValueStamper(77, 3).textOf(1234, 56, 64));
  fc.assert(
    fc.property(fc.nat(STAMP_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Buffer.from(stamp);
      changed[at] = (changed[at] ?? 0) ^ flip;
      assert.equal(reader.read(changed, 64), false);
    }),
  );
  for (let at = 0; at < STAMP_BYTES; at++) {
    for (let code = 33; code < 127; code++) {
      const changed = Buffer.from(stamp);
      changed[at] = code;
      assert.equal(reader.read(changed, 64), code === stamp[at], `byte ${at} as ${code}`);
    }
  }
  assert.ok(reader.read(stamp, 64));
  assert.equal(reader.read(stamp, 65), false);
  assert.equal(reader.readText('ordinary bytes of a value, and no stamp'), false);
});
