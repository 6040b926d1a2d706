/**
 * Counts the keys of each slot of a cluster, by asking each master for its own. Called before and after a run. It only reads; a script
 * asks for all slots of a node at once, which holds the server up for a few ms: never while a load is measured.
 */
import { SLOT_COUNT } from './shardNumbers.js';
import type { Target, TopologyView } from './target.js';

const SCRIPT = `local counts = {}
for slot = ARGV[1], ARGV[2] do counts[#counts + 1] = redis.call('CLUSTER', 'COUNTKEYSINSLOT', slot) end
return counts`;

/** Null: no cluster, or some of it can't be asked (also by a user who may not run scripts). Never throws. */
export async function keysPerSlot(target: Pick<Target, 'mode' | 'control'>, view: TopologyView): Promise<Uint32Array | null> {
  if (target.mode !== 'cluster') return null;
  const counts = new Uint32Array(SLOT_COUNT);
  const masters = view.nodes.filter((node) => node.role === 'master' && node.slots.length > 0);
  try {
    await Promise.all(masters.map(({ id, slots }) => countOf(target, id, slots, counts)));
    return counts;
  } catch {
    return null;
  }
}

async function countOf(target: Pick<Target, 'control'>, id: string, slots: readonly [number, number][], counts: Uint32Array): Promise<void> {
  const redis = target.control(id);
  try {
    for (const [first, last] of slots) {
      const reply = await redis.eval(SCRIPT, 0, first, last);
      if (!Array.isArray(reply)) throw new Error(`${id} counts no keys`);
      reply.forEach((count, i) => {
        counts[first + i] = Number(count);
      });
    }
  } finally {
    redis.disconnect();
  }
}
