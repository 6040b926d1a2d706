import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapacityPlan, ThresholdPlan } from '../plan/plan.js';
import { trialPlan } from '../plan/trialPlan.js';
import { planModel, runModel, statsModel, summaryModel } from '../report/reportModel.test.support.js';
import type { CapacityGroupRecord, CapacitySummary, TrialSummary } from '../result/group.js';
import type { Summary } from '../result/summary.js';
import { capacityStep } from './capacitySearch.js';
import { settingsOf, summarizeCapacity, summarizeTrial } from './capacitySummary.js';

const p99: ThresholdPlan = {
  metric: 'latency',
  name: 'latency',
  tags: {},
  expression: 'p(99)<2ms',
  aggregate: { kind: 'percentile', percentile: 99 },
  comparator: '<',
  limit: 2000,
  abortOnFail: false,
  delayAbortEvalUs: 0,
};
const capacity: CapacityPlan = {
  objective: [p99],
  minRatePerSec: 1000,
  maxRatePerSec: 64_000,
  trialUs: 5_000_000,
  settleUs: 0,
  precision: 0.05,
  confirm: 2,
};
const phases = [
  {
    kind: 'open' as const,
    index: 0,
    name: 'trial',
    record: true,
    startUs: 0,
    durationUs: 5_000_000,
    arrivals: 'constant' as const,
    rateStartPerSec: 1000,
    rateEndPerSec: 1000,
    operationCount: 5000,
    firstOperation: 0,
  },
];
const model = planModel({ chaos: [] });
const plan = { ...model, name: 'capacity', capacity, load: { ...model.load, phases } };

/** Of a trial whose p99 was this. */
function summaryWith(
  p99Us: number,
  more: { dispatchLagP99Us?: number; saturated?: boolean; dropped?: number; verdict?: Summary['verdict'] } = {},
): Summary {
  const base = summaryModel();
  const generator = { ...base.generator, dispatchLagP99Us: more.dispatchLagP99Us ?? 50, saturated: more.saturated ?? false };
  return {
    ...base,
    verdict: more.verdict ?? 'passed',
    ops: { ...base.ops, dropped: more.dropped ?? 0 },
    latencyUs: { all: { ...statsModel(100, 5000), p99: p99Us } },
    thresholds: [
      { metric: 'latency', expression: 'p(99)<2ms', observed: p99Us, ok: p99Us < 2000 },
      { metric: 'availability', expression: 'rate>=99.9%', observed: 1, ok: true },
    ],
    generator: { ...generator, reasons: more.saturated ? ['the event loop was busy'] : [] },
  };
}

function trialAt(rateOpsPerSec: number, summary: Summary, number = 1): TrialSummary | null {
  return summarizeTrial(capacity, { number, run: `runs/${number}`, plan: trialPlan(plan, rateOpsPerSec), purpose: 'growth' }, summary);
}

/** A whole search against a server that answers as told. */
function searched(answer: (rate: number) => Summary, stopAfter = Number.POSITIVE_INFINITY): CapacitySummary {
  const group: CapacityGroupRecord = {
    formatVersion: 1,
    kind: 'capacity',
    kvbenchVersion: '0.0.0',
    id: 'g',
    name: 'capacity',
    startedAt: '2026-11-21T15:00:00.000Z',
    argv: ['run', 'capacity'],
    plan,
    machine: runModel(1).machine,
    target: null,
    interruptedBy: stopAfter === Number.POSITIVE_INFINITY ? null : 'SIGINT',
  };
  const trials: TrialSummary[] = [];
  for (;;) {
    const step = capacityStep(settingsOf(capacity), trials);
    if (step.kind === 'done' || trials.length >= stopAfter) return summarizeCapacity(group, trials);
    const trial = trialAt(step.rateOpsPerSec, answer(step.rateOpsPerSec), trials.length + 1);
    assert.ok(trial);
    trials.push(trial);
  }
}

test('a trial holds when the objective does; dropped operations fail it too; one that was cut off says nothing', () => {
  const verdict = (summary: Summary): unknown => trialAt(5000, summary)?.verdict;
  assert.equal(verdict(summaryWith(1900)), 'holds');
  assert.equal(verdict(summaryWith(2100)), 'fails');
  assert.equal(verdict(summaryWith(1900, { dropped: 1 })), 'fails');
  assert.equal(verdict(summaryWith(1900, { verdict: 'interrupted' })), undefined);
  assert.deepEqual(trialAt(5000, summaryWith(2100))?.reasons, ['p(99)<2ms was 2.10ms']);
  assert.equal(trialAt(5000, summaryWith(2100))?.rateOpsPerSec, 5000);
});

test('what the generator was late itself does not count against the server; what held in spite of it holds', () => {
  assert.equal(trialAt(5000, summaryWith(3000, { saturated: true }))?.verdict, 'generator');
  assert.equal(trialAt(5000, summaryWith(3000, { dispatchLagP99Us: 1500 }))?.verdict, 'generator');
  assert.equal(trialAt(5000, summaryWith(3000, { dispatchLagP99Us: 500 }))?.verdict, 'fails');
  assert.equal(trialAt(5000, summaryWith(1900, { dispatchLagP99Us: 1500 }))?.verdict, 'holds');
});

test('the sentence says what holds, up to where, and what it was above', () => {
  const { sentence, verdict, exitCode, capacity: found } = searched((rate) => summaryWith(rate > 24_100 ? 3400 : 500));
  assert.match(sentence, /^The server holds p\(99\)<2ms up to 2[34],\d{3} ops\/s; at 2[45],\d{3} ops\/s it was 3\.40ms$/);
  assert.deepEqual([verdict, exitCode, found.confirmed, found.limitedBy], ['passed', 0, true, 'server']);
});

test('limits of the generator and of the range are said as such, with what to try', () => {
  const generator = searched((rate) => summaryWith(rate > 24_100 ? 3400 : 500, { saturated: rate > 24_100 }));
  assert.match(generator.sentence, /at least; at [\d,]+ ops\/s the generator was the limit: .*the event loop was busy/);
  assert.match(generator.advice ?? '', /--set load\.threads=/);
  const range = searched(() => summaryWith(500));
  assert.match(range.sentence, /at 64,000 ops\/s, the highest rate that was to be tried/);
  assert.match(range.advice ?? '', /--set capacity\.rate\.max=256000\/s/);
});

test('not even the lowest rate is 99; an interrupted search is 105 and says what held so far', () => {
  const none = searched(() => summaryWith(3400));
  assert.deepEqual([none.verdict, none.exitCode, none.capacity.rateOpsPerSec, none.trials.length], ['failed', 99, null, 2]);
  assert.equal(none.sentence, 'p(99)<2ms does not hold even at 1,000 ops/s: it was 3.40ms');
  const cut = searched(() => summaryWith(500), 3);
  assert.deepEqual([cut.verdict, cut.exitCode, cut.capacity.confirmed], ['interrupted', 105, false]);
  assert.equal(cut.sentence, 'Interrupted (SIGINT): p(99)<2ms held up to 4,000 ops/s so far');
});
