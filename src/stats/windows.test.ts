import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buildWindows, type FaultCourse, isDuring, windowAt, windowNames } from './windows.js';

const course = (faultId: number, injectedAtUs: number, more: Partial<FaultCourse> = {}): FaultCourse => ({
  faultId,
  injectedAtUs,
  healedAtUs: null,
  lastGapEndUs: null,
  p99RecoveredUs: null,
  redundancyRestoredUs: null,
  ...more,
});
const bounds = { startUs: 10, endUs: 1000 };
const shown = (courses: FaultCourse[]): string[] =>
  buildWindows(courses, bounds).map(({ name, faultId, startUs, endUs }) => `${faultId} ${name} ${startUs}-${endUs}`);

const cases: [string, FaultCourse[], string[]][] = [
  [
    'a failover: fault to the last gap, recovery to redundancy',
    [course(1, 100, { lastGapEndUs: 140, p99RecoveredUs: 150, healedAtUs: 200, redundancyRestoredUs: 260 })],
    ['1 before 10-100', '1 fault 100-140', '1 recovery 140-260', '1 after 260-1000'],
  ],
  ['without a gap the fault lasts to its heal', [course(1, 100, { healedAtUs: 300 })], ['1 before 10-100', '1 fault 100-300', '1 after 300-1000']],
  ['never healed, no gap', [course(1, 100)], ['1 before 10-100', '1 fault 100-1000']],
  ['injected in warm-up', [course(1, 5, { healedAtUs: 50 })], ['1 fault 10-50', '1 after 50-1000']],
  [
    'one after the other: clean times before and after',
    [course(2, 500, { healedAtUs: 600 }), course(1, 100, { healedAtUs: 200, redundancyRestoredUs: 300 })],
    ['1 before 10-100', '1 fault 100-200', '1 recovery 200-300', '1 after 300-500', '2 before 300-500', '2 fault 500-600', '2 after 600-1000'],
  ],
  [
    'overlapping: the second has no clean time before it',
    [course(1, 100, { healedAtUs: 400 }), course(2, 200, { healedAtUs: 300 })],
    ['1 before 10-100', '1 fault 100-400', '1 after 400-1000', '2 fault 200-300', '2 after 300-1000'],
  ],
  ['a fault after the end of the load', [course(1, 2000, { healedAtUs: 3000 })], ['1 before 10-1000']],
];
for (const [name, courses, expected] of cases) test(name, () => assert.deepEqual(shown(courses), expected));

test('without faults everything is before', () => {
  assert.deepEqual(buildWindows([], bounds), []);
  assert.equal(windowAt(500, []), 'before');
});

test('a moment is during the windows of a named fault, or during exactly one when none is named', () => {
  const windows = buildWindows([course(1, 100, { healedAtUs: 400 }), course(2, 300, { healedAtUs: 350, redundancyRestoredUs: 500 })], bounds);
  assert.equal(isDuring(320, 'fault', 2, windows), true);
  assert.equal(isDuring(380, 'recovery', 2, windows), true);
  assert.equal(isDuring(380, 'recovery', null, windows), false, 'fault 1 is still in force');
  assert.deepEqual(
    [50, 150, 380, 450, 700].map((atUs) => windowAt(atUs, windows)),
    ['before', 'fault', 'fault', 'recovery', 'after'],
  );
});

test('for any faults: each has its windows in order, touching or absent, and never two of one name', () => {
  const time = fc.integer({ min: 0, max: 1200 });
  const faults = fc.array(fc.record({ at: time, heal: time, gap: fc.option(time), restored: fc.option(time) }), { maxLength: 5 });
  fc.assert(
    fc.property(faults, (wanted) => {
      const courses = wanted.map(({ at, heal, gap, restored }, i) =>
        course(i + 1, at, {
          healedAtUs: at + heal,
          lastGapEndUs: gap === null ? null : at + gap,
          redundancyRestoredUs: restored === null ? null : at + restored,
        }),
      );
      const windows = buildWindows(courses, bounds);
      for (const { faultId } of courses) {
        const own = windows.filter((window) => window.faultId === faultId);
        const order = own.map((window) => windowNames.indexOf(window.name));
        assert.deepEqual(order, [...new Set(order)].sort());
        own.forEach((window, i) => {
          assert.ok(window.startUs < window.endUs && window.startUs >= bounds.startUs && window.endUs <= bounds.endUs);
          const next = own[i + 1];
          if (next) assert.equal(window.endUs, next.startUs);
        });
      }
    }),
  );
});
