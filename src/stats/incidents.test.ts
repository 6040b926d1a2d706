import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventRecord } from '../result/records.js';
import { summarize } from './summarize.js';
import { failoverEvents, syntheticRun } from './syntheticRun.test.support.js';

const outage = { shard: 0, startUs: 8_000_500, endUs: 11_460_000, mode: 'refuse' as const };
const exit = (node: string, tUs: number): EventRecord => ({
  type: 'process',
  node,
  pid: 7,
  state: 'exited',
  exitCode: 0,
  signal: null,
  byFault: null,
  tUs,
});
const takeover: EventRecord[] = [
  { type: 'log', node: 'n2', log: 'markingFailing', subject: 'n1', text: '', tUs: 10_600_000 },
  { type: 'log', node: 'n4', log: 'promoted', subject: null, text: '', tUs: 11_300_000 },
  { type: 'role', node: 'n4', role: 'master', shard: 0, epoch: 7, resolutionUs: 50_000, tUs: 11_340_000 },
];

test('a server that someone stopped is one incident with the milestones of a fault', () => {
  const others = [1, 2].map((shard) => ({ shard, startUs: 10_600_000, endUs: 11_360_000, mode: 'refuse' as const, reason: 'CLUSTERDOWN' as const }));
  const { incidents, sentence, availability } = summarize(
    syntheticRun({ outages: [outage, ...others], events: [exit('n1', 8_200_000), ...takeover] }),
  );
  assert.equal(incidents.length, 1);
  const [incident] = incidents;
  assert.ok(incident);
  assert.deepEqual([incident.kind, incident.status, incident.targets], ['process exit', 'observed', [{ node: 'n1', shard: 0, role: 'master' }]]);
  assert.equal(incident.processGoneMs, 8200);
  assert.equal(incident.detectedMs, 10_600);
  assert.equal(incident.promotedMs, 11_300);
  assert.ok((incident.injectedAtMs ?? 0) < 8002, 'it began when it stopped answering, before it left');
  assert.ok((incident.clientRecoveredMs ?? 0) > 11_460);
  assert.ok((incident.p99RecoveredMs ?? 0) >= (incident.clientRecoveredMs ?? Number.NaN));
  assert.ok(availability.gaps.every((gap) => gap.faultId === null));
  assert.match(
    sentence,
    /^Nobody scheduled it: n1 left at 8\.20 s; shard 0 refused writes for 3\.46 s: 2\.60 detection \+ 0\.70 election \+ 0\.16 client; the others 0\.7\d s of CLUSTERDOWN, full coverage$/,
  );
});

test('a promotion that no fault explains is an incident, with or without an outage', () => {
  const role = takeover.slice(2);
  const quiet = summarize(syntheticRun({ events: role }));
  assert.deepEqual(
    quiet.incidents.map(({ kind, promotedMs, targets }) => [kind, promotedMs, targets[0]?.node]),
    [['failover', 11_340, 'n1']],
  );
  assert.match(quiet.sentence, /^Nobody scheduled it: n1 lost its master’s role at 11\.34 s, and no shard stopped answering for it$/);
  const loud = summarize(syntheticRun({ outages: [outage], events: takeover }));
  assert.equal(loud.incidents.length, 1);
  assert.equal(loud.incidents[0]?.kind, 'failover');
});

test('a replica that leaves is an incident without a gap', () => {
  const { incidents } = summarize(syntheticRun({ events: [exit('n5', 9_000_000)] }));
  assert.deepEqual(
    incidents.map(({ kind, targets, clientRecoveredMs }) => [kind, targets[0]?.role, clientRecoveredMs]),
    [['process exit', 'replica', null]],
  );
});

test('outages far apart are two incidents, in order', () => {
  const later = { ...outage, shard: 1, startUs: 15_000_000, endUs: 15_900_000 };
  const { incidents } = summarize(syntheticRun({ outages: [later, outage] }));
  assert.deepEqual(
    incidents.map(({ id, kind, targets }) => [id, kind, targets[0]?.shard]),
    [
      [1, 'outage', 0],
      [2, 'outage', 1],
    ],
  );
});

test('what a fault explains is no incident: its promotion, its exits, and the lab that is taken down', () => {
  const events = failoverEvents({
    injectedUs: 8_000_000,
    detectedUs: 10_600_000,
    promotedUs: 11_300_000,
    healedUs: 15_000_000,
    restoredUs: 16_000_000,
  });
  const { incidents } = summarize(syntheticRun({ chaos: [{}], outages: [outage], events: [...events, exit('n2', 20_001_500)] }));
  assert.deepEqual(incidents, []);
});

test('a promotion on a shard that no fault hit is an incident beside the fault', () => {
  const events = failoverEvents({
    injectedUs: 8_000_000,
    detectedUs: 10_600_000,
    promotedUs: 11_300_000,
    healedUs: 15_000_000,
    restoredUs: 16_000_000,
  });
  const elsewhere: EventRecord = { type: 'role', node: 'n5', role: 'master', shard: 1, epoch: 8, resolutionUs: 50_000, tUs: 12_000_000 };
  const { incidents, faults, sentence } = summarize(syntheticRun({ chaos: [{}], outages: [outage], events: [...events, elsewhere] }));
  assert.deepEqual(
    incidents.map(({ kind, targets }) => [kind, targets[0]?.node]),
    [['failover', 'n2']],
  );
  assert.equal(faults[0]?.promotedMs, 11_300);
  assert.match(sentence, /and 1 incident nobody scheduled$/);
});

test('a short silence in a second in which the generator stood still is a gap but no incident', () => {
  const data = syntheticRun({ outages: [{ ...outage, mode: 'hang', endUs: 8_200_000 }] });
  assert.equal(summarize(data).incidents.length, 1);
  const stalled = [...data.intervals()].map((interval) => ({
    ...interval,
    ...(interval.generator && interval.index === 89
      ? { generator: interval.generator.map((sample) => ({ ...sample, eventLoopDelayP99Us: 190_000 })) }
      : {}),
  }));
  const summary = summarize({ ...data, intervals: () => stalled });
  assert.deepEqual(summary.incidents, []);
  assert.ok(summary.availability.gaps.length > 0);
  assert.match(summary.sentence, /fits a stall of the load generator/);
});

test('a silence that is short but for the time in which the workers stood still is no incident', () => {
  const data = syntheticRun({ outages: [{ ...outage, mode: 'hang', endUs: 8_200_000 }] });
  const incidentsWith = (standstillUs: number): number =>
    summarize({ ...data, events: data.events.map((event) => (event.type === 'span' ? { ...event, standstillUs } : event)) }).incidents.length;
  assert.equal(incidentsWith(150_000), 0);
  assert.equal(incidentsWith(20_000), 1);
});
