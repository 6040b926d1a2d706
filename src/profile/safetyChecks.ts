/** `safety` as checked → the plan's part: its stop conditions parsed. Called by loadProfile. */
import { parseDurationUs } from '../base/units.js';
import type { SafetyPlan, StopPlan } from '../plan/plan.js';
import type { Ground } from './crossChecks.js';
import type { SafetyInput } from './safetySchema.js';
import { parseMetric, parseThreshold } from './thresholdExpression.js';

const stopMetrics: readonly string[] = ['latency', 'service', 'queue', 'errors', 'availability', 'throughput'];
const SHORTEST_WINDOW_US = 1_000_000;
const LONGEST_WINDOW_US = 600_000_000;

export function safetyPlan(ground: Ground, { check, limits, stop, timeToLive }: SafetyInput): SafetyPlan {
  return {
    replicasInSync: check.replicasInSync,
    maxErrorRate: check.maxErrorRate,
    limits: { maxNodesDown: limits.maxNodesDown ?? null, keepInSyncCopy: limits.keepInSyncCopy },
    stop: stop.flatMap((text, index) => {
      const parsed = checked(ground, parseStop(text));
      if (!('problem' in parsed)) return [parsed];
      ground.problems.add(ground.tree.place(['safety', 'stop', index]), `stop: ${parsed.problem}`);
      return [];
    }),
    timeToLiveUs: timeToLive ?? null,
  };
}

function checked({ operations }: Ground, parsed: ReturnType<typeof parseStop>): ReturnType<typeof parseStop> {
  const op = 'problem' in parsed ? undefined : parsed.threshold.tags.op;
  if (op === undefined || operations === null || (operations[op] ?? 0) > 0) return parsed;
  const sent = Object.keys(operations).filter((name) => (operations[name] ?? 0) > 0);
  return { problem: `the workload has no operation "${op}"; it has ${sent.join(', ')}` };
}

/** `errors: rate>0.9 for 10s`, or what is wrong with it. */
export function parseStop(text: string): StopPlan | { problem: string } {
  const match = /^\s*([^:{]+(?:\{[^}]*\})?)\s*:\s*(.+?)\s+for\s+(\S+)\s*$/.exec(text);
  const [, metricText = '', expression = '', lasting = ''] = match ?? [];
  if (!match) return { problem: `${JSON.stringify(text)} is no stop condition; write it like "errors: rate>0.9 for 10s"` };
  const windowUs = parseDurationUs(lasting);
  if (windowUs === undefined || windowUs < SHORTEST_WINDOW_US || windowUs > LONGEST_WINDOW_US) {
    return { problem: `${JSON.stringify(lasting)} in ${JSON.stringify(text)} must be a duration from 1s to 10m` };
  }
  const metric = parseMetric(metricText);
  if ('problem' in metric) return metric;
  if (!stopMetrics.includes(metric.name)) return { problem: `${metric.name} cannot stop a run; ${stopMetrics.join(', ')} can` };
  const { op: _op, ...others } = metric.tags;
  if (Object.keys(others).length > 0) return { problem: `${metric.metric}: a stop condition looks at the last seconds of all; its only tag is op` };
  const threshold = parseThreshold(metric, expression);
  if ('problem' in threshold) return threshold;
  return { text: text.trim(), threshold: { ...threshold, abortOnFail: true, delayAbortEvalUs: 0 }, windowUs };
}
