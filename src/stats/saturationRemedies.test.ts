import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saturationRemedies } from './saturationRemedies.js';
import { syntheticPlan } from './syntheticPlan.test.support.js';

const { load } = syntheticPlan({});

test('only what the run did not do yet is proposed', () => {
  const wasteful = saturationRemedies({ load: { ...load, client: 'ioredis', threads: 2, pacing: 'timer' }, cpus: 8, sharesMachine: true }).join('; ');
  for (const remedy of [/load\.client=wire/, /4 instead of 2 on 8 cores.*load\.threads=4/, /load\.pacing=thread/, /lower rate/, /shares 8 cores/])
    assert.match(wasteful, remedy);
  const lean = saturationRemedies({ load: { ...load, client: 'wire', threads: 2, pacing: 'thread' }, cpus: 2, sharesMachine: false });
  assert.deepEqual(lean, ['a lower rate', 'a faster machine, or one with more than 2 cores, for the generator']);
});

test('a closed loop is told of clients, not of a rate', () => {
  const phases = [
    { kind: 'closed' as const, index: 0, name: 'c', record: true, startUs: 0, durationUs: 1, clients: 50, pipeline: 1, operationLimit: null },
  ];
  const told = saturationRemedies({ load: { ...load, client: 'wire', threads: 1, pacing: 'timer', phases }, cpus: 1, sharesMachine: true });
  assert.deepEqual(told, ['fewer clients or a shorter pipeline', 'a machine of its own for the generator: here it shares 1 core with the servers']);
});
