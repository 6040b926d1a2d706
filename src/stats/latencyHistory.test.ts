import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IntervalRecord } from '../result/records.js';
import { Counts } from './hdr.js';
import { LatencyHistory } from './latencyHistory.js';
import { syntheticRun } from './syntheticRun.test.support.js';

const SECONDS = 12;
const made = syntheticRun({ phases: [{ name: 'steady', durationUs: SECONDS * 1_000_000 }] });

/** Other response times in each interval, more of them now and then, of two operations whose histograms overlap and lie apart. */
function varied(record: IntervalRecord, i: number): IntervalRecord {
  const many = Array.from({ length: (i % 7) * 3 }, () => [2, 5]).flat();
  const [cell] = record.cells;
  const [operation] = Object.values(cell?.ops ?? {});
  if (cell === undefined || operation === undefined) return record;
  const get = { ...operation, response: [900 + (i % 13), 4, ...many] };
  const set = { ...operation, response: i % 5 === 0 ? [] : [(i * 37) % 1500, 3, 1, 1] };
  return { ...record, cells: [{ ...cell, ops: { get, set } }] };
}

test('the last eight seconds are what the records of that time say, also when their memory is used again', () => {
  const records = [...made.intervals()].map(varied);
  const history = new LatencyHistory(made.run.plan);
  for (const record of records) history.interval(record);
  const last = records.slice(-80);
  assert.ok(records.length >= 110, `${records.length} intervals`);
  for (const [from, to] of [
    [0, 79],
    [3, 3],
    [20, 61],
    [70, 79],
  ] as const) {
    const expected = new Counts();
    for (const record of last.slice(from, to + 1)) {
      for (const operation of record.cells.flatMap((cell) => Object.values(cell.ops))) expected.add(operation.response);
    }
    const [first, end] = [last[from], last[to]];
    assert.ok(first !== undefined && end !== undefined);
    assert.equal(history.p99Us(first.startUs, end.endUs), expected.percentileUs(99));
  }
  assert.equal(history.p99Us(0, (last[0] as IntervalRecord).startUs), null, 'what is older is forgotten');
});
