/** Which server a lab runs, and what is said when there is none. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KvbenchError } from '../base/errors.js';
import { findServer, parseServerVersion } from './findServer.js';

const folder = mkdtempSync(join(tmpdir(), 'kvbench-test-'));
after(() => rmSync(folder, { recursive: true }));

function program(name: string, output: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho '${output}'\n`);
  chmodSync(path, 0o755);
  return path;
}

const valkey = program('my-valkey', 'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1');
const other = program('other', 'hello');

const versions = [
  { text: 'Redis server v=7.0.15 sha=0:0 malloc=jemalloc', path: '/x/redis-server', is: { product: 'redis', version: '7.0.15' } },
  { text: 'Valkey server v=9.1.0-rc1 sha=0', path: '/x/redis-server', is: { product: 'valkey', version: '9.1.0-rc1' } },
  { text: 'Server v=8.0.0 sha=0', path: '/x/valkey-server', is: { product: 'valkey', version: '8.0.0' } },
  { text: 'nginx version: 1.2', path: '/x/nginx', is: null },
];
for (const { text, path, is } of versions) {
  test(`version of "${text}"`, () => assert.deepEqual(parseServerVersion(text, path), is));
}

test('the profile goes first, then KVBENCH_SERVER, then PATH', () => {
  const real = findServer(undefined, { PATH: process.env.PATH });
  assert.ok(/^\d+\.\d+/.test(real.version));
  assert.deepEqual(findServer('auto', { PATH: folder, KVBENCH_SERVER: valkey }), { path: valkey, product: 'valkey', version: '8.0.1' });
  assert.equal(findServer('my-valkey', { PATH: folder, KVBENCH_SERVER: real.path }).path, valkey);
});

test('a server that is not there, or is none, is named', () => {
  const codeOf = (name: string): KvbenchError => {
    try {
      findServer(name, { PATH: folder });
    } catch (thrown) {
      assert.ok(thrown instanceof KvbenchError);
      return thrown;
    }
    throw new Error('found');
  };
  const missing = codeOf('no-such-server');
  assert.equal(missing.code, 'SERVER_NOT_FOUND');
  assert.match(missing.message, /"no-such-server"/);
  assert.match(missing.hint ?? '', /--server/);
  assert.match(codeOf(other).message, /neither a Redis nor a Valkey server/);
});
