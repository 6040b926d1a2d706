/**
 * One run of the shipped profile of random chaos with a seed of its own, and proof that it ended healed with nothing left. Used by the
 * test (a few seeds, short) and by `npm run chaos:seeds` (many).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../result/summary.js';
import { assertNothingLeft, assertNothingUnaccounted, type Results, readResults, runKvbench } from './harness.js';

export interface SeedRun {
  seed: number;
  results: Results;
  /** What the plan wanted and to whom it came: kind, planned time, nodes. */
  faults: string[];
}

/** Failovers may lose acknowledged writes; nothing may make values up, and who counts again must find the same. */
async function assertConsistent(seed: number, dir: string, cwd: string, { consistency }: Summary): Promise<void> {
  assert.ok(consistency, `seed ${seed}: nothing was read back`);
  const { corruptValues, foreignValues, neverWrittenValues, unverifiedKeys } = consistency;
  assert.deepEqual(
    { corruptValues, foreignValues, neverWrittenValues, unverifiedKeys },
    { corruptValues: 0, foreignValues: 0, neverWrittenValues: 0, unverifiedKeys: 0 },
  );
  const { stdout, stderr } = await runKvbench(['verify', dir], { cwd });
  assert.match(stdout, /The summary agrees in all/, `seed ${seed}: ${stderr}${stdout}`);
}

/** Throws an AssertionError that says what was not healed, left or made up. */
export async function runSeed(seed: number, steady: string): Promise<SeedRun> {
  const cwd = mkdtempSync(join(tmpdir(), 'kvbench-seed-'));
  const temp = mkdtempSync(join(tmpdir(), 'kvbench-seed-temp-'));
  try {
    const dir = join(cwd, 'out');
    const sets = [
      '--set',
      `seed=${seed}`,
      '--set',
      `load.phases.1.duration=${steady}`,
      '--set',
      'load.opsLog=true',
      '--set',
      'load.workload.keys.count=5000',
    ];
    const { code, stderr, stdout } = await runKvbench(['run', 'random-chaos', '--out', dir, ...sets], { cwd, temp });
    assert.ok(code === 0 || code === 99 || code === 108, `seed ${seed} ended with ${code}: ${stderr}${stdout}`);
    const results = readResults(dir);
    const { summary } = results;
    if (code !== 108) assertNothingUnaccounted(summary);
    assert.deepEqual(summary.healing?.missing, [], `seed ${seed} is not whole`);
    for (const { id, kind, status, message } of summary.faults) {
      assert.ok(status === 'healed' || status === 'skipped' || status === 'failed', `seed ${seed}: fault ${id} (${kind}) is ${status}: ${message}`);
      assert.ok(!/not healed/.test(message ?? ''), `seed ${seed}: fault ${id} (${kind}): ${message}`);
    }
    await assertConsistent(seed, dir, cwd, summary);
    await assertNothingLeft(temp);
    const faults = summary.faults.map((fault) => `${fault.id} ${fault.kind} at ${fault.plannedAtMs}`);
    return { seed, results, faults };
  } finally {
    for (const folder of [cwd, temp]) rmSync(folder, { recursive: true, force: true });
  }
}
