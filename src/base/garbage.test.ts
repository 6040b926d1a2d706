import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from './garbage.js';

test('what nobody holds is given back at once', async () => {
  let garbage: object[] | null = Array.from({ length: 300_000 }, (_, i) => ({ i, text: `${i}` }));
  const fullBytes = process.memoryUsage().heapTotal;
  assert.equal(garbage.length, 300_000);
  garbage = null;
  await collectGarbage();
  const leftBytes = process.memoryUsage().heapTotal;
  assert.ok(leftBytes < fullBytes - 10_000_000, `${fullBytes} bytes of heap before, ${leftBytes} after`);
});
