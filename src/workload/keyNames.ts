/** Names of keys: the one place that says how a key index becomes a key. Used by routing, clients, preload and clean-up; pure. */
import type { WorkloadPlan } from '../plan/plan.js';

export type KeyNaming = Pick<WorkloadPlan['keys'], 'prefix' | 'perTag'>;

/**
 * HOT: ordinary keys are `prefix + index`; INCR counters live in a key space of their own, `prefix + 'c:' + index`. With tags,
 * `{t}:` stands before the index, and keys with the same t share a slot.
 */
export function keyNameOf({ prefix, perTag }: KeyNaming, isCounter: boolean, keyIndex: number): string {
  const start = isCounter ? `${prefix}c:` : prefix;
  return perTag === 0 ? start + keyIndex : `${start}{${Math.floor(keyIndex / perTag)}}:${keyIndex}`;
}
