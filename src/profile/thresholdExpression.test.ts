import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetric, parseThreshold } from './thresholdExpression.js';

function parse(metric: string, expression: string) {
  const parsed = parseMetric(metric);
  return 'problem' in parsed ? parsed : parseThreshold(parsed, expression);
}

test('expressions are read as k6 reads them, limits in the unit of their metric', () => {
  const cases: [metric: string, expression: string, aggregate: object, comparator: string, limit: number][] = [
    ['latency', 'p(99)<50', { kind: 'percentile', percentile: 99 }, '<', 50_000],
    ['latency', 'p( 99.9 ) <= 1.5s', { kind: 'percentile', percentile: 99.9 }, '<=', 1_500_000],
    ['latency{op:get, during:before}', 'avg<200us', { kind: 'avg' }, '<', 200],
    ['service', 'count>=100', { kind: 'count' }, '>=', 100],
    ['gap{shard:any}', 'count==0', { kind: 'count' }, '==', 0],
    ['gap', 'max<15s', { kind: 'max' }, '<', 15_000_000],
    ['throughput', 'rate>1000', { kind: 'rate' }, '>', 1000],
    ['throughput', 'rate>1.5k/s', { kind: 'rate' }, '>', 1500],
    ['availability', 'rate>99.5%', { kind: 'rate' }, '>', 0.995],
    ['errors', 'rate!=1', { kind: 'rate' }, '!=', 1],
    ['errors', 'count<1e3', { kind: 'count' }, '<', 1000],
    ['rto{fault:2}', 'max<5s', { kind: 'max' }, '<', 5_000_000],
  ];
  for (const [metric, expression, aggregate, comparator, limit] of cases) {
    const threshold = parse(metric, expression);
    assert.ok(!('problem' in threshold), JSON.stringify(threshold));
    assert.deepEqual([threshold.aggregate, threshold.comparator, threshold.expression], [aggregate, comparator, expression]);
    assert.ok(Math.abs(threshold.limit - limit) < 1e-9, `${expression}: ${threshold.limit}`);
    assert.equal(threshold.metric, metric);
  }
});

test('what cannot be evaluated is refused, never ignored', () => {
  const cases: [metric: string, expression: string, expected: RegExp][] = [
    ['latency', 'p99<5', /not an expression/],
    ['latency', 'p(0)<5', /p\(0\) is not a percentile/],
    ['latency', 'p()<5', /not a percentile/],
    ['latency', 'p(101)<5', /not a percentile/],
    ['latency', 'average<5', /unknown aggregate "average"/],
    ['latency', 'mac<5', /did you mean "max"/],
    ['latency', 'avg(5)<5', /unknown aggregate/],
    ['latency', 'avg=5', /not an expression/],
    ['latency', 'avg<', /not an expression/],
    ['latency', 'avg<5x', /"5x" is not a time/],
    ['latency', 'rate<5', /latency has no rate/],
    ['availability', 'rate>70', /"70" is not a ratio/],
    ['throughput', 'rate>5ms', /"5ms" is not a rate/],
    ['latency{op}', 'avg<5', /"op" in latency\{op\} is not a tag/],
    ['latency{}', 'avg<5', /is not a tag/],
    ['latency{op:get,op:set}', 'avg<5', /stands twice/],
    ['latency{shard:0}', 'avg<5', /latency is not kept by "shard"/],
    ['gap{shard:any', 'max<5', /is not a metric/],
    ['lost_writes', 'avg<5', /avg/],
  ];
  for (const [metric, expression, expected] of cases) {
    const result = parse(metric, expression);
    assert.ok('problem' in result, `${metric} ${expression}`);
    assert.match(result.problem, expected);
  }
});
