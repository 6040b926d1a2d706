import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapacityPlan } from '../plan/plan.js';
import type { CapacityGroupRecord, CapacitySummary, TrialSummary } from '../result/group.js';
import { capacityCurve } from './capacityCurve.js';
import { renderCapacityPage } from './capacityPage.js';
import { CAPACITY_PICTURE_HEIGHT_PX, renderCapacityPicture } from './capacityPicture.js';
import { renderCapacityClosing } from './capacityText.js';
import { planModel, runModel, statsModel } from './reportModel.test.support.js';

const capacity: CapacityPlan = {
  objective: [],
  minRatePerSec: 1000,
  maxRatePerSec: 8000,
  trialUs: 1_000_000,
  settleUs: 0,
  precision: 0.05,
  confirm: 1,
};

function trial(number: number, rateOpsPerSec: number, verdict: TrialSummary['verdict']): TrialSummary {
  return {
    number,
    run: `runs/0${number}-${rateOpsPerSec}`,
    rateOpsPerSec,
    purpose: 'growth',
    verdict,
    reasons: verdict === 'holds' ? [] : ['it was <b>slow</b>'],
    throughputOpsPerSec: rateOpsPerSec,
    latencyUs: statsModel(200, 1000),
    availability: 1,
    dropped: 0,
    objective: [],
    dispatchLagP99Us: 40,
    eventLoopUtilization: 0.2,
    saturated: false,
  };
}

function summaryOf(limitedBy: CapacitySummary['capacity']['limitedBy'], trials: TrialSummary[]): CapacitySummary {
  return {
    formatVersion: 1,
    kind: 'capacity',
    verdict: 'passed',
    exitCode: 0,
    sentence: 'The server holds p(99)<2ms',
    advice: 'More. Try: kvbench run capacity --set load.threads=2',
    seed: 42,
    capacity: { rateOpsPerSec: 2000, bracket: { holdsOpsPerSec: 2000, failsOpsPerSec: 4000 }, objective: [], confirmed: true, limitedBy },
    trials,
  };
}

const group: CapacityGroupRecord = {
  formatVersion: 1,
  kind: 'capacity',
  kvbenchVersion: '0.0.0',
  id: 'group',
  name: '<capacity>',
  startedAt: '2026-11-21T15:00:00.000Z',
  argv: ['run', 'capacity'],
  plan: planModel({ capacity }),
  machine: runModel(1).machine,
  target: null,
  interruptedBy: null,
};
const trials = [trial(1, 1000, 'holds'), trial(2, 2000, 'holds'), trial(3, 4000, 'fails')];

test('the page has the curve, a row and a link per trial, and nothing from outside or unescaped', () => {
  const page = renderCapacityPage(group, capacity, summaryOf('server', trials));
  assert.equal((page.match(/<circle class="p999/g) ?? []).length, 3);
  assert.equal((page.match(/<circle class="p99 off"/g) ?? []).length, 1);
  for (const { run } of trials) assert.ok(page.includes(`href="${run}/report.html"`));
  assert.ok(page.includes('capacity 2,000 ops/s') && page.includes('p(99)&lt;2ms') && page.includes('it was &lt;b&gt;slow'));
  assert.doesNotMatch(page, /<script|https?:\/\/(?!127)|undefined|NaN|<capacity>/);
});

test('a limit of the generator is said loudly on page and terminal', () => {
  const summary = summaryOf('generator', [...trials.slice(0, 2), trial(3, 4000, 'generator')]);
  assert.match(renderCapacityPage(group, capacity, summary), /role="alert"><strong>The generator was the limit/);
  assert.match(renderCapacityClosing(summary), /THE GENERATOR WAS THE LIMIT/);
  assert.doesNotMatch(renderCapacityClosing(summaryOf('server', trials)), /GENERATOR WAS/);
});

test('without a single answer there is still a page and a picture', async () => {
  const summary = summaryOf('server', []);
  assert.ok(renderCapacityPage(group, capacity, summary).includes('there is no curve'));
  const png = await renderCapacityPicture(capacityCurve(capacity, summary), { name: 'capacity', verdict: 'failed', sentence: 'none' });
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1600, CAPACITY_PICTURE_HEIGHT_PX]);
});
