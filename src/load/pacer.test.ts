import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Arrivals, OpenPhasePlan } from '../plan/plan.js';
import { Pacer } from './pacer.js';

function phaseOf(rateStartPerSec: number, rateEndPerSec: number, durationUs: number, startUs = 0, arrivals: Arrivals = 'constant'): OpenPhasePlan {
  const operationCount = Math.floor(((rateStartPerSec + rateEndPerSec) / 2) * (durationUs / 1_000_000));
  const base = { index: 0, name: 'p', record: true, startUs, durationUs };
  return { ...base, kind: 'open', arrivals, rateStartPerSec, rateEndPerSec, operationCount, firstOperation: 0 };
}

function timesOf(phase: OpenPhasePlan, seed = 1): number[] {
  const pacer = new Pacer(phase, seed);
  return Array.from({ length: phase.operationCount }, (_, i) => pacer.intendedUs(i));
}

test('a constant rate is evenly spaced from the start of the phase', () => {
  const times = timesOf(phaseOf(1000, 1000, 2_000_000, 5_000_000));
  assert.equal(times.length, 2000);
  assert.deepEqual([times[0], times[1], times[2], times[1999]], [5_000_000, 5_001_000, 5_002_000, 6_999_000]);
});

test('a ramp reaches half of its operations where the integral of the rate does', () => {
  const up = timesOf(phaseOf(0, 2000, 10_000_000));
  assert.equal(up.length, 10_000);
  assert.ok(Math.abs((up[5000] ?? 0) - Math.SQRT1_2 * 10_000_000) <= 1);
  const down = timesOf(phaseOf(2000, 0, 10_000_000));
  assert.ok(Math.abs((down[5000] ?? 0) - (1 - Math.SQRT1_2) * 10_000_000) <= 1);
});

test('any ramp, constant or Poisson: in order and within the phase, and the same when asked out of order', () => {
  const rate = fc.double({ min: 0, max: 20_000, noNaN: true });
  const kinds = fc.constantFrom<Arrivals>('constant', 'poisson');
  fc.assert(
    fc.property(rate, rate, fc.integer({ min: 1000, max: 300_000 }), kinds, fc.nat(), (start, end, durationUs, arrivals, pick) => {
      const phase = phaseOf(start, end, durationUs, 1000, arrivals);
      const times = timesOf(phase);
      for (const [i, timeUs] of times.entries()) {
        assert.ok(timeUs >= 1000 && timeUs < 1000 + durationUs);
        assert.ok(timeUs >= (times[i - 1] ?? 0));
      }
      if (times.length === 0) return;
      const i = pick % times.length;
      const jumper = new Pacer(phase, 1);
      assert.equal(jumper.intendedUs(times.length - 1), times.at(-1));
      assert.equal(jumper.intendedUs(i), times[i]);
    }),
  );
});

test('Poisson arrivals on a ramp follow its rate', () => {
  const times = timesOf(phaseOf(0, 20_000, 10_000_000, 0, 'poisson'));
  assert.equal(times.length, 100_000);
  for (const tenth of [1, 3, 5, 7, 9]) {
    const byThen = times.filter((timeUs) => timeUs < tenth * 1_000_000).length;
    const share = (tenth / 10) ** 2;
    const sigma = Math.sqrt(100_000 * share * (1 - share));
    assert.ok(Math.abs(byThen - 100_000 * share) < 4 * sigma, `${byThen} of ${100_000 * share} by ${tenth} s`);
  }
});

test('two Poisson phases of a plan draw apart, and so do two seeds', () => {
  const first = phaseOf(1000, 1000, 1_000_000, 0, 'poisson');
  const second = { ...first, index: 1, firstOperation: first.operationCount };
  const gaps = (times: number[]): number[] => times.map((timeUs, i) => timeUs - (times[i - 1] ?? 0));
  assert.notDeepEqual(gaps(timesOf(second)), gaps(timesOf(first)));
  assert.notDeepEqual(timesOf(first, 2), timesOf(first, 1));
});
