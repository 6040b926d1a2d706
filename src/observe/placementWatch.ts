/**
 * Whose slots the operations went to: twice a second what the workers counted per slot goes to the node that holds the slot then. Made by
 * `cli/performance`; reads the shared counts and the observer's view, asks nobody anything. It must never touch the counts.
 *
 * A stretch is a time in which no slot changed hands: the one before the first change (or the whole run), the one after the last, and
 * all between as one. A change is noticed up to half a second late; a slot that moved in it counts for its new node.
 */
import type { PlacementStretch } from '../result/records.js';
import { SLOT_COUNT } from '../topology/shardNumbers.js';
import type { NodeView } from '../topology/target.js';

export const PLACEMENT_EVERY_US = 500_000;
export const SLOTS_PER_RANGE = 256;
const RANGE_COUNT = SLOT_COUNT / SLOTS_PER_RANGE;
const HOTTEST_SHOWN = 5;
const NOBODY = -1;

interface Open {
  startUs: number;
  endUs: number;
  opsOfSlot: Float64Array;
  /** By index of the node. */
  opsOfNode: number[];
  owners: Int16Array;
}

export class PlacementWatch {
  readonly #counts: readonly Uint32Array[];
  readonly #before = new Float64Array(SLOT_COUNT);
  /** Nodes by their index. */
  readonly #ids: string[] = [];
  readonly #seen = new Int16Array(SLOT_COUNT);
  #owners: Int16Array | null = null;
  #first: Open | null = null;
  #between: Open | null = null;
  #last: Open;

  /** @param counts of each worker, growing */
  constructor(counts: readonly Uint32Array[]) {
    this.#counts = counts;
    this.#last = opened(0);
  }

  /** @param nowUs since t0 */
  tick(nowUs: number, view: readonly NodeView[]): void {
    if (this.#look(view)) {
      // To learn who holds a slot is no change.
      const known = this.#owners;
      if (known !== null && this.#seen.some((owner, slot) => known[slot] !== NOBODY && owner !== known[slot])) this.#change();
      this.#owners = this.#seen.slice();
      this.#last.owners = this.#owners;
    }
    const owners = this.#last.owners;
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      let total = 0;
      for (const counts of this.#counts) total += counts[slot] as number;
      const grown = total - (this.#before[slot] as number);
      if (grown === 0) continue;
      this.#before[slot] = total;
      this.#last.opsOfSlot[slot] = (this.#last.opsOfSlot[slot] as number) + grown;
      const owner = owners[slot] as number;
      if (owner !== NOBODY) this.#last.opsOfNode[owner] = (this.#last.opsOfNode[owner] ?? 0) + grown;
    }
    this.#last.endUs = nowUs;
  }

  /** In order of time; one, named `whole`, when nothing changed hands. */
  stretches(): PlacementStretch[] {
    const ids = this.#ids;
    if (this.#first === null) return [closed('whole', this.#last, ids)];
    const between = this.#between === null ? [] : [closed('between', this.#between, ids)];
    return [closed('before', this.#first, ids), ...between, closed('after', this.#last, ids)];
  }

  /**
   * Who holds which slot by this view, in `#seen`; whether that is another than before. A slot that nobody is known to hold for a moment
   * (a dead master) has not changed hands yet.
   */
  #look(view: readonly NodeView[]): boolean {
    const known = this.#owners;
    if (known === null) this.#seen.fill(NOBODY);
    else this.#seen.set(known);
    for (const { id, role, slots } of view) {
      if (role !== 'master') continue;
      for (const [first, last] of slots) this.#seen.fill(this.#indexOf(id), first, last + 1);
    }
    return known === null || this.#seen.some((owner, slot) => owner !== known[slot]);
  }

  #indexOf(id: string): number {
    const index = this.#ids.indexOf(id);
    return index >= 0 ? index : this.#ids.push(id) - 1;
  }

  #change(): void {
    if (this.#first === null) this.#first = this.#last;
    else if (this.#between === null) this.#between = this.#last;
    else merge(this.#between, this.#last);
    this.#last = opened(this.#last.endUs);
  }
}

function opened(startUs: number): Open {
  return { startUs, endUs: startUs, opsOfSlot: new Float64Array(SLOT_COUNT), opsOfNode: [], owners: new Int16Array(SLOT_COUNT).fill(NOBODY) };
}

function merge(into: Open, next: Open): void {
  into.endUs = next.endUs;
  into.owners = next.owners;
  for (let slot = 0; slot < SLOT_COUNT; slot++) into.opsOfSlot[slot] = (into.opsOfSlot[slot] as number) + (next.opsOfSlot[slot] as number);
  for (const [node, ops] of next.opsOfNode.entries()) into.opsOfNode[node] = (into.opsOfNode[node] ?? 0) + (ops ?? 0);
}

function closed(name: PlacementStretch['name'], open: Open, ids: readonly string[]): PlacementStretch {
  const { startUs, endUs, opsOfSlot, opsOfNode, owners } = open;
  const slotsOf = new Array<number>(ids.length).fill(0);
  for (const owner of owners) if (owner !== NOBODY) slotsOf[owner] = (slotsOf[owner] ?? 0) + 1;
  const nodes = ids.map((node, i) => ({ node, slots: slotsOf[i] ?? 0, ops: opsOfNode[i] ?? 0 })).filter(({ slots, ops }) => slots + ops > 0);
  const hottest = [...opsOfSlot.keys()].sort((a, b) => (opsOfSlot[b] as number) - (opsOfSlot[a] as number) || a - b).slice(0, HOTTEST_SHOWN);
  const nameOf = (owner: number | undefined): string | null => ids[owner ?? NOBODY] ?? null;
  return {
    name,
    startUs,
    endUs,
    nodes,
    rangeOps: Array.from({ length: RANGE_COUNT }, (_, i) => sumOf(opsOfSlot, i)),
    rangeNodes: Array.from({ length: RANGE_COUNT }, (_, i) => nameOf(commonest(owners.subarray(i * SLOTS_PER_RANGE, (i + 1) * SLOTS_PER_RANGE)))),
    slotVariation: variationOf(opsOfSlot),
    hottest: hottest.map((slot) => ({ slot, ops: opsOfSlot[slot] as number, node: nameOf(owners[slot]) })).filter(({ ops }) => ops > 0),
  };
}

/** Of the slots of the i-th range. */
export function sumOf(ofSlot: Float64Array | Uint32Array, range: number): number {
  let sum = 0;
  for (let slot = range * SLOTS_PER_RANGE; slot < (range + 1) * SLOTS_PER_RANGE; slot++) sum += ofSlot[slot] as number;
  return sum;
}

/** Standard deviation over mean, of all slots; null without operations. */
function variationOf(ofSlot: Float64Array): number | null {
  let sum = 0;
  let squares = 0;
  for (const value of ofSlot) {
    sum += value;
    squares += value * value;
  }
  if (sum === 0) return null;
  const mean = sum / ofSlot.length;
  return Math.sqrt(Math.max(0, squares / ofSlot.length - mean * mean)) / mean;
}

function commonest(owners: Int16Array): number | undefined {
  const counts = new Map<number, number>();
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}
