import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRecord } from '../result/records.js';
import { summarize } from './summarize.js';
import type { SyntheticOptions } from './syntheticPlan.test.support.js';
import { failoverEvents, syntheticRun } from './syntheticRun.test.support.js';

const outage = { shard: 0, startUs: 8_000_500, endUs: 11_460_000, mode: 'refuse' as const };
const clusterDown = [1, 2].map((shard) => ({
  shard,
  startUs: 10_600_000,
  endUs: 11_360_000,
  mode: 'refuse' as const,
  reason: 'CLUSTERDOWN' as const,
}));
const failover = failoverEvents({
  injectedUs: 8_000_000,
  detectedUs: 10_610_000,
  promotedUs: 11_370_000,
  healedUs: 15_000_000,
  restoredUs: 16_200_000,
});
const fault = (kind: string, injectedUs: number, healedUs: number, faultId = 1): EventRecord[] =>
  (['injected', 'healed'] as const).map((state) => ({
    type: 'fault',
    faultId,
    kind,
    state,
    targets: [{ node: 'n1', shard: 0, role: 'master' }],
    plannedAtUs: injectedUs,
    tUs: state === 'injected' ? injectedUs : healedUs,
  }));
const run = (state: 'interrupted' | 'aborted', tUs: number, detail: string): EventRecord => ({ type: 'run', state, tUs, detail });
const standalone = { topology: 'standalone', shards: 1 } as const;

const sentences: [string, SyntheticOptions, RegExp][] = [
  [
    'a failover with full coverage',
    { chaos: [{}], outages: [outage, ...clusterDown], events: failover },
    /^Shard 0 refused writes for 3\.46 s: 2\.61 detection \+ 0\.76 election \+ 0\.09 client; the others 0\.76 s of CLUSTERDOWN, full coverage$/,
  ],
  ['a failover that the others do not feel', { chaos: [{}], outages: [outage], events: failover }, /client; the other shards went on$/],
  [
    'a pause of the only server',
    {
      ...standalone,
      chaos: [{ kind: 'pause' }],
      outages: [{ ...outage, mode: 'hang', endUs: 9_000_000 }],
      events: fault('pause', 8_000_000, 9_000_000),
    },
    /^The server answered no writes for 1\.00 s while n1 was paused$/,
  ],
  [
    'a pause whose end was confirmed after the clients felt it',
    {
      ...standalone,
      chaos: [{ kind: 'pause' }],
      outages: [{ ...outage, mode: 'hang', endUs: 9_000_000 }],
      events: fault('pause', 8_000_000, 9_020_000),
    },
    /^The server answered no writes for 1\.00 s while n1 was paused$/,
  ],
  [
    'a restart of the only server',
    { ...standalone, chaos: [{}], outages: [{ ...outage, endUs: 10_200_000 }], events: fault('kill', 8_000_000, 10_000_000) },
    /^The server refused writes for 2\.20 s: 2\.00 until it was started again \+ 0\.2\d client$/,
  ],
  [
    'an outage to the end',
    { ...standalone, chaos: [{}], outages: [{ ...outage, endUs: 99_000_000 }], events: fault('kill', 8_000_000, 99_000_000).slice(0, 1) },
    /^The server refused writes for 12\.00 s, to the end of the run$/,
  ],
  [
    'a toxic that slows',
    { chaos: [{ kind: 'toxic' }], slow: [{ startUs: 8_000_000, endUs: 11_000_000, addUs: 80_000 }], events: fault('toxic', 8_000_000, 11_000_000) },
    /^Toxic of n1: p99 rose from 1\.20ms to 81\.\dms, no shard stopped answering, no operation failed$/,
  ],
  [
    'a fault that nobody felt',
    { chaos: [{ kind: 'pause' }], events: fault('pause', 8_000_000, 8_050_000) },
    /^Pause of n1: p99 stayed at 1\.\d+ms, no shard/,
  ],
  [
    'several faults',
    {
      chaos: [{ kind: 'pause' }, {}],
      outages: [{ ...outage, startUs: 4_000_000, endUs: 4_500_000 }, outage],
      events: [...fault('pause', 4_000_000, 4_500_000), ...failover.map((event) => (event.type === 'fault' ? { ...event, faultId: 2 } : event))],
    },
    /^2 faults; the longest outage was that of fault 2 \(kill of n1\): shard 0 refused writes for 3\.46 s/,
  ],
  ['nothing at all', {}, /^Nothing went wrong: 20,400 operations at 1,200\/s, p99 1\.20ms, none failed$/],
  ['no load at all', { ratePerShard: 0 }, /^No operation was recorded$/],
  ['an interrupted run', { events: [run('interrupted', 12_300_000, 'SIGINT')] }, /^Interrupted after 12\.30 s: nothing went wrong: /],
  [
    'an aborted run',
    { events: [run('aborted', 9_000_000, 'gap max<1s')], outages: [outage] },
    /^Stopped after 9\.00 s by gap max<1s: nobody scheduled it: an outage at /,
  ],
  ['a killed run', { killedAtUs: 6_000_000 }, /^Cut off after 6\.00 s: nothing went wrong: /],
  [
    'a fault that failed',
    {
      chaos: [{}],
      events: [{ type: 'fault', faultId: 1, kind: 'kill', state: 'failed', targets: [], plannedAtUs: 8e6, message: 'no such process', tUs: 8e6 }],
    },
    /^Fault 1 \(kill\) could not be injected: no such process$/,
  ],
];
for (const [name, options, expected] of sentences) {
  test(`the sentence of ${name}`, () => assert.match(summarize(syntheticRun(options)).sentence, expected));
}

test('parts that are shown add up to the whole that is shown', () => {
  for (let shiftUs = 0; shiftUs < 40_000; shiftUs += 3300) {
    const events = failoverEvents({
      injectedUs: 8_000_000,
      detectedUs: 10_604_000 + shiftUs,
      promotedUs: 11_376_000 - shiftUs,
      healedUs: 15_000_000,
      restoredUs: 16_200_000,
    });
    const { sentence } = summarize(syntheticRun({ chaos: [{}], outages: [{ ...outage, endUs: outage.endUs + shiftUs }], events }));
    const [whole = 0, ...parts] = [...sentence.matchAll(/\d+\.\d\d/g)].map(Number);
    assert.equal(parts.length, 3, sentence);
    assert.ok(Math.abs(parts.reduce((sum, part) => sum + part, 0) - whole) < 0.011, sentence);
  }
});

test('the advice names the setting that dominates, with the command of this very run', () => {
  const advice = (options: SyntheticOptions): string | null => summarize(syntheticRun(options)).advice;
  assert.equal(
    advice({ chaos: [{}], outages: [outage], events: failover, argv: ['run', '--seed', '7', 'my/profile.yml'] }),
    'Detection took 75 % of it: cluster-node-timeout 2000 ms. Try: kvbench run my/profile.yml --set target.config.cluster-node-timeout=1000',
  );
  const slowElection = failoverEvents({
    injectedUs: 8_000_000,
    detectedUs: 9_000_000,
    promotedUs: 11_370_000,
    healedUs: 15_000_000,
    restoredUs: 16_200_000,
  });
  assert.match(
    advice({ chaos: [{}], outages: [outage, ...clusterDown], events: slowElection }) ?? '',
    /cluster-require-full-coverage yes\. Try: kvbench run profiles\/failover\.yaml --set target\.config\.cluster-require-full-coverage=no$/,
  );
  assert.equal(advice({ chaos: [{}], outages: [outage], events: slowElection }), null);
  assert.equal(advice({}), null);
});

test('a saturated generator is said with the result', () => {
  const data = syntheticRun();
  const busy = [...data.intervals()].map((interval) => ({
    ...interval,
    ...(interval.generator ? { generator: interval.generator.map((sample) => ({ ...sample, eventLoopUtilization: 0.99 })) } : {}),
  }));
  assert.match(summarize({ ...data, intervals: () => busy }).sentence, /The load generator was saturated/);
});

test('with sentinels the switch is a part of the outage, and down-after is what to lower', () => {
  const { run, ...rest } = syntheticRun({
    chaos: [{}],
    outages: [outage],
    events: [...failover, { type: 'log', node: 's1', log: 'switchMaster', subject: 'n1', text: '', tUs: 11_420_000 }],
  });
  assert.ok(run.target);
  const sentinel = { masterName: 'm', count: 3, quorum: 2, downAfterMs: 2500, failoverTimeoutMs: 10_000 };
  const { sentence, advice } = summarize({ ...rest, run: { ...run, target: { ...run.target, clusterNodeTimeoutMs: null, sentinel } } });
  assert.match(sentence, /: 2\.61 detection \+ 0\.76 election \+ 0\.05 switch \+ 0\.04 client/);
  assert.match(advice ?? '', /^Detection took 75 % of it: down-after 2500 ms\. Try: kvbench run .* --set target\.downAfter=1250ms$/);
});
