/** Names of keys: the one place that says how a key index becomes a key. Used by routing, clients, preload and clean-up; pure. */

/** HOT: ordinary keys are `prefix + index`; INCR counters live in a key space of their own, `prefix + 'c:' + index`. */
export function keyNameOf(prefix: string, isCounter: boolean, keyIndex: number): string {
  return isCounter ? `${prefix}c:${keyIndex}` : prefix + keyIndex;
}
