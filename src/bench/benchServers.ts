/**
 * The servers that the generators are measured against: started by the bench for one case, filled, counted and emptied by it. Used by
 * throughput.ts, proxyCost.ts and the open-loop runs. They are the bench's own, which is why FLUSHALL is allowed here and nowhere else.
 */
import { Cluster, Redis } from 'ioredis';
import { monotonicUs } from '../base/clock.js';
import { parseInfo } from '../topology/infoReply.js';
import { startLab } from '../topology/lab.js';
import type { Target, TargetNode } from '../topology/target.js';
import { processUsage } from './processUsage.js';

const FILL_BATCH = 1000;

export class BenchServers {
  readonly mode: 'standalone' | 'cluster';
  readonly #target: Target;
  readonly #controls: Redis[];

  private constructor(target: Target) {
    this.#target = target;
    this.mode = target.mode === 'cluster' ? 'cluster' : 'standalone';
    this.#controls = target.nodes.map((node) => target.control(node.id));
  }

  /** @param masters 1 is a standalone server, more a cluster without replicas; nothing is persisted */
  static async start(masters: number, signal: AbortSignal): Promise<BenchServers> {
    const topology = masters === 1 ? 'standalone' : 'cluster';
    const plan = { kind: 'lab', topology, masters, replicasPerMaster: 0, server: serverName(), config: {} } as const;
    return new BenchServers(await startLab(plan, { onProgress: () => {}, signal }));
  }

  get nodes(): readonly TargetNode[] {
    return this.#target.nodes;
  }

  get seed(): TargetNode {
    return this.nodes[0] as TargetNode;
  }

  /** `redis 7.0.15` */
  get version(): string {
    const { server, version } = this.#target.describe();
    return `${server} ${version}`;
  }

  /** GETs and SETs executed so far, over all nodes: what the bench itself and observers ask is not in it. */
  async operations(): Promise<{ atUs: number; operations: number }> {
    const askedUs = monotonicUs();
    const replies = await Promise.all(this.#controls.map((redis) => redis.info('commandstats')));
    const answeredUs = monotonicUs();
    return { atUs: (askedUs + answeredUs) / 2, operations: replies.reduce((sum, text) => sum + operationsIn(text), 0) };
  }

  /** Null where the system does not tell. */
  cpuUs(): number | null {
    let sumUs = 0;
    for (const node of this.nodes) {
      const pid = this.#target.processes?.pidOf(node.id) ?? null;
      const usage = pid === null ? null : processUsage(pid);
      if (usage === null) return null;
      sumUs += usage.cpuUs;
    }
    return sumUs;
  }

  async empty(): Promise<void> {
    await Promise.all(this.#controls.map((redis) => redis.flushall()));
  }

  /** Writes keys `nameOf(0..count-1)`, so that a generator that does not fill its key space itself reads what is there. */
  async fill(count: number, valueBytes: number, nameOf: (index: number) => string): Promise<void> {
    const { host, port } = this.seed;
    const client = this.mode === 'cluster' ? new Cluster([{ host, port }]) : new Redis({ host, port });
    client.on('error', () => {});
    const value = 'x'.repeat(valueBytes);
    try {
      for (let from = 0; from < count; from += FILL_BATCH) {
        await Promise.all(Array.from({ length: Math.min(FILL_BATCH, count - from) }, (_, i) => client.set(nameOf(from + i), value)));
      }
    } finally {
      client.disconnect();
    }
  }

  async close(): Promise<void> {
    for (const redis of this.#controls) redis.disconnect();
    await this.#target.close();
  }
}

/** Calls of GET and SET in the text of INFO commandstats. */
export function operationsIn(commandStats: string): number {
  const fields = parseInfo(commandStats);
  return ['cmdstat_get', 'cmdstat_set'].reduce((sum, name) => sum + Number(/calls=(\d+)/.exec(fields.get(name) ?? '')?.[1] ?? 0), 0);
}

/** As for a profile without `server`. */
function serverName(): string {
  return process.env.KVBENCH_SERVER || 'redis-server';
}
