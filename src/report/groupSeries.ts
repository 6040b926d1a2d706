/** What each group of clients got, on the time axis of the charts. Called by timelineData.ts; the page and its charts read the result. No Node imports. */
import type { FaultSide, IntervalRecord } from '../result/records.js';

export interface GroupSeries {
  name: string;
  /** Completions per second and bucket. */
  ok: number[];
  notOk: number[];
}

/** Collects intervals, in order, into buckets. */
export class GroupSeriesBuilder {
  readonly #bucketMs: number;
  readonly #groups = new Map<string, { ok: number[]; notOk: number[] }>();

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
  }

  add({ groups = [] }: IntervalRecord, bucket: number): void {
    for (const { group, ok, fail, info, dropped } of groups) {
      let counts = this.#groups.get(group);
      if (counts === undefined) {
        counts = { ok: [], notOk: [] };
        this.#groups.set(group, counts);
      }
      counts.ok[bucket] = (counts.ok[bucket] ?? 0) + ok;
      counts.notOk[bucket] = (counts.notOk[bucket] ?? 0) + fail + info + dropped;
    }
  }

  /** Null without groups. @param length number of buckets */
  finish(length: number): GroupSeries[] | null {
    if (this.#groups.size === 0) return null;
    const perSecond = (counts: readonly number[]): number[] =>
      Array.from({ length }, (_, i) => Math.round(((counts[i] ?? 0) * 1_000_000) / this.#bucketMs) / 1000);
    return [...this.#groups].map(([name, { ok, notOk }]) => ({ name, ok: perSecond(ok), notOk: perSecond(notOk) }));
  }
}

/** `n1 + minority | n2–n6 + majority`: who is cut off from whom; of a one-way cut `n4 → n1`. */
export function sidesText(kind: string, sides: readonly FaultSide[]): string {
  return sides.map(sideText).join(kind === 'one-way' ? ' → ' : ' | ');
}

export function sideText({ nodes, clients }: FaultSide): string {
  return [...ranges(nodes), ...clients].join(' + ');
}

/** Three and more nodes in a row are a range. */
function ranges(nodes: readonly string[]): string[] {
  const parts: string[][] = [];
  for (const node of nodes) {
    const last = parts.at(-1);
    if (last && isNext(last.at(-1) ?? '', node)) last.push(node);
    else parts.push([node]);
  }
  return [parts.flatMap((part) => (part.length > 2 ? [`${part[0]}–${part.at(-1)}`] : part)).join(', ')].filter((text) => text !== '');
}

function isNext(before: string, node: string): boolean {
  return before[0] === node[0] && Number(before.slice(1)) + 1 === Number(node.slice(1));
}
