/** Test support: what a server would have said of itself once a second. Never used by the product. */
import type { EventOf } from '../result/records.js';

/** Half a core, 1,000 operations per second, 2 MB. */
export function serverEvents(node: string, fromMs: number, toMs: number): EventOf<'server'>[] {
  return Array.from({ length: Math.floor((toMs - fromMs) / 1000) + 1 }, (_, i) => ({
    type: 'server',
    tUs: (fromMs + i * 1000) * 1000,
    node,
    sample: {
      cpuSysTotalUs: 100_000 * i,
      cpuUserTotalUs: 400_000 * i,
      usedMemoryBytes: 2_000_000,
      opsPerSec: 1000,
      netInputTotalBytes: 60_000 * i,
      netOutputTotalBytes: 90_000 * i,
      keyspaceHitsTotal: 450 * i,
      keyspaceMissesTotal: 50 * i,
      evictedKeysTotal: 0,
      expiredKeysTotal: i,
      latestForkUs: 412,
      connectedClients: 10,
    },
  }));
}
