/**
 * The folder of a baseline: `baseline.json` and copies of its runs in `runs/`, small enough to be cached by a pipeline. Written by
 * `baseline save`, read by loadSide.ts and the noise floor. Never touches the runs it was made from.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { KvbenchError, messageOf } from '../base/errors.js';

export const BASELINE_VERSION = 1;

const BASELINE_FILE = 'baseline.json';
/** What a comparison needs of a run, and no pages. */
const RUN_FILES = ['run.json', 'summary.json', 'intervals.ndjson', 'events.ndjson'];

/** How much one row moved between runs of the same thing. */
export const noiseRowSchema = z.object({
  id: z.string().describe('id of the row, as in a comparison'),
  scale: z.enum(['log', 'linear']).describe('of `deviation` and `widest`: log for latency and throughput'),
  middle: z.number().describe('median of the runs, in the unit of the row'),
  deviation: z.number().describe('standard deviation between runs'),
  widest: z.number().describe('the largest difference between two of the runs'),
});

export const baselineSchema = z
  .object({
    formatVersion: z.literal(BASELINE_VERSION),
    kind: z.literal('baseline'),
    name: z.string(),
    savedAt: z.string().describe('ISO 8601, UTC'),
    kvbenchVersion: z.string(),
    profile: z.string().describe('name of the profile'),
    fingerprint: z.object({ profile: z.string(), workload: z.string(), machine: z.string() }),
    source: z.string().describe('what it was made from, as given'),
    runs: z.array(z.string()).describe('folders below it'),
    noise: z.array(noiseRowSchema).describe('empty with fewer than three runs'),
  })
  .describe('A named baseline.');

export type NoiseRow = z.infer<typeof noiseRowSchema>;
export type BaselineRecord = z.infer<typeof baselineSchema>;

export function isBaselineFolder(dir: string): boolean {
  return existsSync(join(dir, BASELINE_FILE));
}

/** Folders of its runs, in their order. Throws RESULT_NOT_READABLE. */
export function runsOfBaseline(dir: string): string[] {
  return readBaseline(dir).runs.map((run) => join(dir, run));
}

/** Names of the baselines in a folder, alphabetically. */
export function baselineNames(parent: string): string[] {
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(parent)
    .filter((name) => isBaselineFolder(join(parent, name)))
    .sort();
}

/** Throws RESULT_NOT_READABLE: missing, corrupt, or of an unknown version. */
export function readBaseline(dir: string): BaselineRecord {
  const file = join(dir, BASELINE_FILE);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw notReadable(`${file} cannot be read: ${messageOf(error)}`);
  }
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (version !== BASELINE_VERSION)
    throw notReadable(`${file} has formatVersion ${JSON.stringify(version) ?? 'none'}; this kvbench reads version ${BASELINE_VERSION}`);
  const parsed = baselineSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw notReadable(`${file} is corrupt: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong shape'}`);
}

/**
 * Writes the baseline whole or not at all, over the one before.
 * @param runs folders to copy Throws RESULT_NOT_WRITABLE.
 */
export function writeBaseline(dir: string, record: Omit<BaselineRecord, 'runs'>, runs: readonly string[]): BaselineRecord {
  const partial = `${dir}.partial`;
  const names = runs.map((run, i) => join('runs', `${String(i + 1).padStart(2, '0')}-${basename(run).replace(/^\d+-/, '')}`));
  const whole: BaselineRecord = { ...record, runs: names };
  try {
    rmSync(partial, { recursive: true, force: true });
    runs.forEach((run, i) => {
      const to = join(partial, names[i] as string);
      mkdirSync(to, { recursive: true });
      for (const file of RUN_FILES) if (existsSync(join(run, file))) copyFileSync(join(run, file), join(to, file));
    });
    writeFileSync(join(partial, BASELINE_FILE), `${JSON.stringify(whole, null, 2)}\n`);
    rmSync(dir, { recursive: true, force: true });
    renameSync(partial, dir);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw new KvbenchError('RESULT_NOT_WRITABLE', `the baseline ${dir} cannot be written: ${messageOf(error)}`, 'Is the disk full?', error);
  }
  return whole;
}

function notReadable(message: string): KvbenchError {
  return new KvbenchError('RESULT_NOT_READABLE', message, 'Save it again with kvbench baseline save.');
}
