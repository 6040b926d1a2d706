import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ArgumentPlan, CommandPlan } from '../../plan/plan.js';
import { keyNameOf } from '../../workload/keyNames.js';
import { ValuePool } from '../../workload/values.js';
import { CommandEncoder } from './commandEncoder.js';

const values = new ValuePool(7, 5000);
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1'));
const literal = bytes.map((text): ArgumentPlan => ({ kind: 'literal', bytes: text }));
const key = fc.constant<ArgumentPlan>({ kind: 'key' });
const value = fc.tuple(bytes, bytes).map(([before, after]): ArgumentPlan => ({ kind: 'value', before, after }));
const command = fc.array(fc.oneof(literal, key, value), { maxLength: 12 }).map(
  (args): CommandPlan => ({
    name: 'x',
    text: '',
    kind: 'write',
    weight: 1,
    args: [{ kind: 'literal', bytes: 'X' }, ...args],
  }),
);

test('a custom command is what a server expects, for any arguments, keys and values, within the room it asks for', () => {
  fc.assert(
    fc.property(
      fc.array(command, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 0, max: 5000 }),
      fc.constantFrom(0, 7),
      fc.constantFrom('k:', 'ü:'),
      (commands, keyIndex, valueBytes, perTag, prefix) => {
        const encoder = new CommandEncoder({ prefix, counterPrefix: `${prefix}c:`, perTag, ttlMs: 0, values, commands });
        const name = keyNameOf({ prefix, perTag }, false, keyIndex);
        for (const [index, { args }] of commands.entries()) {
          const room = encoder.maxCommandBytes(4 + index, valueBytes);
          const out = new Uint8Array(room + 10).fill(1);
          const end = encoder.encode(out, new DataView(out.buffer), 5, 4 + index, keyIndex, valueBytes, -1);
          assert.ok(end - 5 <= room, 'within the bound it gave');
          const parts = args.map((arg) => {
            if (arg.kind === 'key') return Buffer.from(name);
            if (arg.kind === 'literal') return Buffer.from(arg.bytes, 'latin1');
            return Buffer.from(arg.before + values.textOf(keyIndex, valueBytes) + arg.after, 'latin1');
          });
          const expected = [
            Buffer.from(`*${args.length}\r\n`),
            ...parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
          ];
          assert.deepEqual(Buffer.from(out.subarray(5, end)), Buffer.concat(expected));
        }
      },
    ),
  );
});
