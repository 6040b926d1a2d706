/**
 * Keeps the young generations of this process as small as they are. Called by cli around what goes on for long: the load with the wire
 * client, and summary and report. Not while load workers of ioredis run, which need large ones.
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
  const major = Number.parseInt(process.versions.v8, 10);
  if (!(major >= V8_TRIED.from && major <= V8_TRIED.to)) return () => {};
  setGrowth(1);
  return () => setGrowth(FACTOR);
}

function setGrowth(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}
