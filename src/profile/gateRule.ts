/**
 * Rules of a gate: a metric with tags and how much worse it may get (`latency{op:get,phase:steady}: p(99) +10%`). Parsed here for profiles
 * and for `--rule`, judged in compare. Pure; what cannot be judged is refused here, so that no rule is ever ignored.
 */
import { parseDurationUs, parseRatePerSec } from '../base/units.js';
import { type TagName, tagNames } from '../plan/plan.js';
import { didYouMean } from './suggest.js';

interface GateMetric {
  unit: 'us' | 'perSecond' | 'ratio' | 'count';
  betterIs: 'lower' | 'higher';
  /** `p(N)` stands for any percentile. */
  aggregates: readonly string[];
  /** Taken when a rule names none; null: it has to. */
  usual: string | null;
  tags: readonly TagName[];
}

const operationTags = ['op', 'phase', 'during', 'fault'] as const;
const ofFault = { unit: 'us', betterIs: 'lower', aggregates: ['max'], usual: 'max', tags: ['fault'] } as const;
const ofTimes = { unit: 'us', betterIs: 'lower', aggregates: ['p(N)', 'med'], usual: null, tags: operationTags } as const;

/** What can be compared, and how. */
export const gateMetrics = {
  latency: ofTimes,
  service: ofTimes,
  queue: ofTimes,
  dispatch_lag: { ...ofTimes, tags: ['phase', 'during', 'fault'] },
  throughput: { unit: 'perSecond', betterIs: 'higher', aggregates: ['rate'], usual: 'rate', tags: operationTags },
  availability: { unit: 'ratio', betterIs: 'higher', aggregates: ['rate'], usual: 'rate', tags: operationTags },
  errors: { unit: 'ratio', betterIs: 'lower', aggregates: ['rate'], usual: 'rate', tags: operationTags },
  gap: { unit: 'us', betterIs: 'lower', aggregates: ['max', 'count'], usual: 'max', tags: ['op', 'shard', 'fault'] },
  rto: ofFault,
  detection: ofFault,
  promotion: ofFault,
  p99_recovery: ofFault,
  redundancy: ofFault,
  lost_writes: { unit: 'count', betterIs: 'lower', aggregates: ['count'], usual: 'count', tags: [] },
} as const satisfies Record<string, GateMetric>;
export type GateMetricName = keyof typeof gateMetrics;

export interface Tolerance {
  kind: 'relative' | 'absolute';
  /** Signed: +0.1 relative is 10 % more; absolute in the unit of the metric (µs, ops/s, 0..1, a count). */
  value: number;
}

export interface GateRule {
  /** As written. */
  text: string;
  metric: GateMetricName;
  tags: Partial<Record<TagName, string>>;
  /** `p(99)`, `rate`, `max`, `count`. */
  aggregate: string;
  tolerance: Tolerance;
}

type Problem = { problem: string };

/** `latency{op:get}: p(99) +10%`, as on a command line. */
export function parseGateRule(text: string): GateRule | Problem {
  const match = /^\s*([^:{}]+?\s*(?:\{[^{}]*\})?)\s*:\s*(.+?)\s*$/.exec(text);
  if (!match?.[1] || !match[2])
    return { problem: `${JSON.stringify(text)} is not a rule; write it like "latency{op:get}: p(99) +10%" or "throughput: -5%"` };
  return parseGateEntry(match[1], match[2]);
}

/** The same in two parts, as in a profile: metric → `p(99) +10%`. */
export function parseGateEntry(metricText: string, expression: string): GateRule | Problem {
  const metric = parseMetricTags(metricText);
  if ('problem' in metric) return metric;
  const rules: GateMetric = gateMetrics[metric.name];
  const match = /^(?:(\S.*?)\s+)?([+-])\s*(\d\S*(?:\s*%)?)$/.exec(expression.trim());
  const example = exampleOf(rules);
  if (!match?.[2] || !match[3])
    return { problem: `${JSON.stringify(expression)} is not how much ${metric.name} may change; write it like ${example}` };
  const aggregate = aggregateOf(metric.name, rules, match[1]);
  if (typeof aggregate !== 'string') return aggregate;
  const worse = rules.betterIs === 'lower' ? '+' : '-';
  const magnitude = toleranceOf(match[3], aggregate === 'count' ? 'count' : rules.unit);
  if ('problem' in magnitude) return { problem: `${JSON.stringify(expression)}: ${magnitude.problem}` };
  if (match[2] !== worse && magnitude.value !== 0) {
    const way = rules.betterIs === 'lower' ? 'more' : 'less';
    return {
      problem: `${JSON.stringify(expression)}: ${metric.name} gets worse by getting ${way}, so its tolerance begins with ${worse}, e.g. ${example}`,
    };
  }
  const value = magnitude.value === 0 ? 0 : worse === '+' ? magnitude.value : -magnitude.value;
  const text = `${metricText.trim()}: ${expression.trim()}`;
  return { text, metric: metric.name, tags: metric.tags, aggregate, tolerance: { kind: magnitude.kind, value } };
}

function parseMetricTags(text: string): { name: GateMetricName; tags: GateRule['tags'] } | Problem {
  const match = /^\s*(\w+)\s*(?:\{([^{}]*)\})?\s*$/.exec(text);
  const names = Object.keys(gateMetrics) as GateMetricName[];
  if (!match?.[1]) return { problem: `${JSON.stringify(text)} is not a metric; write it like throughput or latency{op:get,phase:steady}` };
  const name = names.find((known) => known === match[1]);
  if (!name) return { problem: `unknown metric "${match[1]}"${didYouMean(match[1], names, 'the metrics of a gate are')}` };
  const tags: GateRule['tags'] = {};
  const allowed: readonly TagName[] = gateMetrics[name].tags;
  for (const part of match[2] === undefined ? [] : match[2].split(',')) {
    const [, key, value] = /^\s*(\w+)\s*:\s*(\S.*?)\s*$/.exec(part) ?? [];
    if (!key || !value) return { problem: `${JSON.stringify(part.trim())} in ${text} is not a tag; write tags like {op:get,phase:steady}` };
    const tag = tagNames.find((known) => known === key);
    if (!tag) return { problem: `unknown tag "${key}" in ${text}${didYouMean(key, tagNames, 'the tags are')}` };
    if (!allowed.includes(tag))
      return { problem: `a gate compares ${name} by ${allowed.length === 0 ? 'no tag' : allowed.join(', ')}, not by "${tag}"` };
    if (tags[tag] !== undefined) return { problem: `the tag "${tag}" stands twice in ${text}` };
    const wrong = wrongTagValue(tag, value);
    if (wrong !== null) return { problem: `${text}: ${wrong}` };
    tags[tag] = value;
  }
  return { name, tags };
}

function wrongTagValue(tag: TagName, value: string): string | null {
  switch (tag) {
    case 'during':
      return /^(before|fault|recovery|after)$/.test(value) ? null : `during is before, fault, recovery or after, not "${value}"`;
    case 'shard':
      return /^(\d+|any|all)$/.test(value) ? null : `shard is a number, any or all, not "${value}"`;
    case 'fault':
      return /^[1-9]\d*$/.test(value) ? null : `fault is a number from 1, not "${value}"`;
    default:
      return null;
  }
}

function aggregateOf(name: GateMetricName, rules: GateMetric, word: string | undefined): string | Problem {
  if (word === undefined) {
    return rules.usual ?? { problem: `say which ${name} is meant: ${exampleOf(rules)}` };
  }
  const percentile = /^p\(\s*([\d.]+)\s*\)$/.exec(word)?.[1];
  if (percentile !== undefined && rules.aggregates.includes('p(N)')) {
    const value = Number(percentile);
    if (value > 0 && value < 100) return `p(${value})`;
    return { problem: `p(${percentile}) is not a percentile that can be compared; write p(99), above 0 and below 100` };
  }
  if (word === 'med' && rules.aggregates.includes('med')) return 'p(50)';
  if (rules.aggregates.includes(word)) return word;
  const known = rules.aggregates.map((each) => (each === 'p(N)' ? 'p(99)' : each));
  return { problem: `${name} has no "${word}"${didYouMean(word, known, 'it takes')}` };
}

function toleranceOf(text: string, unit: GateMetric['unit']): Tolerance | Problem {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text)?.[1];
  // A share is compared in percentage points: a tenth of hardly any errors is nothing.
  if (percent !== undefined) return { kind: unit === 'ratio' ? 'absolute' : 'relative', value: Number(percent) / 100 };
  const bare = /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
  switch (unit) {
    case 'us': {
      const us = bare === undefined ? parseDurationUs(text) : bare * 1000;
      return us === undefined
        ? { problem: `"${text}" is neither a percentage nor a time; write it like 10% or 500ms` }
        : { kind: 'absolute', value: us };
    }
    case 'perSecond': {
      const rate = bare ?? parseRatePerSec(text);
      return rate === undefined
        ? { problem: `"${text}" is neither a percentage nor a rate; write it like 5% or 100/s` }
        : { kind: 'absolute', value: rate };
    }
    case 'ratio':
      return bare === undefined || bare > 1
        ? { problem: `"${text}" is no share; write it like 0.1% (percentage points) or 0.001` }
        : { kind: 'absolute', value: bare };
    case 'count':
      return bare === undefined
        ? { problem: `"${text}" is neither a percentage nor a number; write it like 0 or 10%` }
        : { kind: 'absolute', value: bare };
  }
}

function exampleOf({ unit, betterIs, usual }: GateMetric): string {
  const amount = { us: usual === null ? '10%' : '500ms', perSecond: '5%', ratio: '0.1%', count: '0' }[unit];
  return `${usual === null ? 'p(99) ' : ''}${betterIs === 'lower' ? '+' : '-'}${amount}`;
}
