import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGateRule } from './gateRule.js';

test('rules say metric, tags, figure and tolerance', () => {
  const cases: [string, string, string, object, string, number][] = [
    ['latency{op:get,phase:steady}: p(99) +10%', 'latency', 'p(99)', { op: 'get', phase: 'steady' }, 'relative', 0.1],
    ['latency: med +250us', 'latency', 'p(50)', {}, 'absolute', 250],
    ['throughput: -5%', 'throughput', 'rate', {}, 'relative', -0.05],
    ['throughput: rate -100/s', 'throughput', 'rate', {}, 'absolute', -100],
    ['gap{shard:any}: max +500ms', 'gap', 'max', { shard: 'any' }, 'absolute', 500_000],
    ['gap: count +0', 'gap', 'count', {}, 'absolute', 0],
    ['lost_writes: +0', 'lost_writes', 'count', {}, 'absolute', 0],
    ['availability: -0.1 %', 'availability', 'rate', {}, 'absolute', -0.001],
    ['errors{during:before}: +0.01', 'errors', 'rate', { during: 'before' }, 'absolute', 0.01],
    [' rto{fault:1} : +20% ', 'rto', 'max', { fault: '1' }, 'relative', 0.2],
  ];
  for (const [text, metric, aggregate, tags, kind, value] of cases) {
    const rule = parseGateRule(text);
    assert.ok(!('problem' in rule), JSON.stringify(rule));
    assert.deepEqual(
      {
        metric: rule.metric,
        aggregate: rule.aggregate,
        tags: rule.tags,
        kind: rule.tolerance.kind,
        value: Math.round(rule.tolerance.value * 1e6) / 1e6,
      },
      { metric, aggregate, tags, kind, value },
      text,
    );
  }
});

test('what cannot be judged is refused with what would be right', () => {
  const cases: [string, RegExp][] = [
    ['latency +10%', /write it like/],
    ['latencyy: p(99) +10%', /latency/],
    ['latency: +10%', /p\(99\) \+10%/],
    ['latency: p(100) +10%', /below 100/],
    ['latency: avg +10%', /it takes/],
    ['throughput: +5%', /begins with -/],
    ['latency: p(99) -5%', /begins with \+/],
    ['throughput: p(99) -5%', /no "p\(99\)"/],
    ['gap{phase:steady}: max +1s', /not by "phase"/],
    ['lost_writes{shard:1}: +0', /by no tag/],
    ['latency{op:get,op:set}: p(99) +1%', /twice/],
    ['gap{shard:x}: +1s', /any or all/],
    ['latency{during:later}: p(99) +1%', /recovery/],
    ['errors: +5', /percentage points/],
  ];
  for (const [text, expected] of cases) {
    const rule = parseGateRule(text);
    assert.ok('problem' in rule, text);
    assert.match(rule.problem, expected, text);
  }
});
