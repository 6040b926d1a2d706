/**
 * Steady runs of the same thing, as they were recorded: what made-up runs of bench:gate are drawn from. A compact file of its own, or result
 * folders. Written and read by gateMain.ts; only counts and response times of recorded phases are kept, and nothing is left out of them.
 *
 * The file: gzip of lines of JSON. The first is a `RecordedHeader`, each other one a `RecordedRun`, in the order they ran.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { KvbenchError, messageOf } from '../base/errors.js';
import { kvbenchVersion } from '../base/packageRoot.js';
import { isGroupFolder, runsOfGroup } from '../result/group.js';
import { type RunData, readRun } from '../result/readRun.js';
import { type CellRecord, INTERVAL_US, type SparseHistogram } from '../result/records.js';
import { scaledSum, totalOf } from './sparseSum.js';

const FORMAT_VERSION = 1;
/** A recorded interval of a run with faults that has a smaller share of the usual number of answers is in an outage. */
const STEADY_SHARE = 0.9;

const slotSchema = z.tuple([z.int().nonnegative(), z.array(z.int().nonnegative())]);
const runSchema = z.strictObject({
  /** Open loop (a rate is asked for, as in profiles/ci-gate.yaml) or closed (clients ask as fast as they are answered). */
  load: z.enum(['open', 'closed']),
  startedAt: z.iso.datetime(),
  /** The generator was at its limit, so that times are partly its own. */
  saturated: z.boolean(),
  /** Of each 100 ms of intended starts: how many were answered ok, and response times as in intervals.ndjson, of all operations. */
  slots: z.array(slotSchema).min(1),
});
const headerSchema = z.strictObject({
  formatVersion: z.literal(FORMAT_VERSION),
  type: z.literal('recordedRuns'),
  kvbenchVersion: z.string(),
  /** Of the target and the machine of the first run, in words. */
  server: z.string(),
  machine: z.string(),
});

export type RecordedSlot = [ok: number, response: SparseHistogram];
export type RecordedRun = Omit<z.infer<typeof runSchema>, 'slots'> & { slots: RecordedSlot[] };
export type RecordedHeader = z.infer<typeof headerSchema>;

export interface RecordedRuns {
  header: RecordedHeader;
  runs: RecordedRun[];
}

/** @param places files of recorded runs, or folders of runs and groups. Throws RESULT_NOT_READABLE. */
export function readRecordedRuns(places: readonly string[]): RecordedRuns {
  const isFile = (place: string): boolean => existsSync(place) && statSync(place).isFile();
  const files = places.filter(isFile).map(readFile);
  const folders = places.filter((place) => !isFile(place));
  const dirs = folders.flatMap((place) => (isGroupFolder(place) ? runsOfGroup(place).map((run) => join(place, run)) : [place]));
  return joined(dirs.length > 0 || files.length === 0 ? [...files, recordedFrom(dirs.map(readRun))] : files);
}

/** As one; what the first says of machine and server stands for all. @param recordings at least one */
export function joined(recordings: readonly RecordedRuns[]): RecordedRuns {
  const [first] = recordings;
  if (first === undefined) throw new Error('bug in the bench: no recording to join');
  return { header: first.header, runs: inOrder(recordings.flatMap(({ runs }) => runs)) };
}

function inOrder(runs: RecordedRun[]): RecordedRun[] {
  return runs.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/** In the order they began. */
export function recordedFrom(data: readonly RunData[]): RecordedRuns {
  const [first] = data;
  if (first === undefined)
    throw new KvbenchError('RESULT_NOT_READABLE', 'there is no run to take intervals from', 'Give the folder of a run or group.');
  const { machine, target } = first.run;
  return {
    header: {
      formatVersion: FORMAT_VERSION,
      type: 'recordedRuns',
      kvbenchVersion,
      server: target === null ? 'unknown' : `${target.server} ${target.version}`,
      machine: `${machine.cpus} processors, ${machine.platform}, Node ${machine.node}`,
    },
    runs: inOrder(data.map(recordedRun)),
  };
}

export function writeRecordedRuns(file: string, { header, runs }: RecordedRuns): void {
  const lines = [header, ...runs].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(file, gzipSync(lines.join(''), { level: 9 }));
}

function readFile(file: string): RecordedRuns {
  try {
    const [header, ...runs] = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
    return { header: headerSchema.parse(JSON.parse(header ?? '')), runs: runs.map((line) => runSchema.parse(JSON.parse(line)) as RecordedRun) };
  } catch (error) {
    throw new KvbenchError(
      'RESULT_NOT_READABLE',
      `${file} is no file of recorded runs: ${messageOf(error)}`,
      'npm run bench:gate -- --record FILE makes one; folders of runs and groups will do as well.',
    );
  }
}

function recordedRun(data: RunData): RecordedRun {
  const { run, summary } = data;
  const phases = run.plan.load.phases.filter(({ record }) => record);
  const cells = new Map<string, CellRecord['ops'][]>();
  for (const interval of data.intervals()) {
    for (const { phase, slot, ops } of interval.cells) {
      const key = `${phase} ${slot}`;
      const list = cells.get(key);
      if (list) list.push(ops);
      else cells.set(key, [ops]);
    }
  }
  // An interval in which nothing was answered is one too.
  const slots = phases.flatMap(({ index, startUs, durationUs }) =>
    Array.from({ length: Math.floor(durationUs / INTERVAL_US) }, (_, i): RecordedSlot => {
      const ops = (cells.get(`${index} ${Math.floor(startUs / INTERVAL_US) + i}`) ?? []).flatMap((cell) => Object.values(cell));
      const response = scaledSum(
        ops.map((op) => op.response),
        1,
      );
      return [ops.reduce((sum, { ok }) => sum + ok, 0), response];
    }),
  );
  return {
    load: phases.some(({ kind }) => kind === 'closed') ? 'closed' : 'open',
    startedAt: run.startedAt,
    saturated: summary?.generator.saturated ?? false,
    slots: run.plan.chaos.length === 0 ? slots : withoutOutages(slots),
  };
}

/** Of a run with faults only what its steady load looked like. */
function withoutOutages(slots: readonly RecordedSlot[]): RecordedSlot[] {
  const counts = slots.map(([, response]) => totalOf(response)).sort((a, b) => a - b);
  const usual = counts[counts.length >> 1] ?? 0;
  return slots.filter(([, response]) => totalOf(response) >= Math.max(1, usual * STEADY_SHARE));
}
