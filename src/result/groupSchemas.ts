/** The shapes of the files of a group of runs, as data, for docs/result-format.md; the types are in runsGroup.ts, and a test holds the two together. */
import { z } from 'zod';
import { FORMAT_VERSION } from './records.js';

const formatVersion = z.literal(FORMAT_VERSION);
const kind = z.enum(['variants', 'repeat', 'ab']).describe('repeat: one variant, which is the profile itself; ab: base against candidate');
const count = z.number().int().nonnegative();
const number = z.number().nullable();
const changes = z
  .array(z.looseObject({ path: z.string(), value: z.string() }))
  .describe('what the variant says for itself: path as --set takes it, value as YAML in one line');
const outcome = z.enum(['pass', 'fail', 'inconclusive']);
const place = {
  number: z.number().int().describe('1-based, in the order they are played'),
  round: z.number().int(),
  variant: z.string(),
  run: z.string().describe('folder, relative to the group’s'),
};

export const runsGroupSchema = z
  .looseObject({
    formatVersion,
    kind,
    kvbenchVersion: z.string(),
    id: z.string(),
    name: z.string(),
    description: z.string(),
    startedAt: z.string().describe('ISO 8601, UTC'),
    argv: z.array(z.string()),
    seed: z.number().int().describe('the same for all runs'),
    repeat: count.describe('rounds in which each variant is played once'),
    variants: z.array(z.looseObject({ name: z.string(), description: z.string(), changes, plan: z.looseObject({ name: z.string() }) })),
    runs: z.array(z.looseObject(place)).describe('as planned; one that has no folder was not begun'),
    machine: z.looseObject({ cpus: z.number(), cpuModel: z.string(), memoryBytes: z.number(), platform: z.string(), node: z.string() }),
    ab: z
      .looseObject({
        rules: z.array(z.string()),
        maxPairs: count,
        budgetMs: number,
        confidence: z.number().describe('of all looks together, 0..1'),
        sameWithin: z.number(),
        inconclusiveIs: z.enum(['pass', 'fail']),
        looks: z.array(
          z.looseObject({ pairs: count, level: z.number().describe('the two-sided p-value at or below which this look decides'), outcome }),
        ),
        endedBy: z.enum(['decided', 'pairs', 'budget']).nullable().describe('null: interrupted'),
      })
      .optional()
      .describe('of kvbench ab only'),
    interruptedBy: z.string().nullable(),
  })
  .describe('What was asked, written before the first run.');

const spread = z
  .looseObject({ median: z.number(), min: z.number(), max: z.number(), count: z.number().int().describe('runs that had the value') })
  .nullable()
  .describe('over the runs of the variant that came to their end; null: none of them had the value');
const verdict = z.enum(['passed', 'failed', 'aborted', 'interrupted']);

export const runsGroupSummarySchema = z
  .looseObject({
    formatVersion,
    kind,
    verdict: z.enum(['passed', 'failed', 'interrupted']).describe('failed: a threshold failed in one of the runs'),
    exitCode: z.number().int(),
    sentence: z.string(),
    seed: z.number().int(),
    repeat: count,
    plannedRuns: count,
    variants: z.array(
      z.looseObject({
        name: z.string(),
        description: z.string(),
        changes,
        runs: count.describe('that came to their end'),
        failedRuns: count,
        saturatedRuns: count,
        throughputOpsPerSec: spread,
        latencyUs: z.looseObject({ p50: spread, p99: spread, p999: spread }).describe('response time of all operations'),
        availability: spread,
        errors: spread,
        longestGapMs: spread,
        rtoMs: spread,
        detectionMs: spread,
        electionMs: spread,
        clientMs: spread,
        lostWrites: spread.describe('null: not checked'),
        waitShort: spread.describe('confirmations of writes (WAIT) that fell short; null: none were asked'),
      }),
    ),
    runs: z.array(
      z.looseObject({
        ...place,
        verdict,
        sentence: z.string(),
        throughputOpsPerSec: z.number(),
        latencyUs: z.looseObject({ p50: z.number(), p99: z.number(), p999: z.number() }).nullable(),
        availability: number,
        errors: count.describe('operations that did not end ok'),
        longestGapMs: z.number().describe('of any shard; 0: none'),
        rtoMs: number.describe('of the fault with the longest RTO'),
        detectionMs: number.describe('of that fault: injected to detected'),
        electionMs: number.describe('detected to promoted'),
        clientMs: number.describe('promoted to the clients’ recovery'),
        lostWrites: number.describe('null: not checked'),
        waitShort: number.describe('confirmations of writes (WAIT) that fell short; null: none were asked'),
        saturated: z.boolean(),
      }),
    ),
    decision: z
      .looseObject({
        outcome,
        exitCode: z.number().int(),
        sentence: z.string(),
        pairs: count,
        level: z.number(),
        rules: z.array(
          z.looseObject({
            rule: z.string(),
            outcome,
            base: z.string(),
            candidate: z.string(),
            change: z.string(),
            interval: z.string(),
            reason: z.string(),
          }),
        ),
        warnings: z.array(z.string()),
      })
      .nullable()
      .optional()
      .describe('of kvbench ab only: what its last look came to; comparison.json has the figures'),
  })
  .describe('The group in numbers. Runs that were aborted or interrupted are listed and in no median.');
