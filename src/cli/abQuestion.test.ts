import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KvbenchError } from '../base/errors.js';
import type { RunsGroupRecord } from '../result/runsGroup.js';
import { firstLook, levelAfter, wholePairs } from './abDecision.js';
import type { AbArguments } from './abOptions.js';
import { abQuestion } from './abQuestion.js';

const args = (more: Partial<AbArguments>): AbArguments =>
  ({
    profile: 'steady',
    base: [],
    candidate: [],
    set: [],
    maxPairs: 10,
    inconclusive: 'pass',
    confidence: 95,
    sameWithin: 5,
    dryRun: false,
    ...more,
  }) as AbArguments;

const refusal = (more: Partial<AbArguments>): string => {
  try {
    abQuestion(args(more), {});
  } catch (error) {
    assert.ok(error instanceof KvbenchError && error.exitCode === 104, String(error));
    return `${error.message} ${error.hint ?? ''}`;
  }
  return assert.fail('it was taken');
};

test('both sides are the profile with their own values; what is set for both is in both', () => {
  const { plan, ab } = abQuestion(
    args({ base: ['load.client=ioredis'], candidate: ['load.client=wire', 'load.threads=1'], set: ['load.threads=3'] }),
    {},
  );
  const [base, candidate] = plan.variants;
  assert.deepEqual([base?.plan.load.client, base?.plan.load.threads, base?.plan.variant], ['ioredis', 3, 'base']);
  assert.deepEqual([candidate?.plan.load.client, candidate?.plan.load.threads], ['wire', 1]);
  assert.deepEqual(candidate?.changes[0], { path: 'load.client', value: 'wire' });
  assert.equal(plan.runs.length, 20);
  assert.deepEqual(ab.rules, ['latency: p(99) +10%', 'throughput: -5%'], 'asked where nobody asks anything');
  assert.deepEqual(abQuestion(args({ candidate: ['load.threads=1'], rule: ['latency{op:get}: p(50) +3%'], budget: '90s' }), {}).ab.rules, [
    'latency{op:get}: p(50) +3%',
  ]);
});

test('what cannot be asked is refused with what to do', () => {
  assert.match(refusal({}), /neither --base nor --candidate.*--candidate target\.server/);
  assert.match(refusal({ candidate: ['load.threads=1'], maxPairs: 3 }), /--max-pairs 3 .*4 \(with fewer/);
  assert.match(refusal({ candidate: ['load.threads=1'], rule: ['speed: +1%'] }), /unknown metric "speed"/);
  assert.match(refusal({ candidate: ['load.threads=1'], budget: 'soon' }), /--budget "soon" is not a duration/);
  assert.match(refusal({ candidate: ['load.threadz=1'] }), /threadz.*did you mean "threads"/);
  assert.match(refusal({ profile: 'persistence', candidate: ['load.threads=1'] }), /persistence has variants.*GROUP#a GROUP#b/);
  assert.match(refusal({ profile: 'capacity', candidate: ['load.threads=1'] }), /looks for a capacity/);
});

test('the first look is the first that can decide, each has a level, and the last one is near a single look', () => {
  assert.equal(firstLook({ maxPairs: 10, confidence: 0.95 }), 5);
  assert.equal(firstLook({ maxPairs: 4, confidence: 0.95 }), 4);
  const levels = [5, 6, 7, 8, 9, 10].map((pairs) => levelAfter(pairs, { maxPairs: 10, confidence: 0.95 }));
  assert.ok(
    levels.every((level) => level > 0.0079 && level < 0.05),
    levels.join(),
  );
  assert.ok(Math.abs(levelAfter(4, { maxPairs: 4, confidence: 0.95 }) - 0.05) < 1e-6);
  assert.ok(levelAfter(2, { maxPairs: 10, confidence: 0.95 }) < 0.01, 'ended early: a look before the first one has little to spend');
});

test('a pair counts when both of its runs came to their end', () => {
  const runs = [1, 1, 2, 2, 3].map((round, i) => ({ number: i + 1, round, variant: i % 2 ? 'candidate' : 'base', run: `runs/0${i + 1}` }));
  const group = { runs } as unknown as RunsGroupRecord;
  assert.equal(
    wholePairs(group, () => true),
    2,
  );
  assert.equal(
    wholePairs(group, (run) => run !== 'runs/03'),
    1,
  );
  assert.equal(
    wholePairs(group, () => false),
    0,
  );
});
