/**
 * `latency.hlog`: the response times of a run as an HdrHistogram interval log (format 1.3), one line per second of completion and
 * operation, tagged by operation. Any HdrHistogram tool reads it. Values are µs; warm-up is in it, as it happened.
 */
import { build, type Histogram, HistogramLogWriter } from 'hdr-histogram-js';
import { HDR_INDEX_COUNT, HIGHEST_TRACKABLE_US, hdrHighestValueUs, SIGNIFICANT_DIGITS } from '../base/hdrIndex.js';
import { operationsOfPlan } from '../plan/operations.js';
import type { RunData } from './readRun.js';
import { INTERVAL_US } from './records.js';
import { addSparse } from './sparseHistogram.js';

const SECOND_US = 1_000_000;

/** The whole log as text. */
export function writeLatencyLog(data: Pick<RunData, 'run' | 'intervals'>): string {
  const out: string[] = [];
  const writer = new HistogramLogWriter((text) => out.push(text));
  const startMs = data.run.t0WallMs ?? 0;
  writer.outputComment(`[kvbench ${data.run.kvbenchVersion}, ${data.run.name}: response times in microseconds]`);
  writer.outputLogFormatVersion();
  out.push(`#[StartTime: ${(startMs / 1000).toFixed(3)} (seconds since epoch), ${new Date(startMs).toISOString()}]\n`);
  writer.outputLegend();

  const operationNames = operationsOfPlan(data.run.plan);
  const counts = operationNames.map(() => new Uint32Array(HDR_INDEX_COUNT));
  const totals = operationNames.map(() => 0);
  let second: number | null = null;
  const writeSecond = (startSec: number): void => {
    operationNames.forEach((op, i) => {
      if (totals[i] === 0) return;
      const dense = counts[i] as Uint32Array;
      const histogram = hdrFromCounts(dense);
      histogram.tag = op;
      writer.outputIntervalHistogram(histogram, startSec, startSec + 1);
      dense.fill(0);
      totals[i] = 0;
    });
  };
  for (const interval of data.intervals()) {
    const current = Math.floor((interval.index * INTERVAL_US) / SECOND_US);
    if (second !== null && current !== second) writeSecond(second);
    second = current;
    for (const cell of interval.cells) {
      operationNames.forEach((op, i) => {
        const response = cell.ops[op]?.response;
        if (response) totals[i] = (totals[i] ?? 0) + addSparse(counts[i] as Uint32Array, response);
      });
    }
  }
  if (second !== null) writeSecond(second);
  return out.join('');
}

/** Dense counts as a histogram of hdr-histogram-js: the same buckets, so nothing is lost. */
export function hdrFromCounts(counts: Uint32Array): Histogram {
  const histogram = build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_TRACKABLE_US,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
  });
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index] as number;
    if (count > 0) histogram.recordValueWithCount(hdrHighestValueUs(index), count);
  }
  return histogram;
}
