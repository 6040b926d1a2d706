import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Histogram, HistogramLogReader, listTags } from 'hdr-histogram-js';
import { Counts } from '../stats/hdr.js';
import { syntheticRun } from '../stats/syntheticRun.test.support.js';
import { writeLatencyLog } from './hlog.js';

test('hdr-histogram-js reads the log back: every second and operation, with every count in its bucket', () => {
  const data = syntheticRun({ phases: [{ name: 'steady', durationUs: 3_000_000 }], slow: [{ startUs: 1_000_000, endUs: 1_500_000, addUs: 90_000 }] });
  const log = writeLatencyLog(data);
  assert.match(log, /^#\[Histogram log format version 1\.3\]$/m);
  assert.deepEqual(listTags(log).sort(), ['get', 'set']);
  const reader = new HistogramLogReader(log);
  const read: Histogram[] = [];
  for (;;) {
    const histogram = reader.nextIntervalHistogram();
    if (!histogram) break;
    read.push(histogram as Histogram);
  }
  const expected = new Map<string, Counts>();
  for (const interval of data.intervals()) {
    for (const cell of interval.cells) {
      for (const op of ['get', 'set'] as const) {
        const key = `${Math.floor(interval.index / 10)} ${op}`;
        const counts = expected.get(key) ?? new Counts();
        counts.add(cell.ops[op]?.response ?? []);
        if (counts.total > 0) expected.set(key, counts);
      }
    }
  }
  assert.equal(read.length, expected.size);
  const t0Ms = data.run.t0WallMs ?? 0;
  for (const histogram of read) {
    const key = `${Math.round((histogram.startTimeStampMsec - t0Ms) / 1000)} ${histogram.tag}`;
    const counts = expected.get(key);
    assert.ok(counts, `${key} was never recorded`);
    assert.equal(histogram.totalCount, counts.total, key);
    for (const percentile of [1, 50, 90, 99, 100]) assert.equal(histogram.getValueAtPercentile(percentile), counts.percentileUs(percentile), key);
  }
});

test('a run without operations has a log without lines', () => {
  const { run } = syntheticRun();
  const log = writeLatencyLog({ run, intervals: () => [] });
  assert.equal(new HistogramLogReader(log).nextIntervalHistogram(), null);
});
