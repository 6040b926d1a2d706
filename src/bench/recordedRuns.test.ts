import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../base/packageRoot.js';
import type { CellRecord } from '../result/records.js';
import { sparseFromValues } from '../result/sparseHistogram.js';
import { RealResults } from './realGateResults.js';
import { readRecordedRuns, writeRecordedRuns } from './recordedRuns.js';
import { totalOf } from './sparseSum.js';
import { writeSyntheticRun } from './syntheticRun.js';

const folder = mkdtempSync(join(tmpdir(), 'kvbench-recorded-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Nothing is due in interval 7, and twice as much in the next. */
function stalled(slot: number): CellRecord['ops'] {
  if (slot === 7) return {};
  const ok = slot === 8 ? 100 : 50;
  return { get: { planned: ok, ok, fail: 0, info: 0, dropped: 0, response: sparseFromValues(Array.from({ length: ok }, () => 500)) } };
}

test('runs become a file and come back, with the intervals in which nothing was answered', () => {
  const dirs = [2, 1].map((seed) =>
    writeSyntheticRun(folder, {
      seed,
      seconds: 2,
      opsPerSlot: 50,
      latencyUs: (u) => 500 + 100 * u,
      closedLoop: seed === 2,
      ...(seed === 1 ? { cell: stalled } : {}),
    }),
  );
  const recorded = readRecordedRuns(dirs);
  assert.deepEqual(
    recorded.runs.map(({ load, slots }) => [load, slots.length]),
    [
      ['open', 20],
      ['closed', 20],
    ],
    'in the order they began',
  );
  assert.deepEqual(recorded.runs[0]?.slots[7], [0, []]);
  assert.equal(recorded.runs[0]?.slots[8]?.[0], 100);
  for (const [ok, response] of recorded.runs[1]?.slots ?? []) assert.deepEqual([ok, totalOf(response)], [50, 50]);
  const file = join(folder, 'runs.ndjson.gz');
  writeRecordedRuns(file, recorded);
  assert.deepEqual(readRecordedRuns([file]), recorded);
  const one = join(folder, 'one.ndjson.gz');
  writeRecordedRuns(one, readRecordedRuns(dirs.slice(0, 1)));
  assert.deepEqual(readRecordedRuns([one, ...dirs.slice(1)]), recorded, 'a file and a folder');
});

test('what is no file of recorded runs is refused', () => {
  const file = join(folder, 'other.gz');
  writeFileSync(file, 'nothing of the kind');
  assert.throws(() => readRecordedRuns([file]), { code: 'RESULT_NOT_READABLE' });
});

test('the shipped recordings have enough runs of both loads', () => {
  for (const file of ['knownServerRuns.ndjson.gz', 'ciGateRuns.ndjson.gz']) {
    const { runs } = readRecordedRuns([join(packageRoot, 'src', 'bench', file)]);
    for (const load of ['open', 'closed']) assert.ok(runs.filter((run) => run.load === load).length >= 12, `${file}, ${load}`);
  }
});

test('real groups that were found are kept and not run again; broken ones are', () => {
  const file = join(folder, 'below', 'gate.json');
  const group = { pairs: 5, seconds: 10, called: false, significant: false, failed: true, base: [1], candidate: [2], text: 'fail' };
  const first = RealResults.begin(file);
  first.add({ kind: 'latency', number: 0, broken: true, ...group });
  first.add({ kind: 'same', number: 0, broken: false, ...group });
  const second = RealResults.goOn(file);
  assert.deepEqual([second.has('same', 0), second.has('latency', 0), second.has('same', 1)], [true, false, false]);
  second.add({ kind: 'latency', number: 0, broken: false, ...group });
  const third = RealResults.goOn(file);
  assert.ok(third.has('latency', 0));
  assert.equal(third.groups.length, 2);
  writeFileSync(file, '{}');
  assert.throws(() => RealResults.goOn(file), { code: 'RESULT_NOT_READABLE' });
  assert.equal(RealResults.goOn(join(folder, 'none.json')).groups.length, 0);
});
