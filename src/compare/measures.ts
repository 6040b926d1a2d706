/** What is compared: the rows of a comparison, and what a gate's rule asks for. Pure; used by compare.ts and gate.ts. */
import { type GateRule, gateMetrics } from '../profile/gateRule.js';
import { windowNames } from '../stats/windows.js';
import type { RowUnit } from './comparison.js';
import type { LoadedSide } from './loadSide.js';
import { usualPercentiles } from './sides.js';

export interface Measure {
  /** As a rule would name it: `latency{op:get,phase:steady} p(99)`. */
  id: string;
  metric: string;
  /** `p(99)`, `rate`, `max`, `count`, `value`. */
  aggregate: string;
  tags: Record<string, string>;
  unit: RowUnit;
  betterIs: 'lower' | 'higher';
}

export function measureOf(rule: Pick<GateRule, 'metric' | 'tags' | 'aggregate'>): Measure {
  const { unit, betterIs } = gateMetrics[rule.metric];
  return makeMeasure(rule.metric, rule.aggregate, rule.tags as Record<string, string>, rule.aggregate === 'count' ? 'count' : unit, betterIs);
}

/** Every row that the two sides may have in common; those without a value are left out later. */
export function measuresOf(base: LoadedSide, candidate: LoadedSide, operations: readonly string[]): Measure[] {
  const scopes = scopesOf(base, candidate);
  const byOperation = operations.length > 1 ? [null, ...operations] : [null];
  const measures: Measure[] = [];
  const add = (metric: GateRule['metric'], aggregate: string, tags: Record<string, string>): void => {
    measures.push(measureOf({ metric, aggregate, tags }));
  };
  for (const scope of scopes) add('throughput', 'rate', scope);
  for (const metric of ['latency', 'service'] as const) {
    for (const scope of scopes) {
      for (const op of byOperation) {
        for (const p of usualPercentiles) add(metric, `p(${p})`, op === null ? scope : { op, ...scope });
      }
    }
  }
  for (const scope of scopes) add('availability', 'rate', scope);
  add('errors', 'rate', {});
  for (const shard of ['any', 'all']) add('gap', 'max', { shard });
  for (const fault of faultIds(base, candidate)) {
    add('gap', 'max', { shard: 'any', fault });
    for (const metric of ['rto', 'detection', 'promotion', 'p99_recovery', 'redundancy'] as const) add(metric, 'max', { fault });
  }
  add('lost_writes', 'count', {});
  add('dispatch_lag', 'p(99)', {});
  measures.push(makeMeasure('generator_utilization', 'value', {}, 'ratio', 'lower'));
  return measures;
}

function makeMeasure(metric: string, aggregate: string, tags: Record<string, string>, unit: RowUnit, betterIs: 'lower' | 'higher'): Measure {
  const inBraces = Object.entries(tags).map(([tag, value]) => `${tag}:${value}`);
  return { id: `${metric}${inBraces.length === 0 ? '' : `{${inBraces.join(',')}}`} ${aggregate}`, metric, aggregate, tags, unit, betterIs };
}

/** All of the recorded load; each phase where there are several; each window of each fault. */
function scopesOf(base: LoadedSide, candidate: LoadedSide): Record<string, string>[] {
  const phases = namesInBoth(base, candidate, ({ run }) => run.plan.load.phases.filter(({ record }) => record).map(({ name }) => name));
  const faults = faultIds(base, candidate);
  return [
    {},
    ...(phases.length > 1 ? phases.map((phase) => ({ phase })) : []),
    ...faults.flatMap((fault) => windowNames.map((during) => (faults.length === 1 ? { during } : { during, fault }))),
  ];
}

function faultIds(base: LoadedSide, candidate: LoadedSide): string[] {
  return namesInBoth(base, candidate, ({ run }) => run.plan.chaos.map(({ id }) => String(id)));
}

function namesInBoth(base: LoadedSide, candidate: LoadedSide, namesOf: (data: LoadedSide['runs'][number]['data']) => string[]): string[] {
  const of = (side: LoadedSide): string[] => (side.runs[0] ? [...new Set(namesOf(side.runs[0].data))] : []);
  const others = new Set(of(candidate));
  return of(base).filter((name) => others.has(name));
}
