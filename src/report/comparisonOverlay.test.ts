/** The overlay of two sides: aligned at the fault, counts and percentiles as they were recorded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counts } from '../stats/hdr.js';
import type { ChartAnnotations } from './chartBase.js';
import { lightTheme } from './chartTheme.js';
import { failoverSides } from './comparison.test.support.js';
import { buildOverlayCharts } from './comparisonCharts.js';
import { comparedFaults } from './comparisonFaults.js';
import { buildComparisonOverlay, MAX_DRAWN_RUNS, type OverlayInput, type OverlaySeries, SAMPLES_BEYOND } from './comparisonOverlay.js';

const { base, candidate } = failoverSides();
const overlay = buildComparisonOverlay(base, candidate);
const run = base.runs[0] as OverlayInput['runs'][number];

/** The first bucket, in ms, in which clearly less is answered than before. */
function dipMs({ throughput }: OverlaySeries): number | undefined {
  const before = throughput.find((rate, i) => rate !== null && (overlay.tMs[i] ?? 0) >= -2000) ?? 0;
  return overlay.tMs.find((tMs, i) => tMs >= -2000 && (throughput[i] ?? before) < before * 0.8);
}

test('runs are aligned at the injection, however far from t0 it was', () => {
  assert.deepEqual(overlay.anchor, { kind: 'fault', text: 'injection of fault 1 (kill)' });
  assert.equal(overlay.bucketMs, 200);
  assert.ok(overlay.tMs.includes(0));
  for (const side of [overlay.sides.base, overlay.sides.candidate]) {
    assert.equal(side.runs.length, 3);
    for (const one of [...side.runs, side.median]) {
      const dip = dipMs(one);
      assert.ok(dip !== undefined && dip >= 0 && dip <= 200, `the dip begins at ${dip} ms`);
    }
  }
  // The runs begin at different times before the injection: the earliest is 9.1 s long.
  assert.ok(Math.abs(overlay.startMs + 9100) <= 50, String(overlay.startMs));
  assert.equal(overlay.sides.base.runs[0]?.throughput[0], null, 'before its t0 a run has no rate');
  assert.deepEqual(
    overlay.marks.map(({ label, side, tMs }) => [label, side, tMs]),
    [
      ['fault 1 healed', 'base', 7000],
      ['fault 1 healed', 'candidate', 7000],
    ],
  );
});

test('rates of a run add up to what was answered', () => {
  const { throughput } = overlay.sides.base.runs[0] as OverlaySeries;
  const answered = throughput.reduce<number>((sum, rate) => sum + (rate ?? 0) * (overlay.bucketMs / 1000), 0);
  const counted = run.summary.ops.ok + run.summary.warmUp.ok;
  assert.ok(Math.abs(answered - counted) < counted * 0.01, `${answered} of ${counted}`);
});

test('the spectrum is of merged histograms of recorded phases, and ends where samples do', () => {
  const merged = new Counts();
  for (const { data } of base.runs) {
    for (const { cells } of data.intervals()) {
      for (const { phase, ops } of cells) {
        if (data.run.plan.load.phases[phase]?.record) for (const cell of Object.values(ops)) merged.add(cell.response);
      }
    }
  }
  const { all } = overlay.spectra;
  assert.ok(all);
  assert.deepEqual(Object.keys(overlay.spectra), ['all', 'get', 'set']);
  assert.equal(all.base.count, merged.total);
  assert.equal(all.x[20], 2);
  assert.equal(all.base.mergedMs[20], (merged.percentileUs(99) as number) / 1000);
  assert.ok((all.candidate.mergedMs[10] as number) > (all.base.mergedMs[10] as number) + 1, 'the candidate is 1.2 ms slower');
  const beyond = merged.total / 10 ** (all.x[all.base.mergedMs.length - 1] as number);
  assert.ok(beyond >= SAMPLES_BEYOND * 0.999 && beyond < SAMPLES_BEYOND * 1.3, `${beyond} operations beyond the last point`);
  const last = all.base.lowMs.length - 1;
  assert.equal(all.base.lowMs[last], null, 'no single run has as many');
  assert.ok(
    (all.base.lowMs[10] as number) <= (all.base.mergedMs[10] as number) && (all.base.highMs[10] as number) >= (all.base.mergedMs[10] as number),
  );
});

test('without a fault in every run, t0 is the common time, and it is said why', () => {
  const without = { ...run, summary: { ...run.summary, faults: [] } };
  assert.deepEqual(buildComparisonOverlay({ ...base, runs: [without] }, { ...candidate, runs: [without] }).anchor, { kind: 't0', text: 't0' });
  const mixed = buildComparisonOverlay(base, { ...candidate, runs: [without] });
  assert.equal(mixed.anchor.kind, 't0');
  assert.match(mixed.anchor.text, /no fault was injected in every run/);
  assert.equal(mixed.startMs, 0);
});

test('a long run and many runs stay small: buckets widen, only some runs are drawn, all are in the median', () => {
  const interval = (startUs: number, ok: number) => ({
    ...([...run.data.intervals()][50] as ReturnType<typeof run.data.intervals> extends Iterable<infer T> ? T : never),
    startUs,
    endUs: startUs + 100_000,
    cells: [{ phase: 1, slot: startUs / 100_000, ops: { get: { planned: ok, ok, fail: 0, info: 0, dropped: 0, response: [100, ok] } } }],
  });
  const seconds = 1000;
  let open = 0;
  let mostOpen = 0;
  const long = (ok: number): OverlayInput['runs'][number] => ({
    data: {
      ...run.data,
      *intervals() {
        mostOpen = Math.max(mostOpen, ++open);
        for (let i = 0; i < seconds * 10; i++) yield interval(i * 100_000, ok);
        open--;
      },
    },
    summary: { ...run.summary, durationMs: seconds * 1000, faults: [] },
  });
  const many = buildComparisonOverlay(
    { label: 'a', runs: Array.from({ length: 5 }, () => long(10)) },
    { label: 'b', runs: Array.from({ length: MAX_DRAWN_RUNS + 1 }, (_, i) => long(i + 1)) },
  );
  assert.equal(many.bucketMs, 5000);
  assert.ok(many.tMs.length <= 400);
  assert.equal(mostOpen, 1, 'one run is read at a time');
  assert.equal(many.sides.candidate.runs.length, MAX_DRAWN_RUNS);
  assert.equal(many.sides.candidate.runCount, MAX_DRAWN_RUNS + 1);
  assert.equal(many.sides.candidate.median.throughput[10], (MAX_DRAWN_RUNS / 2 + 1) * 10);
});

test('milestones of a fault stand side by side, as medians and ranges over the runs', () => {
  const [fault, ...more] = comparedFaults(base, candidate);
  assert.ok(fault && more.length === 0);
  const [before, after] = fault.sides;
  assert.deepEqual(before?.detection, { median: 1550, min: 1500, max: 1600, count: 3 });
  assert.deepEqual(after?.detection, { median: 3050, min: 3000, max: 3100, count: 3 });
  assert.equal(after?.election?.median, 600);
  assert.ok((after?.longestGap.median ?? 0) > (before?.longestGap.median ?? 0) + 1400);
});

test('faults are named above the curves, unless there are too many of them', () => {
  const annotationsOf = (of: typeof overlay) => {
    const [throughput, p99] = buildOverlayCharts(of, lightTheme, { runs: true, logScale: true });
    const of1 = (spec: typeof throughput) =>
      Object.values((spec?.config.options?.plugins as { annotation?: { annotations: ChartAnnotations } })?.annotation?.annotations ?? {});
    return { named: of1(throughput).flatMap((one) => (one.type === 'label' ? [one.content] : [])), lines: of1(p99).length };
  };
  assert.deepEqual(annotationsOf(overlay), { named: ['injection of fault 1 (kill)', 'fault 1 healed, base', 'fault 1 healed, candidate'], lines: 3 });
  const many = Array.from({ length: 12 }, (_, i) => ({ label: `fault ${i}`, side: 'base' as const, tMs: i * 500 }));
  assert.deepEqual(annotationsOf({ ...overlay, marks: many }), { named: ['injection of fault 1 (kill)'], lines: 13 });
  assert.deepEqual(annotationsOf({ ...overlay, anchor: { kind: 't0', text: 't0' }, marks: [] }), { named: [], lines: 0 });
});
