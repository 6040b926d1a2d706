/**
 * How large the young generations of this process' threads are. Held small by cli around what goes on for long: the load with the wire
 * client, and summary and report. Large from the start for load workers of ioredis (load/loadRunner.ts), while which nothing is held.
 */
import { setFlagsFromString } from 'node:v8';

/** V8 of Node 20 to 24. Node promises nothing for a flag that is set this late, so it is left alone where it has not been tried. */
const V8_TRIED = { from: 11, to: 13 } as const;

/** V8's own. */
const FACTOR = 2;

/**
 * From now on no thread's young generation grows, until the returned function is called or a thread is started, at which V8 sets the flag
 * right by itself. Left alone, each one grows to 32 MB (64 in Node 24) by and by, the later the less it keeps: a long run would need more
 * memory than a short one. Only memory is at stake; where V8 is another one, nothing happens.
 */
export function holdYoungGeneration(): () => void {
  if (!isTried()) return () => {};
  setGrowth(1);
  return () => setGrowth(FACTOR);
}

/**
 * Threads that are started from now on, until the returned function is called, begin with a semi-space (a third of the young generation) of so
 * many MB. Left alone it begins with 1 MB, and whether it ever grows depends on how much happens to survive in it: a thread that makes garbage
 * at a high rate, little of which survives, then collects ten times as often, at a cost per time that does not shrink. A limit of the thread's own holds.
 */
export function startWithSemiSpace(mb: number): () => void {
  if (!isTried()) return () => {};
  setFlagsFromString(`--min-semi-space-size=${mb}`);
  return () => setFlagsFromString('--min-semi-space-size=0');
}

function isTried(): boolean {
  const major = Number.parseInt(process.versions.v8, 10);
  return major >= V8_TRIED.from && major <= V8_TRIED.to;
}

function setGrowth(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
