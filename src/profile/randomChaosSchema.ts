/**
 * The chaos entry `fault: random`: faults, targets and times drawn from the seed within limits. Its schema; what is drawn is in
 * `plan/randomChaos.ts`. Used by loadProfile and for the documents.
 */
import { z } from 'zod';
import { parseDurationUs } from '../base/units.js';
import type { FaultSchema } from '../chaos/fault.js';
import { duration, whole } from './fields.js';

export const RANDOM = 'random';

const DURATION = '(\\d+(\\.\\d+)?(us|µs|ms|s|m|h))+';
const SHORTEST_US = 10_000;

export interface DurationRange {
  minUs: number;
  maxUs: number;
}

/** `2s..6s`, or `5s` for always the same; out: whole µs. */
function durationRange() {
  return z
    .string()
    .meta({ title: 'duration or range of durations', pattern: `^${DURATION}(\\.\\.${DURATION})?$`, 'x-range': '10ms to 24h', examples: ['2s..6s'] })
    .transform((text, ctx): DurationRange => {
      const [from, to, ...more] = text.split('..').map((part) => parseDurationUs(part.trim()));
      const [minUs, maxUs] = [from, text.includes('..') ? to : from];
      if (minUs !== undefined && maxUs !== undefined && more.length === 0 && minUs >= SHORTEST_US && maxUs >= minUs) return { minUs, maxUs };
      ctx.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not a range of durations of 10ms and more; write it like 2s..6s, or 5s` });
      return z.NEVER;
    });
}

const keys = {
  at: duration('0s')
    .prefault('0s')
    .describe('Not before this moment, since t0.')
    .meta({ examples: ['5s'] }),
  for: duration()
    .optional()
    .describe('For how long faults are begun. When absent: until so long before the end of the load that the last one is healed 2 s before it.')
    .meta({ examples: ['1m'] }),
  every: durationRange().prefault('3s..8s').describe('From the beginning of one fault to that of the next.'),
  last: durationRange().prefault('1s..4s').describe('How long each is in force.'),
  from: z
    .array(z.union([z.string().min(1), z.looseObject({ fault: z.string().min(1).describe('Its kind.') })]))
    .min(1)
    .optional()
    .describe(
      'What is drawn from: kinds of fault, or faults with keys of their own and, if they like, `node`. When absent: every kind that needs no keys, suits the topology and costs no data.',
    )
    .meta({ title: 'list of kinds or faults', examples: [['kill', 'pause', { fault: 'client-pause', commands: 'all' }]] }),
  maxDown: whole(1, 100).default(1).describe('At most so many nodes down at once by faults that take nodes down.'),
  keepInSyncCopy: z
    .boolean()
    .default(true)
    .describe('Whether a fault is skipped that would take a shard’s last copy in sync down. On a target without replicas every such fault would.'),
};

/** One such entry; `fault: random` itself is looked at before. */
export const randomSchema = z.strictObject(keys);
export type RandomChaos = z.output<typeof randomSchema>;

export const documentedRandom = z
  .strictObject({ fault: z.literal(RANDOM).describe('Faults, targets and times drawn from the seed.'), ...keys })
  .describe('Faults, targets and times drawn from the seed, within limits. Each drawn fault is healed like any other.');

/** Kinds that are drawn from when a profile names none. */
export function kindsForRandom(faults: readonly FaultSchema[], topology: string): FaultSchema[] {
  return faults.filter(
    (fault) =>
      fault.costsData !== true &&
      fault.lasts !== true &&
      (fault.needs === 'process' || fault.needs === 'none') &&
      (!fault.topologies || fault.topologies.includes(topology)) &&
      fault.selector === 'required' &&
      fault.params.safeParse({}).success,
  );
}
