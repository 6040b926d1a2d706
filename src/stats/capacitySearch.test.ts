import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RandomStream, Stream } from '../base/random.js';
import type { TrialVerdict } from '../result/group.js';
import { capacityStep, maxTrials, type SearchFindings, type SearchSettings, type TrialOutcome } from './capacitySearch.js';

/** Plays a whole search against a server. */
function search(
  settings: SearchSettings,
  server: (rateOpsPerSec: number, trial: number) => TrialVerdict,
): { found: SearchFindings; trials: TrialOutcome[] } {
  const trials: TrialOutcome[] = [];
  for (;;) {
    const step = capacityStep(settings, trials);
    if (step.kind === 'done') return { found: step.findings, trials };
    assert.ok(trials.length < maxTrials(settings), `no end after ${trials.length} trials: ${JSON.stringify(settings)}`);
    assert.ok(step.rateOpsPerSec >= settings.minRatePerSec && step.rateOpsPerSec <= settings.maxRatePerSec);
    trials.push({ rateOpsPerSec: step.rateOpsPerSec, verdict: server(step.rateOpsPerSec, trials.length) });
  }
}

const settingsOf = fc
  .record({
    minRatePerSec: fc.integer({ min: 10, max: 20_000 }),
    factor: fc.double({ min: 1, max: 2000, noNaN: true }),
    precision: fc.double({ min: 0.01, max: 0.5, noNaN: true }),
    confirm: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ factor, ...rest }) => ({ ...rest, maxRatePerSec: Math.round(rest.minRatePerSec * factor) }));

test('against any monotone server the capacity is found within the precision, in no more trials than promised', () => {
  fc.assert(
    fc.property(settingsOf, fc.double({ min: 0.2, max: 1.5, noNaN: true }), (settings, where) => {
      const { minRatePerSec: min, maxRatePerSec: max, precision } = settings;
      const capacity = min * (max / min) ** where * (where < 0.5 ? 0.9 : 1);
      const { found } = search(settings, (rate) => (rate <= capacity ? 'holds' : 'fails'));
      if (capacity < min) {
        assert.deepEqual(found, { holdsOpsPerSec: null, failsOpsPerSec: min, limitedBy: 'server', confirmed: false });
        return;
      }
      const rate = found.holdsOpsPerSec as number;
      assert.ok(found.confirmed && rate <= capacity);
      if (capacity >= max) assert.deepEqual([rate, found.failsOpsPerSec, found.limitedBy], [max, null, 'range']);
      else {
        // Rates are whole: one operation per second is as near as it gets.
        assert.ok(capacity <= rate * (1 + precision) + 1, `${rate} for ${capacity}`);
        assert.ok((found.failsOpsPerSec as number) > capacity);
        assert.equal(found.limitedBy, 'server');
      }
    }),
  );
});

test('with noise around the capacity, what is found has held in every one of its confirmations, and nearly always truly holds', () => {
  const settings = { minRatePerSec: 1000, maxRatePerSec: 200_000, precision: 0.05, confirm: 3 };
  const capacity = 24_000;
  const random = new RandomStream(7, Stream.selector);
  let draws = 0;
  let far = 0;
  for (let round = 0; round < 300; round++) {
    // Certain 10 % away from the capacity, a matter of luck in between.
    const { found, trials } = search(settings, (rate) => (random.unit(draws++) < (capacity * 1.1 - rate) / (capacity * 0.2) ? 'holds' : 'fails'));
    const rate = found.holdsOpsPerSec as number;
    const last = trials.filter(({ rateOpsPerSec }) => rateOpsPerSec === rate).slice(-settings.confirm);
    assert.ok(last.length === settings.confirm && last.every(({ verdict }) => verdict === 'holds'));
    if (rate > capacity * 1.05 || rate < capacity * 0.75) far++;
  }
  assert.ok(far <= 9, `${far} of 300 are far off`);
});

test('one bad trial on the way up does not end the search: the second look goes on', () => {
  const settings = { minRatePerSec: 1000, maxRatePerSec: 64_000, precision: 0.1, confirm: 1 };
  const { found, trials } = search(settings, (rate, trial) => (trial === 1 || rate > 40_000 ? 'fails' : 'holds'));
  assert.deepEqual(
    trials.slice(0, 4).map(({ rateOpsPerSec }) => rateOpsPerSec),
    [1000, 2000, 2000, 4000],
  );
  assert.ok((found.holdsOpsPerSec as number) > 36_000);
});

test('one bad trial while halving does not hide what lies beyond: the rate above is tried again and the search goes on', () => {
  const settings = { minRatePerSec: 1000, maxRatePerSec: 64_000, precision: 0.05, confirm: 2 };
  for (let bad = 6; bad <= 12; bad++) {
    const { found } = search(settings, (rate, trial) => (trial === bad || rate > 30_000 ? 'fails' : 'holds'));
    const rate = found.holdsOpsPerSec as number;
    // A confirmation that fails is another matter: a rate that does not hold every time is not held.
    assert.ok(rate <= 30_000 && rate > (bad >= 11 ? 26_000 : 28_500), `${rate} with a bad trial ${bad}`);
  }
});

test('a generator at its limit is no failure of the server: at least the rate that held, and the generator was the limit', () => {
  const settings = { minRatePerSec: 1000, maxRatePerSec: 100_000, precision: 0.05, confirm: 2 };
  const limited = search(settings, (rate) => (rate > 30_000 ? 'generator' : 'holds')).found;
  assert.equal(limited.limitedBy, 'generator');
  assert.ok((limited.holdsOpsPerSec as number) > 28_000 && (limited.holdsOpsPerSec as number) <= 30_000);
  const both = search(settings, (rate) => (rate > 30_000 ? 'generator' : rate > 20_000 ? 'fails' : 'holds')).found;
  assert.equal(both.limitedBy, 'server', 'a server that fails below the limit of the generator is what was found');
});

test('a confirmation in which the generator was late is tried again; only when it stays late the search steps down', () => {
  const settings = { minRatePerSec: 1000, maxRatePerSec: 2000, precision: 0.05, confirm: 2 };
  const once = search(settings, (_, trial) => (trial === 3 ? 'generator' : 'holds'));
  assert.deepEqual(
    once.trials.map(({ rateOpsPerSec }) => rateOpsPerSec),
    [1000, 2000, 2000, 2000, 2000],
  );
  assert.equal(once.found.holdsOpsPerSec, 2000);
  const always = search(settings, (rate) => (rate === 2000 ? 'generator' : 'holds'));
  assert.deepEqual([always.found.limitedBy, (always.found.holdsOpsPerSec as number) < 2000], ['generator', true]);
});

test('a confirmation that fails steps down, further each time, to the lowest rate and no lower', () => {
  const settings = { minRatePerSec: 1000, maxRatePerSec: 2000, precision: 0.05, confirm: 2 };
  const { found, trials } = search(settings, (_, trial) => (trial < 2 ? 'holds' : 'fails'));
  assert.equal(found.holdsOpsPerSec, null);
  assert.deepEqual(
    trials.slice(2).map(({ rateOpsPerSec }) => rateOpsPerSec),
    [2000, 1900, 1710, 1368, 1000],
  );
});
