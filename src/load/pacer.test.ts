import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OpenPhasePlan } from '../plan/plan.js';
import { Pacer } from './pacer.js';

function phaseOf(rateStartPerSec: number, rateEndPerSec: number, durationUs: number, startUs = 0): OpenPhasePlan {
  const operationCount = Math.floor(((rateStartPerSec + rateEndPerSec) / 2) * (durationUs / 1_000_000));
  return { index: 0, name: 'p', record: true, startUs, durationUs, kind: 'open', rateStartPerSec, rateEndPerSec, operationCount, firstOperation: 0 };
}

test('a constant rate is evenly spaced from the start of the phase', () => {
  const pacer = new Pacer(phaseOf(1000, 1000, 2_000_000, 5_000_000));
  assert.deepEqual(
    [0, 1, 2, 1999].map((i) => pacer.intendedUs(i)),
    [5_000_000, 5_001_000, 5_002_000, 6_999_000],
  );
  assert.equal(pacer.dueCount(4_999_999), 0);
  assert.equal(pacer.dueCount(5_000_000), 1);
  assert.equal(pacer.dueCount(5_001_999), 2);
  assert.equal(pacer.dueCount(7_000_000), 2000);
});

test('a ramp reaches half of its operations where the integral of the rate does', () => {
  const up = new Pacer(phaseOf(0, 2000, 10_000_000));
  assert.equal(up.operationCount, 10_000);
  assert.ok(Math.abs(up.intendedUs(5000) - Math.SQRT1_2 * 10_000_000) <= 1);
  const down = new Pacer(phaseOf(2000, 0, 10_000_000));
  assert.ok(Math.abs(down.intendedUs(5000) - (1 - Math.SQRT1_2) * 10_000_000) <= 1);
  assert.equal(down.dueCount(9_999_999), 10_000);
});

test('any ramp: in order, within the phase, and dueCount counts exactly what is due', () => {
  const rate = fc.double({ min: 0, max: 50_000, noNaN: true });
  fc.assert(
    fc.property(rate, rate, fc.integer({ min: 1000, max: 3_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (start, end, durationUs, at) => {
      const phase = phaseOf(start, end, durationUs, 1000);
      const pacer = new Pacer(phase);
      const nowUs = 1000 + Math.floor(at * durationUs);
      const count = pacer.dueCount(nowUs);
      if (count > 0) assert.ok(pacer.intendedUs(count - 1) <= nowUs);
      if (count < phase.operationCount) assert.ok(pacer.intendedUs(count) > nowUs);
      for (const i of [0, Math.floor(phase.operationCount / 2), phase.operationCount - 1]) {
        if (i < 0 || i >= phase.operationCount) continue;
        assert.ok(pacer.intendedUs(i) >= 1000 && pacer.intendedUs(i) < 1000 + durationUs);
        if (i > 0) assert.ok(pacer.intendedUs(i) >= pacer.intendedUs(i - 1));
      }
      assert.equal(pacer.dueCount(1000 + durationUs), phase.operationCount);
    }),
  );
});
