import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOf, ServerSample } from '../result/records.js';
import { cpuSharesOf, serverSummaries } from './serverSummary.js';

const silent: ServerSample = {
  cpuSysTotalUs: null,
  cpuUserTotalUs: null,
  usedMemoryBytes: null,
  opsPerSec: null,
  netInputTotalBytes: null,
  netOutputTotalBytes: null,
  keyspaceHitsTotal: null,
  keyspaceMissesTotal: null,
  evictedKeysTotal: null,
  expiredKeysTotal: null,
  latestForkUs: null,
  connectedClients: null,
};
const at = (tUs: number, sample: Partial<ServerSample>, node = 'n1'): EventOf<'server'> => ({
  type: 'server',
  tUs,
  node,
  sample: { ...silent, ...sample },
});
/** A total of 0.2 s of CPU in the kernel, and this in the server. */
const cpu = (userUs: number): Partial<ServerSample> => ({ cpuSysTotalUs: 200_000, cpuUserTotalUs: userUs });

test('totals count from the last sample before t0 to the end of the load; the highest are of the run alone, without what filled the store', () => {
  const [summary, ...rest] = serverSummaries(
    [
      at(-500_000, { ...cpu(0), keyspaceHitsTotal: 100, usedMemoryBytes: 9e9, latestForkUs: 412, netInputTotalBytes: 1000 }),
      at(500_000, { ...cpu(400_000), keyspaceHitsTotal: 150, usedMemoryBytes: 1e6, opsPerSec: 9000, netInputTotalBytes: 3000 }),
      at(1_500_000, { ...cpu(1_200_000), keyspaceHitsTotal: 250, usedMemoryBytes: 2e6, opsPerSec: 8000, evictedKeysTotal: 3 }),
      at(2_300_000, { opsPerSec: 4000 }),
      at(2_500_000, { ...cpu(9_000_000), keyspaceHitsTotal: 999_999, usedMemoryBytes: 8e9 }),
    ],
    2_400_000,
  );
  assert.deepEqual(rest, []);
  assert.deepEqual(summary, {
    node: 'n1',
    cpuSecondsPerSec: { mean: 0.6, max: 0.8 },
    memoryBytesMax: 2e6,
    opsPerSecMax: 4000,
    networkBytes: { in: 2000, out: null },
    hits: 150,
    misses: null,
    evicted: 0,
    expired: null,
    lastForkUs: 412,
  });
});

test('a server that starts anew begins at 0, and its outage counts neither as rest nor as work', () => {
  const events = [
    at(0, { ...cpu(5_000_000), keyspaceMissesTotal: 10 }),
    at(1_000_000, { ...cpu(5_500_000), keyspaceMissesTotal: 30 }),
    at(6_000_000, { ...cpu(100_000), keyspaceMissesTotal: 5 }),
    at(7_000_000, { ...cpu(400_000), keyspaceMissesTotal: 15 }),
  ];
  assert.deepEqual(cpuSharesOf(events), [null, 0.5, null, 0.3]);
  const [summary] = serverSummaries(events, 10_000_000);
  assert.deepEqual(summary?.cpuSecondsPerSec, { mean: 0.4, max: 0.5 });
  assert.equal(summary?.misses, 20 + 5 + 10);
});

test('a server that was never asked in time has an entry without figures; no samples make no entry', () => {
  const [summary] = serverSummaries([at(-1000, cpu(1))], 1_000_000);
  assert.equal(summary?.memoryBytesMax, null);
  assert.deepEqual(summary?.cpuSecondsPerSec, { mean: null, max: null });
  assert.deepEqual(serverSummaries([], 1), []);
});
