/**
 * A bare ioredis loop, as a child process of the bench: the floor that `client: ioredis` is measured against. No code of kvbench is in
 * it, not even its random draws, and ioredis is as it comes. Argument: JSON of BareLoop. Says "phase steady" when it runs.
 */
import { Cluster, Redis } from 'ioredis';

export interface BareLoop {
  mode: 'standalone' | 'cluster';
  host: string;
  port: number;
  connections: number;
  /** Operations in flight, over all connections. */
  inFlight: number;
  keyCount: number;
  valueBytes: number;
}

const FILL_BATCH = 1000;

const loop = JSON.parse(process.argv[2] ?? '{}') as BareLoop;
const value = 'x'.repeat(loop.valueBytes);
const clients = Array.from({ length: loop.connections }, () => {
  const { mode, host, port } = loop;
  const client = mode === 'cluster' ? new Cluster([{ host, port }]) : new Redis({ host, port });
  client.on('error', fail);
  return client;
});

await Promise.all(clients.map((client) => client.ping()));
for (let from = 0; from < loop.keyCount; from += FILL_BATCH) {
  await Promise.all(Array.from({ length: FILL_BATCH }, (_, i) => clients[i % clients.length]?.set(`bare:${from + i}`, value)));
}

// A 31-bit linear congruential generator: good enough to spread keys, and nobody's code.
let state = 42;
function draw(bound: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
  return Math.floor((state / 0x80000000) * bound);
}

for (let lane = 0; lane < loop.inFlight; lane++) {
  const client = clients[lane % clients.length] as Redis | Cluster;
  const next = (): void => {
    const key = `bare:${draw(loop.keyCount)}`;
    if (draw(2) === 0) client.get(key).then(next, fail);
    else client.set(key, value).then(next, fail);
  };
  next();
}
console.log('phase steady');

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
