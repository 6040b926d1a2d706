/**
 * The files of a run group, the folder of several runs that answer one question: `group.json`, what was asked, written when it starts;
 * `summary.json`, what came out; and the runs in `runs/`. Written by cli/capacity.ts and cli/runGroup.ts; `report` and `list` read them.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KvbenchError, messageOf } from '../base/errors.js';
import type { Plan } from '../plan/plan.js';
import { FORMAT_VERSION, type RunRecord } from './records.js';
import type { RunsGroupRecord, RunsGroupSummary } from './runsGroup.js';
import type { LatencyStats, ThresholdResult } from './summary.js';

export type GroupRecord = CapacityGroupRecord | RunsGroupRecord;
export type GroupSummary = CapacitySummary | RunsGroupSummary;

export interface CapacityGroupRecord {
  formatVersion: typeof FORMAT_VERSION;
  kind: 'capacity';
  kvbenchVersion: string;
  /** Name of the folder. */
  id: string;
  name: string;
  startedAt: string;
  argv: string[];
  /** With `capacity`; its phases are those of a trial at the lowest rate. */
  plan: Plan;
  machine: RunRecord['machine'];
  target: RunRecord['target'];
  /** The signal that ended the search before it was over; null: none did, or the search was killed. */
  interruptedBy: string | null;
}

/** generator: it did not hold, and the generator may be why. */
export type TrialVerdict = 'holds' | 'fails' | 'generator';
export type TrialPurpose = 'growth' | 'repeat' | 'bisection' | 'confirmation';
/** Why the capacity is not higher; range: it is the highest rate that was to be tried. */
export type CapacityLimit = 'server' | 'generator' | 'range';

export interface TrialSummary {
  /** 1-based; also the beginning of its folder's name. */
  number: number;
  /** Folder of its run, relative to the group's. */
  run: string;
  rateOpsPerSec: number;
  purpose: TrialPurpose;
  verdict: TrialVerdict;
  /** Why it does not hold, in words; empty when it holds. */
  reasons: string[];
  throughputOpsPerSec: number;
  /** Response time of all operations; null: nothing was answered. */
  latencyUs: LatencyStats | null;
  availability: number | null;
  dropped: number;
  /** The objective, as judged over this trial. */
  objective: ThresholdResult[];
  dispatchLagP99Us: number;
  eventLoopUtilization: number;
  saturated: boolean;
}

export interface CapacityResult {
  /** Highest rate that holds; null: not even the lowest did (or none was tried). */
  rateOpsPerSec: number | null;
  bracket: { holdsOpsPerSec: number | null; failsOpsPerSec: number | null };
  /** As written, e.g. `latency p(99)<2ms`. */
  objective: string[];
  /** The rate held in as many more trials as the profile asks for. */
  confirmed: boolean;
  limitedBy: CapacityLimit;
}

/** `summary.json` of a group. */
export interface CapacitySummary {
  formatVersion: typeof FORMAT_VERSION;
  kind: 'capacity';
  verdict: 'passed' | 'failed' | 'interrupted';
  exitCode: number;
  sentence: string;
  advice: string | null;
  seed: number;
  capacity: CapacityResult;
  trials: TrialSummary[];
}

const GROUP_FILE = 'group.json';

export function writeGroup(dir: string, record: GroupRecord): void {
  try {
    writeFileSync(join(dir, GROUP_FILE), `${JSON.stringify(record, null, 2)}\n`);
  } catch (error) {
    throw new KvbenchError('RESULT_NOT_WRITABLE', `${join(dir, GROUP_FILE)} cannot be written: ${messageOf(error)}`, 'Is the disk full?');
  }
}

export function isGroupFolder(dir: string): boolean {
  return existsSync(join(dir, GROUP_FILE));
}

/** Throws RESULT_NOT_READABLE: missing, damaged, or of an unknown version. */
export function readGroup(dir: string): GroupRecord {
  const file = join(dir, GROUP_FILE);
  let record: { formatVersion?: unknown };
  try {
    record = (JSON.parse(readFileSync(file, 'utf8')) ?? {}) as { formatVersion?: unknown };
  } catch (error) {
    throw notReadable(`${file} cannot be read: ${messageOf(error)}`);
  }
  if (record.formatVersion !== FORMAT_VERSION) {
    throw notReadable(`${file} has formatVersion ${JSON.stringify(record.formatVersion) ?? 'none'}; this kvbench reads version ${FORMAT_VERSION}`);
  }
  if (!isKnown(record)) throw notReadable(`${file} is no group that this kvbench knows`);
  return record;
}

function isKnown(record: object): record is GroupRecord {
  const { kind, plan, variants, runs } = record as { kind?: unknown; plan?: Partial<Plan>; variants?: unknown; runs?: unknown };
  if (kind === 'capacity') return plan?.capacity !== undefined;
  return (kind === 'variants' || kind === 'repeat' || kind === 'ab') && Array.isArray(variants) && Array.isArray(runs);
}

/** Folders of the group's runs that have begun, in their order, relative to the group's. */
export function runsOfGroup(dir: string): string[] {
  const parent = join(dir, 'runs');
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(parent)
    .filter((name) => /^\d+-/.test(name) && existsSync(join(parent, name, 'run.json')))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => join('runs', name));
}

function notReadable(message: string): KvbenchError {
  return new KvbenchError('RESULT_NOT_READABLE', message, 'Give the folder of a run or of a group, e.g. one below reports/.');
}
