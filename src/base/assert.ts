/** Assertions for bugs of ours. What a user or a server can cause is a `KvbenchError` instead. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`bug in kvbench: ${what}`);
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`bug in kvbench: unexpected ${JSON.stringify(value)}`);
}
