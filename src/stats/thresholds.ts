/** Thresholds, k6's way: judged at the end of a run (summarize.ts) and, for `abortOnFail`, while it runs (cli). */
import type { Plan, ThresholdPlan } from '../plan/plan.js';
import type { EventRecord, IntervalRecord, RunSink } from '../result/records.js';
import type { ThresholdResult } from '../result/summary.js';
import { causeOf, FaultTimesCollector } from './faultTimes.js';
import { combineGaps, GAP_MIN_US, type GapUs } from './gaps.js';
import { LiveOutages } from './liveOutages.js';
import type { MilestoneWatch } from './milestones.js';
import { MilestoneTracker } from './milestoneTracker.js';
import { type FaultOutcome, type Outcome, Probe } from './probe.js';
import { buildWindows, type FaultCourse, type Window } from './windows.js';

/** All thresholds of a plan over a finished (or cut off) run. */
export class ThresholdJudge {
  readonly #probes: readonly Probe[];

  constructor(plan: Plan) {
    this.#probes = plan.thresholds.map((threshold) => new Probe(threshold, plan));
  }

  interval(record: IntervalRecord, windows: readonly Window[]): void {
    for (const probe of this.#probes) probe.interval(record, windows);
  }

  results(outcome: Outcome): ThresholdResult[] {
    return this.#probes.map((probe) => probe.result(outcome));
  }
}

/** Watches the thresholds that may end a running run. A sink among others; its gaps are those of 100 ms intervals. */
export class LiveThresholds implements RunSink {
  readonly #probes: readonly Probe[];
  readonly #tracker: MilestoneTracker;
  readonly #outages = new LiveOutages();
  readonly #faults = new FaultTimesCollector();
  readonly #recordedFromUs: number;
  #windows: Window[] = [];

  constructor(plan: Plan) {
    this.#probes = plan.thresholds.filter((threshold) => threshold.abortOnFail).map((threshold) => new Probe(threshold, plan));
    this.#tracker = new MilestoneTracker(plan);
    this.#recordedFromUs = recordedFromUs(plan);
  }

  interval(record: IntervalRecord): void {
    if (this.#probes.length === 0) return;
    this.#tracker.interval(record);
    this.#outages.interval(record);
    this.#windows = buildWindows(
      this.#tracker.faults().flatMap((watch) => courseSoFar(watch) ?? []),
      { startUs: this.#recordedFromUs, endUs: Number.POSITIVE_INFINITY },
    );
    for (const probe of this.#probes) probe.interval(record, this.#windows);
  }

  event(event: EventRecord): void {
    if (this.#probes.length === 0) return;
    this.#tracker.event(event);
    this.#faults.event(event);
  }

  /** The first threshold that has samples, is past its `delayAbortEval` and does not hold; else null. @param nowUs since t0 */
  breached(nowUs: number): ThresholdPlan | null {
    const due = this.#probes.filter((probe) => nowUs >= probe.threshold.delayAbortEvalUs);
    if (due.length === 0) return null;
    const outcome: Outcome = {
      gaps: this.#gaps(nowUs),
      faults: this.#tracker.faults().map(outcomeOf),
      windows: this.#windows,
      endUs: nowUs,
      live: true,
    };
    const broken = due.find((probe) => {
      const result = probe.result(outcome);
      return result.observed !== null && !result.ok;
    });
    return broken?.threshold ?? null;
  }

  #gaps(nowUs: number): GapUs[] {
    const faults = this.#faults.list();
    const gaps = this.#outages.all().map(({ shard, kind, startUs, endUs }): GapUs & { shard: number } => {
      const untilUs = endUs ?? Math.max(nowUs, startUs);
      return {
        shard,
        kind,
        startUs,
        endUs: untilUs,
        ...causeOf(shard, startUs, untilUs, faults),
        endedBySuccess: endUs !== null,
        unexplainedUs: untilUs - startUs,
      };
    });
    return combineGaps(
      gaps.filter((gap) => gap.endUs - gap.startUs > GAP_MIN_US && gap.endUs > this.#recordedFromUs),
      this.#outages.shards(),
    );
  }
}

/** Start of the first phase that is no warm-up. */
export function recordedFromUs(plan: Plan): number {
  return plan.load.phases.find((phase) => phase.record)?.startUs ?? 0;
}

/** What of a watched fault shapes its windows; null when it was not injected. */
export function courseOf(watch: MilestoneWatch, lastGapEndUs: number | null): FaultCourse | null {
  if (watch.injectedAtUs === null) return null;
  const { id: faultId, injectedAtUs, healedAtUs, p99RecoveredUs, redundancyRestoredUs } = watch;
  return { faultId, injectedAtUs, healedAtUs, lastGapEndUs, p99RecoveredUs, redundancyRestoredUs };
}

/** Of a running run: what has not ended goes on. */
function courseSoFar(watch: MilestoneWatch): FaultCourse | null {
  const course = courseOf(watch, watch.hadOutage ? (watch.clientRecoveredUs ?? Number.POSITIVE_INFINITY) : null);
  return course && { ...course, healedAtUs: course.healedAtUs ?? Number.POSITIVE_INFINITY };
}

export function outcomeOf(watch: MilestoneWatch): FaultOutcome {
  const { id: faultId, injectedAtUs, hadOutage: hadGap, clientRecoveredUs, shards } = watch;
  return { faultId, injectedAtUs, hadGap, clientRecoveredUs, shards };
}
