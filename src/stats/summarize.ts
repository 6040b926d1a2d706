/**
 * `summary.json` from the records of a run: three passes over the intervals, with memory that does not grow with the operations. The
 * first finds the gaps, the second follows faults and incidents through their milestones, the third counts. Pure; works on a killed
 * run's folder as on a finished one. Called by the last step of `run` and by `report`.
 */
import { ExitCode } from '../base/errors.js';
import type { Plan } from '../plan/plan.js';
import type { RunData } from '../result/readRun.js';
import { type EventOf, type EventRecord, FORMAT_VERSION, INTERVAL_US, type IntervalRecord } from '../result/records.js';
import type { ClientGroupSummary, Summary, ThresholdResult } from '../result/summary.js';
import { consistencySummary } from './consistencySummary.js';
import { Degraded } from './degraded.js';
import { faultTimesOf } from './faultTimes.js';
import { findGaps, type GapUs, gapInMs } from './gaps.js';
import { GeneratorHealth } from './generatorHealth.js';
import { GroupTallies } from './groupTallies.js';
import { findIncidents, type GeneratorStall, stallOf, unexpectedExits } from './incidents.js';
import { clockDifferences, replicationLag } from './lagSummary.js';
import { type ExactRecovery, milestonesInMs } from './milestones.js';
import { MilestoneTracker } from './milestoneTracker.js';
import { adviceOf, sentenceOf } from './narrative.js';
import { placementSummary } from './placementSummary.js';
import type { Outcome } from './probe.js';
import { type RunEnd, runEndOf } from './runEnd.js';
import { RunTallies } from './runTallies.js';
import { serverSummaries } from './serverSummary.js';
import { ShardActivity } from './shardActivity.js';
import { targetSummary } from './targetSummary.js';
import { courseOf, outcomeOf, recordedFromUs, ThresholdJudge } from './thresholds.js';
import { buildWindows, type Window } from './windows.js';

/** The summary of a run. Throws only for bugs: records that contradict themselves. */
export function summarize(data: RunData): Summary {
  const { plan } = data.run;
  const { activity, stalls } = firstPass(data);
  const end = runEndOf(plan, data.events, activity.endUs);
  const gaps = gapsOf(data, activity, end);
  const tracker = secondPass(data, gaps, stalls);
  const windows = windowsOf(tracker, gaps, plan, end);
  const counted = thirdPass(data, windows, end);
  const { tallies } = counted;
  if (end.kind === 'finished' && !data.truncated) tallies.assertConserved();

  const consistency = consistencySummary(data.events, plan);
  const outcome: Outcome = { gaps, faults: tracker.faults().map(outcomeOf), windows, endUs: end.loadEndUs, live: false, consistency };
  const thresholds = counted.judge.results(outcome);
  const lag = replicationLag(data.events, { startUs: recordedFromUs(plan), endUs: end.loadEndUs }, faultTimesOf(data.events));
  const placement = placementSummary(data.events);
  const clocks = clockDifferences(data.events);
  const dispatchLag = tallies.dispatchLag.stats();
  const summary: Omit<Summary, 'sentence' | 'advice'> = {
    formatVersion: FORMAT_VERSION,
    ...verdictOf(end, thresholds),
    seed: plan.seed,
    durationMs: end.loadEndUs / 1000,
    ...tallies.totals(),
    dispatchLagUs: dispatchLag ? { all: dispatchLag } : {},
    phases: tallies.phaseSummaries(),
    windows: tallies.windowSummaries(),
    availability: {
      rate: tallies.availabilityRate(),
      resolutionMs: INTERVAL_US / 1000,
      degradedMs: counted.degraded.durationMs(outcome),
      gaps: gaps.map(gapInMs),
    },
    faults: tracker.faults().map(milestonesInMs),
    incidents: tracker.incidents().map(milestonesInMs),
    healing: healingOf(data.events),
    ...(counted.groups === null ? {} : { clientGroups: counted.groups }),
    client: clientTotals(data.events),
    consistency,
    thresholds,
    generator: counted.generator.summary(dispatchLag?.p99 ?? 0, {
      load: plan.load,
      cpus: data.run.machine.cpus,
      sharesMachine: plan.target.kind === 'lab',
    }),
    servers: serverSummaries(data.events, end.loadEndUs),
    ...(lag === null ? {} : { replicationLagUs: lag }),
    ...(clocks === null ? {} : { clocks }),
    ...(placement === null ? {} : { placement }),
    target: targetSummary(data.run.target, data.events),
  };
  const story = { summary, run: data.run, end };
  const { formatVersion, verdict, exitCode, ...rest } = summary;
  return { formatVersion, verdict, exitCode, sentence: sentenceOf(story), advice: adviceOf(story), ...rest };
}

function firstPass(data: RunData): { activity: ShardActivity; stalls: GeneratorStall[] } {
  const activity = new ShardActivity();
  const stalls: GeneratorStall[] = [];
  for (const interval of data.intervals()) {
    activity.interval(interval);
    for (const sample of interval.generator ?? []) {
      if (sample.eventLoopDelayP99Us >= INTERVAL_US / 2) stalls.push(stallOf(interval.endUs, sample));
    }
  }
  return { activity, stalls };
}

function gapsOf(data: RunData, activity: ShardActivity, end: RunEnd): GapUs[] {
  const { plan, target } = data.run;
  return findGaps({
    spans: data.events.filter((event): event is EventOf<'span'> => event.type === 'span'),
    activity,
    faults: faultTimesOf(data.events),
    unexpectedExits: unexpectedExits(data.events, target),
    ignore: plan.load.phases.filter((phase) => !phase.record).map(({ startUs, durationUs }) => ({ startUs, endUs: startUs + durationUs })),
    workers: plan.load.threads,
    cutOff: end.kind === 'cutOff' || end.kind === 'failed',
  });
}

function secondPass(data: RunData, gaps: readonly GapUs[], stalls: readonly GeneratorStall[]): MilestoneTracker {
  const { plan, target } = data.run;
  const recoveries = new Map<number, ExactRecovery>();
  for (const fault of faultTimesOf(data.events)) recoveries.set(fault.faultId, recoveryOf(fault.faultId, gaps));
  const incidents = findIncidents({ events: data.events, gaps, faults: faultTimesOf(data.events), target, stalls });
  const tracker = new MilestoneTracker(plan, { target, recoveries, incidents });
  for (const record of inOrder(data.intervals(), data.events)) {
    if ('type' in record) tracker.event(record);
    else tracker.interval(record);
  }
  return tracker;
}

/** The success that ends the last gap of the fault's own shards. */
function recoveryOf(faultId: number, gaps: readonly GapUs[]): ExactRecovery {
  let last: GapUs | null = null;
  for (const gap of gaps) {
    if (typeof gap.shard !== 'number' || gap.faultId !== faultId || gap.collateral) continue;
    if (last === null || gap.endUs > last.endUs) last = gap;
  }
  return { hadGap: last !== null, recoveredUs: last?.endedBySuccess ? last.endUs : null };
}

/** Intervals and events as they were written: an event comes before the interval in which it happened is over. */
function* inOrder(intervals: Iterable<IntervalRecord>, events: readonly EventRecord[]): Generator<IntervalRecord | EventRecord> {
  let next = 0;
  for (const interval of intervals) {
    for (let event = events[next]; event !== undefined && event.tUs <= interval.endUs; event = events[++next]) yield event;
    yield interval;
  }
  yield* events.slice(next);
}

function windowsOf(tracker: MilestoneTracker, gaps: readonly GapUs[], plan: Plan, end: RunEnd): Window[] {
  const courses = tracker.faults().flatMap((watch) => {
    const ends = gaps.filter((gap) => typeof gap.shard === 'number' && gap.faultId === watch.id).map((gap) => gap.endUs);
    return courseOf(watch, ends.length === 0 ? null : Math.max(...ends)) ?? [];
  });
  return buildWindows(courses, { startUs: recordedFromUs(plan), endUs: end.loadEndUs });
}

interface Counted {
  tallies: RunTallies;
  judge: ThresholdJudge;
  degraded: Degraded;
  generator: GeneratorHealth;
  groups: ClientGroupSummary[] | null;
}

function thirdPass(data: RunData, windows: readonly Window[], end: RunEnd): Counted {
  const { plan } = data.run;
  const counted = {
    tallies: new RunTallies(plan, windows, end.loadEndUs),
    judge: new ThresholdJudge(plan),
    degraded: new Degraded(plan),
    generator: new GeneratorHealth(),
  };
  const recordedUs = recordedFromUs(plan);
  const groups = new GroupTallies(plan, data.events, recordedUs);
  for (const interval of data.intervals()) {
    counted.tallies.interval(interval);
    groups.interval(interval);
    counted.judge.interval(interval, windows);
    counted.degraded.interval(interval, windows);
    const recorded = interval.startUs >= recordedUs && interval.startUs < end.loadEndUs;
    for (const sample of interval.generator ?? []) counted.generator.sample(sample, recorded);
  }
  for (const event of data.events) counted.generator.event(event);
  return { ...counted, groups: groups.summaries() };
}

/** As in k6, what ended a run early outranks its thresholds. */
function verdictOf(end: RunEnd, thresholds: readonly ThresholdResult[]): Pick<Summary, 'verdict' | 'exitCode'> {
  switch (end.kind) {
    case 'interrupted':
    case 'cutOff':
      return { verdict: 'interrupted', exitCode: ExitCode.interrupted };
    case 'failed':
      return { verdict: 'interrupted', exitCode: ExitCode.internal };
    case 'aborted':
      return { verdict: 'aborted', exitCode: ExitCode.thresholdFailed };
    case 'stopped':
      return { verdict: 'aborted', exitCode: ExitCode.stopCondition };
    case 'finished': {
      const ok = thresholds.every((threshold) => threshold.ok);
      return ok ? { verdict: 'passed', exitCode: ExitCode.passed } : { verdict: 'failed', exitCode: ExitCode.thresholdFailed };
    }
  }
}

function healingOf(events: readonly EventRecord[]): NonNullable<Summary['healing']> | null {
  const proof = events.find((event): event is EventOf<'proof'> => event.type === 'proof');
  return proof ? { whole: proof.missing.length === 0, holds: proof.holds, missing: proof.missing } : null;
}

/** The counters grow: the last event of each worker has them all. */
function clientTotals(events: readonly EventRecord[]): Summary['client'] {
  const last = new Map<number, EventOf<'client'>>();
  for (const event of events) if (event.type === 'client') last.set(event.worker, event);
  const totals: Summary['client'] = { attempts: 0, retries: 0, reconnects: 0, slotRefreshes: 0 };
  for (const worker of last.values()) {
    totals.attempts += worker.attempts;
    totals.retries += worker.retries;
    totals.reconnects += worker.reconnects;
    totals.slotRefreshes += worker.slotRefreshes;
    if (worker.waits === undefined) continue;
    totals.waits = (totals.waits ?? 0) + worker.waits;
    totals.waitShort = (totals.waitShort ?? 0) + (worker.waitShort ?? 0);
  }
  return totals;
}
