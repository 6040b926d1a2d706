import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServerSample } from './serverSamples.js';

test('a sample has what INFO says, in our units, and null for what it does not', () => {
  const text = [
    '# Clients\r',
    'connected_clients:7\r',
    '# Memory\r',
    'used_memory:1048576\r',
    '# Stats\r',
    'instantaneous_ops_per_sec:4987\r',
    'total_net_input_bytes:123456\r',
    'expired_keys:3\r',
    'evicted_keys:0\r',
    'keyspace_hits:90\r',
    'latest_fork_usec:412\r',
    '# CPU\r',
    'used_cpu_sys:0.234567\r',
    'used_cpu_user:1.5\r',
    '',
  ].join('\n');
  assert.deepEqual(parseServerSample(text), {
    cpuSysTotalUs: 234_567,
    cpuUserTotalUs: 1_500_000,
    usedMemoryBytes: 1_048_576,
    opsPerSec: 4987,
    netInputTotalBytes: 123_456,
    netOutputTotalBytes: null,
    keyspaceHitsTotal: 90,
    keyspaceMissesTotal: null,
    evictedKeysTotal: 0,
    expiredKeysTotal: 3,
    latestForkUs: 412,
    connectedClients: 7,
  });
});
