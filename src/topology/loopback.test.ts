/** Loopback blocks: runs at the same time get different ones, and where the addresses are missing the message says how to add them. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { KvbenchError } from '../base/errors.js';
import { claimLoopbackBlock } from './loopback.js';
import { canListen } from './ports.js';

test('blocks of runs at the same time differ, and are free again after them', { skip: process.platform !== 'linux' }, async () => {
  const blocks = await Promise.all(Array.from({ length: 8 }, () => claimLoopbackBlock(9)));
  const first = blocks.map((block) => block.address(1));
  assert.equal(new Set(first).size, 8);
  for (const address of first) assert.match(address, /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.1$/);
  assert.ok(await canListen(20_000, blocks[0]?.address(7)));
  const claimed = first[0]?.replace(/1$/, '254');
  assert.equal(await canListen(21_999, claimed), false);
  await Promise.all(blocks.map((block) => block.release()));
  assert.equal(await canListen(21_999, claimed), true);
});

test('where only 127.0.0.1 exists, the command that adds the addresses is named', async () => {
  const missing = claimLoopbackBlock(6, async () => 'EADDRNOTAVAIL');
  await assert.rejects(missing, (error) => {
    assert.ok(error instanceof KvbenchError && error.code === 'LAB_FAILED');
    assert.match(error.message, /127\.77\.0\.1 to 127\.77\.0\.6/);
    assert.match(error.hint ?? '', /for n in \$\(seq 1 6\); do sudo ifconfig lo0 alias 127\.77\.0\.\$n up; done/);
    return true;
  });
});

test('addresses that were added by hand are used, a block for each run', async () => {
  const taken: string[] = [];
  const listen = async (host: string) => {
    if (!host.startsWith('127.77.') || host.endsWith('.254')) return 'EADDRNOTAVAIL';
    if (host === '127.77.0.1') return 'EADDRINUSE';
    taken.push(host);
    return createServer();
  };
  const block = await claimLoopbackBlock(3, listen);
  assert.equal(block.address(3), '127.77.1.3');
  assert.deepEqual(taken, ['127.77.1.1', '127.77.1.2', '127.77.1.3']);
  await block.release();
});
