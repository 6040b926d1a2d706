/**
 * What a comparison of two sides came to: pure data, the contract between compare.ts, the gate and everything that shows it (terminal,
 * Markdown, JSON, JUnit, pages). The schema is the source; docs/comparison.schema.json is made from it. Never computes anything.
 */
import { z } from 'zod';

/** Of the comparison file; result folders have a number of their own. */
export const COMPARISON_VERSION = 1;

/** How much of the two sides has to be the same, from the strictest to none. */
export const compareLevels = ['strict', 'machine', 'profile', 'any'] as const;
export type CompareLevel = (typeof compareLevels)[number];

/** faster/slower also stand for better/worse of what is no time: `verdictWord` has the word a person reads. */
export const verdicts = ['faster', 'slower', '~', 'inconclusive'] as const;

const interval = z
  .object({
    low: z.number().nullable().describe('absolute change, in the unit of the row; null: without limit'),
    high: z.number().nullable(),
    lowRelative: z.number().nullable().describe('0.1: 10 % more; null: relative to nothing, or without limit'),
    highRelative: z.number().nullable(),
    confidence: z.number().describe('0..1'),
  })
  .describe('where the change lies, with this confidence');

const side = z.object({
  value: z.number().nullable().describe('of all its runs: merged for latency and throughput, else their median; null: no value, or it never ended'),
  perRun: z.array(z.number().nullable()).describe('in the order of the runs; null: that run has none'),
  samples: z.number().nullable().describe('operations behind it; null: counts one value per run'),
});

export const rowSchema = z.object({
  id: z.string().describe('as a gate rule names it, e.g. latency{op:get,phase:steady} p(99)'),
  metric: z.string(),
  aggregate: z.string().describe('p(99), rate, max, …'),
  tags: z.record(z.string(), z.string()).describe('op, phase, during (window), shard, fault'),
  unit: z.enum(['us', 'perSecond', 'ratio', 'count']),
  betterIs: z.enum(['lower', 'higher']),
  base: side,
  candidate: side,
  change: z.object({
    absolute: z.number().nullable().describe('candidate − base, in the unit of the row'),
    relative: z.number().nullable().describe('0.1: 10 % more; null where the base is 0'),
  }),
  interval: interval.nullable().describe('null: with so few runs there is none'),
  pValue: z.number().nullable().describe('two-sided, of the test that decided; null: no test was possible'),
  pRanks: z.number().nullable().describe('of the rank test over runs, which has to agree where the other is not that test itself; null: not asked'),
  decidedBy: z.enum(['bootstrap and ranks', 'ranks', 'noise floor']).nullable(),
  noise: z.number().nullable().describe('half the width of the interval of change, relative: what is smaller cannot be seen with these runs'),
  verdict: z.enum(verdicts),
  reason: z.string().describe('why this verdict, in words'),
});

const run = z.object({
  id: z.string(),
  dir: z.string().describe('its folder, as given'),
  startedAt: z.string(),
  seed: z.number(),
  durationMs: z.number(),
  verdict: z.enum(['passed', 'failed', 'aborted', 'interrupted']).describe('of its own thresholds'),
  saturated: z.boolean().describe('its generator was the bottleneck'),
  kvbenchVersion: z.string(),
  server: z.string().describe('e.g. redis 7.0.15'),
  fingerprint: z.object({ profile: z.string(), workload: z.string(), seed: z.number(), server: z.string(), machine: z.string() }),
});

const comparedSide = z.object({
  label: z.string(),
  source: z.string().describe('as it was given'),
  profile: z.string().describe('name of the profile'),
  runs: z.array(run),
});

export const ruleOutcomes = ['pass', 'fail', 'inconclusive'] as const;

const ruleResult = z.object({
  rule: z.string().describe('as written'),
  row: rowSchema.nullable().describe('what it was judged by; null: neither side has it'),
  tolerance: z.object({
    kind: z.enum(['relative', 'absolute']),
    value: z.number().describe('signed: +0.1 is 10 % more; absolute in the unit of the row'),
  }),
  outcome: z.enum(ruleOutcomes),
  adjustedPValue: z.number().nullable().describe('after Holm, over the rules of this gate'),
  beyond: z.boolean().describe('the change itself is beyond the tolerance, significant or not'),
  moreRuns: z
    .object({
      pairs: z.number().nullable().describe('about so many more runs of each side would decide; null: more than are worth asking for'),
      minutes: z.number().nullable(),
    })
    .nullable()
    .describe('of an inconclusive rule'),
  reason: z.string(),
});

export const warningKinds = ['saturated', 'noisy', 'not comparable', 'few runs', 'run'] as const;

export const comparisonSchema = z
  .object({
    formatVersion: z.literal(COMPARISON_VERSION),
    kind: z.literal('comparison'),
    kvbenchVersion: z.string(),
    sentence: z.string().describe('what a person reads first'),
    base: comparedSide,
    candidate: comparedSide,
    comparable: z.object({
      level: z.enum(compareLevels).describe('what had to be the same'),
      differences: z.array(
        z.object({
          area: z.enum(['load', 'workload', 'faults', 'client', 'target', 'server', 'machine', 'seed', 'kvbench']),
          what: z.string().describe('e.g. target.config.cluster-node-timeout'),
          base: z.string(),
          candidate: z.string(),
        }),
      ),
    }),
    method: z.object({
      confidence: z.number(),
      sameWithin: z.number().describe('relative: an interval inside it is ~'),
      resamples: z.number().int(),
      seed: z.number().int(),
    }),
    noiseFloor: z.object({ name: z.string(), runs: z.number().int() }).nullable().describe('the stored noise floor that single runs were judged by'),
    rows: z.array(rowSchema),
    gate: z
      .object({
        outcome: z.enum(ruleOutcomes),
        inconclusiveIs: z.enum(['pass', 'fail']),
        exitCode: z.number().int(),
        rules: z.array(ruleResult),
      })
      .nullable(),
    warnings: z.array(z.object({ kind: z.enum(warningKinds), text: z.string() })),
  })
  .describe('Two sides compared.');

export type Comparison = z.infer<typeof comparisonSchema>;
export type ComparedSide = Comparison['base'];
export type ComparedRun = ComparedSide['runs'][number];
export type ComparisonRow = Comparison['rows'][number];
export type RowUnit = ComparisonRow['unit'];
export type RowVerdict = ComparisonRow['verdict'];
export type Difference = Comparison['comparable']['differences'][number];
export type ComparisonWarning = Comparison['warnings'][number];
export type GateResult = NonNullable<Comparison['gate']>;
export type RuleResult = GateResult['rules'][number];
export type RuleOutcome = RuleResult['outcome'];
export type MethodSettings = Comparison['method'];

/** Metrics that are times of operations, where "faster" is the word. */
const speedMetrics = new Set(['latency', 'service', 'queue', 'dispatch_lag', 'throughput']);

/** `faster` and `slower` as a person would say it of this row: a gap is longer, availability worse. */
export function verdictWord(row: Pick<ComparisonRow, 'verdict' | 'metric' | 'unit'>): string {
  if (row.verdict === '~' || row.verdict === 'inconclusive' || speedMetrics.has(row.metric)) return row.verdict;
  if (row.unit === 'us') return row.verdict === 'faster' ? 'shorter' : 'longer';
  return row.verdict === 'faster' ? 'better' : 'worse';
}
