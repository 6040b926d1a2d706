import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import { RandomStream } from '../base/random.js';
import { testFaults } from '../profile/faults.test.support.js';
import { profileFromObject } from '../profile/loadProfile.js';
import { makePlan } from './makePlan.js';
import { expectedValueBytes, renderTimeline } from './timeline.js';

const golden = join(packageRoot, 'src/plan/timeline.golden.txt');

test('the timeline shows phases and faults in the order of time, with what the run costs', () => {
  const profile = {
    name: 'three-kinds',
    description: 'A ramp, a closed loop and faults that wait for each other.',
    target: { topology: 'cluster', masters: 3, replicasPerMaster: 2 },
    load: {
      workload: { name: 'mix', operations: { get: 3, set: 1 }, keys: { count: 1000 }, values: { size: '1KB' } },
      phases: [
        { name: 'warm-up', duration: '1s', rate: '100/s', record: false },
        { name: 'ramp', duration: '20s', rate: '100/s..300/s', arrivals: 'poisson' },
        { name: 'closed', duration: '1m', clients: 50, pipeline: 4 },
      ],
    },
    chaos: [
      { at: '30s', fault: 'net', node: 'random replica', toxics: [{ type: 'latency', attributes: { latency: 100 } }] },
      { at: '4s', for: '2500ms', fault: 'stop', node: 'master of key user:1' },
      { after: { fault: 2, state: 'healed', delay: '1s' }, for: '3s', fault: 'stop', node: 'all replicas', signal: 'TERM' },
      { after: { fault: 3, state: 'redundancyRestored' }, fault: 'net', use: 'slow-wan' },
    ],
  };
  const text = renderTimeline(makePlan(profileFromObject(profile, 'test', process.cwd(), { faults: testFaults, sets: [], env: {} })));
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'));
  assert.ok(!text.includes('\u001b'), 'no colours');
});

test('the expected size of values is the mean of what is drawn', () => {
  assert.equal(expectedValueBytes({ kind: 'uniform', minBytes: 10, maxBytes: 20 }), 15);
  const sizes = { kind: 'lognormal', medianBytes: 200, sigma: 1.2, maxBytes: 2000 } as const;
  const stream = new RandomStream(1, 1000);
  let sum = 0;
  const draws = 200_000;
  for (let i = 0; i < draws; i++) {
    const normal = Math.sqrt(-2 * Math.log(1 - stream.unit(2 * i))) * Math.cos(2 * Math.PI * stream.unit(2 * i + 1));
    sum += Math.min(sizes.maxBytes, sizes.medianBytes * Math.exp(sizes.sigma * normal));
  }
  const expected = expectedValueBytes(sizes);
  assert.ok(Math.abs(sum / draws / expected - 1) < 0.01, `${sum / draws} against ${expected}`);
});
