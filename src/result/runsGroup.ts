/**
 * What a group of ordinary runs is (repeats, variants, base against candidate): the types of its `group.json` and `summary.json`. Written
 * by cli/runGroup.ts and cli/writeGroupResults.ts; group.ts reads and writes the files.
 */
import type { GroupPlan, GroupRunPlan } from '../plan/groupPlan.js';
import type { Plan } from '../plan/plan.js';
import type { FORMAT_VERSION, RunRecord } from './records.js';

/** `group.json`: what was asked, written before the first run. */
export interface RunsGroupRecord {
  formatVersion: typeof FORMAT_VERSION;
  kind: GroupPlan['kind'];
  kvbenchVersion: string;
  /** Name of the folder. */
  id: string;
  name: string;
  description: string;
  startedAt: string;
  argv: string[];
  seed: number;
  /** Rounds in which each variant is played once. */
  repeat: number;
  variants: { name: string; description: string; changes: { path: string; value: string }[]; plan: Plan }[];
  /** As planned, in the order they are played; one that has no folder was not begun. */
  runs: GroupRunPlan[];
  machine: RunRecord['machine'];
  /** Of `kvbench ab` only: what is asked, and each look at it. */
  ab?: AbRecord;
  /** The signal that ended the group before it was over; null: none did, or kvbench was killed. */
  interruptedBy: string | null;
}

export interface AbRecord {
  /** Rules of a gate, as written. */
  rules: string[];
  maxPairs: number;
  /** Null: none. */
  budgetMs: number | null;
  /** Of all looks together, 0..1. */
  confidence: number;
  /** Relative: a smaller change is none that matters. */
  sameWithin: number;
  inconclusiveIs: 'pass' | 'fail';
  looks: AbLook[];
  /** Null: it has not ended, or was interrupted. */
  endedBy: 'decided' | 'pairs' | 'budget' | null;
}

export interface AbLook {
  /** Pairs that were whole by then. */
  pairs: number;
  /** The two-sided p-value at or below which this look decides. */
  level: number;
  outcome: 'pass' | 'fail' | 'inconclusive';
}

/** What the last look came to. Texts as they are shown. */
export interface AbDecision {
  outcome: AbLook['outcome'];
  exitCode: number;
  sentence: string;
  pairs: number;
  level: number;
  rules: { rule: string; outcome: AbLook['outcome']; base: string; candidate: string; change: string; interval: string; reason: string }[];
  warnings: string[];
}

/** Over the finished runs of a variant. */
export interface Spread {
  median: number;
  min: number;
  max: number;
  /** Runs that had the value. */
  count: number;
}

/** One run of a group, in numbers; null: did not happen, was not checked, or nothing was answered. */
export interface GroupRunSummary extends GroupRunPlan {
  verdict: 'passed' | 'failed' | 'aborted' | 'interrupted';
  /** The run's own sentence. */
  sentence: string;
  throughputOpsPerSec: number;
  /** Response time of all operations. */
  latencyUs: { p50: number; p99: number; p999: number } | null;
  availability: number | null;
  /** Operations that did not end ok. */
  errors: number;
  /** Of any shard; 0: none. */
  longestGapMs: number;
  /** Of the fault with the longest RTO, and its parts: to `detected`, to `promoted`, to `clientRecovered`. */
  rtoMs: number | null;
  detectionMs: number | null;
  electionMs: number | null;
  clientMs: number | null;
  /** Null: not checked. */
  lostWrites: number | null;
  /** Confirmations of writes (WAIT) that fell short; null: none were asked. */
  waitShort: number | null;
  saturated: boolean;
}

/** Each is over the runs of the variant that came to their end; null: none of them had the value. */
export interface VariantSummary {
  name: string;
  description: string;
  changes: { path: string; value: string }[];
  /** Runs that came to their end, and how many of these failed a threshold. */
  runs: number;
  failedRuns: number;
  saturatedRuns: number;
  throughputOpsPerSec: Spread | null;
  latencyUs: { p50: Spread | null; p99: Spread | null; p999: Spread | null };
  availability: Spread | null;
  errors: Spread | null;
  longestGapMs: Spread | null;
  rtoMs: Spread | null;
  detectionMs: Spread | null;
  electionMs: Spread | null;
  clientMs: Spread | null;
  lostWrites: Spread | null;
  waitShort: Spread | null;
}

/** `summary.json` of the group. */
export interface RunsGroupSummary {
  formatVersion: typeof FORMAT_VERSION;
  kind: RunsGroupRecord['kind'];
  /** failed: a threshold failed in one of the runs (or one was aborted by it). */
  verdict: 'passed' | 'failed' | 'interrupted';
  exitCode: number;
  sentence: string;
  seed: number;
  repeat: number;
  /** Runs that were planned. */
  plannedRuns: number;
  variants: VariantSummary[];
  runs: GroupRunSummary[];
  /** Of `kvbench ab` only; null: there was no pair to look at. */
  decision?: AbDecision | null;
}
