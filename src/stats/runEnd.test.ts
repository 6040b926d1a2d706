import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../plan/plan.js';
import type { EventRecord } from '../result/records.js';
import { runEndOf } from './runEnd.js';

const plan = { load: { phases: [{ startUs: 0, durationUs: 60_000_000 }] } } as unknown as Plan;

test('a load that ended early by its limit of operations finished, at that time; without the limit it failed', () => {
  const events = (detail: object): EventRecord[] => [
    { type: 'run', state: 'loadEnd', tUs: 7_000_000, ...detail },
    { type: 'run', state: 'drained', tUs: 7_010_000 },
    { type: 'run', state: 'end', tUs: 7_020_000 },
  ];
  assert.deepEqual(runEndOf(plan, events({ detail: 'operations' }), 7_100_000), { kind: 'finished', detail: null, loadEndUs: 7_000_000 });
  assert.equal(runEndOf(plan, events({}), 7_100_000).kind, 'failed');
});
