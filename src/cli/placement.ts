/**
 * Where keys and operations are, as events of a run: keys counted before t0 and after healing, operations followed while the load runs.
 * Called by performance.ts. It never fails a run: what can't be asked is not known.
 */
import { sleepUs } from '../base/clock.js';
import type { Observer } from '../observe/observer.js';
import { PLACEMENT_EVERY_US, PlacementWatch, SLOTS_PER_RANGE, sumOf } from '../observe/placementWatch.js';
import type { EventOf, RunSink } from '../result/records.js';
import { keysPerSlot } from '../topology/keysPerSlot.js';
import { SLOT_COUNT } from '../topology/shardNumbers.js';
import type { Stage } from './stage.js';

export type KeyCounts = Pick<EventOf<'keys'>, 'perNode' | 'perRange'>;

/** Not while a load is measured: it holds the servers up for some ms. Null when the target could not be asked. */
export async function countKeys({ target }: Pick<Stage, 'target'>): Promise<KeyCounts | null> {
  try {
    const perNode = await target.keysPerNode();
    const ofSlot = target.mode === 'cluster' ? await keysPerSlot(target, await target.currentView()) : null;
    const perRange = ofSlot === null ? null : Array.from({ length: SLOT_COUNT / SLOTS_PER_RANGE }, (_, i) => sumOf(ofSlot, i));
    return { perNode, perRange };
  } catch {
    return null;
  }
}

/** From t0 to the end of the load; then tells. @param sinceT0 negative before t0 */
export async function watchPlacement(stage: Stage, observer: Observer, stream: RunSink, sinceT0: () => number, end: AbortSignal): Promise<void> {
  const { slotCounts } = stage.load;
  if (slotCounts.length === 0) return;
  const watch = new PlacementWatch(slotCounts);
  await sleepUs(-sinceT0(), end);
  while (!end.aborted) {
    watch.tick(sinceT0(), observer.view().nodes);
    await sleepUs(PLACEMENT_EVERY_US, end);
  }
  const nowUs = sinceT0();
  if (nowUs < 0) return;
  watch.tick(nowUs, observer.view().nodes);
  stream.event({ tUs: nowUs, type: 'placement', stretches: watch.stretches() });
}
