/**
 * Thresholds in k6's style: a metric with tags (`latency{op:get,during:before}`) and an expression (`p(99)<50ms`). Parsed here for the
 * plan, evaluated in stats. Pure; what the metric cannot have is refused here, so that no threshold is ever ignored.
 */
import { parseDurationUs, parseRatePerSec } from '../base/units.js';
import { type MetricName, metricNames, type TagName, type ThresholdPlan, tagNames } from '../plan/plan.js';
import { didYouMean } from './suggest.js';

type AggregateKind = ThresholdPlan['aggregate']['kind'];

interface MetricRules {
  unit: 'time' | 'perSecond' | 'ratio' | 'number';
  aggregates: readonly AggregateKind[];
  tags: readonly TagName[];
}

const distribution = ['avg', 'min', 'max', 'med', 'percentile', 'count'] as const;
const operationTags = ['op', 'phase', 'during', 'fault'] as const;

/** What each metric can be asked; `unit` is that of its values (a `count` is always a plain number, a `rate` of ratios 0..1). */
export const metricRules: Readonly<Record<MetricName, MetricRules>> = {
  latency: { unit: 'time', aggregates: distribution, tags: operationTags },
  service: { unit: 'time', aggregates: distribution, tags: operationTags },
  queue: { unit: 'time', aggregates: distribution, tags: operationTags },
  dispatch_lag: { unit: 'time', aggregates: distribution, tags: ['phase', 'during', 'fault'] },
  throughput: { unit: 'perSecond', aggregates: ['rate', 'value'], tags: operationTags },
  availability: { unit: 'ratio', aggregates: ['rate', 'value'], tags: operationTags },
  errors: { unit: 'ratio', aggregates: ['rate', 'count'], tags: operationTags },
  gap: { unit: 'time', aggregates: ['avg', 'min', 'max', 'med', 'percentile', 'count', 'value'], tags: ['op', 'shard', 'fault'] },
  rto: { unit: 'time', aggregates: ['avg', 'min', 'max', 'med', 'percentile', 'count', 'value'], tags: ['shard', 'fault'] },
  lost_writes: { unit: 'number', aggregates: ['count', 'value'], tags: ['shard', 'fault'] },
};

export interface ParsedMetric {
  metric: string;
  name: MetricName;
  tags: Partial<Record<TagName, string>>;
}

/** `latency{op:get}` → its name and tags, or what is wrong with it. */
export function parseMetric(text: string): ParsedMetric | { problem: string } {
  const match = /^\s*([A-Za-z_]+)\s*(?:\{([^{}]*)\})?\s*$/.exec(text);
  if (!match?.[1]) return { problem: `${JSON.stringify(text)} is not a metric; write it like latency or latency{op:get,during:before}` };
  const name = metricNames.find((known) => known === match[1]);
  if (!name) return { problem: `unknown metric "${match[1]}"${didYouMean(match[1], metricNames, 'the metrics are')}` };
  const tags: ParsedMetric['tags'] = {};
  for (const part of match[2] === undefined ? [] : match[2].split(',')) {
    const [, key, value] = /^\s*(\w+)\s*:\s*(\S.*?)\s*$/.exec(part) ?? [];
    if (!key || !value) return { problem: `${JSON.stringify(part.trim())} in ${text} is not a tag; write tags like {op:get,phase:steady}` };
    const tag = tagNames.find((known) => known === key);
    if (!tag) return { problem: `unknown tag "${key}" in ${text}${didYouMean(key, tagNames, 'the tags are')}` };
    if (tags[tag] !== undefined) return { problem: `the tag "${tag}" stands twice in ${text}; tags combine with AND, name it once` };
    const allowed = metricRules[name].tags;
    if (!allowed.includes(tag)) return { problem: `${name} is not kept by "${tag}"; its tags are ${allowed.join(', ')}` };
    tags[tag] = value;
  }
  return { metric: text.trim(), name, tags };
}

/** `p(99)<50ms` on a metric → the threshold, or what is wrong with it. */
export function parseThreshold(metric: ParsedMetric, text: string): Omit<ThresholdPlan, 'abortOnFail' | 'delayAbortEvalUs'> | { problem: string } {
  const rules = metricRules[metric.name];
  const shown = rules.aggregates.map((kind) => (kind === 'percentile' ? 'p(99)' : kind));
  const example = `${shown[0]}${metric.name === 'availability' ? '>0.99' : `<${exampleLimit(rules.unit)}`}`;
  const match = /^\s*([A-Za-z]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*(<=|>=|==|!=|<|>)\s*([^<>=!].*?)\s*$/.exec(text);
  if (!match) return { problem: `${JSON.stringify(text)} is not an expression; write it like ${example} (with one of < <= > >= == !=)` };
  const [, word = '', argument, comparator = '<', limitText = ''] = match;
  const aggregate = parseAggregate(word, argument);
  if (!aggregate)
    return {
      problem: `${JSON.stringify(text)}: unknown aggregate "${word}${argument === undefined ? '' : `(${argument})`}"${didYouMean(word, shown, `${metric.name} takes`)}`,
    };
  if ('problem' in aggregate) return { problem: `${JSON.stringify(text)}: ${aggregate.problem}` };
  if (!rules.aggregates.includes(aggregate.kind))
    return { problem: `${JSON.stringify(text)}: ${metric.name} has no ${word}; it takes ${shown.join(', ')}` };
  const limit = parseLimit(limitText, aggregate.kind === 'count' ? 'number' : rules.unit);
  if (typeof limit !== 'number') return { problem: `${JSON.stringify(text)}: ${limit.problem}` };
  return { ...metric, expression: text.trim(), aggregate, comparator: comparator as ThresholdPlan['comparator'], limit };
}

function parseAggregate(word: string, argument: string | undefined): ThresholdPlan['aggregate'] | { problem: string } | undefined {
  if (word === 'p') {
    const percentile = Number(argument);
    if (!argument || !(percentile > 0 && percentile <= 100))
      return { problem: `p(${argument ?? ''}) is not a percentile; write p(99), above 0 and up to 100` };
    return { kind: 'percentile', percentile };
  }
  if (argument !== undefined) return undefined;
  const kinds = ['avg', 'min', 'max', 'med', 'count', 'rate', 'value'] as const;
  const kind = kinds.find((known) => known === word);
  return kind ? { kind } : undefined;
}

function parseLimit(text: string, unit: MetricRules['unit']): number | { problem: string } {
  const bare = /^\d+(\.\d+)?(e\d+)?$/i.test(text) ? Number(text) : undefined;
  switch (unit) {
    case 'time': {
      const us = bare === undefined ? parseDurationUs(text) : Math.round(bare * 1000);
      return us ?? { problem: `the limit "${text}" is not a time; write it like 50ms or 2s (a bare number is milliseconds)` };
    }
    case 'perSecond':
      return bare ?? parseRatePerSec(text) ?? { problem: `the limit "${text}" is not a rate; write it like 1000/s` };
    case 'ratio': {
      const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text);
      const ratio = percent ? Number(percent[1]) / 100 : bare;
      if (ratio === undefined || ratio > 1) return { problem: `the limit "${text}" is not a ratio; write it like 0.99 or 99%` };
      return ratio;
    }
    case 'number':
      return bare ?? { problem: `the limit "${text}" is not a number; write it like 0 or 100` };
  }
}

function exampleLimit(unit: MetricRules['unit']): string {
  return { time: '50ms', perSecond: '1000/s', ratio: '0.01', number: '1' }[unit];
}
