import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultState } from '../plan/plan.js';
import type { RunData } from '../result/readRun.js';
import type { EventRecord, IntervalRecord, LogKind } from '../result/records.js';
import { MilestoneTracker } from './milestoneTracker.js';
import { summarize } from './summarize.js';
import type { SyntheticOptions } from './syntheticPlan.test.support.js';
import { failoverEvents, syntheticRun } from './syntheticRun.test.support.js';

const times = { injectedUs: 8_000_000, detectedUs: 10_610_000, promotedUs: 11_370_000, healedUs: 15_000_000, restoredUs: 16_200_000 };
const outage = { shard: 0, startUs: 8_000_500, endUs: 11_460_000, mode: 'refuse' as const };
const failover = (more: SyntheticOptions = {}): RunData => syntheticRun({ chaos: [{}], outages: [outage], events: failoverEvents(times), ...more });

/** As it arrives live: an interval comes 150 ms after its end, an event at once. */
function live(data: RunData): { states: [FaultState, number][]; seenAtUs: Map<FaultState, number>; tracker: MilestoneTracker } {
  const tracker = new MilestoneTracker(data.run.plan);
  const states: [FaultState, number][] = [];
  const seenAtUs = new Map<FaultState, number>();
  let nowUs = 0;
  tracker.onState((faultId, state, atUs, happened) => {
    assert.equal(happened, state !== 'redundancyRestored' || data.run.plan.chaos[0]?.kind === 'kill');
    assert.equal(faultId, 1);
    states.push([state, atUs]);
    seenAtUs.set(state, nowUs);
  });
  const arrivals = [
    ...data.events.map((event) => ({ atUs: event.tUs, record: event as EventRecord | IntervalRecord })),
    ...[...data.intervals()].map((interval) => ({ atUs: interval.endUs + 150_000, record: interval as EventRecord | IntervalRecord })),
  ].sort((a, b) => a.atUs - b.atUs);
  for (const { atUs, record } of arrivals) {
    nowUs = atUs;
    if ('type' in record) tracker.event(record);
    else tracker.interval(record);
  }
  return { states, seenAtUs, tracker };
}

test('a failover passes all its milestones, in order', () => {
  const fault = summarize(failover()).faults[0];
  assert.ok(fault);
  assert.equal(fault.status, 'healed');
  const order = [
    fault.injectedAtMs,
    fault.firstErrorMs,
    fault.detectedMs,
    fault.promotedMs,
    fault.clientRecoveredMs,
    fault.p99RecoveredMs,
    fault.healedAtMs,
    fault.redundancyRestoredMs,
  ].map((ms) => ms ?? Number.NaN);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
    JSON.stringify(fault),
  );
  assert.equal(fault.firstErrorMs, 8000.3);
  assert.equal(fault.processGoneMs, 7999.8);
  assert.ok(Math.abs((fault.rtoMs ?? 0) - ((fault.clientRecoveredMs ?? 0) - 8000)) < 0.001);
});

test('live, each state is told once, soon after it happened, close to the exact time', () => {
  const data = failover();
  const { states, seenAtUs } = live(data);
  assert.deepEqual(
    states.map(([state]) => state),
    ['injected', 'firstError', 'detected', 'promoted', 'clientRecovered', 'p99Recovered', 'healed', 'redundancyRestored'],
  );
  const exact = summarize(data).faults[0];
  const at = Object.fromEntries(states);
  assert.ok(Math.abs((at.clientRecovered ?? 0) / 1000 - (exact?.clientRecoveredMs ?? 0)) <= 100);
  assert.equal((at.p99Recovered ?? 0) / 1000, exact?.p99RecoveredMs);
  for (const [state, atUs] of states) assert.ok((seenAtUs.get(state) ?? 0) - atUs < 1_500_000, `${state} was told late`);
});

test('detection falls back to the flags that nodes set, promotion to the role seen', () => {
  const events = failoverEvents(times).filter((event) => event.type !== 'log');
  const flag: EventRecord = { type: 'flag', node: 'n1', seenBy: 'n3', flag: 'fail', resolutionUs: 50_000, tUs: 10_640_000 };
  const fault = summarize(failover({ events: [...events, flag] })).faults[0];
  assert.equal(fault?.detectedMs, 10_640);
  assert.equal(fault?.promotedMs, 11_430);
});

test('the earliest line about the node that was hit counts, lines about others do not', () => {
  const line = (subject: string, tUs: number): EventRecord => ({ type: 'log', node: 'n3', log: 'failReceived', subject, text: '', tUs });
  const fault = summarize(failover({ events: [...failoverEvents(times), line('n1', 10_590_000), line('n2', 9_000_000)] })).faults[0];
  assert.equal(fault?.detectedMs, 10_590);
});

test('what sentinels say of the node that was hit: odown is the detection, each other step its earliest', () => {
  const says = (node: string, log: LogKind, subject: string, tUs: number): EventRecord => ({ type: 'log', node, log, subject, text: '', tUs });
  const events = [
    ...failoverEvents(times).filter((event) => event.type !== 'log'),
    says('s1', 'sdown', 'n1', 10_100_000),
    says('s1', 'sdown', 'n2', 9_000_000),
    says('s2', 'sdown', 'n1', 10_050_000),
    says('s2', 'odown', 'n1', 10_200_000),
    says('s1', 'odown', 'n1', 10_180_000),
    says('s2', 'tryFailover', 'n1', 10_210_000),
    says('s2', 'electedLeader', 'n1', 10_300_000),
    says('s2', 'promotedReplica', 'n4', 10_600_000),
    says('s3', 'switchMaster', 'n1', 11_000_000),
    says('s3', 'failoverAborted', 'n2', 11_000_000),
  ].sort((a, b) => a.tUs - b.tUs);
  const fault = summarize(failover({ events })).faults[0];
  assert.deepEqual([fault?.detectedMs, fault?.promotedMs], [10_180, 10_600]);
  assert.deepEqual(fault?.sentinel, { sdownMs: 10_050, tryFailoverMs: 10_210, electedMs: 10_300, switchedMs: 11_000, aborts: 0 });
  assert.equal(summarize(failover()).faults[0]?.sentinel, undefined, 'nothing of it without sentinels');
});

test('an outage that never ends has no recovery', () => {
  const events = failoverEvents(times).filter((event) => event.tUs < 8_100_000);
  const summary = summarize(failover({ outages: [{ ...outage, endUs: 99_000_000 }], events }));
  const fault = summary.faults[0];
  assert.equal(fault?.status, 'injected');
  assert.deepEqual([fault?.clientRecoveredMs, fault?.p99RecoveredMs, fault?.rtoMs, fault?.redundancyRestoredMs], [null, null, null, null]);
  assert.ok(
    live(failover({ outages: [{ ...outage, endUs: 99_000_000 }], events })).states.every(
      ([state]) => state !== 'clientRecovered' && state !== 'p99Recovered',
    ),
  );
});

const toxic = (injectedUs: number, healedUs: number): EventRecord[] => {
  const event = (state: 'injected' | 'healed', tUs: number): EventRecord => ({
    type: 'fault',
    faultId: 1,
    kind: 'toxic',
    state,
    targets: [{ node: 'n1', shard: 0, role: 'master' }],
    plannedAtUs: injectedUs,
    tUs,
  });
  return [event('injected', injectedUs), event('healed', healedUs)];
};

test('without a gap there is no client recovery; p99 is back when slow operations are over', () => {
  const data = syntheticRun({
    chaos: [{ kind: 'toxic' }],
    slow: [{ startUs: 8_000_000, endUs: 11_000_000, addUs: 80_000 }],
    events: toxic(8_000_000, 11_000_000),
  });
  const fault = summarize(data).faults[0];
  assert.equal(fault?.clientRecoveredMs, null);
  assert.equal(fault?.rtoMs, null);
  const p99Ms = fault?.p99RecoveredMs ?? 0;
  assert.ok(p99Ms >= 11_000 && p99Ms <= 11_200, String(p99Ms));
  assert.equal(fault?.redundancyRestoredMs, null);
});

test('live, who waits for redundancy that was never lost waits until the heal', () => {
  const { states, seenAtUs } = live(syntheticRun({ chaos: [{ kind: 'toxic' }], events: toxic(8_000_000, 11_000_000) }));
  assert.deepEqual(states.at(-1), ['redundancyRestored', 11_000_000]);
  assert.ok((seenAtUs.get('redundancyRestored') ?? 0) >= 12_000_000, 'a loss can show up late');
});

test('fewer than 200 operations a second say nothing about p99', () => {
  assert.equal(summarize(failover({ ratePerShard: 40 })).faults[0]?.p99RecoveredMs, null);
});

test('three faults one after the other have each their own milestones', () => {
  const at = (faultId: number, injectedUs: number) =>
    failoverEvents({
      injectedUs,
      detectedUs: injectedUs + 2_000_000,
      promotedUs: injectedUs + 2_500_000,
      healedUs: injectedUs + 5_000_000,
      restoredUs: injectedUs + 6_000_000,
      faultId,
    });
  const starts = [4_000_000, 12_000_000, 20_000_000];
  const data = syntheticRun({
    phases: [{ name: 'steady', durationUs: 28_000_000 }],
    chaos: [{}, {}, {}],
    outages: starts.map((startUs) => ({ ...outage, startUs: startUs + 500, endUs: startUs + 2_600_000 })),
    events: starts.flatMap((startUs, i) => at(i + 1, startUs)),
  });
  const { faults, availability, incidents } = summarize(data);
  faults.forEach((fault, i) => {
    const startMs = (starts[i] ?? 0) / 1000;
    assert.deepEqual(
      [fault.injectedAtMs, fault.detectedMs, fault.promotedMs, fault.redundancyRestoredMs],
      [0, 2000, 2500, 6000].map((ms) => startMs + ms),
    );
    assert.ok((fault.rtoMs ?? 0) > 2600 && (fault.rtoMs ?? 0) < 2620, String(fault.rtoMs));
    assert.ok(availability.gaps.some((gap) => gap.shard === 0 && gap.kind === 'write' && gap.faultId === fault.id));
  });
  assert.deepEqual(incidents, []);
});

test('a fault that could not be injected explains nothing', () => {
  const failed: EventRecord = {
    type: 'fault',
    faultId: 1,
    kind: 'kill',
    state: 'failed',
    targets: [],
    plannedAtUs: 8_000_000,
    message: 'no such process',
    tUs: 8_000_000,
  };
  const injecting: EventRecord = { ...failed, state: 'injecting', targets: [{ node: 'n1', shard: 0, role: 'master' }], tUs: 7_999_000 };
  const { faults, incidents, availability } = summarize(failover({ events: [injecting, failed] }));
  assert.deepEqual(
    [faults[0]?.status, faults[0]?.message, faults[0]?.injectedAtMs, faults[0]?.firstErrorMs],
    ['failed', 'no such process', null, null],
  );
  assert.ok(availability.gaps.every((gap) => gap.faultId === null));
  assert.equal(incidents.length, 1);
});

test('what the stop of the run cuts is no error of a fault; what failed before it is', () => {
  const plan = syntheticRun({ chaos: [{}] }).run.plan;
  const firstErrorOf = (firstNotOkUs: number, more: Partial<IntervalRecord['shards'][number]> = {}): [number | null, boolean] => {
    const tracker = new MilestoneTracker(plan);
    for (const event of toxic(8_000_000, 20_000_000)) if (event.tUs < 10_000_000) tracker.event(event);
    tracker.event({ tUs: 10_050_000, type: 'run', state: 'interrupted', detail: 'SIGINT' });
    tracker.event({ tUs: 10_051_000, type: 'connection', worker: 0, node: 'n1', shard: 0, state: 'closed', reason: 'closed' });
    const shards: IntervalRecord['shards'] = [{ shard: 0, kind: 'write', ok: 0, notOk: 5, firstNotOkUs, overdueSinceUs: null, ...more }];
    tracker.interval({ index: 100, startUs: 10_000_000, endUs: 10_100_000, cells: [], shards, inFlight: 0, queued: 0 });
    const [fault] = tracker.faults();
    return [fault?.firstErrorUs ?? null, fault?.hadOutage ?? false];
  };
  assert.deepEqual(firstErrorOf(10_050_200), [null, false]);
  assert.deepEqual(firstErrorOf(10_040_000), [10_040_000, true]);
  assert.deepEqual(firstErrorOf(10_050_200, { overdueSinceUs: 9_900_000 }), [9_900_000, true]);
});
