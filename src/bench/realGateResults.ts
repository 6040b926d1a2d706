/** What real trials of the gate have found, kept in a file after each group. Used by realGateTrials.ts and gateMain.ts. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { KvbenchError, messageOf } from '../base/errors.js';

export const realGroupKinds = ['same', 'latency', 'throughput'] as const;
export type RealGroupKind = (typeof realGroupKinds)[number];

const groupSchema = z.strictObject({
  kind: z.enum(realGroupKinds),
  /** 0-based within its kind. */
  number: z.int().nonnegative(),
  pairs: z.int().positive(),
  /** Load of one run. */
  seconds: z.number().positive(),
  /** It could not be carried out; `text` says why. */
  broken: z.boolean(),
  /** The gate's rule is significant and beyond its tolerance, to either side. */
  called: z.boolean(),
  significant: z.boolean(),
  failed: z.boolean(),
  /** What the rule is about, of each run: µs, or operations per second. */
  base: z.array(z.number().nullable()),
  candidate: z.array(z.number().nullable()),
  text: z.string(),
});
const fileSchema = z.strictObject({ formatVersion: z.literal(1), type: z.literal('realGateTrials'), groups: z.array(groupSchema) });
export type RealGroup = z.infer<typeof groupSchema>;

export class RealResults {
  readonly file: string;
  readonly groups: RealGroup[];

  private constructor(file: string, groups: RealGroup[]) {
    this.file = file;
    this.groups = groups;
  }

  /** Nothing found yet; what the file had is gone with the first group. */
  static begin(file: string): RealResults {
    return new RealResults(file, []);
  }

  /** With what an earlier start found; a file that is not there has nothing. Throws RESULT_NOT_READABLE. */
  static goOn(file: string): RealResults {
    if (!existsSync(file)) return new RealResults(file, []);
    try {
      return new RealResults(file, fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).groups);
    } catch (error) {
      throw new KvbenchError(
        'RESULT_NOT_READABLE',
        `${file} has no results to go on from: ${messageOf(error)}`,
        'Leave out --continue to begin anew.',
      );
    }
  }

  /** A broken group is none: it may be tried again. */
  has(kind: RealGroupKind, number: number): boolean {
    return this.groups.some((group) => group.kind === kind && group.number === number && !group.broken);
  }

  /** Replaces a broken one of the same number, and writes the file. */
  add(group: RealGroup): void {
    const before = this.groups.findIndex(({ kind, number }) => kind === group.kind && number === group.number);
    if (before >= 0) this.groups.splice(before, 1);
    this.groups.push(group);
    mkdirSync(dirname(this.file), { recursive: true });
    // Whole or not at all, whenever it is interrupted.
    const next = `${this.file}.next`;
    writeFileSync(
      next,
      `${JSON.stringify({ formatVersion: 1, type: 'realGateTrials', groups: this.groups } satisfies z.infer<typeof fileSchema>, null, 1)}\n`,
    );
    renameSync(next, this.file);
  }
}
