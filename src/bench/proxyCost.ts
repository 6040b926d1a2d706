/** What the embedded Toxiproxy costs while it has no toxic: redis-benchmark through one proxy against redis-benchmark direct. Called by main.ts. */
import { KvbenchError, messageOf } from '../base/errors.js';
import { startEmbeddedToxiproxy } from '../chaos/toxiproxy/embedded.js';
import { combineEvenly, orderOfRound, type WindowResult } from './arithmetic.js';
import { makeHead, type ProxySection } from './benchResult.js';
import type { BenchRun } from './benchRun.js';
import { BenchServers } from './benchServers.js';
import { benchCases } from './cases.js';
import { findOnPath, redisBenchmark, startRedisBenchmark } from './contenders.js';
import { measureWindow } from './measure.js';
import { describe } from './throughput.js';

/** Null when redis-benchmark is not here. */
export async function measureProxy(run: BenchRun): Promise<ProxySection | null> {
  const path = findOnPath('redis-benchmark', process.env);
  if (path === null) {
    run.say('embedded Toxiproxy: redis-benchmark is not on PATH, skipped');
    return null;
  }
  const servers = await BenchServers.start(1, run.signal);
  try {
    const toxiproxy = await startEmbeddedToxiproxy();
    try {
      const proxied = await createProxy(toxiproxy.url, `${servers.seed.host}:${servers.seed.port}`);
      await redisBenchmark('redis-benchmark', path).fill({ ...run, servers, windowUs: 0 });
      return await measureWays(run, path, servers, { direct: servers.seed, proxied });
    } finally {
      await toxiproxy.close();
    }
  } finally {
    await run.children.endAll();
    await servers.close();
  }
}

type Way = 'direct' | 'proxied';
type Address = { host: string; port: number };

async function measureWays(run: BenchRun, path: string, servers: BenchServers, addresses: Record<Way, Address>): Promise<ProxySection> {
  const cases: ProxySection['cases'] = [];
  for (const { id, title, clients, pipeline } of benchCases.filter(({ masters }) => masters === 1)) {
    run.say(`embedded Toxiproxy, redis-benchmark, ${title}`);
    const result: ProxySection['cases'][number] = { id, title, direct: [], proxied: [], failures: [] };
    for (let round = 0; round < run.rounds; round++) {
      for (const way of orderOfRound<Way>(['direct', 'proxied'], round)) {
        try {
          const windows: WindowResult[] = [];
          for (const part of ['set', 'get']) {
            const started = startRedisBenchmark(path, { ...addresses[way], part, clients, pipeline, mode: 'standalone' }, run);
            try {
              await started.steady();
              windows.push((await measureWindow(started.child, servers, run.seconds * 1_000_000, run.signal)).window);
            } finally {
              await started.child.end();
            }
          }
          const window = combineEvenly(windows);
          result[way].push(window);
          run.say(`  round ${round + 1}/${run.rounds}  ${way.padEnd(8)} ${describe(window)}`);
        } catch (error) {
          run.signal.throwIfAborted();
          result[way].push(null);
          result.failures.push(`round ${round + 1}, ${way}: ${messageOf(error)}`);
          run.say(`  round ${round + 1}/${run.rounds}  ${way.padEnd(8)} failed: ${messageOf(error)}`);
        }
      }
    }
    cases.push(result);
  }
  const notes = ['The proxy runs in a thread of the bench’s own process; SETs and GETs are combined harmonically.'];
  return { ...makeHead({ server: servers.version, rounds: run.rounds, seconds: run.seconds, notes }), cases };
}

async function createProxy(apiUrl: string, upstream: string): Promise<Address> {
  const response = await fetch(`${apiUrl}/proxies`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', listen: '127.0.0.1:0', upstream, enabled: true }),
  });
  const reply = (await response.json()) as { listen?: string; error?: string };
  const port = Number(reply.listen?.split(':').at(-1));
  if (!response.ok || !(port > 0)) throw new KvbenchError('PROXY_FAILED', `the embedded Toxiproxy made no proxy: ${reply.error ?? response.status}`);
  return { host: '127.0.0.1', port };
}
